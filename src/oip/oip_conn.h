/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CONN_H
#define OIP_OIP_CONN_H

/*
 * One client of the ConnectOnion door: a wire, the session it is attached to,
 * and how far it has been told. There may be tens of thousands, nearly all
 * idle, so it is small and holds no buffer. oip_conn_open() before the wire is
 * made; on_gone frees it.
 */
#include "access/access.h"
#include "base/list.h"
#include "limits/limits.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct door_setup;
struct json;
struct oip_asking;
struct oip_conn;
struct oip_mode_call;
struct oip_seal;
struct oip_stash;
struct wire;

/*
 * A message in clear that is counted (oip/oip_limit.h): its frame is run now,
 * or waits until the one before it is judged.
 */
typedef void oip_feed_fn(struct oip_conn *c, const char *text, size_t len);

/* Inputs of one client that wait for their receipt. */
#define OIP_MAX_CALLS 16

/* How long a client that comes back may take to answer (spec 2.8.3). */
#define OIP_QUIET_MS 3000

struct oip_conn {
	struct wire *wire;
	struct wire *line;     /* the same, or what is below the seal */
	struct oip_seal *seal; /* NULL: frames come and go in clear */
	oip_feed_fn *feed;     /* where messages go that can be read */
	const struct door_setup *setup;
	struct list link;  /* all clients, the next to be pinged first */
	struct list quiet; /* those that are told nothing for a moment */
	int64_t quiet_until_ms;
	int64_t ping_at_ms;	 /* clock_mono_ms */
	struct session *session; /* NULL until CONNECT */
	struct caller caller;	 /* who it is; its level as CONNECT found it */
	struct limits_held held_sockets; /* this one, by caller and peer */
	struct oip_asking
	    *asking;		 /* a frame that is being judged; NULL: none */
	struct list held;	 /* messages behind it */
	struct list admin_calls; /* ADMIN_ frames being judged */
	struct list execs;	 /* tools that run for it */
	struct oip_mode_call *mode_call; /* a mode being changed; NULL: none */
	struct oip_stash *stash;	 /* CONNECT of a stranger; NULL: none */
	struct attachment place;
	struct list calls;  /* struct oip_call: inputs without a receipt */
	char *conversation; /* the client's, until a turn has taken it */
	size_t conversation_len;
	uint64_t replay_head;  /* newest event when the client was attached */
	uint64_t answered_seq; /* its latest answer by INPUT; 0: none */
	uint64_t dashboard;    /* stamp of the page it has; 0: none */
	uint32_t ended_turn; /* ends of turns up to this one are not to come */
	uint32_t asked_turn; /* newest turn that an input of its named */
	uint32_t unasked_turn;	/* whose end it was told before it named it */
	uint32_t begun_turn;	/* newest turn that it began; 0: none */
	uint32_t approval_turn; /* latest turn that asked for an approval */
	uint8_t n_calls;
	uint8_t n_execs;
	bool has_heard;	       /* a frame came */
	bool has_spoken;       /* a bare INPUT is welcome only before this */
	bool has_conversation; /* CONNECT brought one */
	bool has_run;	       /* it was attached while a turn ran */
	bool is_holder;	       /* of its session (session_is_held()) */
	bool is_opening;       /* CONNECTED waits for the first receipt */
	bool was_onboarded;    /* an empty INPUT may follow by itself */
	bool is_v2;	       /* its commands are signed one by one */
};

/*
 * See whether it holds its session, with the conversation it brings (NULL:
 * none). Who held it once goes on to.
 */
void oip_conn_look(struct oip_conn *c, const struct json *conversation);

/*
 * Whether it may answer, stop and steer the turn that runs: it holds the
 * session, or began this turn, or is known. Else *err says what is missing.
 */
bool oip_conn_may_answer(const struct oip_conn *c, struct err *err);

/* A new client without a wire; the caller sets that. setup is borrowed. */
struct oip_conn *oip_conn_open(const struct door_setup *setup);

/* Free it with all it holds and null *c. Its calls must be forgotten before. */
void oip_conn_close(struct oip_conn **c);

/* Call fn for every client of the process. */
void oip_conn_each(void (*fn)(struct oip_conn *c));

/*
 * The one buffer frames are made in, empty;
 * good until the next call of this file.
 */
struct buf *oip_conn_frame(void);

/* Send what is in that buffer. */
void oip_conn_send(struct oip_conn *c);

/* Send ERROR with this text. */
void oip_conn_error(struct oip_conn *c, const char *message);

/* Send ERROR for a refusal. */
void oip_conn_refuse(struct oip_conn *c, const struct err *err);

/*
 * Send ERROR for a verdict (access/access.h): the text alone, unless it is worth
 * trying again.
 */
void oip_conn_deny(struct oip_conn *c, const struct err *err);

/*
 * Send DASHBOARD_SNAPSHOT if there is a page that this client does not have;
 * one that is_new has none.
 */
void oip_conn_dashboard(struct oip_conn *c, bool is_new);

/*
 * Attach to c->session after position 'after'. Turns up to ended_turn have told
 * their end to this client, or never will.
 */
void oip_conn_attach(struct oip_conn *c, uint64_t after, uint32_t ended_turn);

/*
 * Tell it no events until it speaks, or OIP_QUIET_MS have passed: a client that
 * comes back to answer a question would take the question for a new one.
 */
void oip_conn_hush(struct oip_conn *c);

/* It has spoken: go on. */
void oip_conn_unhush(struct oip_conn *c);

/* Tell it of a hole: so many events, or (0) nobody knows how many. */
void oip_conn_tell_gap(struct oip_conn *c, uint64_t n_missed);

/* Send events while the wire takes them. */
void oip_conn_pump(struct oip_conn *c);

/*
 * Read the record of the session; false when
 * it is gone. Good until the next call.
 */
bool oip_conn_record(struct oip_conn *c, struct session_record *record);

/* Forget the conversation that the client brought. */
void oip_conn_drop_conversation(struct oip_conn *c);

#endif
