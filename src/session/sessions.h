/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSIONS_H
#define SESSION_SESSIONS_H

/*
 * The session layer as the worker uses it: create, drive and free it. The layer
 * has no event loop of its own; it asks for calls through the setup, and the
 * worker's loop makes them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_dir;
struct conf;
struct err;
struct heritage;
struct limits;
struct msg;
struct permit;
struct sessions;
struct store;

/* What the session layer needs. All of it is borrowed and must outlive it. */
struct sessions_setup {
	const struct conf *conf;
	struct heritage *heritage;
	struct store *store;
	const struct agent_dir *agents;
	const struct permit *permit; /* what runs without approval */
	struct limits *limits;	     /* NULL: none */
	const uint8_t *secret_key;   /* identity/ident_key.h; NULL: none */
	unsigned slot;
	uint32_t generation;
	/*
	 * Called from any thread: sessions_collect() must be called on the loop
	 * soon.
	 */
	void (*wake)(void *arg);
	/* An agent failed. Its own words, only for the operator. */
	void (*on_agent_error)(void *arg, const char *text, size_t len);
	/*
	 * Called on the loop: sessions_flush() must be called at the end of
	 * this tick.
	 */
	void (*ask_flush)(void *arg);
	void *arg;
};

/* Create the session layer of this worker. Never NULL. */
struct sessions *sessions_new(const struct sessions_setup *setup);

/* Process the results of other threads. */
void sessions_collect(struct sessions *all);

/* Push everything gathered in this tick. */
void sessions_flush(struct sessions *all);

/* Process a message from another process. */
void sessions_receive(struct sessions *all, const struct msg *m);

/* An agent has come to this worker: take over the turns that wait for it. */
void sessions_look(struct sessions *all);

/*
 * Handle lost notifications, orphans, timeouts and retries. Call it every 100
 * ms.
 */
void sessions_tick(struct sessions *all);

/* Refuse new inputs from now on (draining); running turns continue. */
void sessions_drain(struct sessions *all);

/*
 * Whether turns are running or ending here, or clients wait for results that
 * are ready.
 */
bool sessions_are_busy(const struct sessions *all);

/*
 * Stop at once: end the agents of running turns without ending the turns (their
 * next owner decides), wait for commits in flight, free, and null *all.
 */
void sessions_free(struct sessions **all);

/* Open the agent log again. */
void sessions_reopen_log(struct sessions *all);

/*
 * For the keeper at boot, before workers start: enter every turn that is
 * running according to the store into the registry, without an owner, for
 * workers to take over. Returns how many, or -1 with ERR_STORE.
 */
struct registry;
int sessions_recover(
    struct store *store, struct registry *registry, struct err *err);

/* Where the sweep continues; zeroes at first. */
struct sweep_place {
	uint64_t session;
	uint64_t claim;
};

/*
 * For the keeper, periodically: examine the next bounded part of the stored
 * sessions. Expired records, claims and journals are removed, except for
 * sessions in the registry; an unfinished turn that is not in the registry is
 * entered there, for the workers; a damaged id is repaired. Returns whether so
 * much was removed that the next part should follow at once.
 */
bool sessions_sweep(
    struct store *store, struct registry *registry, struct sweep_place *at);

#endif
