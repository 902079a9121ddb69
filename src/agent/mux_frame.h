/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_MUX_FRAME_H
#define AGENT_MUX_FRAME_H

/*
 * The frames of a process with many turns, co-agent(7): a line of the turn
 * NUMBER is "NUMBER SPACE JSON NEWLINE"; number 0 is the process itself. Pure
 * functions on text.
 */
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the longest number and the space. */
#define MUX_FRAME_HEAD 21

/* What a frame is for the one who passes it on. */
enum mux_frame_type {
	MUX_FRAME_LINE,	  /* any other line, of the turn or of the process */
	MUX_FRAME_END,	  /* OUTPUT, ERROR or EXEC_RESULT: the turn's last */
	MUX_FRAME_LOST,	  /* the turn is about to end the process */
	MUX_FRAME_RETURN, /* the process cannot begin the turn */
	MUX_FRAME_READY,  /* the process takes turns */
	MUX_FRAME_RETIRE, /* the process wants to be replaced */
	MUX_FRAME_BAD,	  /* not a JSON object */
};

struct mux_frame {
	uint64_t number;
	const char *json; /* points into the line */
	size_t len;
};

/*
 * Split a line, given without its newline. Returns false if it does not begin
 * with a number, without leading zeros, and a space.
 */
bool mux_frame_split(struct mux_frame *f, const char *line, size_t len);

/*
 * Returns the type of a frame. If "type" is the first member, the rest is not
 * looked at, and may even be no JSON. doc is for other frames; *doc is then the
 * parsed frame.
 */
enum mux_frame_type mux_frame_type(
    const struct mux_frame *f, struct json_doc *doc);

/* Write "NUMBER SPACE" to out. Returns its length. */
size_t mux_frame_head(char out[MUX_FRAME_HEAD], uint64_t number);

#endif
