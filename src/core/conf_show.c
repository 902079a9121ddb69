/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conf_show.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/conf_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"

/* ---- masking ---- */

/* Whether the name of a member, a variable or an option is that of a secret. */
static bool is_secret(const char *name, size_t len)
{
	static const char *const words[] = {"secret", "token", "passw",
	    "api_key", "apikey", "api-key", "auth", "credential", "invite",
	    "private"};
	char lower[64];
	size_t n = len < sizeof lower - 1 ? len : sizeof lower - 1;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[n] = '\0';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(lower, words[i]))
			return true;
	return false;
}

/* Append a word; the user and the password in a URL are masked. */
static void put_word(struct buf *out, const char *word, size_t len)
{
	const char *end = word + len;
	const char *host = memmem(word, len, "://", 3);
	const char *path =
	    host ? memchr(host + 3, '/', (size_t)(end - host - 3)) : NULL;
	const char *at = host ? memchr(host + 3, '@',
				    (size_t)((path ? path : end) - host - 3))
			      : NULL;
	if (!at) {
		buf_append(out, word, len);
		return;
	}
	buf_append(out, word, (size_t)(host + 3 - word));
	buf_str(out, MASK);
	buf_append(out, at, (size_t)(end - at));
}

/*
 * Append a command line: the values of NAME=VALUE, --name=VALUE and --name VALUE
 * are masked where the name says that they are secret.
 */
static void mask_command(struct buf *out, const char *text)
{
	bool is_next_secret = false;
	while (*text) {
		size_t space = strspn(text, " \t\r\n");
		buf_append(out, text, space);
		text += space;
		size_t len = strcspn(text, " \t\r\n");
		const char *equals = memchr(text, '=', len);
		if (is_next_secret && *text != '-') {
			buf_str(out, len ? MASK : "");
		} else if (equals && is_secret(text, (size_t)(equals - text))) {
			buf_append(out, text, (size_t)(equals + 1 - text));
			buf_str(out, MASK);
		} else {
			put_word(out, text, len);
		}
		is_next_secret =
		    *text == '-' && !equals && is_secret(text, len);
		text += len;
	}
}

static void put_masked(struct buf *out, const struct json *v, bool is_hidden);

static void put_member(struct buf *out, const struct json *v, bool is_hidden)
{
	size_t len;
	const char *key = json_text(json_key(v), &len);
	bool holds_secrets = (len == 5 && memcmp(key, "\"env\"", 5) == 0) ||
			     (len == 9 && memcmp(key, "\"headers\"", 9) == 0);
	buf_append(out, key, len);
	buf_char(out, ':');
	put_masked(out, v, is_hidden || holds_secrets || is_secret(key, len));
}

static void put_masked(struct buf *out, const struct json *v, bool is_hidden)
{
	size_t len;
	enum json_type type = json_type(v);
	if (type != JSON_ARRAY && type != JSON_OBJECT) {
		const char *text = json_text(v, &len);
		if (is_hidden && type == JSON_STRING)
			buf_str(out, "\"" MASK "\"");
		else if (type == JSON_STRING)
			put_word(out, text, len);
		else
			buf_append(out, text, len);
		return;
	}
	buf_char(out, type == JSON_ARRAY ? '[' : '{');
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		if (m != json_first(v))
			buf_char(out, ',');
		if (type == JSON_ARRAY)
			put_masked(out, m, is_hidden);
		else
			put_member(out, m, is_hidden);
	}
	buf_char(out, type == JSON_ARRAY ? ']' : '}');
}

/* Returns false if the text is no JSON. */
static bool mask_json(struct buf *out, const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *root = json_parse(&doc, text, len, 0, &why);
	if (root)
		put_masked(out, root, false);
	json_fini(&doc);
	return root != NULL;
}

/* Append the value as JSON. */
static void put_value(
    struct buf *out, const struct conf *c, const struct param *p)
{
	const char *text = NULL;
	struct buf masked = {0};
	if (p->type == PARAM_STR || p->type == PARAM_JSON)
		text = *(char *const *)(const void *)((const char *)c + p->at);
	if (!text || !*text) {
		param_put_json(out, c, p);
		return;
	}
	if (*text == '{' || p->type == PARAM_JSON) {
		if (!mask_json(out, text, strlen(text)))
			buf_str(out, "\"" MASK "\"");
		return;
	}
	if (strncmp(text, "---", 3) == 0)
		buf_printf(&masked, "(a policy of %zu bytes)", strlen(text));
	else
		mask_command(&masked, text);
	buf_json(out, masked.data, masked.len);
	buf_fini(&masked);
}

/* ---- forms ---- */

static const struct param *row(size_t i)
{
	return &conf_table.params[i];
}

/* Returns the word of a source for programs. */
static const char *origin_word(enum param_rank rank)
{
	static const char *const words[] = {
	    [RANK_DEFAULT] = "default",
	    [RANK_PRESET] = "preset",
	    [RANK_FILE] = "file",
	    [RANK_ENV] = "environment",
	    [RANK_ARGS] = "agent",
	    [RANK_OPTION] = "option",
	};
	return words[rank];
}

void conf_show_json(struct buf *out, const struct conf *c)
{
	struct conf fresh;
	conf_init(&fresh);
	buf_char(out, '[');
	for (size_t i = 0; i < conf_table.n_params; i++) {
		const struct param *p = row(i);
		buf_printf(
		    out, "%s{\"key\":\"%s\",\"value\":", i ? "," : "", p->key);
		put_value(out, c, p);
		buf_str(out, ",\"default\":");
		put_value(out, &fresh, p);
		buf_printf(out, ",\"origin\":\"%s\",\"where\":",
		    origin_word(param_rank(&conf_table, c, p)));
		buf_json_str(out, param_where(&conf_table, c, p));
		buf_printf(out, ",\"change\":\"%s\"}",
		    p->change == CHANGE_FIXED ? "restart" : "reload");
	}
	buf_char(out, ']');
	conf_fini(&fresh);
}

void conf_show_yaml(struct buf *out, const struct conf *c, bool all)
{
	for (size_t i = 0; i < conf_table.n_params; i++) {
		const struct param *p = row(i);
		enum param_rank rank = param_rank(&conf_table, c, p);
		const char *where = param_where(&conf_table, c, p);
		if (rank == RANK_DEFAULT && !all)
			continue;
		buf_printf(out, "%s: ", p->key);
		put_value(out, c, p);
		buf_printf(out, "  # %s\n", *where ? where : origin_word(rank));
	}
}

unsigned conf_show_difference(
    struct buf *out, const struct conf *runs, const struct conf *now)
{
	unsigned n = 0;
	for (size_t i = 0; i < conf_table.n_params; i++) {
		const struct param *p = row(i);
		if (param_rank(&conf_table, runs, p) > RANK_FILE ||
		    param_rank(&conf_table, now, p) > RANK_FILE ||
		    param_is_same(p, runs, now))
			continue;
		const char *where = param_where(&conf_table, now, p);
		n++;
		buf_printf(out, "-%s: ", p->key);
		put_value(out, runs, p);
		buf_printf(out, "\n+%s: ", p->key);
		put_value(out, now, p);
		buf_printf(out, "  # %s%s\n", *where ? where : "default",
		    p->change == CHANGE_FIXED ? ", after a restart" : "");
	}
	return n;
}
