/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_LINE_H
#define AGENT_LINE_H

/*
 * The line protocol of subprocess agents, co-agent(7): newline-delimited JSON.
 * No I/O here: bytes become lines, lines become events or the end of the turn,
 * and inputs and stimuli become lines.
 */
#include "base/buf.h"
#include "base/json.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- bytes to lines ---- */

/* What has come and was not taken yet; it lives in its owner. */
struct line_queue {
	struct buf bytes;
	size_t taken;	/* bytes that were given out as lines */
	size_t scanned; /* bytes known to hold no newline */
	size_t max;	/* longest line, in bytes */
};

enum line_state {
	LINE_NONE, /* more bytes are needed */
	LINE_WHOLE,
	LINE_TOO_LONG,
};

/* Prepare an empty queue. */
void line_init(struct line_queue *q, size_t max);

/* Free it. */
void line_fini(struct line_queue *q);

/* Add bytes that came. */
void line_feed(struct line_queue *q, const char *data, size_t len);

/*
 * The next line, without its newline, valid until the next call of line_feed().
 */
enum line_state line_next(struct line_queue *q, const char **text, size_t *len);

/* ---- what a process says ---- */

enum line_kind {
	LINE_BLANK,	  /* nothing */
	LINE_EVENT,	  /* draft is filled */
	LINE_OUTPUT,	  /* result and session are set */
	LINE_EXEC_RESULT, /* result is set: a tool returned it */
	LINE_ERROR,	  /* message is set: the turn, or the tool, failed */
};

/* One line, read. {0} is fine; its memory is used again by the next line. */
struct line {
	enum line_kind kind;
	struct draft draft;
	const char *result;
	size_t result_len;
	const char *session; /* JSON object; NULL: none was sent */
	size_t session_len;
	const char *message;
	size_t message_len;
	bool is_memory; /* an ERROR says that memory was wanting */
	struct json_doc doc;
	struct buf scratch;
};

/*
 * Read a line of a process into *l; what it points to is valid while text is.
 * Returns 0, or -1 with ERR_BAD_REQUEST saying what is wrong with it.
 */
int line_read(struct line *l, const char *text, size_t len, uint32_t turn,
    struct err *err);

/* Free what *l holds. */
void line_free(struct line *l);

/* ---- what a process is told ---- */

/* Append the first line of a turn. */
void line_input(struct buf *out, const struct agent_input *input);

/* Append the only line of a call of one tool. */
void line_exec(struct buf *out, const struct agent_exec *x);

/*
 * Append the line for a stimulus; false, with nothing appended, if it has none.
 */
bool line_stimulus(struct buf *out, const struct event *ev);

#endif
