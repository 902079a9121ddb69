/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_H
#define IDENTITY_IDENT_H

/*
 * The identity of this agent: its key and its address. The key lies in keys/ of
 * a .co folder, where the Python package also keeps it:
 *
 *	agent.key	32 raw bytes, an Ed25519 seed (RFC 8032 section 5.1.5), 0600
 *	recovery.txt	the phrase it was made from (identity/mnemonic.h), 0600
 *	DO_NOT_SHARE	a warning for people, 0644
 *
 * A file appears complete or not at all, the key last. Existing files are never
 * overwritten. Neither key nor phrase leaves these files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Room for an address: "0x", 64 hex digits, NUL. */
#define IDENT_ADDRESS_SIZE 67

/* An identity, filled in by the calls below; {0} at first. */
struct ident {
	char address[IDENT_ADDRESS_SIZE];
	char *source; /* the .co folder that contains the key */
	bool is_new;  /* the key was just created */
};

/*
 * Find the key of a project: the one in co_dir, else the one in home/.co (home
 * may be NULL), else create one in co_dir. Returns 0, or -1 with ERR_CONFIG: a
 * key file that cannot be used is named and left unchanged.
 */
int ident_load(
    struct ident *me, const char *co_dir, const char *home, struct err *err);

/*
 * Find the key in co_dir, else create one there. If there is a recovery phrase
 * without its key, the key is derived from it. Returns 0, or -1 with
 * ERR_CONFIG.
 */
int ident_make(struct ident *me, const char *co_dir, struct err *err);

/* Free what me owns. */
void ident_fini(struct ident *me);

/*
 * Record in served_by.json beside the keys which agent serves under our
 * address: the one of this name in project. If it was another project before,
 * append a warning for the operator to *warning; two agents with one address
 * work, so this is not an error. Returns 0, or -1 with ERR_CONFIG if the file
 * cannot be written.
 */
int ident_claim(const struct ident *me, const char *name, const char *project,
    struct buf *warning, struct err *err);

#endif
