/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conf.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/url.h"
#include "core/conf_int.h"
#include "core/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct conf_param params[CONF_KEYS] = {
#define PARAM(field, key, type, def, min, max, unit, source, reload, doc)      \
	{key, PARAM_##type, def, min, max, unit, offsetof(struct conf, field), \
	    sizeof((struct conf *)0)->field, CHANGE_##reload},
#include "core/params.tbl"
#undef PARAM
};

/* What the master finds out and passes on; these are not settings. */
static const struct found {
	const char *key;
	size_t at;
} found[] = {
    {"project_dir", offsetof(struct conf, project_dir)},
    {"host_yaml", offsetof(struct conf, host_yaml)},
    {"log_file", offsetof(struct conf, log_file)},
    {"address", offsetof(struct conf, address)},
    {"libexec_dir", offsetof(struct conf, libexec_dir)},
    {"agent_profile", offsetof(struct conf, agent_profile)},
    {"test_clock", offsetof(struct conf, test_clock)},
    {"trust_where", offsetof(struct conf, trust_where)},
    {"trust_object", offsetof(struct conf, trust_object)},
    {"proxies_where", offsetof(struct conf, proxies_where)},
    {"origins_where", offsetof(struct conf, origins_where)},
    {"hosts_where", offsetof(struct conf, hosts_where)},
    {"whitelist_where", offsetof(struct conf, whitelist_where)},
    {"blacklist_where", offsetof(struct conf, blacklist_where)},
};

#define N_FOUND (sizeof found / sizeof *found)

static void *field(struct conf *c, size_t at)
{
	return (char *)c + at;
}

static const void *field_const(const struct conf *c, size_t at)
{
	return (const char *)c + at;
}

static bool conf_is_text(const struct conf_param *p)
{
	return p->type == PARAM_STR || p->type == PARAM_JSON;
}

void conf_init(struct conf *c)
{
	struct err err;
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < N_FOUND; i++)
		conf_value_own(field(c, found[i].at), "");
	for (size_t i = 0; i < CONF_KEYS; i++)
		(void)conf_value_set(
		    c, &params[i], "default", params[i].preset, &err);
}

void conf_fini(struct conf *c)
{
	for (size_t i = 0; i < CONF_KEYS; i++)
		if (conf_is_text(&params[i]))
			free(*(char **)field(c, params[i].at));
	for (size_t i = 0; i < N_FOUND; i++)
		free(*(char **)field(c, found[i].at));
	memset(c, 0, sizeof *c);
}

/* ---- finding a setting ---- */

const struct conf_param *conf_param(const char *key)
{
	for (size_t i = 0; i < CONF_KEYS; i++)
		if (strcmp(params[i].key, key) == 0)
			return &params[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns the edit distance between two short words (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	size_t n = strlen(b), row[MOST + 1];
	if (n > MOST || strlen(a) > MOST)
		return MOST;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];
			size_t swap = corner + (a[i - 1] != b[j - 1]);
			row[j] = least(least(up, row[j - 1]) + 1, swap);
			corner = up;
		}
	}
	return row[n];
}

/*
 * Returns the key that is spelled most like this one, or NULL if none is near:
 * two letters may differ, or a third of a longer word.
 */
static const char *nearest(const char *key)
{
	const char *best = NULL;
	size_t len = strlen(key);
	size_t least_so_far = (len < 9 ? 2 : len / 3) + 1;
	for (size_t i = 0; i < CONF_KEYS; i++) {
		size_t d = distance(key, params[i].key);
		if (d < least_so_far) {
			least_so_far = d;
			best = params[i].key;
		}
	}
	return len > 2 ? best : NULL;
}

void conf_put_unknown(struct buf *out, const char *key)
{
	const char *near = nearest(key);
	buf_printf(out, "there is no setting %.60s", key);
	if (near)
		buf_printf(out, "; did you mean %s?", near);
}

/* ---- setting it ---- */

/*
 * Some settings are checked later by other modules, whose errors name the
 * place.
 */
static void note_where(struct conf *c, const char *where, const char *key)
{
	if (strcmp(key, "trust") == 0)
		conf_value_own(&c->trust_where, where);
	if (strcmp(key, "trusted_proxies") == 0)
		conf_value_own(&c->proxies_where, where);
	if (strcmp(key, "allowed_origins") == 0)
		conf_value_own(&c->origins_where, where);
	if (strcmp(key, "allowed_hosts") == 0)
		conf_value_own(&c->hosts_where, where);
	if (strcmp(key, "whitelist") == 0)
		conf_value_own(&c->whitelist_where, where);
	if (strcmp(key, "blacklist") == 0)
		conf_value_own(&c->blacklist_where, where);
}

static bool is_python(const char *command)
{
	const char *name = strchr(command, ':');
	size_t n = name ? (size_t)(name - command) : strlen(command);
	return n > 3 && memcmp(command + n - 3, ".py", 3) == 0 &&
	       !strpbrk(command, " \t");
}

/* The entry point is the agent if no agent is set. */
static int take_entrypoint(
    struct conf *c, enum conf_rank rank, const char *where, struct err *err)
{
	if (!*c->entrypoint || c->rank[CONF_agent] >= rank)
		return 0;
	struct buf agent = {0};
	buf_str(&agent, is_python(c->entrypoint) ? "python:" : "exec:");
	buf_str(&agent, c->entrypoint);
	int rc = conf_put(c, rank, where, "agent", buf_cstr(&agent), err);
	buf_fini(&agent);
	return rc;
}

/* The address that all examples show means "the default", whatever that is. */
static bool is_usual_relay(const char *value)
{
	char *base = url_relay(value);
	bool is_usual =
	    base && strcmp(base, params[CONF_relay_url].preset) == 0;
	free(base);
	return is_usual;
}

static int put(struct conf *c, enum conf_rank rank, const char *where,
    const struct conf_param *p, const char *value, struct err *err)
{
	size_t key = (size_t)(p - params);
	if (c->rank[key] > rank)
		return 0;
	if (key == CONF_relay_url && c->rank[key] == RANK_PRESET &&
	    is_usual_relay(value))
		return 0;
	note_where(c, where, p->key);
	if (conf_value_set(c, p, where, value, err) != 0)
		return -1;
	c->rank[key] = (unsigned char)rank;
	return key == CONF_entrypoint ? take_entrypoint(c, rank, where, err)
				      : 0;
}

enum conf_rank conf_rank(const struct conf *c, const struct conf_param *p)
{
	return (enum conf_rank)c->rank[p - params];
}

static int refuse_key(const char *where, const char *key, struct err *err)
{
	struct buf why = {0};
	conf_put_unknown(&why, key);
	(void)err_set(err, ERR_CONFIG, "%s: %s", where, buf_cstr(&why));
	buf_fini(&why);
	return -1;
}

int conf_put(struct conf *c, enum conf_rank rank, const char *where,
    const char *key, const char *value, struct err *err)
{
	const struct conf_param *p = conf_param(key);
	return p ? put(c, rank, where, p, value, err)
		 : refuse_key(where, key, err);
}

int conf_put_json(struct conf *c, enum conf_rank rank, const char *where,
    const struct conf_param *p, const struct json *value, struct err *err)
{
	if (c->rank[p - params] > rank)
		return 0;
	char *text = conf_value_text(p, where, value, err);
	int rc = text ? put(c, rank, where, p, text, err) : -1;
	free(text);
	return rc;
}

int conf_set(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err)
{
	return conf_put(c, RANK_OPTION, where, key, value, err);
}

int conf_preset(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err)
{
	return conf_put(c, RANK_PRESET, where, key, value, err);
}

/* ---- reloading ---- */

static bool conf_is_same(
    const struct conf *a, const struct conf *b, const struct conf_param *p)
{
	const void *x = field_const(a, p->at), *y = field_const(b, p->at);
	if (conf_is_text(p))
		return strcmp(*(char *const *)x, *(char *const *)y) == 0;
	return memcmp(x, y, p->size) == 0;
}

bool conf_is_default(const struct conf *c, enum conf_key key)
{
	struct conf fresh;
	conf_init(&fresh);
	bool is_same = conf_is_same(c, &fresh, &params[key]);
	conf_fini(&fresh);
	return is_same;
}

static void copy(
    struct conf *to, const struct conf *from, const struct conf_param *p)
{
	void *x = field(to, p->at);
	const void *y = field_const(from, p->at);
	if (conf_is_text(p))
		conf_value_own(x, *(char *const *)y);
	else
		memcpy(x, y, p->size);
}

void conf_keep_fixed(
    struct conf *now, const struct conf *was, conf_kept_fn *on_kept, void *arg)
{
	for (size_t i = 0; i < CONF_KEYS; i++) {
		const struct conf_param *p = &params[i];
		if (p->change != CHANGE_FIXED || conf_is_same(now, was, p))
			continue;
		copy(now, was, p);
		on_kept(p->key, arg);
	}
}

/* ---- checks ---- */

/*
 * A single word must be a level or a file: a misspelled level is not a policy
 * in prose.
 */
static int check_trust(const struct conf *c, struct err *err)
{
	struct buf path = {0};
	bool is_word = !c->trust[strcspn(c->trust, " \t\r\n")];
	if (!is_word || *c->trust == '{' || conf_trust_is_level(c) ||
	    strncmp(c->trust, "---", 3) == 0)
		return 0;
	if (*c->trust != '/' && *c->project_dir)
		buf_printf(&path, "%s/", c->project_dir);
	buf_str(&path, c->trust);
	bool is_there = access(buf_cstr(&path), R_OK) == 0;
	int why = errno;
	buf_fini(&path);
	if (is_there)
		return 0;
	return err_set(err, ERR_CONFIG,
	    "%s: trust must be \"open\", \"careful\", \"strict\", or custom "
	    "config (the path of a policy file, or a policy), not \"%.60s\" "
	    "(as a policy file: %s)",
	    c->trust_where, c->trust, strerror(why));
}

int conf_check(const struct conf *c, struct err *err)
{
	if (*c->blacklist == '/' && access(c->blacklist, R_OK) != 0)
		return err_set(err, ERR_CONFIG, "%s: blacklist: %.200s: %s",
		    c->blacklist_where, c->blacklist, strerror(errno));
	return check_trust(c, err);
}

/* ---- handing on ---- */

static void put_line(struct buf *out, const char *key, const char *value)
{
	buf_str(out, key);
	buf_char(out, '\0');
	buf_str(out, value);
	buf_char(out, '\0');
}

static void put_param(
    struct buf *out, const struct conf *c, const struct conf_param *p)
{
	char text[32];
	const void *at = field_const(c, p->at);
	switch (p->type) {
	case PARAM_INT:
		(void)snprintf(
		    text, sizeof text, "%lld", (long long)*(const int64_t *)at);
		put_line(out, p->key, text);
		break;
	case PARAM_BOOL:
		put_line(out, p->key, *(const bool *)at ? "true" : "false");
		break;
	case PARAM_ENUM: {
		const char *s = p->unit;
		for (int i = *(const int *)at; i > 0; i--)
			s = strchr(s, '|') + 1;
		char *word = mem_strndup(s, strcspn(s, "|"));
		put_line(out, p->key, word);
		free(word);
		break;
	}
	case PARAM_STR:
	case PARAM_JSON:
		put_line(out, p->key, *(char *const *)at);
		break;
	}
}

int conf_save(const struct conf *c, int fd)
{
	struct buf out = {0};
	for (size_t i = 0; i < CONF_KEYS; i++)
		put_param(&out, c, &params[i]);
	for (size_t i = 0; i < N_FOUND; i++)
		put_line(&out, found[i].key,
		    *(char *const *)field_const(c, found[i].at));
	ssize_t n = pwrite(fd, out.data, out.len, 0);
	bool ok = n == (ssize_t)out.len;
	buf_fini(&out);
	return ok ? 0 : -1;
}

static int load_pair(
    struct conf *c, const char *key, const char *value, struct err *err)
{
	for (size_t i = 0; i < N_FOUND; i++)
		if (strcmp(found[i].key, key) == 0) {
			conf_value_own(field(c, found[i].at), value);
			return 0;
		}
	return conf_set(c, "inherited settings", key, value, err);
}

int conf_load(struct conf *c, int fd, struct err *err)
{
	struct buf text = {0};
	ssize_t n;
	int rc = 0;
	while ((n = pread(
		    fd, buf_reserve(&text, 4096), 4096, (off_t)text.len)) > 0)
		text.len += (size_t)n;
	if (n < 0)
		rc = err_set(
		    err, ERR_CONFIG, "inherited settings: %s", strerror(errno));
	if (rc == 0 && text.len && text.data[text.len - 1])
		rc = err_set(err, ERR_CONFIG, "inherited settings end early");
	const char *p = buf_cstr(&text), *end = p + text.len;
	while (rc == 0 && p < end) {
		const char *value = p + strlen(p) + 1;
		rc = value < end ? load_pair(c, p, value, err)
				 : err_set(err, ERR_CONFIG,
				       "inherited settings end early");
		p = rc == 0 ? value + strlen(value) + 1 : end;
	}
	buf_fini(&text);
	return rc;
}
