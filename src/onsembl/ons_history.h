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
struct door_setup;
struct err;
struct http_req;
struct session_record;

/* Whose commands. */
struct ons_history {
	const struct door_setup *setup;
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

/* Returns the id of the agent of a command; "": the hosted one. */
const char *ons_history_agent(const struct session_record *r);

/* Append a command as an object of the REST API. Returns 0 or -1 with *err. */
int ons_history_put(struct buf *out, const struct ons_history *h,
    struct span command, struct err *err);

/*
 * Receives a page: an array of objects without its end, or an error (NULL:
 * none). It replies to the request.
 */
typedef void ons_history_fn(struct http_req *req, struct buf *array,
    const struct ons_page *page, const struct err *err);

/*
 * Make a list of commands, newest first, over several ticks. All is copied. fn
 * is called once, now or later, unless the client leaves before.
 */
void ons_history_list(struct http_req *req, const struct ons_history *h,
    const struct ons_page *page, ons_history_fn *fn);

/* Which output. */
struct ons_wanted {
	struct span agent;   /* its id; absent: any */
	struct span command; /* absent: those of all commands */
	struct span stream;  /* "stdout" or "stderr"; absent: both */
	int64_t since_ms;    /* 0: all */
};

/*
 * The same with what commands wrote, oldest first. The stream is borrowed from
 * the request.
 */
void ons_history_output(struct http_req *req, const struct ons_history *h,
    const struct ons_wanted *wanted, const struct ons_page *page,
    ons_history_fn *fn);

#endif
