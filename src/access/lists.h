/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_LISTS_H
#define ACCESS_LISTS_H

/*
 * The trust lists: contacts.txt, whitelist.txt, blocklist.txt and admins.txt of
 * .co (spec 5.9), and the two files that host.yaml may name (5.10). They are
 * the operator's text files, shared by all processes and by the Python package.
 * A change, by hand or by a call, takes effect for all at their next lookup,
 * since each lookup, or batch of lookups, compares the stamps of the files.
 *
 * A line is one entry; '*' matches any run of characters, and case is ignored;
 * empty lines and those that begin with '#' are skipped. A missing file is
 * empty. A file that cannot be read refuses all callers: nobody is admitted
 * because a list is broken.
 *
 * A struct lists belongs to the loop's thread. lists_change() is for any other
 * thread: it waits for a lock and for the disk.
 */
#include "identity/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct lists;

/* The level of an address; admins are marked apart. */
enum trust_level {
	LEVEL_STRANGER,
	LEVEL_CONTACT,
	LEVEL_WHITELIST,
	LEVEL_BLOCKED,
};

/* What the lists say about an address. */
struct lists_entry {
	enum trust_level level;
	bool is_admin; /* in admins.txt, or our own address */
	bool is_super; /* our own address */
};

/* Returns the word for a level, such as "contact". */
const char *lists_level_word(enum trust_level level);

/*
 * Open the lists. Returns NULL with ERR_CONFIG if the blacklist of host.yaml is
 * missing.
 */
struct lists *lists_open(const struct conf *conf, struct err *err);

/* Free and null *l. */
void lists_close(struct lists **l);

/*
 * Log warnings for entries that can match nobody, such as a mistyped address,
 * and for lists that cannot be read. It reads all lists, and is meant for the
 * start.
 */
void lists_warn(const struct conf *conf);

/*
 * Between these two calls each file is examined once, at the first lookup. They
 * are for many lookups at once that were all asked for before the batch began.
 */
void lists_begin_batch(struct lists *l);
void lists_end_batch(struct lists *l);

/*
 * Look up a canonical address. An address in host.yaml's whitelist has that
 * level. Returns 0, or -1 with ERR_MISCONFIGURED, which names the file.
 */
int lists_look(struct lists *l, const char *address, struct lists_entry *entry,
    struct err *err);

/*
 * Whether host.yaml's blacklist contains the address, or cannot be read; *err
 * is then ERR_FORBIDDEN or ERR_MISCONFIGURED.
 */
bool lists_is_blacklisted(
    struct lists *l, const char *address, struct err *err);

/*
 * Returns a number that grows when a list that can block a caller has changed.
 * A list that cannot be read counts as unchanged.
 */
uint64_t lists_version(struct lists *l);

/*
 * Whether the address is blocked or blacklisted, in the lists as read last. For
 * checks of many addresses at once, after lists_version().
 */
bool lists_was_refused(const struct lists *l, const char *address);

/* Whether host.yaml's whitelist contains the address. */
bool lists_is_whitelisted(struct lists *l, const char *address);

/* ---- changes ---- */

/* What an admin may request. */
enum lists_action {
	LISTS_PROMOTE,
	LISTS_DEMOTE,
	LISTS_BLOCK,
	LISTS_UNBLOCK,
	LISTS_LEVEL, /* only look up */
	LISTS_ADD_ADMIN,
	LISTS_REMOVE_ADMIN,
	LISTS_ADD_CONTACT, /* raise only strangers to contacts */
};

/* The longest id that may be listed, in bytes. */
#define LISTS_ID_MAX 200

/* A requested change, of the address or name 'id'. */
struct lists_change {
	enum lists_action action;
	char id[LISTS_ID_MAX + 1];
	char reason[LISTS_ID_MAX + 1]; /* of LISTS_BLOCK */
};

/* The result, in the words of spec 1.7. */
struct lists_result {
	bool is_done;	     /* false: message is an error */
	bool has_level;	     /* level is to be reported */
	bool was_overridden; /* a pattern keeps the subject at another level */
	char message[2 * LISTS_ID_MAX + 80];
	enum trust_level level; /* the current level */
};

/*
 * Whether text may be listed: an address, or printable UTF-8 on one line that
 * is neither a comment nor a pattern.
 */
bool lists_id_is_valid(const char *id, size_t len);

/*
 * Change the lists in co_dir; address is the agent's own. From any thread
 * except the loop's; it may wait a second for other writers. Each file is
 * replaced whole or not at all. Returns 0, or -1 with ERR_MISCONFIGURED (cannot
 * read or write) or ERR_BAD_REQUEST (the id may not be listed, or an admin is
 * not an address).
 */
int lists_change(const char *co_dir, const char *address,
    const struct lists_change *change, struct lists_result *result,
    struct err *err);

#endif
