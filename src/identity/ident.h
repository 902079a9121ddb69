/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_H
#define IDENTITY_IDENT_H

/*
 * Who we are: the key of this agent and its address. The key lies in keys/ of a
 * .co folder, as the Python package keeps it too:
 *
 *	agent.key	32 raw bytes, an Ed25519 seed (RFC 8032 section 5.1.5), 0600
 *	recovery.txt	the phrase it was made from (identity/mnemonic.h), 0600
 *	DO_NOT_SHARE	a warning for people, 0644
 *
 * A file appears whole or not at all, the key last. What is there is never
 * written over. Neither key nor phrase leaves these files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Room for an address: "0x", 64 hex digits, NUL. */
#define IDENT_ADDRESS_SIZE 67

/* Who we are, filled in by the calls below; {0} at first. */
struct ident {
	char address[IDENT_ADDRESS_SIZE];
	char *source; /* the .co folder that has the key */
	bool is_new;  /* the key was made just now */
};

/*
 * Find the key of a project: that in co_dir, else that in home/.co (home may be
 * NULL), else a new one is made in co_dir. Returns 0, or -1 with ERR_CONFIG: a
 * key file that cannot be used is named and left as it is.
 */
int ident_load(
    struct ident *me, const char *co_dir, const char *home, struct err *err);

/*
 * Find the key in co_dir, else make one there. Where a recovery phrase lies
 * without its key, the key is made from it. Returns 0, or -1 with ERR_CONFIG.
 */
int ident_make(struct ident *me, const char *co_dir, struct err *err);

/* Free what me owns. */
void ident_fini(struct ident *me);

/*
 * Note in served_by.json beside the keys who serves under our address: the
 * agent of this name in project. If it was another project, append to *warning
 * what the operator should know. Two agents with one address work, so this is
 * no refusal. Returns 0, or -1 with ERR_CONFIG: the note cannot be written.
 */
int ident_claim(const struct ident *me, const char *name, const char *project,
    struct buf *warning, struct err *err);

#endif
