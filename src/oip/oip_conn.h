/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CONN_H
#define OIP_OIP_CONN_H

/*
 * One client of the ConnectOnion door: a wire, the session to which it is
 * attached, and how far it has read. There may be tens of thousands of clients,
 * nearly all idle, so the struct is small and holds no buffer.
 *
 * Life cycle: oip_conn_open() before the wire exists; the on_gone of the wire
 * frees it with oip_conn_close().
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
 * Processes a message in clear that has been counted (oip/oip_limit.h): its
 * frame runs now, or waits until the frame before it is judged.
 */
typedef void oip_feed_fn(struct oip_conn *c, const char *text, size_t len);

/* Inputs of one client that may wait for their receipt. */
#define OIP_MAX_CALLS 16

/* How long a reconnecting client may take to answer (spec 2.8.3). */
#define OIP_QUIET_MS 3000

struct oip_conn {
	struct wire *wire;
	struct wire *line;     /* the same, or the wire below the seal */
	struct oip_seal *seal; /* NULL: frames are in clear */
	oip_feed_fn *feed;     /* receives readable messages */
	const struct door_setup *setup;
	struct list link;  /* all clients, the next one to ping first */
	struct list quiet; /* clients whose events are held back */
	int64_t quiet_until_ms;
	int64_t ping_at_ms;		 /* clock_mono_ms */
	struct session *session;	 /* NULL until CONNECT */
	struct caller caller;		 /* the client; its level at CONNECT */
	struct limits_held held_sockets; /* this socket, by caller and peer */
	struct oip_asking *asking; /* the frame being judged; NULL: none */
	struct list held;	   /* messages held behind it */
	struct list admin_calls;   /* ADMIN_ frames being judged */
	struct list execs;	   /* tools running for the client */
	struct list commands;	   /* lists and changes (oip_manage.c) */
	struct oip_mode_call *mode_call; /* a pending mode change; NULL: none */
	struct oip_stash *stash;	 /* a stranger's CONNECT; NULL: none */
	struct attachment place;
	struct list calls;  /* struct oip_call: inputs without a receipt */
	char *conversation; /* the client's, until a turn takes it */
	size_t conversation_len;
	uint64_t replay_head;	/* newest event when the client attached */
	uint64_t answered_seq;	/* latest answer given by INPUT; 0: none */
	uint64_t dashboard;	/* stamp of the page sent to it; 0: none */
	uint32_t ended_turn;	/* do not send ends of turns up to this one */
	uint32_t asked_turn;	/* newest turn that one of its inputs named */
	uint32_t unasked_turn;	/* its end was sent before an input named it */
	uint32_t begun_turn;	/* newest turn that it began; 0: none */
	uint32_t approval_turn; /* latest turn that asked for approval */
	uint8_t n_calls;
	uint8_t n_execs;
	bool has_heard;	       /* a frame was received */
	bool has_spoken;       /* a bare INPUT is accepted only before this */
	bool has_conversation; /* CONNECT contained one */
	bool has_run;	       /* a turn was running when it attached */
	bool is_holder;	       /* holds its session (session_is_held()) */
	bool is_opening;       /* CONNECTED waits for the first receipt */
	bool was_onboarded;    /* an extra empty INPUT may follow */
	bool is_v2;	       /* each command is signed */
	bool is_rows;	       /* it is sent rows (oip/oip_rows.h) */
};

/*
 * Determine whether the client holds its session, given the conversation that
 * it sends (NULL: none). A holder remains one.
 */
void oip_conn_look(struct oip_conn *c, const struct json *conversation);

/*
 * Whether the client may answer, interrupt and steer the running turn: it holds
 * the session, or began this turn, or is at least a contact. Otherwise *err
 * says what is missing.
 */
bool oip_conn_may_answer(const struct oip_conn *c, struct err *err);

/*
 * Create a client without a wire; the caller sets the wire. setup is borrowed.
 */
struct oip_conn *oip_conn_open(const struct door_setup *setup);

/*
 * Free a client and all it holds, and null *c. Its pending calls must have been
 * forgotten before.
 */
void oip_conn_close(struct oip_conn **c);

/* Call fn for every client of the process. */
void oip_conn_each(void (*fn)(struct oip_conn *c));

/*
 * Returns the buffer in which all frames are built, empty. It is valid until
 * the next call of this file.
 */
struct buf *oip_conn_frame(void);

/* Send the contents of that buffer. */
void oip_conn_send(struct oip_conn *c);

/* Send ERROR with this text. */
void oip_conn_error(struct oip_conn *c, const char *message);

/* Send ERROR for a refusal. */
void oip_conn_refuse(struct oip_conn *c, const struct err *err);

/*
 * Send ERROR for a verdict (access/access.h): only the text, unless a retry may
 * succeed.
 */
void oip_conn_deny(struct oip_conn *c, const struct err *err);

/*
 * Send DASHBOARD_SNAPSHOT if there is a page that this client does not have. A
 * client that is_new has none.
 */
void oip_conn_dashboard(struct oip_conn *c, bool is_new);

/* The client is let in: its messages may be large. */
void oip_conn_admit(struct oip_conn *c);

/*
 * Attach to c->session after position 'after'. The ends of turns up to
 * ended_turn are not sent: the client has them, or must not get them.
 */
void oip_conn_attach(struct oip_conn *c, uint64_t after, uint32_t ended_turn);

/*
 * Hold back events until the client sends a frame or OIP_QUIET_MS have passed:
 * a client that reconnects to answer a question would take the question, sent
 * again, for a new one.
 */
void oip_conn_hush(struct oip_conn *c);

/* The client has sent a frame: resume sending events. */
void oip_conn_unhush(struct oip_conn *c);

/* Tell the client that n_missed events will not come (0: an unknown number). */
void oip_conn_tell_gap(struct oip_conn *c, uint64_t n_missed);

/* Send events as long as the wire accepts them. */
void oip_conn_pump(struct oip_conn *c);

/*
 * Read the record of the session. Returns false if it no longer exists. The
 * record is valid until the next call.
 */
bool oip_conn_record(struct oip_conn *c, struct session_record *record);

/* Free the conversation that the client sent. */
void oip_conn_drop_conversation(struct oip_conn *c);

#endif
