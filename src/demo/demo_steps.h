/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_DEMO_STEPS_H
#define DEMO_DEMO_STEPS_H

/*
 * Private to the demo agent: its turn, and the events that each step emits.
 * demo.c runs the steps.
 *
 * A turn is a fixed sequence of steps, each of which emits one event, so its
 * position (at) is all that a new owner must know: it counts the recalled
 * events. The sequence is: user_input, files_received if there are files, the
 * steps of the script, and finally turn_result. Prompts that arrive meanwhile
 * are echoed between the steps.
 */
#include "base/buf.h"
#include "base/list.h"
#include "core/agent.h"
#include "core/event.h"
#include "demo/script.h"
#include "demo/talk.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The events of this many last steps are noted in the conversation. */
#define DEMO_STEPS_NOTED 90

struct agent {
	struct agent_about about;
	struct loop *loop;
	size_t max_session_bytes;
};

/* A prompt that arrived while the turn ran and has not been echoed yet. */
struct later {
	struct list link;
	char *text;
	size_t len;
	size_t id_len;
	char id[EVENT_ID_MAX + 1];
};

struct agent_turn {
	struct agent *agent;
	const struct agent_input *input; /* NULL: exec is set */
	const struct agent_exec *exec;	 /* a call of one tool */
	struct agent_sink *sink;
	struct script script;
	struct talk talk;
	struct draft draft;
	struct loop_timer timer;
	struct list laters;
	struct buf later_text; /* later prompts, for the answer */
	struct buf reply;      /* the user's answer, JSON; empty: none yet */
	int64_t at;	       /* the next step */
	int64_t n_lead;	       /* steps before the script's */
	int64_t n_steps;       /* all steps */
	bool is_pumping;
	bool is_full;
	bool is_timing;
	bool is_time_up;
	bool is_interrupted;
	bool is_told; /* turn_result was emitted */
	bool is_over;
};

/*
 * Write PREFIX TURN - NUMBER, unique in the session, of EVENT_ID_MAX at most.
 */
void demo_steps_id(
    const struct agent_turn *t, char *out, char prefix, int64_t number);

/* Returns the number of steps of a script. */
int64_t demo_steps_count(const struct script *s);

/*
 * Returns the step of the script before which the turn waits for the user; 0:
 * none.
 */
int64_t demo_steps_wait(const struct script *s);

/* Emit the event of step t->at, which is not the last. */
void demo_steps_emit(struct agent_turn *t);

/* Emit the event of the last step. */
void demo_steps_end(struct agent_turn *t);

/* Append the answer of a turn that has run all its steps. */
void demo_steps_answer(const struct agent_turn *t, struct buf *out);

#endif
