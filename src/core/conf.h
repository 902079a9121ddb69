/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_H
#define CORE_CONF_H

/*
 * The settings of one generation of processes, read-only after start.
 * Precedence: defaults < host.yaml < environment < arguments of the agent's
 * host() < command line. Each setting remembers how strong the source of
 * its value is, so the sources may be read in any order. The master reads and
 * checks them once, and hands them to its children as a memory file, so that a
 * generation agrees with itself whatever happens to host.yaml meanwhile.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct json;

/* The place of each setting in params.tbl. */
enum conf_key {
#define PARAM(f, key, type, def, min, max, unit, src, reload, doc) CONF_##f,
#include "core/params.tbl"
#undef PARAM
	CONF_KEYS
};

struct conf {
#define PARAM_INT(f) int64_t f;
#define PARAM_BOOL(f) bool f;
#define PARAM_ENUM(f) int f;
#define PARAM_STR(f) char *f;
#define PARAM_JSON(f) char *f;
#define PARAM(f, key, type, def, min, max, unit, src, reload, doc) \
	PARAM_##type(f)
#include "core/params.tbl"
#undef PARAM
	/* Found out, not set: absolute, set by the master (as is co_dir). */
	char *project_dir; /* where agent and .co live */
	char *host_yaml;   /* the file read, or "" */
	char *log_file;	   /* "" is stderr */
	char *address;	   /* our 0x... address, made by the master's caller */
	char *libexec_dir; /* where co-turn is */
	char *agent_profile; /* what co-agent-python --describe said, or "" */
	char *test_clock;    /* file for clock_follow(), or "" */
	char *trust_where;   /* where trust was given, or "" */
	char *
	    trust_object; /* the type of what host() has to judge callers, or "" */
	char *proxies_where;	       /* the same of trusted_proxies */
	char *origins_where;	       /* of allowed_origins */
	char *hosts_where;	       /* of allowed_hosts */
	char *whitelist_where;	       /* of whitelist */
	char *blacklist_where;	       /* and of blacklist */
	unsigned char rank[CONF_KEYS]; /* how strong each source is */
};

/*
 * Settings whose text has more than one form:
 *   trust	a level in lower case; the JSON of a mapping, which starts with
 *		'{'; a policy, which starts with "---"; the path of a policy
 *		file; else prose
 *   whitelist, blacklist	an absolute path, or the JSON of a list of
 *		addresses, which starts with '['
 *   relay_url	without a path such as /ws/announce; "" is off
 */

/* What trust_where is when the agent's host() gave trust. */
#define CONF_HOST_CALL "host()"

/* Values of enumerated settings, in the order of params.tbl. */
enum { DURABLE_POWER, DURABLE_PROCESS };
enum { RESTART_NEVER, RESTART_SAFE };
enum { STATE_AUTO, STATE_SHARED, STATE_ISOLATED };
enum { BEARER_ANY, BEARER_TOKEN_ONLY };

/* Called for each thing worth telling the operator, such as an unknown key. */
typedef void conf_warning(const char *text, void *arg);

/* All defaults. */
void conf_init(struct conf *c);

/* Free what c owns. */
void conf_fini(struct conf *c);

/*
 * Set one setting from text, as the command line does, which nothing overrides.
 * Lists and mappings are YAML or JSON. where says where it stands ("option
 * --port"). Returns 0, or -1 with ERR_CONFIG naming where, key and what is
 * allowed. A relative path is one below project_dir, once that is known.
 */
int conf_set(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/*
 * The same as a default, which everything else overrides: what the agent gave to
 * host() as well.
 */
int conf_preset(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/*
 * Read a host.yaml. Unknown keys warn with the nearest known one; what is not
 * built warns too. Returns 0, or -1 with ERR_CONFIG naming file, line, key and
 * what is allowed.
 */
int conf_read_yaml(struct conf *c, const char *path, conf_warning *warn,
    void *arg, struct err *err);

/*
 * Take what an agent gave to host(), an object with the names of its
 * parameters. They count where the command line does not say otherwise; one
 * that replaces a value of host.yaml or the environment warns. null is "not
 * given", but for relay_url, where it is "off". What host() takes and we have no
 * setting for warns. Returns 0, or
 * -1 with ERR_CONFIG naming the key and what is allowed.
 */
int conf_read_args(struct conf *c, const struct json *args, conf_warning *warn,
    void *arg, struct err *err);

/*
 * Take AGENT_PORT, the backend's address and CONNECTONION_ENV from the
 * environment (host.yaml(5)). The last two only replace defaults.
 */
int conf_read_env(struct conf *c, struct err *err);

/*
 * Checks across settings and files: a trust word that is neither a level nor a
 * file, a blacklist that is not there. Returns 0, or -1 with ERR_CONFIG.
 */
int conf_check(const struct conf *c, struct err *err);

/* Called with the key of each setting that kept its value. */
typedef void conf_kept_fn(const char *key, void *arg);

/*
 * Before *now takes the place of *was: settings that only a restart may change
 * (FIXED in params.tbl) get their values of *was again.
 */
void conf_keep_fixed(
    struct conf *now, const struct conf *was, conf_kept_fn *on_kept, void *arg);

/* Whether trust is one of the words open, careful and strict. */
bool conf_trust_is_level(const struct conf *c);

/*
 * Write all settings to descriptor fd;
 * conf_load() reads them back. 0 or -1, errno.
 */
int conf_save(const struct conf *c, int fd);

/*
 * Read what conf_save() wrote, from the start of fd. 0, or -1 with ERR_CONFIG.
 */
int conf_load(struct conf *c, int fd, struct err *err);

/*
 * Put the variables of a .env file into the environment, never over one that is
 * there. The file is read as python-dotenv does: export, quotes with escapes
 * and line ends, comments, ${NAME} and ${NAME:-default}, CRLF; the last of two
 * lines with one name counts. Returns the number set, -1 when the file is not
 * there, not readable, or larger than 1 MiB.
 */
int conf_load_env_file(const char *path);

#endif
