/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

/*
 * What the user sees of a turn while it runs: events, each on a line, and a
 * spinner. All of it goes to standard error, so that standard output has the
 * answer alone. On something else than a terminal nothing is shown unless it
 * is asked for. What comes from the agent is made safe (cli/safe.h).
 *
 * The screen lives in its owner's memory between screen_init() and screen_fini().
 */
#include "base/buf.h"
#include "base/json.h"

#include <co_connect.h>

#include <stdbool.h>
#include <stdint.h>

/* Public only so that it can live in its owner; not to be touched. */
struct screen {
	bool has_events, has_spinner, has_colours, is_verbose, is_unicode;
	const char *busy; /* what the spinner says; NULL: there is none */
	int64_t busy_since_ms, drawn_ms;
	bool is_spinner_shown;
	void (*hide)(void *arg, bool is_hidden);
	void *hide_arg;
	/* Text of the agent that is shown if it was not the last. */
	struct buf held;
	struct json_doc doc;
	struct buf line, scratch;
};

/* Set up for standard error. quiet: no events; verbose: all, and uncut. */
void screen_init(struct screen *s, bool quiet, bool verbose);

/* Free what it holds; it may be used no more. */
void screen_fini(struct screen *s);

/* Show an event of the agent. */
void screen_event(struct screen *s, const struct co_event *event);

/* Show what happens on the way to the agent. */
void screen_connection(struct screen *s, const struct co_connection *news);

/* Start the spinner, or change its words: static text. */
void screen_busy(struct screen *s, const char *what);

/* Stop the spinner: the turn has ended, or asks the user. */
void screen_idle(struct screen *s);

/* Draw the spinner anew. Call it when screen_tick_ms() have passed. */
void screen_tick(struct screen *s);

/* Returns after how long screen_tick() is due; -1 for never. */
int screen_tick_ms(const struct screen *s);

/*
 * The turn ended with this answer: text of the agent that repeats it is not
 * shown twice.
 */
void screen_end(struct screen *s, const char *answer, size_t len);

/* One line for the user, whatever is shown of events. */
void screen_say(struct screen *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for an error, which begins with the name of the program. */
void screen_fail(struct screen *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Text of the agent that is to be read as a whole: a question, a plan. */
void screen_text(struct screen *s, const char *text, size_t len);

/*
 * Set what is called before and after lines are written while the user types:
 * NULL for nothing.
 */
void screen_on_hide(
    struct screen *s, void (*hide)(void *arg, bool is_hidden), void *arg);

#endif
