/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_SESSION_H
#define T_UNIT_FAKE_SESSION_H

/*
 * The session API (session/session.h) in memory, for tests of doors: no store,
 * no registry, no agent. The test says what agents do; receipts and on_more
 * come when it calls fake_session_run().
 */
#include "session/session.h"

/* What doors asked for, for a test to look at. */
struct fake_session_log {
	unsigned touches;
	unsigned interrupts;
	unsigned pauses;    /* of those */
	unsigned forgotten; /* session_forget() calls */
	unsigned opens;	    /* handles that are open */
	enum event_type answer_kind;
	char answer[512];	/* JSON of the latest answer */
	char prompt[512];	/* of the latest input */
	char conversation[512]; /* of the latest input, "" for none */
	bool is_unscoped;
};

/* A new, empty server. */
struct sessions *fake_session_all(void);

/* Free it and null *all. */
void fake_session_free(struct sessions **all);

/* What was asked for so far. */
struct fake_session_log *fake_session_log(struct sessions *all);

/* The session of this id, made when there is none. */
struct session *fake_session_get(struct sessions *all, const char *id);

/* A turn begins, of an input from elsewhere; input_id may be NULL. */
void fake_session_begin(struct session *s, const char *input_id);

/*
 * A turn begins once a client's conversation has been merged; one that runs
 * ends before.
 */
void fake_session_begin_at_merge(struct session *s);

/* The agent says something; body is JSON members. Returns its position. */
uint64_t fake_session_emit(
    struct session *s, enum event_type type, const char *id, const char *body);

/* The turn ends well, and conversation (may be NULL) is the new one. */
void fake_session_done(
    struct session *s, const char *result, const char *conversation);

/* The turn fails for this reason. */
void fake_session_fail(struct session *s, const char *reason);

/* Events up to this position are kept no longer. */
void fake_session_trim(struct session *s, uint64_t seq);

/* The record is removed. */
void fake_session_lose_record(struct session *s);

/* The registry forgets the session; its journal and record stay. */
void fake_session_expire(struct session *s);

/* Refuse the next input with this. */
void fake_session_refuse(
    struct sessions *all, enum err_code code, const char *text);

/* Refuse to open sessions with this code, ERR_OK to open them again. */
void fake_session_full(struct sessions *all, enum err_code code);

/* Hand out receipts and on_more until all is quiet. */
void fake_session_run(struct sessions *all);

#endif
