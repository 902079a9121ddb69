/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TURN_INT_H
#define TURN_TURN_INT_H

/*
 * Private to session/: one turn and its parts, from the lowest up. turn.c has
 * the turn itself, its agent, its commits and their order, and the events that
 * a tick gathers. turn_tools.c closes the tool calls that the agent left open,
 * turn_stimuli.c gives the agent what others appended, turn_rows.c fills the
 * commits that begin and end the turn. turn_steps.c takes the steps of
 * states.tbl, turn_sink.c what the agent says. turn_life.c begins, drives and
 * leaves a turn; turn_adopt.c goes on where a dead owner stopped.
 *
 * A turn is freed when it is over and its last commit is back. So what is done
 * for a commit calls turn_maybe_free() last, and no step frees.
 */
#include "turn/turn.h"

enum turn_state {
#define STATE(code, doc) TURN_##code,
#define STIMULUS(code, doc)
#define TRANSITION(state, stimulus, action, next)
#include "turn/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

enum turn_stimulus {
#define STATE(code, doc)
#define STIMULUS(code, doc) STIM_##code,
#define TRANSITION(state, stimulus, action, next)
#include "turn/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

/* Events given by the agent and not yet written above which it has to wait. */
#define TURN_MAX_UNWRITTEN 2048

struct turn {
	struct agent_sink sink; /* first: the agent's view of us */
	struct list link;	/* all->turns */
	struct list dirty;	/* all->dirty */
	struct list decided;	/* all->decided */
	const char *decision;	/* an approval's answer, by rule */
	struct session *session;
	struct session_call *input;
	const struct named_agent *named; /* NULL: it is not there any more */
	struct agent_turn *agent;
	struct agent_input told; /* what the agent was given; it borrows this */
	enum turn_state state;
	uint32_t number;
	uint32_t client_turn;
	int64_t started_us;
	int64_t began_us; /* the same by clock_mono_us() */
	int64_t created_ms;
	uint64_t epoch;	     /* of the journal that it began in; 0: not known */
	struct buf before;   /* the conversation as the turn began */
	struct commit *open; /* events of this tick */
	unsigned n_unwritten; /* events on their way to the journal */
	unsigned n_commits;   /* commits in flight that point to us */
	unsigned n_in_facts;  /* of them in the facts lane */
	bool is_full;	      /* the agent waits for on_room */
	uint64_t cursor;      /* where stimuli were looked for */
	uint64_t stimuli;     /* stimuli seen */
	uint64_t before_seq;  /* all events of the turn come after it */
	struct list heard;    /* prompts that came meanwhile */
	struct list tools;    /* calls without a result */
	unsigned n_tools;
	uint64_t question; /* pending question's seq, 0: none */
	int64_t asked_ms;
	/* How it ended. */
	bool is_ended;
	bool has_failed;
	enum err_reason reason;
	struct buf result;
	struct buf talk; /* the conversation after it */
	bool has_usage;	 /* it spent something */
	int64_t duration_ms;
	bool is_end_journal_only; /* the facts have the end, or refuse it */
	bool is_end_in_facts;	  /* they have it */
	bool met_damage;	  /* its input has no event for that */
	bool lacks_room;	  /* the end failed because the disk is full */
	bool has_made_room;	  /* it has asked for the store's reserve */
	int64_t retry_at_ms;
	int64_t quiet_until_ms; /* the log knows why the end is not written */
};

/* All sessions of this worker. */
static inline struct sessions *turn_all(const struct turn *t)
{
	return t->session->all;
}

/* The settings. */
static inline const struct conf *turn_conf(const struct turn *t)
{
	return t->session->all->setup.conf;
}

/* Whether what the agent did may be done again. */
static inline bool turn_is_effect_free(const struct turn *t)
{
	return t->named && (t->named->kind->flags & AGENT_EFFECT_FREE);
}

/* Whether an event of the agent waits for an answer. */
static inline bool turn_is_question(enum event_type type)
{
	return type == EV_ASK_USER || type == EV_APPROVAL_NEEDED ||
	       type == EV_PLAN_REVIEW;
}

/* Turn 'number' of s for the call c (taken), known to the session and in
 * all->turns. The caller sets its sink and its state. */
struct turn *turn_new(
    struct session *s, struct session_call *c, uint32_t number);

/* End the agent and free the turn; no commit may be in flight, unless the
 * journal has stopped. */
void turn_free(struct turn *t);

/* Free the turn if it is over and its last commit is back. */
void turn_maybe_free(struct turn *t);

/* A line for people in the agent log. */
void turn_activity(struct turn *t, const char *text, size_t len);

/* Make the agent, if there is one; the caller lets it recall and run. */
void turn_start_agent(struct turn *t);

/* Let it run; the turn fails when the directory has no such agent. */
void turn_run_agent(struct turn *t);

/* Free the agent, if there is one; the turn goes on to its end. */
void turn_end_agent(struct turn *t);

/* A commit of this turn. done(c), with the turn as c->arg, calls
 * turn_commit_back(). */
struct commit *turn_commit(
    struct turn *t, enum commit_rule rule, void (*done)(struct commit *));

/* Give c to the journal, behind facts of ours that are in flight, so that
 * events stay in order. */
void turn_push(struct turn *t, struct commit *c);

/* A commit has come back: count and free it. */
void turn_commit_back(struct turn *t, struct commit *c);

/* Append an event to what this tick has gathered, whatever state the turn is in. */
void turn_tell(struct turn *t, struct draft *d);

/* done() of a commit of events that are counted in n_unwritten. */
void turn_written(struct commit *c);

/* Free what was noted of prompts that came meanwhile, and of tool calls. */
void turn_forget_heard(struct turn *t);
void turn_forget_tools(struct turn *t);

/* Read the conversation as the turn begins, its number for the client, and whose
 * turn it is. */
void turn_rows_load_talk(struct turn *t);

/* Add the event of the input to c. */
void turn_rows_input(struct commit *c, const struct turn *t);

/* Fill the commit that begins the turn: record, claim, event. */
void turn_rows_claim(struct commit *c, const struct turn *t);

/* Fill the commit that ends it, without the facts if these have the end. */
void turn_rows_end(struct commit *c, const struct turn *t);

/* Take the step that states.tbl has for this stimulus, if it has one. */
void turn_step(struct turn *t, enum turn_stimulus stimulus);

/* Push the commit that begins the turn. */
void turn_push_claim(struct turn *t);

/* Push the mark that the agent is about to start. It goes first: after it, a
 * dead worker's turn counts as having run. */
void turn_push_mark(struct turn *t);

/* Push the commit that ends it. */
void turn_push_end(struct turn *t);

/* Make the turn the agent's sink. */
void turn_sink_init(struct turn *t);

/*
 * The turn succeeded, as if the agent had said so; session is the conversation
 * it leaves, or NULL. Ignored after the end.
 */
void turn_sink_finish(struct turn *t, const char *result, size_t len,
    const char *session, size_t session_len);

/* The turn failed; detail (NULL: none) goes to the logs. Ignored after the end.
 */
void turn_sink_fail(struct turn *t, enum err_reason reason, const char *detail);

/* An event copied out of a read of the journal; free() it. */
struct event_copy {
	struct list link;
	struct event ev;
	char text[];
};

/* Append a copy of ev to a list. */
void turn_stimuli_keep(struct list *to, const struct event *ev);

/* Note what an event says of the prompts that came meanwhile: one came, the agent
 * took one up, or a stop called them off. */
void turn_stimuli_note(struct turn *t, const struct event *ev);

/* The agent says that it took up this prompt, if it is one. */
void turn_stimuli_took(struct turn *t, const char *id);

/* Prompts of the turn of which nobody can know whether an earlier agent took them
 * up end with it. */
void turn_stimuli_doubt(struct turn *t);

/* The agent has ended: note what it was not told any more, and tell what was
 * called off. */
void turn_stimuli_last(struct turn *t);

/* Say in the commit that ends the turn what became of each prompt. */
void turn_stimuli_say(const struct turn *t, struct commit *c);

/* Note a tool_call, or the tool_result that closes it, by its body. */
void turn_tools_note(
    struct turn *t, enum event_type type, const char *body, size_t len);

/* Tell a tool_result for each call that has none: clients wait for them. */
void turn_tools_close(struct turn *t, const char *reason);

/* The same, before this turn_result, and for its reason. */
void turn_tools_end(struct turn *t, const struct draft *d);

/* Whether an answer is for the question that waits; that is then settled. */
bool turn_stimuli_settle(struct turn *t, const struct event *ev);

#endif
