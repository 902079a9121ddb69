/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/mem.h"
#include "core/conf_int.h"
#include "core/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The maximum size in bytes of a file of variables. */
#define MAX_ENV_FILE ((size_t)1024 * 1024)
#define MAX_VARIABLES 10000

/* ---- variables that are settings ---- */

static const char *trust_of_environment(const char *name)
{
	if (strcmp(name, "development") == 0)
		return "open";
	if (strcmp(name, "test") == 0 || strcmp(name, "staging") == 0)
		return "careful";
	return strcmp(name, "production") == 0 ? "strict" : NULL;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

static bool is_development(void)
{
	const char *environment = getenv("ENVIRONMENT");
	return is_set("OPENONION_DEV") ||
	       (environment && strcmp(environment, "development") == 0);
}

/*
 * Returns the variable that names the backend and sets *url to its value, or
 * NULL.
 */
static const char *backend(const char **url)
{
	static const char *const names[] = {"CONNECTONION_BACKEND_URL",
	    "OPENONION_API_URL", "OPENONION_BASE_URL"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_set(names[i])) {
			*url = getenv(names[i]);
			return names[i];
		}
	*url = "http://localhost:8000";
	return is_development() ? "OPENONION_DEV" : NULL;
}

/* The relay is at the backend unless another one was set. */
static int read_relay(struct conf *c, struct err *err)
{
	const char *url;
	const char *where = backend(&url);
	const struct param *p = param_find(&conf_table, "relay_url");
	bool is_chosen = c->rank[CONF_relay_url] > RANK_PRESET &&
			 strcmp(c->relay_url, p->preset) != 0;
	if (!where || is_chosen || c->rank[CONF_relay_url] == RANK_OPTION)
		return 0;
	c->rank[CONF_relay_url] = RANK_DEFAULT;
	return conf_put(c, RANK_PRESET, where, "relay_url", url, err);
}

int conf_read_env(struct conf *c, struct err *err)
{
	const char *port = getenv("AGENT_PORT");
	const char *name = getenv("CONNECTONION_ENV");
	const char *trust = name ? trust_of_environment(name) : NULL;
	if (port && conf_put(c, RANK_ENV, "AGENT_PORT", "port", port, err) != 0)
		return -1;
	if (trust && conf_put(c, RANK_PRESET, "CONNECTONION_ENV", "trust",
			 trust, err) != 0)
		return -1;
	/* The public name under which a proxy makes the server reachable. */
	const char *domain = getenv("AGENT_PUBLIC_DOMAIN");
	if (domain && conf_put(c, RANK_PRESET, "AGENT_PUBLIC_DOMAIN",
			  "allowed_hosts", domain, err) != 0)
		return -1;
	return read_relay(c, err);
}

/* ---- .env files ---- */

/*
 * The rules are those of python-dotenv, which reads the same files for Python
 * agents. Lines that it cannot parse are skipped.
 */
#define BLANKS " \t\r\n\f\v"

struct reader {
	const char *at;
	bool is_broken; /* the line could not be parsed so far */
};

struct variable {
	char *name;
	char *value;
};

/* The file's variables, in order; a later one replaces an earlier one. */
struct variables {
	struct variable *all;
	size_t count;
};

static void skip(struct reader *r, const char *set)
{
	r->at += strspn(r->at, set);
}

static void skip_line(struct reader *r)
{
	r->at += strcspn(r->at, "\r\n");
}

static bool skip_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(r->at, word, n) != 0 || !strchr(" \t", r->at[n]) ||
	    !r->at[n])
		return false;
	r->at += n;
	skip(r, " \t\f\v");
	return true;
}

static char *conf_env_take(struct reader *r, size_t n)
{
	char *text = mem_strndup(r->at, n);
	r->at += n;
	return text;
}

static char *conf_env_read_name(struct reader *r)
{
	if (*r->at == '#')
		return NULL;
	if (*r->at != '\'') {
		size_t n = strcspn(r->at, "=# \t\r\n\f\v");
		r->is_broken = !n;
		return n ? conf_env_take(r, n) : NULL;
	}
	const char *end = strchr(r->at + 1, '\'');
	r->is_broken = !end || end == r->at + 1;
	if (r->is_broken)
		return NULL;
	r->at++;
	char *name = conf_env_take(r, (size_t)(end - r->at));
	r->at++;
	return name;
}

static char unescaped(char c, char quote)
{
	static const char codes[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	const char *code = strchr(codes, c);
	if (c == '\\' || c == '\'' || (quote == '"' && c == '"'))
		return c;
	return quote == '"' && code ? bytes[code - codes] : 0;
}

static char *read_quoted(struct reader *r)
{
	char quote = *r->at;
	struct buf out = {0};
	const char *s = r->at + 1;
	while (*s && *s != quote) {
		char c = *s == '\\' && s[1] ? unescaped(s[1], quote) : 0;
		buf_char(&out, c ? c : *s);
		s += c ? 2 : 1;
	}
	r->is_broken = !*s;
	if (r->is_broken) {
		buf_fini(&out);
		return NULL;
	}
	r->at = s + 1;
	return buf_steal(&out, NULL);
}

/* Read up to the end of the line, or to a comment after a space. */
static char *read_plain(struct reader *r)
{
	const char *s = r->at;
	size_t n = 0, most = strcspn(s, "\r\n");
	while (n < most && !(s[n] == '#' && n && strchr(" \t\f\v", s[n - 1])))
		n++;
	while (n && strchr(" \t\f\v", s[n - 1]))
		n--;
	char *value = mem_strndup(s, n);
	skip_line(r);
	return value;
}

/* Read what follows the equals sign; after a space, '#' starts a comment. */
static char *read_value(struct reader *r)
{
	const char *start = r->at;
	skip(r, " \t\f\v");
	if (*r->at == '#' && r->at > start)
		return mem_strdup("");
	if (*r->at == '"' || *r->at == '\'')
		return read_quoted(r);
	return read_plain(r);
}

static void check_end(struct reader *r)
{
	skip(r, " \t\f\v");
	if (*r->at == '#')
		skip_line(r);
	if (*r->at && !strchr("\r\n", *r->at))
		r->is_broken = true;
	skip_line(r);
}

/* Read lines up to one with a name and a value; false if there is none. */
static bool conf_env_read_line(struct reader *r, struct variable *v)
{
	*v = (struct variable){NULL, NULL};
	r->is_broken = false;
	(void)skip_word(r, "export");
	v->name = conf_env_read_name(r);
	skip(r, " \t\f\v");
	if (v->name && *r->at == '=') {
		r->at++;
		v->value = read_value(r);
	}
	check_end(r);
	if (!r->is_broken && v->value)
		return true;
	free(v->name);
	free(v->value);
	return false;
}

static const char *conf_env_find(const struct variables *vars, const char *name)
{
	for (size_t i = 0; i < vars->count; i++)
		if (strcmp(vars->all[i].name, name) == 0)
			return vars->all[i].value;
	return NULL;
}

/* Expand one ${NAME} or ${NAME:-default}. Returns its end, or NULL. */
static const char *expand_one(
    struct buf *out, const char *s, const struct variables *vars)
{
	const char *name = s + 2;
	size_t n = strcspn(name, "}:");
	const char *end = name + n;
	const char *otherwise = NULL;
	if (*end == ':') {
		if (end[1] != '-')
			return NULL;
		otherwise = end + 2;
		end = strchr(otherwise, '}');
	}
	if (!end || *end != '}')
		return NULL;
	char *key = mem_strndup(name, n);
	const char *value =
	    getenv(key) ? getenv(key) : conf_env_find(vars, key);
	free(key);
	if (value)
		buf_str(out, value);
	else if (otherwise)
		buf_append(out, otherwise, (size_t)(end - otherwise));
	return end + 1;
}

static char *expand(const char *s, const struct variables *vars)
{
	struct buf out = {0};
	while (*s && out.len < MAX_ENV_FILE) {
		const char *next =
		    strncmp(s, "${", 2) == 0 ? expand_one(&out, s, vars) : NULL;
		if (!next)
			buf_char(&out, *s);
		s = next ? next : s + 1;
	}
	return buf_steal(&out, NULL);
}

/* Store v, and take ownership of it. */
static void conf_env_keep(struct variables *vars, struct variable v)
{
	char *value = expand(v.value, vars);
	free(v.value);
	for (size_t i = 0; i < vars->count; i++)
		if (strcmp(vars->all[i].name, v.name) == 0) {
			free(v.name);
			free(vars->all[i].value);
			vars->all[i].value = value;
			return;
		}
	vars->all =
	    mem_realloc(vars->all, (vars->count + 1) * sizeof *vars->all);
	vars->all[vars->count++] = (struct variable){v.name, value};
}

static int set_all(struct variables *vars)
{
	int count = 0;
	for (size_t i = 0; i < vars->count; i++) {
		struct variable *v = &vars->all[i];
		count += !getenv(v->name) && setenv(v->name, v->value, 0) == 0;
		free(v->name);
		free(v->value);
	}
	free(vars->all);
	return count;
}

static int read_variables(const char *text)
{
	struct reader r = {.at = text};
	struct variables vars = {NULL, 0};
	struct variable v;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	skip(&r, BLANKS);
	while (*r.at && vars.count < MAX_VARIABLES) {
		if (conf_env_read_line(&r, &v))
			conf_env_keep(&vars, v);
		skip(&r, BLANKS);
	}
	return set_all(&vars);
}

int conf_load_env_file(const char *path)
{
	struct buf text = {0};
	FILE *f = fopen(path, "re");
	if (!f)
		return -1;
	text.len =
	    fread(buf_reserve(&text, MAX_ENV_FILE + 1), 1, MAX_ENV_FILE + 1, f);
	bool is_good = !ferror(f) && text.len <= MAX_ENV_FILE;
	(void)fclose(f);
	int count = is_good ? read_variables(buf_cstr(&text)) : -1;
	buf_fini(&text);
	return count;
}
