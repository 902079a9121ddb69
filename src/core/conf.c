/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conf.h"

#include "base/buf.h"
#include "base/url.h"
#include "core/conf_int.h"
#include "core/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct param params[CONF_KEYS] = {
#define PARAM(field, key, type, def, min, max, unit, source, reload, doc)      \
	{key, PARAM_##type, def, min, max, unit, offsetof(struct conf, field), \
	    sizeof((struct conf *)0)->field, CHANGE_##reload},
#include "core/params.tbl"
#undef PARAM
};

/* What the master finds out and passes on; these are not settings. */
static const struct param_found found[] = {
    {"project_dir", offsetof(struct conf, project_dir)},
    {"host_yaml", offsetof(struct conf, host_yaml)},
    {"log_file", offsetof(struct conf, log_file)},
    {"bound", offsetof(struct conf, bound)},
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

const struct param_table conf_table = {
    .params = params,
    .n_params = CONF_KEYS,
    .found = found,
    .n_found = sizeof found / sizeof *found,
    .rules = conf_rules,
    .n_rules = CONF_RULES,
    .size = sizeof(struct conf),
    .rank_at = offsetof(struct conf, rank),
    .where_at = offsetof(struct conf, where),
    .keep = conf_value_keep,
    .check_json = conf_value_check_json,
};

void conf_init(struct conf *c)
{
	param_init(&conf_table, c);
}

void conf_fini(struct conf *c)
{
	param_fini(&conf_table, c);
}

/* ---- setting one ---- */

/*
 * Some settings are checked later by other modules, whose errors name the
 * place.
 */
static void note_where(struct conf *c, const char *where, const char *key)
{
	if (strcmp(key, "trust") == 0)
		param_own(&c->trust_where, where);
	if (strcmp(key, "trusted_proxies") == 0)
		param_own(&c->proxies_where, where);
	if (strcmp(key, "allowed_origins") == 0)
		param_own(&c->origins_where, where);
	if (strcmp(key, "allowed_hosts") == 0)
		param_own(&c->hosts_where, where);
	if (strcmp(key, "whitelist") == 0)
		param_own(&c->whitelist_where, where);
	if (strcmp(key, "blacklist") == 0)
		param_own(&c->blacklist_where, where);
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
    struct conf *c, enum param_rank rank, const char *where, struct err *err)
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

static int put(struct conf *c, enum param_rank rank, const char *where,
    const struct param *p, const char *value, struct err *err)
{
	size_t key = (size_t)(p - params);
	if (c->rank[key] > rank)
		return 0;
	if (key == CONF_relay_url && c->rank[key] == RANK_PRESET &&
	    is_usual_relay(value))
		return 0;
	note_where(c, where, p->key);
	if (param_put(&conf_table, c, rank, where, p, value, err) != 0)
		return -1;
	return key == CONF_entrypoint ? take_entrypoint(c, rank, where, err)
				      : 0;
}

int conf_put(struct conf *c, enum param_rank rank, const char *where,
    const char *key, const char *value, struct err *err)
{
	const struct param *p = param_find(&conf_table, key);
	return p ? put(c, rank, where, p, value, err)
		 : param_refuse_key(&conf_table, where, key, err);
}

int conf_put_json(struct conf *c, enum param_rank rank, const char *where,
    const struct param *p, const struct json *value, struct err *err)
{
	if (param_rank(&conf_table, c, p) > rank)
		return 0;
	char *text = param_value_text(&conf_table, p, where, value, err);
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

/* ---- the struct as a whole ---- */

const char *conf_key_name(enum conf_key key)
{
	return params[key].key;
}

bool conf_is_default(const struct conf *c, enum conf_key key)
{
	struct conf fresh;
	conf_init(&fresh);
	bool is_same = param_is_same(&params[key], c, &fresh);
	conf_fini(&fresh);
	return is_same;
}

void conf_keep_fixed(
    struct conf *now, const struct conf *was, conf_kept_fn *on_kept, void *arg)
{
	param_keep_fixed(&conf_table, now, was, on_kept, arg);
}

int conf_save(const struct conf *c, int fd)
{
	return param_save(&conf_table, c, fd);
}

int conf_load(struct conf *c, int fd, struct err *err)
{
	return param_load(&conf_table, c, fd, err);
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
