/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_FRAME_H
#define ONSEMBL_ONS_FRAME_H

/*
 * What the events of a command tell the dashboard that it came from: its output
 * as TERMINAL_STREAM, its state as COMMAND_STATUS, calls of tools as
 * TRACE_STREAM, and its end as COMMAND_COMPLETE in addition, which ends the
 * terminal of the web page. A command is the turn of a session, and its events
 * are read in order from the turn's first one. Pure: no socket, no session call.
 */
#include "base/buf.h"
#include "base/span.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a command is for its dashboard. */
enum ons_frame_state {
	ONS_FRAME_NEW,
	ONS_FRAME_QUEUED,
	ONS_FRAME_EXECUTING,
	ONS_FRAME_OVER,
};

/* What earlier events of the command told; {0} but for the names at first. */
struct ons_frame_view {
	struct span command;
	struct span agent;
	enum ons_frame_state state;
	bool is_here;	     /* the turn's begin is that of the command */
	bool has_output;     /* the command itself wrote something */
	bool is_interrupted; /* somebody asked it to stop */
	bool hides_traces;   /* the dashboard has not subscribed to them */
	uint32_t said;	     /* checksum of the last text of the agent */
	int64_t started_ms;  /* 0: not known */
};

/* The messages of one event. */
#define ONS_FRAMES_MAX 4

struct ons_frames {
	struct buf text; /* {0} at first; kept between calls */
	size_t end[ONS_FRAMES_MAX];
	size_t n;
};

/* Replace *out by the messages of this event; there may be none. */
void ons_frame_put(struct ons_frames *out, struct ons_frame_view *view,
    const struct event *ev);

/*
 * Replace *out by a note in place of events that are no longer kept, because the
 * dashboard did not read them in time.
 */
void ons_frame_put_gap(struct ons_frames *out,
    const struct ons_frame_view *view, uint64_t n_missed, int64_t now_ms);

/* Free the memory; *out is then {0} again. */
void ons_frames_fini(struct ons_frames *out);

#endif
