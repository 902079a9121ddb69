/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TURN_INT_H
#define TURN_TURN_INT_H

/*
 * Private to turn/: one turn and its parts, bottom-up. turn.c has the turn
 * itself, its agent, its commits and their order, and the events gathered in a
 * tick. turn_tools.c closes the tool calls that the agent left open,
 * turn_stimuli.c delivers stimuli to the agent, turn_rows.c fills the commits
 * that begin and end the turn. turn_steps.c performs the transitions of
 * states.tbl, turn_sink.c handles the output of the agent. turn_life.c begins,
 * drives and leaves a turn; turn_adopt.c continues where a dead owner stopped.
 *
 * A turn is freed when it has ended and its last commit is back. So the done()
 * of a commit calls turn_maybe_free() last, and no transition frees the turn.
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

/*
 * The number of unwritten events above which the agent must wait
 * (back-pressure).
 */
#define TURN_MAX_UNWRITTEN 2048

/* A turn in the worker that owns it. */
struct turn {
	struct agent_sink sink; /* first member: what the agent sees of us */
	struct list link;	/* all->turns */
	struct list dirty;	/* all->dirty */
	struct list decided;	/* all->decided */
	const char *decision;	/* the answer to an approval, by rule */
	struct session *session;
	struct session_call *input;
	const struct named_agent *named; /* NULL: the server no longer has it */
	struct agent_turn *agent;
	struct agent_input told; /* the input of the agent; borrows from this */
	enum turn_state state;
	uint32_t number;
	uint32_t client_turn;
	int64_t started_us;
	int64_t began_us; /* the same by clock_mono_us() */
	int64_t created_ms;
	uint64_t epoch;	      /* of the journal in which it began; 0: unknown */
	struct buf before;    /* the conversation before the turn */
	struct commit *open;  /* events of this tick */
	unsigned n_unwritten; /* events pushed and not written yet */
	unsigned
	    n_decided; /* approvals decided by rule since the last emitted event */
	unsigned n_commits;  /* commits in flight that point to us */
	unsigned n_in_facts; /* those of them in the facts lane */
	bool is_full;	     /* the agent waits for on_room */
	unsigned n_starts;   /* marks that its agent is about to start */
	bool is_resumed;     /* an earlier owner has started its agent */
	uint64_t cursor;     /* stimuli up to here were delivered */
	uint64_t stimuli;    /* number of stimuli seen */
	uint64_t before_seq; /* all events of the turn come after it */
	struct list heard;   /* prompts that joined the turn */
	struct list tools;   /* calls without a result */
	unsigned n_tools;
	uint64_t question; /* seq of the waiting question; 0: none */
	int64_t asked_ms;
	/* How it ended. */
	bool is_ended;
	bool has_failed;
	enum err_reason reason;
	struct buf result;
	struct buf talk; /* the conversation after it */
	bool has_usage;	 /* it has used tokens or money */
	int64_t duration_ms;
	bool is_end_journal_only; /* the facts have it, or cannot */
	bool is_end_in_facts;	  /* the facts have it */
	bool met_damage;	  /* the reason why its input is no event */
	bool lacks_room;	  /* the end failed because the disk is full */
	bool has_made_room;	  /* the store's reserve was requested */
	int64_t retry_at_ms;
	int64_t quiet_until_ms; /* log an unwritten end again after this */
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

/* Whether the agent's actions may be repeated. */
static inline bool turn_is_effect_free(const struct turn *t)
{
	return t->named && (t->named->kind->flags & AGENT_EFFECT_FREE);
}

/* Whether its agent can go on with what another owner has started. */
static inline bool turn_resumes(const struct turn *t)
{
	return t->named && (t->named->kind->flags & AGENT_RESUMES);
}

/* Returns the number of an agent that only one worker has; 0: all have it. */
static inline uint64_t turn_home(const struct turn *t)
{
	return t->named && t->named->kind->home
		   ? t->named->kind->home(t->named->agent,
			 t->input->agent ? t->input->agent : "")
		   : 0;
}

/* Whether this worker can run it, or it need not run any more. */
bool turn_is_here(const struct turn *t);

/* Whether an event of the agent waits for an answer. */
static inline bool turn_is_question(enum event_type type)
{
	return type == EV_ASK_USER || type == EV_APPROVAL_NEEDED ||
	       type == EV_PLAN_REVIEW;
}

/*
 * Create turn 'number' of s for the call c (whose ownership passes to the
 * turn), and register it in the session and in all->turns. The caller sets its
 * sink and its state.
 */
struct turn *turn_new(
    struct session *s, struct session_call *c, uint32_t number);

/*
 * End the agent and free the turn. No commit may be in flight, unless the
 * journal has stopped.
 */
void turn_free(struct turn *t);

/*
 * The turn is no longer that of its session in this worker. Another may be so
 * already: inputs can begin one as soon as a committer thread has written the
 * end of this one, which is before the loop learns of it.
 */
void turn_detach(struct turn *t);

/*
 * Free the turn if it has ended, or leaves for another worker, and its last
 * commit is back.
 */
void turn_maybe_free(struct turn *t);

/* Write a line to the agent log. */
void turn_activity(struct turn *t, const char *text, size_t len);

/*
 * Open the agent's turn, if there is an agent; the caller lets it recall and
 * run.
 */
void turn_start_agent(struct turn *t);

/* Set whose turn it is; NULL: nobody's. */
void turn_set_agent(struct turn *t, const struct named_agent *named);

/* Run the agent. The turn fails if the directory has no such agent. */
void turn_run_agent(struct turn *t);

/* Free the agent's turn, if there is one; the turn continues to its end. */
void turn_end_agent(struct turn *t);

/*
 * Create a commit of this turn. Its done(c), with the turn as c->arg, must call
 * turn_commit_back().
 */
struct commit *turn_commit(
    struct turn *t, enum commit_rule rule, void (*done)(struct commit *));

/*
 * Push c to the journal, behind our facts in flight, so that events stay in
 * order.
 */
void turn_push(struct turn *t, struct commit *c);

/* A commit is back: count and free it. */
void turn_commit_back(struct turn *t, struct commit *c);

/* Append an event to those gathered in this tick, in any state of the turn. */
void turn_tell(struct turn *t, struct draft *d);

/* The done() of a commit whose events are counted in n_unwritten. */
void turn_written(struct commit *c);

/* Free the notes of prompts that joined, and of tool calls. */
void turn_forget_heard(struct turn *t);
void turn_forget_tools(struct turn *t);

/*
 * Read the conversation before the turn, the turn's number for the client, and
 * its requester.
 */
void turn_rows_load_talk(struct turn *t);

/* Add the event of the input to c. */
void turn_rows_input(struct commit *c, const struct turn *t);

/*
 * Add the mark that the agent is about to start to c, which must be written
 * before the start: a dead worker's turn counts as run if the mark is there.
 */
void turn_rows_mark(struct commit *c, struct turn *t);

/*
 * Fill the commit that begins the turn: record, claim, event, and the start
 * mark unless the agent has no effects.
 */
void turn_rows_claim(struct commit *c, struct turn *t);

/* Fill the commit that ends it; without facts if these already have the end. */
void turn_rows_end(struct commit *c, const struct turn *t);

/* Perform the transition of states.tbl for this stimulus, if there is one. */
void turn_step(struct turn *t, enum turn_stimulus stimulus);

/* Push the commit that begins the turn. */
void turn_push_claim(struct turn *t);

/* Push the start mark of a turn that was adopted, or is repeated. */
void turn_push_mark(struct turn *t);

/*
 * Whether the agent may be started although an earlier one, which started, is
 * gone. Its effects cannot be known, so that the settings decide.
 */
bool turn_may_repeat(const struct turn *t);

/*
 * Start another agent, which hears again all that the previous one was told;
 * the tool calls of the previous one have failed.
 */
void turn_repeat(struct turn *t);

/* Push the commit that ends the turn. */
void turn_push_end(struct turn *t);

/* Make the turn the agent's sink. */
void turn_sink_init(struct turn *t);

/*
 * End the turn as successful, as if the agent had reported it. session is the
 * conversation after it, or NULL. Ignored after the end.
 */
void turn_sink_finish(struct turn *t, const char *result, size_t len,
    const char *session, size_t session_len);

/*
 * End the turn as failed; detail (NULL: none) goes to the logs. Ignored after
 * the end.
 */
void turn_sink_fail(struct turn *t, enum err_reason reason, const char *detail);

/* An event copied from the journal; free() it. */
struct event_copy {
	struct list link;
	struct event ev;
	char text[];
};

/* Append a copy of ev to a list. */
void turn_stimuli_keep(struct list *to, const struct event *ev);

/*
 * Record what an event says about prompts that joined: one arrived, the agent
 * took one up, or an interrupt cancelled them.
 */
void turn_stimuli_note(struct turn *t, const struct event *ev);

/* The agent reports that it took up this prompt, if it is one. */
void turn_stimuli_took(struct turn *t, const char *id);

/*
 * Let prompts end with the turn if it is unknown whether an earlier agent took
 * them up.
 */
void turn_stimuli_doubt(struct turn *t);

/*
 * The agent has ended: record what it was not given any more, and report what
 * was cancelled.
 */
void turn_stimuli_last(struct turn *t);

/* Add the verdict on each prompt to the commit that ends the turn. */
void turn_stimuli_say(const struct turn *t, struct commit *c);

/* Record a tool_call, or the tool_result that closes it, by its body. */
void turn_tools_note(
    struct turn *t, enum event_type type, const char *body, size_t len);

/* Emit a tool_result for each open call: clients wait for them. */
void turn_tools_close(struct turn *t, const char *reason);

/* The same before this turn_result, with its reason. */
void turn_tools_end(struct turn *t, const struct draft *d);

/* Whether an answer is for the waiting question, which is then settled. */
bool turn_stimuli_settle(struct turn *t, const struct event *ev);

#endif
