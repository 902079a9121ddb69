/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_INT_H
#define CORE_CONF_INT_H

/* Private to core/: what the files of conf share. */
#include "core/conf.h"
#include "core/param.h"

/* The table of params.tbl. */
extern const struct param_table conf_table;

/* The rules of its texts, in conf_value.c. */
#define CONF_RULES 9
extern const struct param_rule conf_rules[CONF_RULES];

/* The same for struct param_table. */
char *conf_value_keep(
    const void *settings, const struct param *p, const char *text);
int conf_value_check_json(
    const struct param *p, const char *text, struct err *err);

/*
 * Set a setting from text, unless a stronger source has set it. Errors as in
 * conf_set().
 */
int conf_put(struct conf *c, enum param_rank rank, const char *where,
    const char *key, const char *value, struct err *err);

/*
 * The same with a value of YAML or JSON, whose type must be that of the
 * setting. The key must be known.
 */
int conf_put_json(struct conf *c, enum param_rank rank, const char *where,
    const struct param *p, const struct json *value, struct err *err);

#endif
