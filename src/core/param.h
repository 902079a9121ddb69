/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PARAM_H
#define CORE_PARAM_H

/*
 * The settings of a program: a struct, and a table that describes its fields. A
 * program has its rows in a file of its own (core/params.tbl for co-hostd) and
 * makes a struct param_table of them. The calls below read, check, compare and
 * pass on the settings of any program.
 *
 * Each setting remembers the rank of its source, so the sources may be read in
 * any order, and the strongest counts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json;
struct param;

/* INT is int64_t, BOOL bool, ENUM int, STR and JSON are char *. */
enum param_type { PARAM_INT, PARAM_BOOL, PARAM_ENUM, PARAM_STR, PARAM_JSON };

/* When a running server takes up a new value. */
enum param_change {
	CHANGE_RELOAD, /* in the next generation of processes */
	CHANGE_FIXED,  /* only after a restart */
};

/* The sources of values, weakest first. */
enum param_rank {
	RANK_DEFAULT,
	RANK_PRESET, /* a default that the environment chose */
	RANK_FILE,
	RANK_ENV,
	RANK_ARGS, /* what the agent gave to host() */
	RANK_OPTION,
};

/* A row of the table: a setting. */
struct param {
	const char *key;
	enum param_type type;
	const char *preset;
	int64_t min; /* for STR and JSON: length */
	int64_t max;
	/*
	 * For ENUM the choices, "a|b|c"; for JSON "list" or "mapping"; for STR
	 * what it may be in YAML besides a text: "list" (of texts, which are
	 * joined by commas), "or list" or "or mapping" (kept as JSON), "or number",
	 * or "".
	 */
	const char *unit;
	size_t at; /* offset of the field in the struct, and its size */
	size_t size;
	enum param_change change;
};

/* A rule for a text, beyond its length. */
struct param_rule {
	const char *key;
	bool (*allows)(const char *text);
	const char *allowed;  /* for messages: "demo or exec:COMMAND" */
	const char *controls; /* control characters it may hold; may be NULL */
	bool is_secret;	      /* what is not allowed is not shown */
	/* Append a hint about a text that is not allowed; may be NULL. */
	void (*hint)(struct buf *out, const char *text);
};

/* A text that the program finds out; it is no setting, but passed on. */
struct param_found {
	const char *key;
	size_t at;
};

struct param_table {
	const struct param *params;
	size_t n_params;
	const struct param_found *found;
	size_t n_found;
	const struct param_rule *rules;
	size_t n_rules;
	size_t size;	/* of the struct */
	size_t rank_at; /* offset of its unsigned char rank[n_params] */
	/*
	 * Offset of its char *where[n_params], the places of the values for
	 * people; 0: it does not keep them.
	 */
	size_t where_at;
	/*
	 * Returns the form in which a text is kept, to be freed with free(), or
	 * NULL to keep it as it is. May be NULL.
	 */
	char *(*keep)(
	    const void *settings, const struct param *p, const char *text);
	/* Check a JSON text further. Returns 0, or -1 with *err. May be NULL. */
	int (*check_json)(
	    const struct param *p, const char *text, struct err *err);
};

/* ---- param.c: the struct as a whole ---- */

/* Set all settings to their defaults. */
void param_init(const struct param_table *t, void *settings);

/* Free what the settings own; then they must be initialised again. */
void param_fini(const struct param_table *t, void *settings);

/* Returns the row of a key, or NULL. */
const struct param *param_find(const struct param_table *t, const char *key);

/*
 * Append that there is no such setting, and the key that is spelled almost like
 * it, if there is one.
 */
void param_put_unknown(
    struct buf *out, const struct param_table *t, const char *key);

/* Set *err to that, and return -1. */
int param_refuse_key(const struct param_table *t, const char *where,
    const char *key, struct err *err);

/* Returns the rank of the source of a setting's value. */
enum param_rank param_rank(
    const struct param_table *t, const void *settings, const struct param *p);

/* Returns the place of a setting's value, such as "option -w"; "": unknown. */
const char *param_where(
    const struct param_table *t, const void *settings, const struct param *p);

/*
 * Append the value of a setting as JSON: a number, true or false, a text, or,
 * for a list or mapping, that (null: none).
 */
void param_put_json(
    struct buf *out, const void *settings, const struct param *p);

/*
 * Set a setting from text, unless a stronger source has set it. where is the
 * place of the value for messages ("option --port"). Returns 0, or -1 with
 * ERR_CONFIG naming the place, the key and the allowed values.
 */
int param_put(const struct param_table *t, void *settings, enum param_rank rank,
    const char *where, const struct param *p, const char *value,
    struct err *err);

/* Whether two structs have the same value of a setting. */
bool param_is_same(const struct param *p, const void *a, const void *b);

/* Called with the key of each setting that keeps its old value. */
typedef void param_kept_fn(const char *key, void *arg);

/*
 * Call this before *now replaces *was on a reload: settings that only a restart
 * may change get their values from *was.
 */
void param_keep_fixed(const struct param_table *t, void *now, const void *was,
    param_kept_fn *on_kept, void *arg);

/*
 * Write all settings to descriptor fd, for param_load(). Returns 0, or -1 with
 * errno.
 */
int param_save(const struct param_table *t, const void *settings, int fd);

/*
 * Read what param_save() wrote, from the start of fd, into initialised
 * settings; what only another version of the program has is ignored. Returns 0,
 * or -1 with ERR_CONFIG.
 */
int param_load(
    const struct param_table *t, void *settings, int fd, struct err *err);

/* ---- param_value.c: one value ---- */

/* Replace a text that the settings own. */
void param_own(char **to, const char *value);

/*
 * Check text and write it into the field of p, whatever its source. Errors as
 * in param_put().
 */
int param_value_set(const struct param_table *t, void *settings,
    const struct param *p, const char *where, const char *value,
    struct err *err);

/*
 * Returns the text that a value of YAML or JSON stands for in this setting, to
 * be freed with free(), or NULL with ERR_CONFIG if its type is wrong.
 */
char *param_value_text(const struct param_table *t, const struct param *p,
    const char *where, const struct json *value, struct err *err);

/* What a server may listen on, for a rule, and how to say it. */
#define PARAM_PLACES "an IPv4 or IPv6 address or unix:PATH"
bool param_is_place(const char *text);

/* ---- param_yaml.c: a file of settings ---- */

/*
 * Takes a member of the file's mapping; where is "FILE line N". Returns 0, or
 * -1 with *err, which ends the reading.
 */
typedef int param_member_fn(void *arg, const char *where, const char *key,
    const struct json *value, struct err *err);

/*
 * Read a file of YAML, and call fn for each of its members. Returns 0, or -1
 * with ERR_CONFIG.
 */
int param_read_yaml(
    const char *path, param_member_fn *fn, void *arg, struct err *err);

#endif
