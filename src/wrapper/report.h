/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_REPORT_H
#define WRAPPER_REPORT_H

/*
 * What the server is told about commands: messages that go into the backlog.
 * It also remembers which commands have ended, so that a request that comes
 * again is recognised.
 */
#include "base/span.h"
#include "ons/ons_report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog;
struct buf;
struct doer_result;
struct order;
struct report;

/* All of it is borrowed. */
struct report_setup {
	struct backlog *backlog;
	const char *agent_id;
	size_t chunk_bytes; /* of output in one message */
	void (*on_news)(void *arg);
	void *arg;
};

/* Never returns NULL. */
struct report *report_new(const struct report_setup *setup);

/* Free and null *r. */
void report_free(struct report **r);

/* The command waits, at this position from 1, or is executed. */
void report_state(struct report *r, const struct order *x, enum ons_state state,
    int64_t position);

/* It is over. */
void report_end(
    struct report *r, const struct order *x, const struct doer_result *result);

/* A command of this id is refused. */
void report_refusal(struct report *r, struct span id, const char *why);

/*
 * Keep output until it is flushed; a full chunk is sent at once. Returns whether
 * one was.
 */
bool report_output(struct report *r, struct order *x, bool is_errors,
    const char *text, size_t len);

/* Send what is kept: all that is whole or, at the end of the command, all. */
void report_flush(struct report *r, struct order *x, bool is_end);

/* Send an event of co-agent(7). */
void report_event(
    struct report *r, struct order *x, const char *json, size_t len);

/*
 * Send a TRACE_EVENT or INVESTIGATION_REPORT: its payload, with the traceId or
 * reportId that is in it.
 */
void report_document(struct report *r, struct order *x, enum ons_type type,
    const char *name, const char *json, size_t len);

/* Whether a command of this id has ended, not too long ago. */
bool report_knows(const struct report *r, struct span id);

/*
 * Append the ids, each after a comma, of commands whose end the server has not
 * acknowledged.
 */
void report_unconfirmed(const struct report *r, struct buf *out);

/* Since the start: the commands that ended, and their time together. */
int64_t report_count(const struct report *r);
int64_t report_total_ms(const struct report *r);

#endif
