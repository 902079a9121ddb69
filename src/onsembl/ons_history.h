/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_HISTORY_H
#define ONSEMBL_ONS_HISTORY_H

/*
 * The commands of a user that are stored, and what they wrote: read from the
 * records of their sessions and their journals (onsembl/ons_owner.h). A command
 * of another user is unknown.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct sessions;

/* Whose commands. */
struct ons_history {
	struct sessions *sessions;
	const char *owner; /* ons_owner() */
	const char *user;
};

/* Which part of a list. */
struct ons_page {
	int64_t limit;
	int64_t offset;
	int64_t total; /* of all that match, filled in */
};

/* The maximum number of commands that are looked at for one list. */
#define ONS_HISTORY_MOST 1000

/* Append a command as an object of the REST API. Returns 0 or -1 with *err. */
int ons_history_put(struct buf *out, const struct ons_history *h,
    struct span command, struct err *err);

/* Append objects of commands, newest first, separated by commas. */
int ons_history_list(struct buf *out, const struct ons_history *h,
    struct ons_page *page, struct err *err);

/* Which output. */
struct ons_wanted {
	struct span agent;   /* its id; absent: any */
	struct span command; /* absent: those of all commands */
	struct span stream;  /* "stdout" or "stderr"; absent: both */
	int64_t since_ms;    /* 0: all */
};

/*
 * Append what commands wrote as objects of the REST API, oldest first. Returns
 * 0 or -1 with *err.
 */
int ons_history_output(struct buf *out, const struct ons_history *h,
    const struct ons_wanted *wanted, struct ons_page *page, struct err *err);

#endif
