/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_H
#define CORE_CONF_H

/*
 * The settings of one generation of processes, read-only after start.
 * Precedence: defaults < host.yaml < environment < command line. The master
 * reads and checks them once, and hands them to its children as a memory file,
 * so that a generation agrees with itself whatever happens to host.yaml
 * meanwhile.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;

struct conf {
#define PARAM_INT(f) int64_t f;
#define PARAM_BOOL(f) bool f;
#define PARAM_ENUM(f) int f;
#define PARAM_STR(f) char *f;
#define PARAM(f, key, type, def, min, max, unit, src, doc) PARAM_##type(f)
#include "core/params.tbl"
#undef PARAM
	/* Found out, not set: absolute, set by the master. */
	char *project_dir; /* where agent and .co live */
	char *co_dir;	   /* project_dir/.co */
	char *host_yaml;   /* the file read, or "" */
	char *log_file;	   /* "" is stderr */
	char *address;	   /* our 0x... address, made by the master's caller */
	char *libexec_dir; /* where co-turn is */
	char *test_clock;  /* file for clock_follow(), or "" */
	char *trust_where; /* where the trust level was given, or "" */
	char *proxies_where; /* the same of trusted_proxies */
};

/* Values of enumerated settings, in the order of params.tbl. */
enum { TRUST_OPEN, TRUST_CAREFUL, TRUST_STRICT };
enum { DURABLE_POWER, DURABLE_PROCESS };
enum { RESTART_NEVER, RESTART_SAFE };

/* Called for each thing worth telling the operator: unknown or not-yet keys. */
typedef void conf_warning(const char *text, void *arg);

/* All defaults. */
void conf_init(struct conf *c);

/* Free what c owns. */
void conf_fini(struct conf *c);

/*
 * Set one setting from text. where says where it stands ("host.yaml line 3",
 * "option --port"). Returns 0, or -1 with ERR_CONFIG naming where, key and what
 * is allowed.
 */
int conf_set(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/*
 * Read a host.yaml. Unknown keys warn with the nearest known one; documented
 * keys that are not built yet warn "not yet". Returns 0, or -1 with ERR_CONFIG
 * naming file, line, key and what is allowed.
 */
int conf_read_yaml(struct conf *c, const char *path, conf_warning *warn,
    void *arg, struct err *err);

/* Take AGENT_PORT and CONNECTONION_ENV from the environment (host.yaml(5)). */
int conf_read_env(struct conf *c, struct err *err);

/*
 * Checks across settings (a trust level that is not built yet, say). 0 or -1.
 */
int conf_check(const struct conf *c, struct err *err);

/*
 * Write all settings to descriptor fd;
 * conf_load() reads them back. 0 or -1, errno.
 */
int conf_save(const struct conf *c, int fd);

/*
 * Read what conf_save() wrote, from the start of fd. 0, or -1 with ERR_CONFIG.
 */
int conf_load(struct conf *c, int fd, struct err *err);

/* Load KEY=VALUE lines into the environment, never over an existing variable.
 * Returns the number set, -1 when the file is not there or not readable. */
int conf_load_env_file(const char *path);

#endif
