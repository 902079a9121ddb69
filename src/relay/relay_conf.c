/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_conf.h"

#include "core/err.h"
#include "core/param.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct param params[RELAY_CONF_KEYS] = {
#define PARAM(field, key, type, def, min, max, unit, reload, doc) \
	{key, PARAM_##type, def, min, max, unit,                  \
	    offsetof(struct relay_conf, field),                   \
	    sizeof((struct relay_conf *)0)->field, CHANGE_##reload},
#include "relay/params.tbl"
#undef PARAM
};

static const struct param_found found[] = {
    {"dir", offsetof(struct relay_conf, dir)},
    {"file", offsetof(struct relay_conf, file)},
    {"log_file", offsetof(struct relay_conf, log_file)},
    {"test_clock", offsetof(struct relay_conf, test_clock)},
};

static const struct param_rule rules[] = {
    {.key = "bind", .allows = param_is_place, .allowed = PARAM_PLACES},
};

const struct param_table relay_conf_table = {
    .params = params,
    .n_params = RELAY_CONF_KEYS,
    .found = found,
    .n_found = sizeof found / sizeof *found,
    .rules = rules,
    .n_rules = sizeof rules / sizeof *rules,
    .size = sizeof(struct relay_conf),
    .rank_at = offsetof(struct relay_conf, rank),
};

static int put(struct relay_conf *c, enum param_rank rank, const char *where,
    const char *key, const char *value, struct err *err)
{
	const struct param *p = param_find(&relay_conf_table, key);
	return p ? param_put(&relay_conf_table, c, rank, where, p, value, err)
		 : param_refuse_key(&relay_conf_table, where, key, err);
}

int relay_conf_set(struct relay_conf *c, const char *where, const char *key,
    const char *value, struct err *err)
{
	return put(c, RANK_OPTION, where, key, value, err);
}

static int set_member(void *arg, const char *where, const char *key,
    const struct json *value, struct err *err)
{
	const struct param *p = param_find(&relay_conf_table, key);
	if (!p)
		return param_refuse_key(&relay_conf_table, where, key, err);
	char *text = param_value_text(&relay_conf_table, p, where, value, err);
	int rc = text ? put(arg, RANK_FILE, where, key, text, err) : -1;
	free(text);
	return rc;
}

int relay_conf_read(struct relay_conf *c, const char *path, struct err *err)
{
	return param_read_yaml(path, set_member, c, err);
}
