/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_LINE_H
#define AGENT_LINE_H

/*
 * The line protocol of subprocess agents, co-agent(7): newline-delimited JSON.
 * No I/O: lines (base/line_queue.h) become events or the end of the turn, and
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
