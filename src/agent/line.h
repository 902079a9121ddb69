/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_LINE_H
#define AGENT_LINE_H

/*
 * The line protocol of subprocess agents, co-agent(7): newline-delimited JSON.
 * No I/O: bytes become lines, lines become events or the end of the turn, and
 * inputs and stimuli become lines.
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

/* Bytes received and not yet processed; lives in its owner. */
struct line_queue {
	struct buf own;	  /* copied */
	size_t taken;	  /* bytes of own already returned as lines */
	size_t scanned;	  /* bytes of own known to have no newline */
	const char *lent; /* what follows it, in the memory of a caller */
	size_t n_lent;
	size_t max;	  /* the longest line, in bytes */
	bool is_skipping; /* the rest of a line that was too long */
};

/* The state of the queue after line_next(). */
enum line_state {
	LINE_NONE, /* incomplete: feed more bytes */
	LINE_WHOLE,
	LINE_TOO_LONG, /* the text is its beginning; the rest is skipped */
};

/* Initialise an empty queue. */
void line_init(struct line_queue *q, size_t max);

/* Free the contents. */
void line_fini(struct line_queue *q);

/*
 * Append received bytes without copying them: they must stay where they are
 * until line_keep(), which copies those that no line has taken.
 */
void line_lend(struct line_queue *q, const char *data, size_t len);
void line_keep(struct line_queue *q);

/* Append a copy of received bytes. */
void line_feed(struct line_queue *q, const char *data, size_t len);

/* Get the next line, without its newline, valid until the next call. */
enum line_state line_next(struct line_queue *q, const char **text, size_t *len);

/* ---- lines from a process ---- */

/* The kinds of lines; each sets other members of struct line. */
enum line_kind {
	LINE_BLANK,	  /* an empty line */
	LINE_EVENT,	  /* draft is set */
	LINE_OUTPUT,	  /* result and session are set */
	LINE_EXEC_RESULT, /* result is set, from a tool */
	LINE_ERROR,	  /* message is set: the turn or tool failed */
	LINE_LOG,	  /* message is set: for the agent log */
};

/* A parsed line. {0} is valid; its memory is reused by the next line. */
struct line {
	enum line_kind kind;
	struct draft draft;
	const char *result;
	size_t result_len;
	const char *session; /* JSON object; NULL: none was sent */
	size_t session_len;
	const char *message;
	size_t message_len;
	bool is_memory; /* an ERROR caused by lack of memory */
	struct json_doc doc;
	struct buf scratch;
};

/*
 * Parse a line of a process into *l, which is valid while text is. Returns 0,
 * or -1 with ERR_BAD_REQUEST, which says what is wrong with it.
 */
int line_read(struct line *l, const char *text, size_t len, uint32_t turn,
    struct err *err);

/* Free the contents of *l. */
void line_free(struct line *l);

/* ---- lines for a process ---- */

/* Append the first line of a turn. */
void line_input(struct buf *out, const struct agent_input *input);

/* Append the only line of a tool call. */
void line_exec(struct buf *out, const struct agent_exec *x);

#endif
