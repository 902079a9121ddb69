/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_CHANNEL_H
#define AGENT_CHANNEL_H

/*
 * A channel connects one turn with the process that runs it: lines of
 * co-agent(7) in both directions. How turns and processes belong together is
 * hidden behind it: a turn may have a process of its own (agent/solo.h).
 *
 * The turn that opens a channel owns it until channel_retire() or
 * channel_kill(), which null the pointer; no callback follows. Used only on the
 * loop.
 */
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct channel;

/* Why a turn gets no more output, although it may not have ended. */
struct channel_end {
	enum err_reason reason;
	const char *detail; /* for the agent log; valid inside the call */
	/* The process exited with status 0: an unfinished last line counts. */
	bool is_success;
	/* Nothing was done for the turn: it may begin in another channel. */
	bool is_unbegun;
};

/* Callbacks of a channel. They may retire or kill it. */
struct channel_handlers {
	/* Bytes from the process, valid only inside the call. */
	void (*on_output)(void *arg, const char *data, size_t len);
	/* A line for the agent log. */
	void (*on_complaint)(void *arg, const char *text, size_t len);
	/*
	 * All output was delivered, and none will follow. Called once, as the
	 * last call. The turn still owns the channel, and must kill it.
	 */
	void (*on_end)(void *arg, const struct channel_end *end);
};

struct channel_ops {
	bool (*write)(
	    struct channel *c, const void *line, size_t n, size_t limit);
	void (*pause)(struct channel *c, bool is_paused);
	void (*retire)(struct channel *c);
	void (*kill)(struct channel *c);
};

/* The first member of every kind of channel. */
struct channel {
	const struct channel_ops *ops;
	struct channel_handlers handlers;
	void *arg;
};

/* What opens the channels of an agent: the first member of every kind. */
struct channels {
	/*
	 * Open a channel for one turn, on which output comes at once. Returns
	 * NULL with ERR_AGENT.
	 */
	struct channel *(*open)(struct channels *all,
	    const struct channel_handlers *handlers, void *arg,
	    struct err *err);
};

/*
 * Queue whole lines for the process. Returns false if more than limit bytes
 * would wait because it does not read.
 */
static inline bool channel_write(
    struct channel *c, const void *lines, size_t n, size_t limit)
{
	return c->ops->write(c, lines, n, limit);
}

/* Pause or resume the output. What is on its way may still come. */
static inline void channel_pause(struct channel *c, bool is_paused)
{
	c->ops->pause(c, is_paused);
}

/* The turn has ended as the process said. Nulls *c; NULL is fine. */
static inline void channel_retire(struct channel **c)
{
	struct channel *it = *c;

	*c = NULL;
	if (it)
		it->ops->retire(it);
}

/*
 * Nobody listens to the turn any more: let the process end it. Nulls *c; NULL
 * is fine.
 */
static inline void channel_kill(struct channel **c)
{
	struct channel *it = *c;

	*c = NULL;
	if (it)
		it->ops->kill(it);
}

#endif
