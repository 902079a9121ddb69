/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSIONS_H
#define SESSION_SESSIONS_H

/*
 * What the worker does with the session layer: make it, drive it, let it go.
 * The layer has no event loop of its own; it asks for calls through the setup
 * and is called from the worker's loop.
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
	/* From any thread: call sessions_collect() on the loop soon. */
	void (*wake)(void *arg);
	/* An agent failed: its own words, for the operator alone. */
	void (*on_agent_error)(void *arg, const char *text, size_t len);
	/* On the loop: call sessions_flush() at the end of this tick. */
	void (*ask_flush)(void *arg);
	void *arg;
};

/* All sessions of this worker. Never NULL. */
struct sessions *sessions_new(const struct sessions_setup *setup);

/* Take what other threads have finished. */
void sessions_collect(struct sessions *all);

/* Push what this tick has gathered. */
void sessions_flush(struct sessions *all);

/* A message from another process. */
void sessions_receive(struct sessions *all, const struct msg *m);

/* Call every 100 ms: lost bells, orphans, timeouts, retries. */
void sessions_tick(struct sessions *all);

/* Refuse new inputs from now on; turns go on. */
void sessions_drain(struct sessions *all);

/* Whether turns run or end here, or clients wait for what is done already. */
bool sessions_are_busy(const struct sessions *all);

/*
 * Stop at once: end the agents of running turns without ending the turns (their
 * next owner decides), wait for commits in flight, free, null *all.
 */
void sessions_free(struct sessions **all);

/* Open the agent log again. */
void sessions_reopen_log(struct sessions *all);

/*
 * For the keeper at boot, before workers start: put every turn that the store
 * says runs into the registry, without an owner, for workers to take over.
 * Returns how many, or -1 with ERR_STORE.
 */
struct registry;
int sessions_recover(
    struct store *store, struct registry *registry, struct err *err);

/* Where the sweep goes on; zeroes at first. */
struct sweep_place {
	uint64_t session;
	uint64_t claim;
};

/*
 * For the keeper, again and again: look at the next of what is stored of
 * sessions, a bounded part. Records, claims and journals that have expired are
 * removed, but for sessions that are in the registry; a turn that is unfinished
 * and not there is put there, for the workers; a damaged id is mended. Returns
 * whether so much was removed that the next part should follow at once.
 */
bool sessions_sweep(
    struct store *store, struct registry *registry, struct sweep_place *at);

#endif
