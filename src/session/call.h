/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_CALL_H
#define SESSION_CALL_H

/*
 * A call carries one input: what was said, by whom, and who waits for the
 * receipt (session_input() of session.h). input.c finds it a place. The call of
 * an input that begins a turn then lives as long as the turn; every other one is
 * freed once its receipt has been handed out.
 */
#include "limits/limits.h"
#include "session/session_int.h"

struct agent_file;
struct record;
struct waiting;

struct session_call {
	struct list link;
	struct session *session;
	session_receipt_fn *fn; /* NULL: nobody waits */
	void *arg;
	bool may_join;
	char caller[68]; /* the verified address, "" for nobody */
	char level[12];
	char peer[48]; /* its network address, for limits */
	bool peer_is_loopback;
	struct limits_held held; /* the turn, while its agent runs */
	char *prompt;
	size_t prompt_len;
	char *images; /* JSON array */
	size_t images_len;
	struct agent_file *files;
	size_t n_files;
	struct buf conversation; /* the client's; empty: none */
	char *agent;		 /* its name; NULL: the default */
	bool is_holder;		 /* of a session that is nobody's (session.h) */
	bool may_answer;
	bool has_place;
	bool has_home;
	uint8_t place[16]; /* digest of where it comes from */
	uint8_t home[16];  /* of where a holder does, from this turn on */
	bool has_id;
	struct buf input_id;
	uint8_t claim[16]; /* digest of scope and input_id */
	uint8_t inner[16]; /* the same, had the client named the session */
	uint8_t body[16];  /* digest of prompt, images and files */
	/* Of one that was acknowledged while a turn ran: the id it was told, and
	 * the row it was kept in (session/waiting.h); NULL and 0 for others. */
	char *id;
	uint64_t row;
	struct session_receipt receipt;
	struct err err;
	struct buf mem; /* what the receipt points to */
};

/* Fill the receipt's outcome and hand it out at the end of this tick. */
void call_answer(struct session_call *c, enum input_outcome outcome);

/* Refuse with c->err filled in. */
void call_refuse(struct session_call *c);

/* Refuse with this error and its usual text. */
void call_refuse_with(struct session_call *c, enum err_code code);

/*
 * Let input_retry() place the call again: when what another thread has finished
 * is collected, with each bell, and at the next tick.
 */
void call_later(struct session_call *c);

/* Hand the receipt out now. The caller still owns c. */
void call_tell(struct session_call *c);

/* Free a call and what it owns. */
void call_free(struct session_call *c);

/* Hand out the receipts that wait. */
void call_flush(struct sessions *all);

/* A call rebuilt from what the store holds of a turn. */
struct record;
struct session_call *call_of_record(struct session *s, const struct record *r);

/* Where the session of a record is at home; false when that is not known. */
bool call_home_of(const struct record *r, uint8_t home[16]);

/* A call rebuilt from one that waited. */
struct waiting;
struct session_call *call_of_waiting(
    struct session *s, const struct waiting *w);

/* Append {"images":..,"files":..,"input_id":..,"id":..} for the record, if there is any
 * to tell. An ended turn needs no files. */
void call_extra(struct buf *out, const struct session_call *c, bool with_files);

#endif
