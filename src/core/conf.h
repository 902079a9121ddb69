/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_H
#define CORE_CONF_H

/*
 * The settings of one generation of processes, read-only after startup.
 *
 * Precedence: defaults < host.yaml < environment < arguments of the agent's
 * host() < command line. Each setting remembers the rank of its source, so the
 * sources may be read in any order. The master reads and checks them once and
 * passes them to its children as a memory file, so that all processes of a
 * generation agree, whatever happens to host.yaml meanwhile.
 *
 * Life cycle in the master: conf_init(), conf_set(), conf_read_*(),
 * conf_check(), conf_save(), conf_fini(); in a child: conf_load(), conf_fini().
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct json;

/* The index of each setting in params.tbl. */
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
	/* Found out by the master rather than set; absolute (as is co_dir). */
	char *project_dir; /* holds agent and .co */
	char *host_yaml;   /* the file read, or "" */
	char *log_file;	   /* "" is standard error */
	char *bound;	   /* what we listen on, by listen_open() */
	char *address;	   /* our address (0x...), set by the master's caller */
	char *libexec_dir; /* where co-turn is installed */
	char *agent_profile;   /* what co-agent-python --describe said, or "" */
	char *test_clock;      /* file for clock_follow(), or "" */
	char *trust_where;     /* where trust was set, or "" */
	char *trust_object;    /* type of host(trust=OBJECT), or "" */
	char *proxies_where;   /* likewise for trusted_proxies */
	char *origins_where;   /* for allowed_origins */
	char *hosts_where;     /* for allowed_hosts */
	char *whitelist_where; /* for whitelist */
	char *blacklist_where; /* for blacklist */
	unsigned char rank[CONF_KEYS]; /* of each source */
	char *where[CONF_KEYS];	       /* where each was set */
};

/*
 * Settings whose text has more than one form:
 *   trust	a level in lower case; the JSON of a mapping, which starts with
 *		'{'; a policy, which starts with "---"; the path of a policy
 *		file; otherwise prose
 *   whitelist, blacklist	an absolute path, or the JSON of a list of
 *		addresses, which starts with '['
 *   relay_url	without a path such as /ws/announce; "" is off
 */

/* The value of trust_where if the agent's host() gave trust. */
#define CONF_HOST_CALL "host()"

/*
 * Values of enumerated settings, in the order of params.tbl; those of log_level
 * are enum log_level.
 */
enum { DURABLE_POWER, DURABLE_PROCESS };
enum { RESTART_NEVER, RESTART_SAFE };
enum { STATE_AUTO, STATE_SHARED, STATE_ISOLATED };
enum { BEARER_ANY, BEARER_TOKEN_ONLY };
enum { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum { MODEL_API_AUTO, MODEL_API_OPENAI, MODEL_API_ANTHROPIC };
enum { LOOPBACK_AUTO, LOOPBACK_NEVER, LOOPBACK_ALWAYS };

/*
 * Called for each thing that the operator should know, such as an unknown key.
 */
typedef void conf_warning(const char *text, void *arg);

/* Set all settings to their defaults. */
void conf_init(struct conf *c);

/* Free what c owns; *c must not be used again without conf_init(). */
void conf_fini(struct conf *c);

/*
 * Set one setting from text, as the command line does; nothing overrides it.
 * Lists and mappings are YAML or JSON. where is its place for messages ("option
 * --port"). Returns 0, or -1 with ERR_CONFIG naming the place, the key and the
 * allowed values. A relative path is relative to project_dir, once that is
 * known.
 */
int conf_set(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/*
 * The same as a default, which everything else overrides, including what the
 * agent gave to host().
 */
int conf_preset(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err);

/*
 * Read a host.yaml. Warns about unknown keys, with the nearest known one, and
 * about features that are not built. Returns 0, or -1 with ERR_CONFIG naming
 * the file, the line, the key and the allowed values.
 */
int conf_read_yaml(struct conf *c, const char *path, conf_warning *warn,
    void *arg, struct err *err);

/*
 * Take what an agent gave to host(): an object whose keys are parameter names.
 * Only the command line overrides it. Warns about each value that replaces one
 * from host.yaml or the environment, and about parameters that have no setting
 * here. null means "not given", except for relay_url, where it means "off".
 * Returns 0, or -1 with ERR_CONFIG naming the key and the allowed values.
 */
int conf_read_args(struct conf *c, const struct json *args, conf_warning *warn,
    void *arg, struct err *err);

/*
 * Take AGENT_PORT, the backend's address and CONNECTONION_ENV from the
 * environment (host.yaml(5)). The last two only replace defaults. Returns 0, or
 * -1 with ERR_CONFIG.
 */
int conf_read_env(struct conf *c, struct err *err);

/*
 * Make the checks that involve several settings or files: a trust word that is
 * neither a level nor a file, a blacklist that does not exist. Returns 0, or -1
 * with ERR_CONFIG.
 */
int conf_check(const struct conf *c, struct err *err);

/* Returns the name of a setting, as in host.yaml. */
const char *conf_key_name(enum conf_key key);

/* Whether a setting has its default value, wherever that comes from. */
bool conf_is_default(const struct conf *c, enum conf_key key);

/* Called with the key of each setting that keeps its old value. */
typedef void conf_kept_fn(const char *key, void *arg);

/*
 * Call this before *now replaces *was on a reload: settings that only a restart
 * may change (FIXED in params.tbl) get their values from *was.
 */
void conf_keep_fixed(
    struct conf *now, const struct conf *was, conf_kept_fn *on_kept, void *arg);

/* Whether trust is one of the words open, careful and strict. */
bool conf_trust_is_level(const struct conf *c);

/*
 * Write all settings to descriptor fd, for conf_load(). Returns 0, or -1 with
 * errno.
 */
int conf_save(const struct conf *c, int fd);

/*
 * Read what conf_save() wrote, from the start of fd. Returns 0, or -1 with
 * ERR_CONFIG.
 */
int conf_load(struct conf *c, int fd, struct err *err);

/*
 * Put the variables of a .env file into the environment, except those that are
 * already defined. The file is read as python-dotenv does: export, quotes with
 * escapes and line ends, comments, ${NAME} and ${NAME:-default}, CRLF; of two
 * lines with the same name the last one counts. Returns the number of variables
 * set, or -1 if the file does not exist, cannot be read, or is larger than 1
 * MiB.
 */
int conf_load_env_file(const char *path);

#endif
