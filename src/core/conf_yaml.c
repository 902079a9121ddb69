/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/json.h"
#include "core/conf_int.h"
#include "core/err.h"

#include <stdlib.h>
#include <string.h>

/* A source of settings that is an object, and its place for messages. */
struct source {
	struct conf *conf;
	enum param_rank rank;
	const char *name;
	conf_warning *warn;
	void *arg;
};

static void __attribute__((format(printf, 2, 3)))
warn(const struct source *s, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (s->warn)
		s->warn(buf_cstr(&text), s->arg);
	buf_fini(&text);
}

/* ---- host.yaml ---- */

/* Keys that hosts by other makers read from the file. */
static bool is_foreign(const char *key)
{
	return strcmp(key, "rem") == 0 || strcmp(key, "listen") == 0;
}

static void warn_unknown(
    const struct source *s, const char *where, const char *key)
{
	struct buf why = {0};
	if (is_foreign(key))
		buf_printf(&why, "%s is not supported", key);
	else
		param_put_unknown(&why, &conf_table, key);
	warn(s, "%s: %s", where, buf_cstr(&why));
	buf_fini(&why);
}

/* A file that is shown, copied and kept under version control holds no key. */
static bool is_secret(const char *key)
{
	return strcasestr(key, "api_key") || strcasestr(key, "apikey");
}

static int set_member(const struct source *s, const char *where,
    const char *key, const struct json *value, struct err *err)
{
	const struct param *p = param_find(&conf_table, key);
	if (!p && is_secret(key))
		return err_set(err, ERR_CONFIG,
		    "%s: %.60s does not belong here: put the key into the "
		    "environment, .env or ~/.co/keys.env (see model_key)",
		    where, key);
	if (!p) {
		warn_unknown(s, where, key);
		return 0;
	}
	if (s->rank == RANK_FILE && strcmp(key, "co_dir") == 0) {
		if (!json_is(value, JSON_NULL))
			warn(s,
			    "%s: co_dir has no effect here, for it says where "
			    "this file is; use -o co_dir=DIR",
			    where);
		return 0;
	}
	return conf_put_json(s->conf, s->rank, where, p, value, err);
}

static int on_member(void *arg, const char *where, const char *key,
    const struct json *value, struct err *err)
{
	return set_member(arg, where, key, value, err);
}

int conf_read_yaml(struct conf *c, const char *path, conf_warning *on_warning,
    void *arg, struct err *err)
{
	struct source s = {.conf = c,
	    .rank = RANK_FILE,
	    .name = path,
	    .warn = on_warning,
	    .arg = arg};
	return param_read_yaml(path, on_member, &s, err);
}

/* ---- what the agent gave to host() ---- */

static bool is_argument(const char *key)
{
	static const char *const names[] = {"trust", "blacklist", "whitelist",
	    "bind", "port", "workers", "result_ttl", "relay_url", "reload",
	    "max_file_size", "max_files_per_request", "co_dir", "summary",
	    "examples", "name"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], key) == 0)
			return true;
	return false;
}

/* Tell operators who edit host.yaml why it has no effect. */
static void warn_replaced(const struct source *s, const char *key)
{
	enum param_rank rank =
	    param_rank(&conf_table, s->conf, param_find(&conf_table, key));
	if (rank == RANK_FILE || rank == RANK_ENV)
		warn(s, "%s: it sets %s, so that %s does not", s->name, key,
		    rank == RANK_FILE ? "host.yaml" : "the environment");
}

static int set_argument(const struct source *s, const char *key,
    const struct json *value, struct err *err)
{
	if (json_is(value, JSON_NULL) && strcmp(key, "relay_url") != 0)
		return 0;
	if (is_argument(key)) {
		warn_replaced(s, key);
		return set_member(s, s->name, key, value, err);
	}
	warn(s, "%s: %.60s is not supported", s->name, key);
	return 0;
}

int conf_read_args(struct conf *c, const struct json *args,
    conf_warning *on_warning, void *arg, struct err *err)
{
	struct source s = {.conf = c,
	    .rank = RANK_ARGS,
	    .name = CONF_HOST_CALL,
	    .warn = on_warning,
	    .arg = arg};
	if (!json_is(args, JSON_OBJECT))
		return json_type(args) == JSON_NULL
			   ? 0
			   : err_set(err, ERR_CONFIG,
				 "host(): its arguments must be an object");
	for (const struct json *v = json_first(args); v; v = json_next(v)) {
		char *key = json_strdup(json_key(v));
		int rc = key ? set_argument(&s, key, v, err) : 0;
		free(key);
		if (rc != 0)
			return -1;
	}
	return 0;
}
