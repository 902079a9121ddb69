/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/order.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the directory ---- */

static bool is_inside(const char *root, const char *path)
{
	size_t n = strlen(root);

	return strncmp(root, path, n) == 0 &&
	       (path[n] == '\0' || path[n] == '/');
}

char *order_dir(const char *root, const char *dir, char *why, size_t size)
{
	struct buf path = {0};
	struct stat st;

	if (*dir != '/')
		buf_printf(&path, "%s/", root);
	buf_str(&path, dir);
	char *real = realpath(buf_cstr(&path), NULL);
	if (real && stat(real, &st) == 0 && !S_ISDIR(st.st_mode)) {
		free(real);
		real = NULL;
		errno = ENOTDIR;
	}
	if (!real) {
		(void)snprintf(why, size,
		    "the working directory \"%s\" "
		    "cannot be used: %s",
		    dir, strerror(errno));
	} else if (!is_inside(root, real)) {
		(void)snprintf(why, size,
		    "the working directory \"%s\" is "
		    "outside that of this agent",
		    dir);
		free(real);
		real = NULL;
	}
	buf_fini(&path);
	return real;
}

static bool set_dir(struct order *o, const struct ons_request *q,
    const char *root, char *why, size_t size)
{
	char *dir = q->dir.text && q->dir.len
			? mem_strndup(q->dir.text, q->dir.len)
			: mem_strdup(".");

	o->dir = order_dir(root, dir, why, size);
	free(dir);
	return o->dir != NULL;
}

/* ---- arguments and environment ---- */

struct words {
	char **list; /* NULL-terminated */
	size_t n;
};

static bool words_add(struct words *w, char *word)
{
	if (!word || w->n == ORDER_MAX_WORDS) {
		free(word);
		return false;
	}
	w->list[w->n++] = word;
	return true;
}

/* A text as it is; anything else as its JSON. NULL if it has a NUL. */
static char *word_of(const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	return json_is(v, JSON_STRING) ? json_strdup(v)
				       : mem_strndup(text, len);
}

static bool add_args(struct words *w, const struct json *v)
{
	if (json_is(v, JSON_OBJECT))
		return json_count(v) == 0 || words_add(w, word_of(v));
	for (v = json_first(v); v; v = json_next(v))
		if (!words_add(w, word_of(v)))
			return false;
	return true;
}

static bool is_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static bool add_variables(struct words *w, const struct json *v)
{
	for (v = json_first(v); v; v = json_next(v)) {
		char *name = json_strdup(json_key(v));
		char *value = word_of(v);
		struct buf word = {0};
		bool is_valid = name && value && is_name(name);

		if (is_valid)
			buf_printf(&word, "%s=%s", name, value);
		free(name);
		free(value);
		if (!is_valid || !words_add(w, buf_steal(&word, NULL)))
			return false;
	}
	return true;
}

/* Returns NULL if add() finds something that cannot be a word. */
static char **read_words(
    struct span json, bool (*add)(struct words *w, const struct json *v))
{
	struct words w = {
	    .list = mem_zero((ORDER_MAX_WORDS + 1) * sizeof *w.list)};
	struct json_doc doc = {0};
	struct json_error error;
	bool is_valid = !json.text || add(&w, json_parse(&doc, json.text,
						  json.len, 0, &error));

	json_fini(&doc);
	if (is_valid)
		return w.list;
	for (size_t i = 0; i < w.n; i++)
		free(w.list[i]);
	free(w.list);
	return NULL;
}

static bool set_words(
    struct order *o, const struct ons_request *q, char *why, size_t size)
{
	o->args = read_words(q->args, add_args);
	if (!o->args)
		(void)snprintf(why, size,
		    "args has more than %d words, or a "
		    "NUL in one",
		    ORDER_MAX_WORDS);
	else if (!(o->env = read_words(q->env, add_variables)))
		(void)snprintf(why, size,
		    "env has a name that no variable can "
		    "have, more than %d of them, or a "
		    "NUL",
		    ORDER_MAX_WORDS);
	return o->env != NULL;
}

/* ---- the order ---- */

static char *make_id(void)
{
	struct buf id = {0};
	uint64_t random;

	enc_random(&random, sizeof random);
	ons_put_id(&id, "cmd", clock_wall_ms(), random);
	return buf_steal(&id, NULL);
}

struct order *order_new(
    const struct ons_request *q, const char *root, char *why, size_t size)
{
	struct order *o = mem_zero(sizeof *o);

	list_init(&o->link);
	o->id = q->command.text ? mem_strndup(q->command.text, q->command.len)
				: make_id();
	o->text = mem_strndup(q->text.text, q->text.len);
	o->kind = q->kind.text ? mem_strndup(q->kind.text, q->kind.len) : NULL;
	o->priority = q->priority;
	o->time_limit_ms = q->time_limit_ms;
	if (strlen(o->text) != q->text.len) {
		(void)snprintf(why, size, "the command has a NUL");
		order_free(&o);
	} else if (!set_dir(o, q, root, why, size) ||
		   !set_words(o, q, why, size)) {
		order_free(&o);
	}
	return o;
}

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

void order_free(struct order **op)
{
	struct order *o = *op;

	*op = NULL;
	if (!o)
		return;
	free(o->id);
	free(o->text);
	free_words(o->args);
	free_words(o->env);
	free(o->dir);
	free(o->kind);
	buf_fini(&o->output[0]);
	buf_fini(&o->output[1]);
	free(o);
}
