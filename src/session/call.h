/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_CALL_H
#define SESSION_CALL_H

/*
 * A call carries one input: what was said, by whom, and who waits for the
 * receipt (session_input() in session.h). input.c finds a place for it. The
 * call of an input that begins a turn then lives as long as the turn; any other
 * is freed after its receipt was delivered.
 */
#include "limits/limits.h"
#include "session/session_int.h"

struct agent_file;
struct record;
struct waiting;

/* An input in progress, with copies of all that the client sent. */
struct session_call {
	struct list link;
	struct session *session;
	session_receipt_fn *fn; /* NULL: cancelled */
	void *arg;
	bool may_join;
	char caller[68]; /* the verified address; "": anonymous */
	char level[12];
	char peer[48]; /* its network address, for limits */
	bool peer_is_loopback;
	struct limits_held held; /* a turn's slot, while its agent runs */
	char *prompt;
	size_t prompt_len;
	char *images; /* JSON array */
	size_t images_len;
	struct agent_file *files;
	size_t n_files;
	struct buf conversation; /* the client's; empty: none */
	char *agent;		 /* its name; NULL: the default */
	char *options;		 /* for the agent, a JSON object; or NULL */
	size_t options_len;
	bool is_holder; /* of a session without an owner (session.h) */
	bool may_answer;
	bool has_place;
	bool has_home;
	uint8_t place[16]; /* digest of the client's place */
	uint8_t home[16];  /* that of the holder from this turn on */
	bool has_id;
	struct buf input_id;
	uint8_t claim[16]; /* digest of scope and input_id */
	uint8_t inner[16]; /* the same if the client had named the session */
	uint8_t body[16];  /* digest of prompt, images and files */
	/*
	 * For an input that was acknowledged while a turn ran: the id it was
	 * told, and the row in which it was stored (session/waiting.h).
	 * Otherwise NULL and 0.
	 */
	char *id;
	uint64_t row;
	struct session_receipt receipt;
	struct err err;
	struct buf mem; /* strings of the receipt */
};

/* Set the receipt's outcome and deliver it at the end of this tick. */
void call_answer(struct session_call *c, enum input_outcome outcome);

/* Refuse the call with c->err, which the caller has set. */
void call_refuse(struct session_call *c);

/* Refuse the call with this error and its standard text. */
void call_refuse_with(struct session_call *c, enum err_code code);

/*
 * Let input_retry() place the call again: when results of other threads are
 * collected, with each notification, and in the next tick.
 */
void call_later(struct session_call *c);

/* Deliver the receipt now. The caller still owns c. */
void call_tell(struct session_call *c);

/* Free a call and all that it owns. */
void call_free(struct session_call *c);

/* Deliver the pending receipts. */
void call_flush(struct sessions *all);

/* Rebuild the call of a turn from its stored record. */
struct record;
struct session_call *call_of_record(struct session *s, const struct record *r);

/* Get the holder's place from a record. Returns false if it is unknown. */
bool call_home_of(const struct record *r, uint8_t home[16]);

/* Rebuild the call of an input that waited. */
struct waiting;
struct session_call *call_of_waiting(
    struct session *s, const struct waiting *w);

/*
 * Append {"images":..,"files":..,"input_id":..,"id":..} for the record, if the
 * call has any of them. An ended turn needs no files.
 */
void call_extra(struct buf *out, const struct session_call *c, bool with_files);

#endif
