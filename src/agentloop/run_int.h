/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTLOOP_RUN_INT_H
#define AGENTLOOP_RUN_INT_H

/*
 * Private to agentloop/: a run, which is one turn of the loop of model and
 * tools. Its parts, bottom-up: run_say.c emits events, run_ask.c asks the model,
 * run_compact.c lets it summarise what was long, run_gate.c decides whether a
 * call may run, run_calls.c runs the calls, run_recall.c reads what an earlier
 * owner did, run.c goes from stage to stage.
 *
 * Callbacks (of the model, of tools, of the session) only note what happened and
 * call run_go(); all transitions happen in run.c, from the end of the tick. So
 * no callback frees what called it.
 */
#include "agentloop/memory.h"
#include "agentloop/toolset.h"
#include "base/list.h"
#include "core/agent.h"
#include "core/tool_spec.h"
#include "llm/model_call.h"
#include "llm/provider.h"
#include "net/loop.h"

struct completion_call;

struct agent {
	struct loop *loop;
	struct fetch *fetch;
	const struct permit *permit;
	struct agent_about about;
	struct provider provider;
	struct model_provider reach; /* borrows from provider */
	struct toolset tools;
	struct mcp_boxes *mcp;	  /* owns the toolboxes of MCP servers */
	bool has_no_tools;	  /* not even ask_user */
	struct tool_spec offered; /* of the settings; for about */
	const char **tool_names;
	unsigned questions; /* run_question_offered() */
	char *system;	    /* "": none */
	double temperature;
	double input_price; /* in dollars per million tokens */
	double cached_price;
	double output_price;
	int64_t max_iterations;
	int64_t max_tokens;
	int64_t context_tokens;
	size_t max_session_bytes;
	/* Questions to the model: so many at a time, others wait. */
	size_t n_asking;
	size_t max_asking;
	struct list waiting;
};

enum run_stage {
	RUN_READY,    /* the next question can be asked */
	RUN_ASKING,   /* the model is asked, or will be */
	RUN_ANSWERED, /* its answer is there, and may not be written yet */
	RUN_CALLING,  /* tools are called */
	RUN_OVER,
	RUN_LOADING, /* some of its tools are not known yet */
};

enum call_state {
	CALL_NEW,
	CALL_ASKED,   /* a person is asked whether it may run */
	CALL_GRANTED, /* it may run */
	CALL_MARKED,  /* that it starts is being written */
	CALL_RUNNING,
	CALL_ENDED,
};

/*
 * Longer arguments are not taken; the number of their bytes stands for them, as
 * RUN_LEFT_OUT says.
 */
#define RUN_ARGS_BYTES ((size_t)1 << 20)
#define RUN_LEFT_OUT "(left out: %zu bytes)"

/* A call of a tool, as the model wants it. */
struct run_call {
	struct agent_turn *run;
	char id[48];	  /* ours, unique in the session */
	char *model_id;	  /* the model's */
	char *name;	  /* of the tool */
	struct buf args;  /* a JSON object; "{}" if the model's is none */
	struct buf extra; /* what the provider wants back with it */
	struct buf wrong; /* what is wrong with it, or empty */
	enum call_state state;
	struct toolbox *box;
	struct tool_run *running;
	struct buf result;
	struct buf question; /* of the tool, to be asked: event body */
	struct buf output;   /* to be shown */
	size_t n_shown;	     /* bytes of output shown */
	int64_t began_us;
	uint64_t mark; /* n_emitted with its mark */
	bool is_announced;
	bool is_marked;	 /* it may have run */
	bool is_refused; /* by a person */
	bool is_told;	 /* its result is an event */
};

/* Further input that waits for the next question. */
struct run_input {
	struct list link;
	char id[EVENT_ID_MAX + 1];
	size_t len;
	char text[];
};

struct run_usage {
	int64_t input;
	int64_t output;
	int64_t cached;
	double cost;
};

struct agent_turn {
	struct agent *agent;
	const struct agent_input *input;
	const struct agent_exec *exec; /* a direct call of a tool, or NULL */
	struct agent_sink *sink;
	enum run_stage stage;
	struct memory memory;
	struct draft draft;
	struct loop_later later;
	struct loop_timer batch; /* what is shown in batches is due */
	uint64_t n_emitted;
	uint64_t n_written;
	bool is_full; /* the journal has no room */
	bool is_opened;
	bool is_interrupted;
	bool has_start;
	bool is_told; /* its turn_result is there */
	struct buf told_reason;
	/* The question to the model. */
	struct list link; /* agent->waiting */
	struct model_call *asking;
	bool has_slot;
	bool is_compacting;
	struct buf brief; /* what is asked then */
	int64_t iteration;
	int64_t n_joined; /* inputs that came later; each may have one more */
	int64_t compacted_at; /* the iteration; 0: never */
	int64_t asked_us;
	size_t n_shown;	      /* bytes of the answer shown as deltas */
	bool is_thought_told; /* its reasoning was shown */
	bool is_open;	      /* an llm_call without its llm_result */
	const struct completion *answer; /* inside callbacks only */
	/* Its answer. */
	struct buf said;
	bool is_final; /* it calls no tool */
	struct buf failure;
	bool is_context_full;
	double context_percent;
	struct run_usage usage; /* of the turn so far */
	struct list heard;	/* struct run_input */
	/* The calls of the latest answer. */
	struct run_call *calls;
	size_t n_calls;
	struct run_call *asked; /* whose question waits for its answer */
	bool is_stopped;	/* a person wants no further step */
};

/* ---- run_say.c: events ---- */

/* Let run.c look at the run at the end of this tick. */
void run_go(struct agent_turn *t);

/* Begin the run's draft. */
struct draft *run_begin(struct agent_turn *t, enum event_type type);

/* Add a field from a C string. */
void run_str(struct agent_turn *t, const char *field, const char *text);

/*
 * Whether events of this type are noted in the trace. Pieces and checkpoints
 * repeat what other events have.
 */
bool run_is_of_trace(enum event_type type);

/* Emit the draft, and note it in the trace. */
void run_emit(struct agent_turn *t);

/* Write a line to the agent log. */
void __attribute__((format(printf, 2, 3)))
run_log(struct agent_turn *t, const char *fmt, ...);

/* Append a usage as events have it. */
void run_put_usage(struct buf *out, const struct run_usage *usage);

/* ---- run_ask.c: the model ---- */

/*
 * Ask the model, as soon as there is a slot. on_end comes later, unless it is
 * given up.
 */
void run_ask(struct agent_turn *t);

/* Give up the question, if there is one. */
void run_ask_forget(struct agent_turn *t);

/* Emit the llm_result of a question that was given up. */
void run_ask_close(struct agent_turn *t);

/* Show what is due of the answer; more says that a timer is to be set. */
void run_ask_show(struct agent_turn *t);

/* Ask for runs that wait for a slot. */
void run_ask_next(struct agent *a);

/* ---- run_compact.c ---- */

/* Whether the conversation has to be compacted before the next question. */
bool run_compact_is_due(const struct agent_turn *t);

/* Begin to compact: the question goes to run_ask.c. */
void run_compact_begin(struct agent_turn *t);

/* The summary is in t->said, or t->failure says why there is none. */
void run_compact_end(struct agent_turn *t);

/* Let a summary stand for what was before, and the prompt behind it. */
void run_compact_apply(struct agent_turn *t, const char *summary, size_t len);

/* ---- run_gate.c: permission ---- */

enum run_gate {
	GATE_OPEN,
	GATE_ASK,    /* a person decides */
	GATE_CLOSED, /* the mode does not allow it */
};

/* Decide about a call of a tool. */
enum run_gate run_gate_of(
    const struct agent_turn *t, const struct run_call *c, const struct tool *u);

/* Ask a person. */
void run_gate_ask(struct agent_turn *t, struct run_call *c);

/* The answer: note it in the state of the call. */
void run_gate_answer(
    struct agent_turn *t, struct run_call *c, const struct json *answer);

/* ---- run_calls.c ---- */

/* Take the calls of an answer: a JSON array as a message has it. */
void run_calls_open(struct agent_turn *t, const char *calls, size_t len);

/* Append a call as a message has it. Arguments that are too long are left out. */
void run_calls_put(struct buf *out, const struct completion_call *call);

/* Returns the call with this id of ours, or NULL. */
struct run_call *run_calls_find(
    struct agent_turn *t, const char *id, size_t len);

/* Do what can be done. Returns whether all calls have ended. */
bool run_calls_step(struct agent_turn *t);

/* End a call with a result, for the model and for people. */
void run_calls_end(
    struct run_call *c, bool has_failed, const char *text, size_t len);

/* An answer has come for t->asked. */
void run_calls_answer(struct agent_turn *t, const struct json *answer);

/* Move the results into the memory, and forget the calls. */
void run_calls_fold(struct agent_turn *t);

/* End all that run; their results say that they were interrupted. */
void run_calls_cancel(struct agent_turn *t);

/* Show output that is due. */
void run_calls_show(struct agent_turn *t);

/* ---- run_question.c: what the user is asked ---- */

/* How many tools there are whose calls are questions. */
#define RUN_QUESTIONS 2

/* Returns those that the setting tools offers, for agent.questions. */
unsigned run_question_offered(const struct tool_spec *spec);

/* Write what a model is told of them. Returns how many. */
size_t run_question_list(const struct agent *a, struct model_tool *out);

/* Append their names to others, "a, b". */
void run_question_put_names(const struct agent *a, struct buf *out);

/* Whether the call is one of them. */
bool run_question_is(const struct run_call *c);

/* Whether it can be asked; if not, c->wrong says why. */
bool run_question_check(struct run_call *c);

/* Ask what it says. */
void run_question_ask(struct run_call *c);

/* Ask what the tool that runs wants to know, c->question. */
void run_question_ask_for_tool(struct run_call *c);

/* End the call with the answer of the user. */
void run_question_end(struct run_call *c, const struct json *answer);

/* ---- run_exec.c: a direct call of one tool (core/agent.h) ---- */

/* Implements start of a call of one tool. */
struct agent_turn *run_exec_start(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink);

/* Implements run for it. */
void run_exec_run(struct agent_turn *t);

/* ---- run_recall.c ---- */

/* Take in an event of an earlier owner. */
void run_recall(struct agent_turn *t, const struct event *ev);

/* Take in a stimulus. */
void run_hear(struct agent_turn *t, const struct event *ev);

/* ---- run.c ---- */

/* The turns of the kind (core/agent.h). */
struct agent_turn *run_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink);
void run_run(struct agent_turn *t);
void run_deliver(struct agent_turn *t, const struct event *ev);
void run_on_room(struct agent_turn *t);
void run_on_written(struct agent_turn *t, unsigned n);
void run_free(struct agent_turn **t);

#endif
