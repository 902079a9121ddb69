/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_INPUT_H
#define SESSION_INPUT_H

/*
 * An input on its way into a session: checked, its files saved, its input_id
 * claimed, and then a turn of its own, or part of a running one, or refused
 * (session.h). The call that carries it becomes the turn's input and lives as
 * long.
 */
#include "session/all.h"
#include "trust/limits.h"

struct agent_file;

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
void input_answer(struct session_call *c, enum input_outcome outcome);

/* Refuse with c->err filled in. */
void input_refuse(struct session_call *c);

/* Find the input a place: a turn, a running turn, or an earlier one like it. */
void input_place(struct session_call *c);

/* Hand the receipt out now. The caller still owns c. */
void input_tell(struct session_call *c);

/* Free a call and what it owns. */
void input_free(struct session_call *c);

/* Hand out the receipts that wait. */
void input_flush(struct sessions *all);

/* Place the calls again that had to wait for another's commit. */
void input_retry(struct sessions *all);

/*
 * Begin a turn with the oldest input that waits for one, unless there is none, or
 * a turn runs, or this worker takes no more: then who ends that turn does, or who
 * looks for what nobody runs (session/orphans.h).
 */
void input_begin_waiting(struct session *s);

/* A call rebuilt from what the store holds of a turn. */
struct record;
struct session_call *input_of_record(struct session *s, const struct record *r);

/* Where the session of a record is at home; false when that is not known. */
bool input_home_of(const struct record *r, uint8_t home[16]);

/* A call rebuilt from one that waited. */
struct waiting;
struct session_call *input_of_waiting(
    struct session *s, const struct waiting *w);

/* Append {"images":..,"files":..,"input_id":..,"id":..} for the record, if there is any
 * to tell. An ended turn needs no files. */
void input_extra(
    struct buf *out, const struct session_call *c, bool with_files);

#endif
