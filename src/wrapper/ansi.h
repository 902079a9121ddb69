/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ANSI_H
#define WRAPPER_ANSI_H

/*
 * What a program writes to a terminal, in parts: text, and escape sequences
 * (ECMA-48), which may come in pieces. No I/O.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A longer sequence is delivered in pieces. */
#define ANSI_MAX_SEQUENCE 4096

enum ansi_kind {
	ANSI_TEXT,    /* with control characters, but without ESC */
	ANSI_CONTROL, /* ESC [ ... a control sequence */
	ANSI_STRING,  /* ESC ] P X ^ or _ ... to its end */
	ANSI_SHORT,   /* any other sequence */
	ANSI_PIECE,   /* of a sequence that is too long */
};

/* {0} is the beginning. */
struct ansi {
	struct buf held; /* the beginning of a sequence */
	enum {
		ANSI_IN_TEXT,
		ANSI_IN_ESCAPE,
		ANSI_IN_CONTROL,
		ANSI_IN_STRING,
	} state;
	bool is_long;	      /* pieces of the sequence were delivered */
	bool is_after_escape; /* in a string; it is not in held */
};

/* Receives a part; it is valid inside the call only. */
typedef void ansi_fn(
    void *arg, enum ansi_kind kind, const char *text, size_t len);

/* Take what the program wrote, and call fn for each part that is complete. */
void ansi_feed(
    struct ansi *a, const char *text, size_t len, ansi_fn *fn, void *arg);

/* Whether no sequence is incomplete. */
bool ansi_is_between(const struct ansi *a);

/* Free the memory; *a is then {0}. */
void ansi_fini(struct ansi *a);

#endif
