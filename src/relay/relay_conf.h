/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_CONF_H
#define RELAY_RELAY_CONF_H

/*
 * The settings of co-relayd: rows of relay/params.tbl, read by core/param.h.
 * Precedence: defaults < relay.yaml < command line. Read-only in the workers.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;

/* The index of each setting in params.tbl. */
enum relay_key {
#define PARAM(f, key, type, def, min, max, unit, reload, doc) RELAY_##f,
#include "relay/params.tbl"
#undef PARAM
	RELAY_CONF_KEYS
};

struct relay_conf {
#define PARAM_INT(f) int64_t f;
#define PARAM_STR(f) char *f;
#define PARAM(f, key, type, def, min, max, unit, reload, doc) PARAM_##type(f)
#include "relay/params.tbl"
#undef PARAM
#undef PARAM_INT
#undef PARAM_STR
	/* Found out by the program. */
	char *dir;	  /* of the directory's file; absolute */
	char *file;	  /* the relay.yaml that was read, or "" */
	char *log_file;	  /* "" is standard error */
	char *test_clock; /* file for clock_follow(), or "" */
	unsigned char rank[RELAY_CONF_KEYS];
};

/* The same for core/param.h. */
extern const struct param_table relay_conf_table;

/*
 * Set one setting from text, as the command line does. where is its place for
 * messages. Returns 0, or -1 with ERR_CONFIG.
 */
int relay_conf_set(struct relay_conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/* Read a relay.yaml. Returns 0, or -1 with ERR_CONFIG. */
int relay_conf_read(struct relay_conf *c, const char *path, struct err *err);

#endif
