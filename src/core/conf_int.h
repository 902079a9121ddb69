/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_INT_H
#define CORE_CONF_INT_H

/* Private to core/: what the files of conf share. */
#include "core/conf.h"

#include <stddef.h>
#include <stdint.h>

enum conf_type { PARAM_INT, PARAM_BOOL, PARAM_ENUM, PARAM_STR, PARAM_JSON };

/* When a running server takes up a new value. */
enum conf_change {
	CHANGE_RELOAD, /* in the next generation of processes */
	CHANGE_FIXED,  /* only after a restart */
};

/* The sources of values, weakest first. */
enum conf_rank {
	RANK_DEFAULT,
	RANK_PRESET, /* a default that the environment chose */
	RANK_FILE,
	RANK_ENV,
	RANK_ARGS, /* what the agent gave to host() */
	RANK_OPTION,
};

struct buf;

struct conf_param {
	const char *key;
	enum conf_type type;
	const char *preset;
	int64_t min;
	int64_t max;
	const char *unit; /* for ENUM: the choices; for JSON: list or mapping */
	size_t at;	  /* offset of the field in struct conf, and its size */
	size_t size;
	enum conf_change change;
};

/* Returns the row of a key, or NULL. */
const struct conf_param *conf_param(const char *key);

/*
 * Append that there is no such setting, and the key that is spelled almost like
 * it, if there is one.
 */
void conf_put_unknown(struct buf *out, const char *key);

/* Returns the rank of the source of a setting's value. */
enum conf_rank conf_rank(const struct conf *c, const struct conf_param *p);

/*
 * Set a setting from text, unless a stronger source has set it. Errors as in
 * conf_set().
 */
int conf_put(struct conf *c, enum conf_rank rank, const char *where,
    const char *key, const char *value, struct err *err);

/*
 * The same with a value of YAML or JSON, whose type must be that of the
 * setting. The key must be known.
 */
int conf_put_json(struct conf *c, enum conf_rank rank, const char *where,
    const struct conf_param *p, const struct json *value, struct err *err);

/* Check text and write it into the field of p. Errors as in conf_set(). */
int conf_value_set(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err);

/*
 * Returns the text that a value of YAML or JSON stands for in this setting, to
 * be freed with free(), or NULL with ERR_CONFIG if its type is wrong.
 */
char *conf_value_text(const struct conf_param *p, const char *where,
    const struct json *value, struct err *err);

/* Replace a text that c owns. */
void conf_value_own(char **to, const char *value);

#endif
