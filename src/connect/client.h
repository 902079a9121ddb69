/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_CLIENT_H
#define CONNECT_CLIENT_H

/*
 * The state of a client (co_connect.h), and what all files that work on it need:
 * to say something to the agent, to tell the caller, and to end the operation.
 * hear.h reads what the agent says; drive.h finds the agent, connects, and comes
 * back after a break. Both run inside co_step(), and neither waits.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "connect/bookmark.h"
#include "connect/query.h"
#include "connect/setup.h"
#include "identity/address.h"
#include "identity/seal.h"

#include <co_connect.h>

#include <stdbool.h>
#include <stdint.h>

struct asker;
struct finder;
struct http_get;
struct peer;
struct say;
struct ws_trust;

/* What the client is asked to do. */
enum op_kind {
	OP_NONE,
	OP_OPEN,
	OP_INPUT,
	OP_RESUME,
	OP_CALL,
	OP_MODE,
	OP_INFO,
	OP_FIND,
};

struct operation {
	enum op_kind kind;
	bool is_done;
	bool is_told; /* its result was taken, or its question */
	int64_t deadline_ms;
	const char *type;   /* of its command; NULL: none */
	struct buf members; /* of its command (connect/say.h), NUL-terminated */
	char *name;	    /* input_id or exec_id */
	bool is_sent;	    /* the command is out: it may not be sent again */
	bool is_stopping;   /* the agent was interrupted: it asks in vain */
	bool has_turn;	    /* a turn runs that this operation waits for */
	bool is_joined;	    /* the input joined a turn that ran already, */
	struct buf joined;  /* under this id, */
	bool is_consumed;   /* and the agent has taken it */
	unsigned n_failures; /* to connect, since it last worked */
	int64_t pause_ms;    /* the last one between attempts */
	int64_t broken_ms;   /* when the turn's connection broke; 0: it is up */
	bool is_left;	     /* it ended here, but perhaps not at the agent */
	/* How it ended. */
	enum co_code code;
	struct buf text;
	struct buf json;
	int64_t duration_ms;
	int64_t retry_after_ms;
};

/* How far the connection is. */
enum phase {
	PHASE_NONE,
	PHASE_FINDING,	/* the relay and the endpoints are asked */
	PHASE_DIALLING, /* the WebSocket is being opened */
	PHASE_SEALING,	/* SEAL was sent */
	PHASE_GREETING, /* CONNECT was sent */
	PHASE_OPEN,
	PHASE_PAUSING, /* until the next attempt */
};

/* Why the connection cannot go on; code CO_OK: it can. */
struct fault {
	enum co_code code;
	bool is_final; /* trying again would not help */
	int64_t retry_after_ms;
	char text[512];
};

struct co_client {
	struct settings settings;
	char address[ADDRESS_SIZE]; /* the agent's; "": not known yet */
	struct bookmark bookmark;
	struct operation op;
	struct query query;
	struct buf answers;  /* that may be lost with the connection */
	struct buf answered; /* id of the question that they answer */
	struct co_error error;

	enum phase phase;
	bool is_relayed;
	bool is_sealed;
	bool is_in_callback;
	bool is_seal_off;      /* the agent refused it, and clear is allowed; */
	bool is_new_clear;     /* it did so on this connection */
	bool is_onboarding;    /* the invite code was sent */
	struct finder *finder; /* NULL: nothing is looked for */
	struct http_get *http; /* NULL: not needed yet */
	struct asker *asker;   /* NULL: the directory is not asked */
	bool is_found;	       /* the finder's work is done: */
	char *direct;	       /* base of the endpoint; NULL: none */
	char *info;	       /* what the agent says of itself; NULL */
	char *record;	       /* what the relay says of it; NULL */
	bool is_direct_bad;    /* direct did not work: go by the relay */
	struct peer *peer;
	char *where; /* URL of the peer */
	struct ws_trust *trust;
	struct seal seal;
	struct seal_question asked;
	struct json_doc doc;	   /* of the message in hand */
	struct json_doc inner_doc; /* of what was sealed in it */
	struct fault fault;
	int64_t resume_ms;   /* the end of PHASE_PAUSING */
	int64_t greet_by_ms; /* the end of PHASE_SEALING and PHASE_GREETING */

	int set;    /* epoll: all that is waited for */
	int timer;  /* in the set */
	int cancel; /* eventfd, in the set */
	bool is_cancelled;
};

/* Send a frame, sealed if the connection is. Dropped if there is none. */
void client_send(struct co_client *c, const char *text, size_t len);

/* Answer a PING. */
void client_send_pong(struct co_client *c);

/* Returns who speaks to whom, for connect/say.h; it borrows from c. */
struct say client_say(const struct co_client *c);

/* Wait for this descriptor, too: co_fd() is readable when it is. */
void client_watch(struct co_client *c, int fd);

/* Send the command of the operation, for the first and only time. */
void client_send_operation(struct co_client *c);

/*
 * Send the answer to a question (its id; NULL: an interrupt), now or when the
 * connection is back. It is sent again if the connection breaks before the turn
 * goes on, since only the host knows what has arrived. Hosts ignore an answer
 * that they have already.
 */
void client_answer(
    struct co_client *c, const char *id, const char *type, const char *members);

/* Send the answers that may be lost. */
void client_repeat_answers(struct co_client *c);

/* Forget the answers: they have arrived, or are not wanted any more. */
void client_drop_answers(struct co_client *c);

/* Tell the caller of an event. */
void client_tell_event(struct co_client *c, const struct json *event);

/* Tell the caller of the connection; where and why may be NULL. */
void client_tell_way(struct co_client *c, enum co_way way, const char *where,
    const char *why, int64_t delay_ms);

/*
 * The connection cannot go on. The first fault counts; drive.c acts on it, when
 * no callback of the connection runs any more.
 */
void client_fault(struct co_client *c, enum co_code code, bool is_final,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* End the operation with an error. */
void client_fail(struct co_client *c, enum co_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * End the operation with what a frame says: text is its result or message (NULL:
 * none).
 */
void client_finish(struct co_client *c, enum co_code code,
    const struct json *text, const struct json *frame);

/* End the operation well, with these texts. */
void client_finish_text(
    struct co_client *c, const char *text, const char *json);

/* Refuse a call: note the error, and return its code. */
enum co_code client_refuse(struct co_client *c, enum co_code code,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Whether an operation runs. */
bool client_is_busy(const struct co_client *c);

/* Forget the question, if one is open. */
void client_drop_question(struct co_client *c);

#endif
