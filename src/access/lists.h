/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_LISTS_H
#define ACCESS_LISTS_H

/*
 * Who is known: contacts.txt, whitelist.txt, blocklist.txt and admins.txt of
 * .co (spec 5.9), and the two files that host.yaml may name (5.10). They are
 * the operator's text files, shared by all processes and by the Python package;
 * whoever changes one, by hand or by a call, changes it for all at their next
 * question, since each question looks at the files' stamps.
 *
 * A line is one entry; '*' in it is any run of characters, case does not
 * matter; empty lines and those that begin with '#' are nothing. A file that is
 * not there is empty. One that cannot be read refuses whoever asks: nobody
 * comes in because a list is broken.
 *
 * A struct lists is for the loop's thread. lists_change() is for any other: it
 * waits for a lock and for the disk.
 */
#include "identity/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct lists;

enum trust_level {
	LEVEL_STRANGER,
	LEVEL_CONTACT,
	LEVEL_WHITELIST,
	LEVEL_BLOCKED,
};

/* What the lists say of an address. */
struct lists_entry {
	enum trust_level level;
	bool is_admin; /* in admins.txt, or ourselves */
	bool is_super; /* ourselves */
};

/* The word of a level, such as "contact". */
const char *lists_level_word(enum trust_level level);

/* NULL with ERR_CONFIG: the blacklist of host.yaml is not there. */
struct lists *lists_open(const struct conf *conf, struct err *err);

/* Free and null *l. */
void lists_close(struct lists **l);

/*
 * Warn in the log of entries that can match nobody, such as a mistyped address,
 * and of lists that cannot be read. Reads all of them; for the start.
 */
void lists_warn(const struct conf *conf);

/*
 * Look a canonical address up; one that is in host.yaml's whitelist has that
 * level. Returns 0, or -1 with ERR_MISCONFIGURED, which names the file.
 */
int lists_look(struct lists *l, const char *address, struct lists_entry *entry,
    struct err *err);

/*
 * Whether host.yaml's blacklist has the address, or cannot be read: with
 * ERR_FORBIDDEN or ERR_MISCONFIGURED then.
 */
bool lists_is_blacklisted(
    struct lists *l, const char *address, struct err *err);

/*
 * Look whether a list has changed: a number that grows then. One that cannot be
 * read has not changed.
 */
uint64_t lists_version(struct lists *l);

/*
 * Whether the address is blocked or blacklisted, as the lists were read last.
 * For whoever asks about many at once, after lists_version().
 */
bool lists_was_refused(const struct lists *l, const char *address);

/* Whether host.yaml's whitelist has the address. */
bool lists_is_whitelisted(struct lists *l, const char *address);

/* ---- changes ---- */

enum lists_action {
	LISTS_PROMOTE,
	LISTS_DEMOTE,
	LISTS_BLOCK,
	LISTS_UNBLOCK,
	LISTS_LEVEL, /* only look */
	LISTS_ADD_ADMIN,
	LISTS_REMOVE_ADMIN,
	LISTS_ADD_CONTACT, /* a stranger becomes a contact; others stay */
};

/* Longest id that may be listed, in bytes. */
#define LISTS_ID_MAX 200

struct lists_change {
	enum lists_action action;
	char id[LISTS_ID_MAX + 1];
	char reason[LISTS_ID_MAX + 1]; /* of LISTS_BLOCK */
};

/* What became of it, in the words of spec 1.7. */
struct lists_result {
	bool is_done;	     /* false: message is an error */
	bool has_level;	     /* level is to be told */
	bool was_overridden; /* a pattern keeps it at another level */
	char message[2 * LISTS_ID_MAX + 80];
	enum trust_level level; /* as it is now */
};

/*
 * Whether text may be listed: an address, or printable UTF-8 that is one line,
 * no comment and no pattern.
 */
bool lists_id_is_valid(const char *id, size_t len);

/*
 * Change the lists in co_dir; address is our own. From any thread but the
 * loop's; it may wait a second for others. Each file is replaced whole or not
 * at all. Returns 0, or -1 with ERR_MISCONFIGURED (cannot read or write) or
 * ERR_BAD_REQUEST (the id may not be listed, or is no address of an admin).
 */
int lists_change(const char *co_dir, const char *address,
    const struct lists_change *change, struct lists_result *result,
    struct err *err);

#endif
