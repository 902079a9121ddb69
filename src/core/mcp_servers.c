/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/mcp_servers.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A server that is being read. */
struct reading {
	struct mcp_server *server;
	bool has_environment;
	struct err *err;
};

static int __attribute__((format(printf, 2, 3)))
refuse(const struct reading *r, const char *fmt, ...)
{
	struct buf why = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	(void)err_set(
	    r->err, ERR_CONFIG, "%s: %s", r->server->name, buf_cstr(&why));
	buf_fini(&why);
	return -1;
}

/* ---- texts ---- */

/* Append the value of "NAME" or "NAME:-default". */
static int put_variable(
    const struct reading *r, struct buf *out, const char *text, size_t len)
{
	char *name = mem_strndup(text, len);
	char *preset = strstr(name, ":-");
	int rc = 0;

	if (preset) {
		*preset = '\0';
		preset += 2;
	}
	const char *value = getenv(name);
	if (value && (*value || !preset))
		buf_str(out, value);
	else if (preset)
		buf_str(out, preset);
	else
		rc = refuse(
		    r, "the environment variable %.60s is not set", name);
	free(name);
	return rc;
}

/* Returns the text with its variables replaced, or NULL with *err. */
static char *expand(const struct reading *r, const char *text)
{
	struct buf out = {0};

	while (*text) {
		const char *end =
		    strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
		if (!end || !r->has_environment) {
			buf_char(&out, *text++);
			continue;
		}
		if (put_variable(r, &out, text + 2, (size_t)(end - text) - 2) !=
		    0) {
			buf_fini(&out);
			return NULL;
		}
		text = end + 1;
	}
	(void)buf_cstr(&out);
	return buf_steal(&out, NULL);
}

/* The text of a scalar; YAML makes numbers of some. */
static char *scalar(const struct json *v)
{
	size_t len;

	if (json_is(v, JSON_NUMBER) || json_is(v, JSON_BOOL)) {
		const char *text = json_text(v, &len);
		return mem_strndup(text, len);
	}
	return json_strdup(v);
}

static char *read_text(
    const struct reading *r, const char *key, const struct json *v)
{
	char *text = scalar(v);

	if (!text) {
		(void)refuse(r, "%s must be a text", key);
		return NULL;
	}
	char *expanded = expand(r, text);
	free(text);
	return expanded;
}

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

/* ---- members ---- */

static int set_text(
    const struct reading *r, char **to, const char *key, const struct json *v)
{
	*to = read_text(r, key, v);
	if (*to && !**to)
		return refuse(r, "%s must not be empty", key);
	return *to ? 0 : -1;
}

/* The command has the first place of argv, whichever key comes first. */
static int set_command(const struct reading *r, const struct json *command,
    const struct json *args)
{
	size_t n = 0;

	if (json_type(args) != JSON_NULL && !json_is(args, JSON_ARRAY))
		return refuse(r, "args must be a list");
	r->server->argv = mem_zero((json_count(args) + 2) * sizeof(char *));
	if (set_text(r, &r->server->argv[n++], "command", command) != 0)
		return -1;
	for (const struct json *v = json_first(args); v; v = json_next(v)) {
		r->server->argv[n] = read_text(r, "args", v);
		if (!r->server->argv[n++])
			return -1;
	}
	return 0;
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return false;
	return true;
}

/* Read a mapping of texts to lines "KEY<between>VALUE". */
static int set_pairs(const struct reading *r, char ***to, const char *key,
    const char *between, const struct json *v)
{
	size_t n = 0;

	if (!json_is(v, JSON_OBJECT))
		return refuse(r, "%s must be a mapping", key);
	char **lines = *to = mem_zero((json_count(v) + 1) * sizeof *lines);
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		struct buf line = {0};
		char *name = json_strdup(json_key(m));
		char *value = read_text(r, key, m);
		bool is_good = name && *name && value &&
			       !strpbrk(name, "=: \t\r\n") &&
			       (*between == '=' || is_clean(value));
		buf_printf(&line, "%s%s%s", name ? name : "", between,
		    value ? value : "");
		lines[n++] = buf_steal(&line, NULL);
		int rc = is_good ? 0
			 : value ? refuse(r, "%s: bad name or value: %.60s",
				       key, name ? name : "")
				 : -1;
		free(name);
		free(value);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int set_token(const struct reading *r, const struct json *v)
{
	char *name = json_strdup(v);
	const char *value = name && *name ? getenv(name) : NULL;
	int rc = 0;

	if (!name || !*name)
		rc = refuse(r, "token_env must be the name of a variable");
	else if (!r->has_environment)
		r->server->token = mem_strdup(name);
	else if (!value || !*value)
		rc = refuse(r,
		    "the environment variable %.60s is not set "
		    "(token_env)",
		    name);
	else if (!is_clean(value))
		rc = refuse(r, "%.60s has a control character", name);
	else
		r->server->token = mem_strdup(value);
	free(name);
	return rc;
}

static int set_timeout(const struct reading *r, const struct json *v)
{
	int64_t s = 0;

	if (!json_int(v, &s) || s < 1 || s > MCP_SERVERS_TIMEOUT_MAX_S)
		return refuse(r, "timeout must be 1 to %d seconds",
		    MCP_SERVERS_TIMEOUT_MAX_S);
	r->server->timeout_ms = s * 1000;
	return 0;
}

/* Other clients let people name the transport, which we know by the keys. */
static int check_type(const struct reading *r, const struct json *v)
{
	bool is_program = r->server->argv != NULL;
	bool is_good = is_program ? json_str_is(v, "stdio")
				  : json_str_is(v, "http") ||
					json_str_is(v, "streamable-http");

	return is_good ? 0
		       : refuse(r, "type must be %s here",
			     is_program ? "stdio" : "http");
}

static int set_member(
    const struct reading *r, const char *key, const struct json *v)
{
	struct mcp_server *s = r->server;
	bool is_program = s->argv != NULL;

	if (is_program && strcmp(key, "env") == 0)
		return set_pairs(r, &s->env, key, "=", v);
	if (!is_program && strcmp(key, "headers") == 0)
		return set_pairs(r, &s->headers, key, ": ", v);
	if (!is_program && strcmp(key, "token_env") == 0)
		return set_token(r, v);
	if (strcmp(key, "timeout") == 0)
		return set_timeout(r, v);
	if (strcmp(key, "type") == 0 || strcmp(key, "transport") == 0)
		return check_type(r, v);
	if (strcmp(key, "trusted") == 0)
		return json_bool(v, &s->is_trusted)
			   ? 0
			   : refuse(r, "trusted must be true or false");
	return refuse(r, "%.60s is not known; %s has %s, timeout and trusted",
	    key, is_program ? "a program" : "a url",
	    is_program ? "command, args, env" : "url, headers, token_env");
}

/* ---- a server ---- */

static bool is_url(const char *url)
{
	return is_clean(url) && !strchr(url, ' ') &&
	       (strncmp(url, "http://", 7) == 0 ||
		   strncmp(url, "https://", 8) == 0);
}

static int set_way(const struct reading *r, const struct json *v)
{
	const struct json *command = json_get(v, "command");
	const struct json *url = json_get(v, "url");

	if (!command == !url)
		return refuse(r, "needs a command or a url");
	if (command)
		return set_command(r, command, json_get(v, "args"));
	if (set_text(r, &r->server->url, "url", url) != 0)
		return -1;
	if (r->has_environment && !is_url(r->server->url))
		return refuse(r, "url must begin with http:// or https://");
	return 0;
}

static int read_server(const struct reading *r, const struct json *v)
{
	static const char *const way[] = {"command", "args", "url"};
	int rc;

	r->server->timeout_ms = (int64_t)MCP_SERVERS_TIMEOUT_S * 1000;
	if (!json_is(v, JSON_OBJECT))
		return refuse(r, "must be a mapping");
	rc = set_way(r, v);
	for (const struct json *m = json_first(v); m && rc == 0;
	     m = json_next(m)) {
		char *key = json_strdup(json_key(m));
		bool is_read = false;
		for (size_t i = 0; i < 3; i++)
			is_read |= key && strcmp(key, way[i]) == 0;
		if (is_read && r->server->url && strcmp(key, "args") == 0)
			is_read = false;
		if (!is_read)
			rc = set_member(r, key ? key : "", m);
		free(key);
	}
	return rc;
}

/*
 * A tool is called SERVER_TOOL, so a server "a" with a tool "b_c" and one called
 * "a_b" with a tool "c" would be confused.
 */
static int check_names(const struct mcp_servers *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->n; j++) {
			const char *one = s->all[i].name;
			const char *other = s->all[j].name;
			size_t len = strlen(one);
			if (i != j && strncmp(other, one, len) == 0 &&
			    (other[len] == '_' || !other[len]))
				return err_set(err, ERR_CONFIG,
				    "%s and %s: their tools could have the "
				    "same names; rename one",
				    one, other);
		}
	return 0;
}

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-')
			return false;
	return len > 0 && len <= MCP_SERVERS_NAME_MAX;
}

static int add(struct mcp_servers *s, const struct json *v,
    bool has_environment, struct err *err)
{
	char *name = json_strdup(json_key(v));
	struct mcp_server *server = &s->all[s->n++];
	const struct reading r = {server, has_environment, err};

	server->name = name ? name : mem_strdup("");
	if (!is_name(server->name))
		return err_set(err, ERR_CONFIG,
		    "%.60s: the name of a server has 1 to %d letters, digits, "
		    "_ and -",
		    server->name, MCP_SERVERS_NAME_MAX);
	return read_server(&r, v);
}

static int read_all(struct mcp_servers *s, const struct json *v,
    bool has_environment, struct err *err)
{
	int rc = 0;

	if (v && !json_is(v, JSON_OBJECT))
		return err_set(err, ERR_CONFIG, "must be a mapping");
	if (json_count(v) > MCP_SERVERS_MAX)
		return err_set(
		    err, ERR_CONFIG, "at most %d servers", MCP_SERVERS_MAX);
	s->all = mem_zero((json_count(v) + 1) * sizeof *s->all);
	for (const struct json *m = json_first(v); m && rc == 0;
	     m = json_next(m))
		rc = add(s, m, has_environment, err);
	return rc == 0 ? check_names(s, err) : rc;
}

int mcp_servers_read(struct mcp_servers *s, const char *text,
    bool has_environment, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = NULL;

	*s = (struct mcp_servers){0};
	if (*text)
		v = json_parse(&doc, text, strlen(text), 0, &why);
	int rc = *text && !v
		     ? err_set(err, ERR_CONFIG, "is not JSON: %s", why.message)
		     : read_all(s, v, has_environment, err);
	json_fini(&doc);
	if (rc != 0)
		mcp_servers_fini(s);
	return rc;
}

void mcp_servers_fini(struct mcp_servers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct mcp_server *server = &s->all[i];
		free(server->name);
		free_texts(server->argv);
		free_texts(server->env);
		free(server->url);
		free_texts(server->headers);
		free(server->token);
	}
	free(s->all);
	*s = (struct mcp_servers){0};
}
