/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_INT_H
#define CORE_CONF_INT_H

/* What the files of conf share. Nobody else includes this. */
#include "core/conf.h"

#include <stddef.h>
#include <stdint.h>

enum conf_type { PARAM_INT, PARAM_BOOL, PARAM_ENUM, PARAM_STR, PARAM_JSON };

/* When a running server takes a new value. */
enum conf_change {
	CHANGE_RELOAD, /* with the next generation of processes */
	CHANGE_FIXED,  /* never: only a restart does */
};

/* Sources of values, weakest first. */
enum conf_rank {
	RANK_DEFAULT,
	RANK_PRESET, /* a default that the environment chose */
	RANK_FILE,
	RANK_ENV,
	RANK_ARGS, /* what the agent gave to host() */
	RANK_OPTION,
};

struct conf_param {
	const char *key;
	enum conf_type type;
	const char *preset;
	int64_t min;
	int64_t max;
	const char *unit; /* for ENUM: the choices; for JSON: list or mapping */
	size_t at;	  /* of the field in struct conf, and how large it is */
	size_t size;
	enum conf_change change;
};

/* The row of a key, or NULL. */
const struct conf_param *conf_param(const char *key);

/* The row of the key that is spelled most like this. */
const struct conf_param *conf_nearest(const char *key);

/* How strong the source of a setting's value is. */
enum conf_rank conf_rank(const struct conf *c, const struct conf_param *p);

/*
 * Set a setting from text unless a stronger source has set it. Errors as
 * conf_set().
 */
int conf_put(struct conf *c, enum conf_rank rank, const char *where,
    const char *key, const char *value, struct err *err);

/*
 * The same from a value of YAML or JSON, whose type must be the setting's; the
 * key must be known.
 */
int conf_put_json(struct conf *c, enum conf_rank rank, const char *where,
    const struct conf_param *p, const struct json *value, struct err *err);

/* Write text, when it is allowed, into the field of p. Errors as conf_set(). */
int conf_value_set(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err);

/*
 * The text that a value of YAML or JSON is for this setting (free()), or NULL
 * with ERR_CONFIG when its type is wrong.
 */
char *conf_value_text(const struct conf_param *p, const char *where,
    const struct json *value, struct err *err);

/* The base of a relay's or backend's URL with ws:// or wss:// (free()), or
 * NULL. */
char *conf_value_relay(const char *url);

/* Replace a text that c owns. */
void conf_value_own(char **to, const char *value);

#endif
