/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ORDERS_H
#define WRAPPER_ORDERS_H

/*
 * The commands of the server: those that wait, by their priority, the one that
 * the agent works on, and what the server is told about them, which goes into
 * the backlog. Loop's thread only.
 */
#include "ons/ons_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doer;
struct loop;
struct orders;
struct backlog;
struct agent_settings;

/* The maximum number of commands that wait; a further one fails. */
#define ORDERS_MAX_WAITING 64

struct orders_handlers {
	/* The backlog has something new. */
	void (*on_news)(void *arg);
	/* Whether the server is connected, and whether it takes AGENT_EVENT. */
	bool (*is_connected)(void *arg);
	bool (*takes_events)(void *arg);
	/* AGENT_CONTROL wants the wrapper to end, perhaps after its work. */
	void (*on_stop)(void *arg, bool is_graceful, int64_t timeout_ms);
	/* No command runs any more; asked for by orders_finish(). */
	void (*on_idle)(void *arg);
};

/* All of it is borrowed. */
struct orders_setup {
	struct loop *loop;
	const struct agent_settings *settings;
	struct backlog *backlog;
	struct doer *doer; /* its handlers are set here */
	const char *agent_id;
	const struct orders_handlers *handlers;
	void *arg;
};

/* Never returns NULL. */
struct orders *orders_new(const struct orders_setup *setup);

/* Free and null *o. The agent must not call back any more. */
void orders_free(struct orders **o);

/* A message of the server. */
void orders_take(
    struct orders *o, const struct ons_message *m, struct ons_reader *r);

/* Append a JSON array of the ids of all commands whose end is not confirmed. */
void orders_active(const struct orders *o, struct buf *out);

/* The backlog has more room, or less: let the agent go on, or hold it. */
void orders_balance(struct orders *o);

/*
 * Begin no further command. Without is_graceful, cancel what runs. on_idle
 * follows, perhaps at once.
 */
void orders_finish(struct orders *o, bool is_graceful);

/* Kill what runs, at once. */
void orders_kill(struct orders *o);

/* Since the start: the commands that ended, and their time together. */
int64_t orders_count(const struct orders *o);
int64_t orders_total_ms(const struct orders *o);

#endif
