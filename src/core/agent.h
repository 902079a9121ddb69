/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_H
#define CORE_AGENT_H

/*
 * An agent runs the turns of sessions. A kind of agent (demo, exec, python) is
 * one struct agent_kind. A worker opens agents from specs and puts them into
 * its directory (core/agent_dir.h); for each INPUT the session layer starts one
 * turn of one of them. Agents see neither sessions nor doors: they get an
 * input, stimuli, and a sink.
 *
 * Life of a turn: start -> [recall each event of an earlier owner] -> run ->
 * events go into the sink, stimuli come in by deliver -> exactly one finish or
 * fail of the sink -> free. All calls happen on the loop's thread. The sink may
 * be called from inside run, deliver and on_room. finish and fail may free the
 * turn before they return, so an agent must return at once after them.
 *
 * A call of one tool without the model goes the same way: exec -> run ->
 * exactly one finish or fail of the sink -> free.
 */
#include "core/err.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct crew;
struct dialin_dock;
struct fetch;
struct loop;
struct permit;
struct toolbox;
struct agent;
struct agent_turn;
struct agent_sink;

/*
 * The agent has no side effects: a turn may be run again, or from any event on.
 */
#define AGENT_EFFECT_FREE 1u

/* The agent writes .co/evals itself, as the Python package does. */
#define AGENT_WRITES_EVALS 2u

/*
 * The agent goes on with a turn that an earlier owner has started, from what
 * recall() tells of it: such a turn does not end because a worker died.
 */
#define AGENT_RESUMES 4u

/* Where the agent of a turn is. */
enum agent_place {
	AGENT_HERE,	 /* this worker can run the turn */
	AGENT_ELSEWHERE, /* only another worker can */
	AGENT_AWAY,	 /* no worker can at the moment */
};

struct agent_file {
	const char *name;
	const char *path; /* absolute, under .co/uploads */
	int64_t size_bytes;
};

/* One prompt. Everything is borrowed until the turn is freed. */
struct agent_input {
	const char *session_id;
	uint32_t turn;	      /* in the session, from 1 */
	uint32_t client_turn; /* in the conversation, from 1, shown to users */
	int64_t started_us;   /* wall clock when the input was accepted */
	const char *prompt;
	size_t prompt_len;
	const char *id;	     /* for its user_input event; NULL: any */
	const char *agent;   /* its name in the directory; "": the default */
	const char *options; /* of this input, a JSON object; NULL: none */
	size_t options_len;
	bool is_resumed;     /* an earlier owner has started the turn */
	const char *session; /* the conversation so far: a JSON object */
	size_t session_len;
	const char *images; /* a JSON array of data URLs, "[]" for none */
	size_t images_len;
	const struct agent_file *files;
	size_t n_files;
};

/* A direct call of one tool. Borrowed until the turn is freed. */
struct agent_exec {
	const char *session_id;
	/*
	 * NULL: not a tool, but the object given to host() as trust, which
	 * decides whether the caller described by args may come in
	 * (access/judge.h).
	 */
	const char *tool;
	const char *args; /* a JSON object */
	size_t args_len;
	bool is_owner; /* whether the caller owns the agent */
};

struct agent_sink_ops {
	/*
	 * Append an event to the journal. Takes the body; the draft may be
	 * begun again. Returns whether there is room for more: if false, the
	 * agent should wait for on_room (events sent before that are still
	 * taken).
	 */
	bool (*emit)(struct agent_sink *s, struct draft *d);
	/*
	 * The turn succeeded. session is the conversation as the agent wants to
	 * see it next time, a JSON object; if NULL, prompt and result are
	 * appended to the old one.
	 */
	void (*finish)(struct agent_sink *s, const char *result, size_t len,
	    const char *session, size_t session_len);
	/*
	 * The turn failed. detail goes to the agent log, never to a client.
	 * With REASON_INTERRUPTED, its process ended because of something else:
	 * the turn may be started once more (restart: safe).
	 */
	void (*fail)(
	    struct agent_sink *s, enum err_reason reason, const char *detail);
	/* Write a line to the agent log. */
	void (*log)(struct agent_sink *s, const char *text, size_t len);
	/*
	 * The agent is not here any more: leave the turn to the worker where it
	 * is, or will be. Only for kinds with home(). Frees the turn, soon but
	 * not from inside this call; nothing may follow it.
	 */
	void (*leave)(struct agent_sink *s);
};

struct agent_sink {
	const struct agent_sink_ops *ops;
};

/* The settings of the model of an agent. Texts are borrowed. */
struct agent_model {
	const char *name;
	const char *base_url;	 /* "": the provider's own */
	const char *api;	 /* "openai", "anthropic"; "": by the name */
	const char *key_name;	 /* environment variable; "": the provider's */
	const char *system;	 /* a text, or the path of a file with it */
	const char *temperature; /* a number; "": the provider's preset */
	const char *price;	 /* a JSON object, or "" */
	int64_t max_iterations;	 /* questions in one turn */
	int64_t max_tokens;	 /* of an answer; 0: the provider's preset */
	int64_t context_tokens;	 /* what it can read at once */
	int64_t calls;		 /* concurrent questions of a worker */
	int64_t connect_timeout_ms;
	int64_t idle_timeout_s;
	int64_t timeout_ms; /* of an answer */
};

/*
 * The settings of one agent. A server may have several agents, so an agent
 * reads this and not the settings of the server. Texts are borrowed.
 */
struct agent_spec {
	const char *role;	 /* for the log: "agent", "trust agent" */
	const char *setting;	 /* "demo", "exec:COMMAND", "llm", ... */
	const char *profile;	 /* what --describe reported earlier, or "" */
	const char *project_dir; /* working directory of its processes */
	const char *libexec_dir; /* where co-turn is installed */
	const char *user;	 /* that its processes run as; "": ours */
	const char *python;	 /* the Python interpreter */
	int state;		 /* STATE_AUTO, ...: see core/conf.h */
	bool notices_edits;	 /* whether it reloads its file when edited */
	bool is_persistent;	 /* exec: its processes run many turns */
	int64_t pool;		 /* processes kept warm */
	int64_t recycle_turns;	 /* python: of a process; 0: any number */
	int64_t recycle_memory_bytes; /* python: after a turn; 0: any */
	int64_t memory_bytes;	      /* of all processes of a turn together */
	int64_t space_bytes;	      /* addresses, per process; 0: any */
	int64_t processes;	      /* processes and threads of a turn */
	const char *tools;	      /* the setting, "" or JSON */
	const char *tool_environment; /* variables for commands of tools */
	int64_t tool_commands;	    /* of tools, that a worker runs at a time */
	int64_t turns;		    /* concurrent turns of a worker */
	int64_t line_bytes;	    /* longest line that a process may write */
	int64_t lines_per_s;	    /* above it, the process waits */
	int64_t run_timeout_ms;	    /* of a turn */
	int64_t interrupt_grace_ms; /* for an interrupted turn to end */
	int64_t drain_timeout_ms;   /* for turns beside one that hangs */
	int64_t hang_timeout_ms;    /* for a process to answer; 0: any */
	int64_t session_bytes;	    /* largest conversation that is kept */
	bool has_no_tools;	    /* a model is offered none */
	struct agent_model model;   /* of an llm agent */
	const char *mcp_servers;    /* JSON (core/mcp_servers.h), or "" */
};

/* Returns the spec of the agent that the settings name. */
struct agent_spec agent_spec_of(const struct conf *conf);

/*
 * Returns the spec of the agent that decides who may come in; its setting is ""
 * if there is none. What a model is told first is left to the caller.
 */
struct agent_spec agent_spec_of_trust(const struct conf *conf);

/* What open() needs. Borrowed for the call, except as noted. */
struct agent_setup {
	struct agent_spec spec;
	/* These outlive the agent. */
	struct loop *loop;
	struct crew *crew;	     /* runs what may block */
	struct fetch *fetch;	     /* for requests of its own */
	const struct permit *permit; /* tools that need no approval, or NULL */
	struct dialin_dock *dock;    /* agents that dial in; NULL: none may */
	/*
	 * For an agent loop that runs the turns of another kind: more tools,
	 * which it takes on success, and what it is called; or NULL.
	 */
	struct toolbox *tools;
	const struct agent_about *about;
};

/* What /info says about an agent. */
struct agent_about {
	const char *name;
	const char *model;
	const char *const *tools;  /* NULL-terminated */
	const char *system_prompt; /* NULL: unknown */
	/* A JSON array of {name, description, location}, or NULL. */
	const char *skills;
	/* A JSON array of prompts that show what it can do, or NULL. */
	const char *examples;
	/*
	 * Its own HTTP routes, "GET /public/x/{id}", NULL-terminated; or NULL.
	 */
	const char *const *routes;
	/* What turns share, "isolated: ...", for operators; NULL: nothing. */
	const char *state;
};

enum agent_load {
	AGENT_LOADING,
	AGENT_LOADED, /* it can run turns */
	AGENT_BROKEN, /* it could not be loaded; loading is retried */
};

struct agent_kind {
	const char *name;
	/*
	 * The setting 'agent' consists of this prefix and, for kinds that need
	 * it, an argument: "exec:" and a command. needs names the argument in
	 * error messages; NULL: the prefix must stand alone.
	 */
	const char *prefix;
	const char *needs;
	const char *usage; /* the whole syntax, for error messages */
	unsigned flags;
	/*
	 * Check as far as possible whether what the spec names can be executed.
	 * key is the setting it comes from. Returns 0, or -1 with ERR_CONFIG.
	 * NULL: nothing can be checked.
	 */
	int (*check)(
	    const struct agent_spec *spec, const char *key, struct err *err);
	/*
	 * Ask the agent to describe itself, before there are workers. This may
	 * take a minute, and start processes, which are gone afterwards.
	 * Appends a JSON object to *out and returns 0; or appends the agent's
	 * error output and returns -1 with ERR_CONFIG. NULL: it need not be
	 * asked.
	 */
	int (*ask)(const struct conf *conf, struct buf *out, struct err *err);
	/*
	 * Returns the kind that runs an agent with this profile. A NULL pointer
	 * here: this kind.
	 */
	const struct agent_kind *(*variant)(const struct agent_spec *spec);
	/*
	 * Describe the agent of a spec without opening it. What *about points
	 * to lives until the next call for this kind.
	 */
	void (*describe)(
	    const struct agent_spec *spec, struct agent_about *about);
	/*
	 * Returns how many descriptors the processes of an agent may need in a
	 * worker. A NULL pointer here: none.
	 */
	int64_t (*descriptors)(const struct agent_spec *spec);
	/* Open the agent in this worker. Returns NULL with *err on failure. */
	struct agent *(*open)(const struct agent_setup *setup, struct err *err);
	/*
	 * The worker drains: it takes no further inputs, and few turns will
	 * begin. A NULL pointer here: nothing is to be done.
	 */
	void (*drain)(struct agent *a);
	/* Close it, end the processes that it keeps, set *a to NULL. */
	void (*close)(struct agent **a);
	/* Returns its description, which lives as long as the agent. */
	const struct agent_about *(*about)(const struct agent *a);
	/* Returns whether it can run turns; a NULL pointer here: always. */
	enum agent_load (*load)(const struct agent *a);
	/*
	 * Returns a number by which all workers know the agent of this name, if
	 * it is in one worker at a time and its turns must run there; 0: any
	 * worker can run them. A NULL pointer here: 0.
	 */
	uint64_t (*home)(const struct agent *a, const char *name);
	/*
	 * Returns where the agent with this number is now, and for
	 * AGENT_ELSEWHERE the process slot. Not NULL if home is not.
	 */
	enum agent_place (*place)(
	    const struct agent *a, uint64_t home, unsigned *slot);
	/*
	 * How long a turn may wait for the agent while it is away; then any
	 * worker starts it, and it fails. Not NULL if home is not.
	 */
	int64_t (*patience_ms)(const struct agent *a);
	/*
	 * Prepare a turn. Never fails immediately: errors are reported to the
	 * sink.
	 */
	struct agent_turn *(*start)(struct agent *a,
	    const struct agent_input *input, struct agent_sink *sink);
	/*
	 * Prepare a call of one tool; a NULL pointer here: the kind has no
	 * tools of its own. The sink gets finish with what the tool returned
	 * (without a session), or fail: with REASON_FAILED, detail is the cause
	 * that the caller may read; with other reasons it is for the agent log.
	 * Its emit is never called. Stimuli are ignored, except EV_INTERRUPT.
	 */
	struct agent_turn *(*exec)(struct agent *a, const struct agent_exec *x,
	    struct agent_sink *sink);
	/*
	 * Replay, in order and before run, an event that this turn put into the
	 * journal, or a stimulus it was given, under an earlier owner. May be
	 * NULL unless the kind is effect-free or resumes.
	 */
	void (*recall)(struct agent_turn *t, const struct event *ev);
	/* Begin, or continue after what was recalled. */
	void (*run)(struct agent_turn *t);
	/*
	 * A stimulus: EV_MORE_INPUT, EV_ANSWER or EV_INTERRUPT. The agent
	 * acknowledges further input that it takes up by user_input with the
	 * same id; the rest begins the next turn.
	 */
	void (*deliver)(struct agent_turn *t, const struct event *ev);
	/* The sink has room again. */
	void (*on_room)(struct agent_turn *t);
	/*
	 * The next n events that the agent emitted are written. A NULL pointer
	 * here: it need not know.
	 */
	void (*on_written)(struct agent_turn *t, unsigned n);
	/*
	 * End the turn in any state, with all its processes, and set *t to
	 * NULL. No call of the sink follows.
	 */
	void (*free)(struct agent_turn **t);
};

/* The answer of an interrupted turn (doc/oip.txt 8). */
#define AGENT_INTERRUPTED_RESULT "What would you like me to do?"

#endif
