/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_H
#define CORE_AGENT_H

/*
 * What an agent is. A kind of agent (demo, exec, python) is one struct
 * agent_kind. A worker opens agents from specs and puts them into its directory
 * (core/agent_dir.h); for each INPUT the session layer starts one turn of one of
 * them. Agents see neither sessions nor doors: they get an input, stimuli, and a
 * sink.
 *
 * Life of a turn: start -> [recall each event of an earlier owner] -> run ->
 * events into the sink, stimuli in by deliver -> exactly one sink finish or
 * fail -> free. All calls happen on the loop's thread. The sink may be called
 * from inside run, deliver and on_room; finish and fail may free the turn
 * before they return, so an agent returns at once after them.
 *
 * A call of one tool without the model goes the same way: exec -> run ->
 * exactly one sink finish or fail -> free.
 */
#include "core/err.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct crew;
struct fetch;
struct loop;
struct permit;
struct agent;
struct agent_turn;
struct agent_sink;

/*
 * The agent only answers: a turn may be run
 * again, or from any event on, at will.
 */
#define AGENT_EFFECT_FREE 1u

/* It writes .co/evals itself, as the Python package does. */
#define AGENT_WRITES_EVALS 2u

/* A turn is a process of its own, with pipes to it. */
#define AGENT_HAS_PROCESSES 4u

struct agent_file {
	const char *name;
	const char *path; /* absolute, under .co/uploads */
	int64_t size_bytes;
};

/* One prompt. Everything is borrowed until the turn is freed. */
struct agent_input {
	const char *session_id;
	uint32_t turn;	      /* of the session, from 1 */
	uint32_t client_turn; /* of the conversation, from 1, shown to users */
	int64_t started_us;   /* wall clock when the input was accepted */
	const char *prompt;
	size_t prompt_len;
	const char *id;	     /* for its user_input event; NULL: any */
	const char *session; /* the conversation so far: a JSON object */
	size_t session_len;
	const char *images; /* a JSON array of data URLs, "[]" for none */
	size_t images_len;
	const struct agent_file *files;
	size_t n_files;
};

/* One tool, to be called by itself. Borrowed until the turn is freed. */
struct agent_exec {
	const char *session_id;
	/*
	 * NULL: no tool, but what was given to host() as trust, which says
	 * whether the caller that args describe may come in (access/judge.h).
	 */
	const char *tool;
	const char *args; /* a JSON object */
	size_t args_len;
	bool is_owner; /* whether the caller is who owns the agent */
};

struct agent_sink_ops {
	/*
	 * Append an event to the journal; takes the body, so the draft may be
	 * begun again. Returns whether there is room for more: when false, the
	 * agent should wait for on_room (what it sends before is still taken).
	 */
	bool (*emit)(struct agent_sink *s, struct draft *d);
	/*
	 * The turn ended well. session (may be NULL) is the conversation as the
	 * agent would have it, a JSON object; without it, prompt and result are
	 * appended.
	 */
	void (*finish)(struct agent_sink *s, const char *result, size_t len,
	    const char *session, size_t session_len);
	/*
	 * The turn failed; detail goes to the agent log and never to a client.
	 */
	void (*fail)(
	    struct agent_sink *s, enum err_reason reason, const char *detail);
	/* A line for the agent log. */
	void (*log)(struct agent_sink *s, const char *text, size_t len);
};

struct agent_sink {
	const struct agent_sink_ops *ops;
};

/*
 * What is set for one agent. A server may have several, so that an agent reads
 * this and not the settings of the server. Texts are borrowed.
 */
struct agent_spec {
	const char *setting; /* "demo", "exec:COMMAND", "python:FILE[:NAME]" */
	const char *profile; /* what it said of itself before, or "" */
	const char *project_dir; /* where its processes run */
	const char *libexec_dir; /* where co-turn is */
	const char *user;	 /* of its processes; "": ours */
	const char *python;	 /* the interpreter */
	int state;		 /* STATE_AUTO, ...: core/conf.h */
	bool notices_edits;	 /* of its file */
	int64_t pool;		 /* processes kept warm */
	int64_t memory_bytes;	 /* of all processes of a turn */
	int64_t space_bytes;	 /* of addresses, of each; 0: no limit */
	int64_t processes;	 /* of a turn */
	int64_t line_bytes;	 /* longest line that a process may say */
	int64_t lines_per_s;	 /* above it, the process waits */
	int64_t run_timeout_ms;	 /* of a turn */
	int64_t session_bytes;	 /* largest conversation that is kept */
};

/* The spec of the agent that the settings name. */
struct agent_spec agent_spec_of(const struct conf *conf);

/* Borrowed for the call of open(), but for what is said to outlive the agent. */
struct agent_setup {
	struct agent_spec spec;
	/* These outlive the agent. */
	struct loop *loop;
	struct crew *crew;	     /* does what may block */
	struct fetch *fetch;	     /* for requests of its own, to a model */
	const struct permit *permit; /* tools that need no approval; or NULL */
};

/* What /info says of an agent. */
struct agent_about {
	const char *name;
	const char *model;
	const char *const *tools;  /* NULL-terminated */
	const char *system_prompt; /* NULL: none that is known */
	/* A JSON array of {name, description, location}; NULL: none. */
	const char *skills;
	/* HTTP routes of its own, "GET /public/x/{id}", NULL-terminated; or NULL. */
	const char *const *routes;
	/* What turns share, "isolated: ...", for operators; NULL: nothing. */
	const char *state;
};

enum agent_load {
	AGENT_LOADING,
	AGENT_LOADED, /* it can take up turns */
	AGENT_BROKEN, /* it could not be loaded; it is tried again */
};

struct agent_kind {
	const char *name;
	/*
	 * The setting 'agent' is this prefix, and what follows it where the kind
	 * needs something: "exec:" and a command. needs says what, for people
	 * who left it out; NULL: nothing may follow.
	 */
	const char *prefix;
	const char *needs;
	const char *usage; /* how to write the whole, for people */
	unsigned flags;
	/*
	 * Whether what the spec names can be executed, as far as that can be
	 * told before; key is the setting it stands in. 0, or -1 with ERR_CONFIG.
	 * NULL: nothing can be told.
	 */
	int (*check)(
	    const struct agent_spec *spec, const char *key, struct err *err);
	/*
	 * Let the agent say who it is, before there are workers: may take a
	 * minute, and start processes, which are gone afterwards. Appends a JSON
	 * object to *out, or what it complained of, with -1 and ERR_CONFIG.
	 * NULL: it need not be asked.
	 */
	int (*ask)(const struct conf *conf, struct buf *out, struct err *err);
	/*
	 * Say who the agent of a spec is, without opening it; what *about points
	 * to lives until the next call for this kind.
	 */
	void (*describe)(
	    const struct agent_spec *spec, struct agent_about *about);
	/* Open the agent of this worker; NULL with *err. */
	struct agent *(*open)(const struct agent_setup *setup, struct err *err);
	/* Close it, end what it keeps running, null *a. */
	void (*close)(struct agent **a);
	/* Who it is; lives as long as the agent. */
	const struct agent_about *(*about)(const struct agent *a);
	/* Whether it can take up turns; NULL: always. */
	enum agent_load (*load)(const struct agent *a);
	/*
	 * Prepare a turn. Never fails at once:
	 * what goes wrong is told by the sink.
	 */
	struct agent_turn *(*start)(struct agent *a,
	    const struct agent_input *input, struct agent_sink *sink);
	/*
	 * Prepare a call of one tool; NULL here: the kind has no tools of its
	 * own. The sink is told by finish what the tool returned (no session),
	 * or by fail with REASON_FAILED what the caller may read as the cause;
	 * with other reasons the detail is for the agent log. Its emit is never
	 * called. Stimuli are ignored, but for EV_INTERRUPT.
	 */
	struct agent_turn *(*exec)(struct agent *a, const struct agent_exec *x,
	    struct agent_sink *sink);
	/*
	 * An event this turn put into the journal, or a
	 * stimulus it was given, under an earlier owner, in
	 * order, before run. May be NULL if not effect-free.
	 */
	void (*recall)(struct agent_turn *t, const struct event *ev);
	/* Begin, or go on after what was recalled. */
	void (*run)(struct agent_turn *t);
	/*
	 * A stimulus: EV_MORE_INPUT, EV_ANSWER or EV_INTERRUPT. What the agent
	 * takes up of more input it says by user_input with the same id; the
	 * rest begins the next turn.
	 */
	void (*deliver)(struct agent_turn *t, const struct event *ev);
	/* The sink has room again. */
	void (*on_room)(struct agent_turn *t);
	/*
	 * End it in any state, with all its
	 * processes; no sink call follows; null *t.
	 */
	void (*free)(struct agent_turn **t);
};

/* What an interrupted turn answers (doc/oip.txt 8). */
#define AGENT_INTERRUPTED_RESULT "What would you like me to do?"

#endif
