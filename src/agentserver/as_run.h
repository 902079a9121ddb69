/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_RUN_H
#define AGENTSERVER_AS_RUN_H

/*
 * Messages and runs. A message that does not ask for a run is kept as a draft
 * of its session (session.h), unless a turn runs: then it joins that. A run
 * makes one input of the drafts. If the agent waits for an answer, or for a
 * review of its plan, the drafts are that; if it waits for an approval, a run
 * without drafts gives it, as a run of these clients does. A run without drafts
 * after the user has stopped the agent lets it go on.
 */
#include "base/buf.h"

#include <stdbool.h>

struct as_talk;
struct err;
struct json;

/* A message: text, and images as a JSON array of URLs. */
struct as_message {
	struct buf text;
	struct buf images; /* "[]": none */
	bool wants_run;
};

/*
 * Read {"role": "user", "content": [...], "run": BOOL}. Returns 0, or -1 with
 * ERR_BAD_REQUEST. Free it in any case.
 */
int as_message_read(struct as_message *m, const struct json *said,
    bool wants_run, struct err *err);
void as_message_fini(struct as_message *m);

/* Who sends it: where it is, for limits and for holding the session. */
struct as_sender {
	const char *peer;
	const char *place;
	bool peer_is_loopback;
};

struct as_run;
/* Receives the result: NULL, or an error. */
typedef void as_run_fn(void *arg, const struct err *err);

/* What became of it. */
enum as_begun {
	AS_FAILED,  /* *err says why */
	AS_DONE,    /* at once */
	AS_NOTHING, /* there was nothing to run */
	AS_PENDING, /* fn is called later, once, unless as_run_forget() is */
};

/*
 * Say a message in a conversation, and run if it says so; m NULL: run only.
 * *run is the call while it is pending.
 */
enum as_begun as_run(struct as_run **run, const struct as_talk *t,
    const struct as_message *m, const struct as_sender *who, as_run_fn *fn,
    void *arg, struct err *err);

/* Cancel the callback and null *run. What was begun goes on. */
void as_run_forget(struct as_run **run);

/* Answer the approval that waits. Returns 0, or -1 with *err. */
int as_run_confirm(const struct as_talk *t, const struct as_sender *who,
    bool is_accepted, const struct json *reason, struct err *err);

/* Stop the agent. Does nothing if it does not run. */
void as_run_stop(const struct as_talk *t);

#endif
