/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_CMD_H
#define DIALIN_DIALIN_CMD_H

/*
 * A command as a turn of an agent that has dialed in: what is known of it, the
 * events that it makes, the acknowledgements that wait until these are written,
 * and its ends. dialin/dialin_turn.h runs it, dialin/dialin_said.h reads what
 * its agent says, dialin/dialin_queue.h orders those that wait; they see its
 * fields, and nobody else.
 */
#include "base/list.h"
#include "core/agent.h"
#include "dialin/dialin_dock.h"
#include "net/loop.h"
#include "ons/ons_order.h"

/* How far a command is. */
enum dialin_stage {
	STAGE_NEW,
	STAGE_QUEUED, /* its connection will get it */
	STAGE_SENT,
	STAGE_ENDED,
};

struct agent_turn {
	struct list link; /* in conn->turns */
	struct dialin_dock *dock;
	struct dialin_conn *conn; /* NULL: it has none */
	const struct agent_input *input;
	struct agent_sink *sink;
	uint64_t home;
	char command[ONS_MAX_ID + 1];
	bool is_known; /* by the dock */
	bool is_hosted;
	enum dialin_stage stage;
	enum ons_priority priority;
	bool is_interrupted;
	bool is_resumed;   /* this run goes on with what was sent before */
	bool has_call;	   /* its tool_call is written */
	bool has_start;	   /* the mark of its start was recalled */
	bool is_counted;   /* among those that its connection runs */
	bool is_held;	   /* its agent has it, and has not begun it */
	int64_t sequence;  /* the highest that was taken */
	bool says_events;  /* its agent sends AGENT_EVENT */
	int64_t asked;	   /* the sequence of the newest question; 0: none */
	struct buf answer; /* recalled, to 'asked': a line of co-agent(7) */
	uint64_t question; /* recalled: the position of that question */
	uint64_t source;   /* the connection that it came from; 0: recalled */
	uint64_t speaker;  /* the connection that speaks now */
	int64_t last_us;   /* the time of the newest event that was recalled */
	struct buf output;
	uint64_t n_left_out; /* bytes of it */
	uint64_t n_emitted;
	uint64_t n_written;
	struct list acks;
	struct loop_timer timer;
	struct draft draft;
	struct json_doc options;
};

/* The member of an event that has the sequence of its AGENT_EVENT. */
#define DIALIN_SEQUENCE "agent_sequence"

/* Whether an event waits for an answer. */
bool dialin_cmd_is_question(enum event_type type);

/* Begin an event of the command, and return its draft. */
struct draft *dialin_cmd_draft(struct agent_turn *t, enum event_type type);

/* Add a text to a draft, if it is not absent. */
void dialin_cmd_str(struct draft *d, const char *field, struct span s);

/*
 * Emit the draft. If there is no room for more, nothing more is read from the
 * connection until there is.
 */
void dialin_cmd_emit(struct agent_turn *t);

/* Emit a command_status, and the tool_call that stands for the command. */
void dialin_cmd_status(struct agent_turn *t, const char *status);
void dialin_cmd_call(struct agent_turn *t);

/* Keep what was written, for the result. */
void dialin_cmd_keep(struct agent_turn *t, struct span text);

/*
 * Send an answer to the agent when all that was emitted so far is written. Its
 * bytes are taken.
 */
void dialin_cmd_take_ack(struct agent_turn *t, struct buf *text);

/* So many events are written: send the answers that waited for them. */
void dialin_cmd_send_acks(struct agent_turn *t, uint64_t n_written);

/* Forget the answers that were not sent. */
void dialin_cmd_free_acks(struct agent_turn *t);

/* The command is no longer one of its connection. */
void dialin_cmd_detach(struct agent_turn *t);

/* Call the turn's timer after a time. */
void dialin_cmd_set_timer(struct agent_turn *t, int64_t delay_ms);

/* Count it, or not, among the commands that its agent runs. */
void dialin_cmd_count(struct agent_turn *t, bool is_counted);

/*
 * It is sent, or has written something. If nothing else can tell its end,
 * silence does: a turn of the hosted agent ends, and of others the agent is no
 * longer busy, though what it writes later is still the command's.
 */
void dialin_cmd_watch(struct agent_turn *t);

/*
 * End the turn, once: with a result (absent: what was written); as failed with
 * a reason, and with a text for clients as well; as cancelled; and because its
 * agent says nothing more. The sink may free the turn: the caller must return.
 */
void dialin_cmd_end_well(struct agent_turn *t, struct span result);
void dialin_cmd_end_badly(
    struct agent_turn *t, enum err_reason reason, struct span why);
void dialin_cmd_fail(
    struct agent_turn *t, enum err_reason reason, const char *why);
void dialin_cmd_end_cancelled(struct agent_turn *t);
void dialin_cmd_end_silently(struct agent_turn *t);

#endif
