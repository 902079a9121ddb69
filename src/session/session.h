/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

/*
 * The one session API: what every door uses, and all a door may see of this
 * folder.
 *
 * A session is a conversation that outlives connections and processes.
 * Everything that happens in it is an event in its journal, at positions (seq)
 * 1, 2, 3, ... Any worker can open any session; a turn (one INPUT to its end)
 * runs in one worker, its owner. A door attaches a client to a session with a
 * cursor and reads events from there: live delivery and replay are the same
 * call.
 *
 * struct sessions is all sessions of one worker. struct session is this
 * worker's handle of one, counted by session_open and session_close. All calls
 * are made on the loop's thread and never block; callbacks come later on that
 * thread, never from inside the call that asked for them, and may call anything
 * here.
 */
#include "base/buf.h"
#include "base/list.h"
#include "core/err.h"
#include "core/event.h"
#include "core/session_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;
struct sessions;
struct session;

enum session_status {
	SESSION_NEW,	   /* unknown until now, or forgotten */
	SESSION_CONNECTED, /* known and idle */
	SESSION_RUNNING,   /* a turn runs somewhere */
};

/*
 * Open a session. id NULL (len 0) makes a new one with an id of our own. caller
 * is the verified address, "" for nobody. A new session is the caller's for
 * good; one that is nobody's may be opened by whoever knows its id, and stays
 * nobody's. *status is what it was before this call and *has_record whether
 * a result of it is stored. NULL with *err: ERR_BAD_REQUEST (id),
 * ERR_NO_SESSION (it is another's), ERR_FULL, ERR_STORE.
 */
struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err);

/*
 * A session that is nobody's is opened by whoever knows its id, who may watch,
 * and speak. To answer its questions one has to hold it: to bring its
 * continuation, a word that the server puts into the conversation for those who
 * hold it; or, for who does not sign and cannot have got one yet, to come from
 * the place from which a holder spoke last. Who comes before anything was said
 * in it holds it. A session that has an owner is held by whoever may open it.
 */
struct session_guest {
	const char *caller; /* the verified address, "" for nobody */
	const char *place;  /* where it comes from (http_place()) */
	const struct json *conversation; /* what it brings; NULL: nothing */
};

/* Whether this client holds the session. */
bool session_is_held(const struct session *s, const struct session_guest *who);

/*
 * The word for those who hold a session that is nobody's; NULL when it has an
 * owner or this agent no key. Good until the next call.
 */
const char *session_continuation(const struct session *s);

/* Let go of a handle and null *s. Attachments must be detached before. */
void session_close(struct session **s);

/* The id, NUL-terminated. */
const char *session_id(const struct session *s);

/* What an id names now for this caller, without opening it. What is another's
 * is SESSION_NEW, as is what nobody knows. */
enum session_status session_peek(
    struct sessions *all, const char *id, size_t len, const char *caller);

/* What it is now. */
enum session_status session_status(const struct session *s);

/* The number of the latest turn that was accepted, 0 before the first. */
uint32_t session_turn(const struct session *s);

/* Position of the newest event, 0 for none. */
uint64_t session_head(const struct session *s);

/* Position of the event that began the latest turn, 0 for none. */
uint64_t session_turn_began(const struct session *s);

/*
 * Position of the first event of the latest turn that has this event id (ids
 * may repeat), or 0 when none has.
 */
uint64_t session_find(const struct session *s, const char *id, size_t len);

/* Position of the newest one with this id of the last events before the latest
 * turn, or 0. */
uint64_t session_find_before(
    const struct session *s, const char *id, size_t len);

/* Whether an input was acknowledged in the latest turn under this id. */
bool session_has_joined(const struct session *s, const char *id, size_t len);

/* Whether the event at this position has this id. */
bool session_has_id(
    const struct session *s, uint64_t seq, const char *id, size_t len);

/* Whether the latest turn waits for an answer of this kind (EV_ASK_USER,
 * EV_APPROVAL_NEEDED, EV_PLAN_REVIEW), and the position of its question. */
bool session_is_waiting(
    const struct session *s, enum event_type kind, uint64_t *question);

/* Names the journals of this store: positions of another epoch mean nothing. */
uint64_t session_epoch(const struct sessions *all);

/* Sessions in the registry now, over all workers. */
unsigned session_count(const struct sessions *all);

/* What an input finds now. */
struct session_room {
	bool has_lock;	   /* the registry can be asked */
	bool has_sessions; /* and has room for one more (max_sessions) */
	bool has_turns;	   /* this worker has (max_runs) */
};

/* Look, without waiting for anybody. */
void session_room(const struct sessions *all, struct session_room *room);

/* ---- reading ---- */

/*
 * A client's place in a session, inside the door's own struct. on_more(arg)
 * says that there may be something to read after the cursor; it is called again
 * only after session_read() was.
 */
struct attachment {
	struct session *session; /* NULL: not attached */
	uint64_t cursor;	 /* position of the last event read */
	void (*on_more)(void *arg);
	void *arg;
	struct list link;
	uint64_t n_missed; /* after READ_GONE: how many events */
	bool is_damaged;   /* and not only because they were the oldest */
	bool is_rung;
	/* The next read tells the end from the record. A door sets it where the
	 * end of the latest turn was in a journal that is lost. */
	bool is_end_lost;
};

/*
 * Attach with the cursor after position 'after'. If there is something to read
 * already, on_more comes at the end of this tick.
 */
void session_attach(struct session *s, struct attachment *a, uint64_t after,
    void (*on_more)(void *arg), void *arg);

/* Detach; harmless when not attached. */
void session_detach(struct attachment *a);

enum session_read {
	READ_END,     /* caught up: on_more will come */
	READ_STOPPED, /* fn returned false: read again when ready */
	/* Events after the cursor are no longer kept, or damaged. The cursor was
	 * moved to before the oldest that is there: read on from there. */
	READ_GONE,
};

/*
 * Call fn for events after the cursor, in order, without a gap, and move the
 * cursor, until there are none or fn returns false (that event counts as read).
 * The event is valid inside fn only; fn must not call this API. When the end of
 * the latest turn is damaged, it is told as the record has it.
 */
enum session_read session_read(struct attachment *a,
    bool (*fn)(const struct event *ev, void *arg), void *arg);

/* ---- speaking ---- */

/* A prompt. All of it is copied. */
struct session_input {
	const char *prompt;
	size_t prompt_len;
	const char *input_id; /* the client's own name for it; NULL: none */
	size_t input_id_len;
	const struct json *images; /* as the client sent them; checked here */
	const struct json *files;
	const char *conversation; /* the client's session object; NULL: none */
	size_t conversation_len;
	const char *caller;    /* the verified address, "" for nobody */
	const char *level;     /* of the caller, a word of spec 5.1 */
	const char *peer;      /* network address, for limits; NULL: none */
	bool peer_is_loopback; /* and no proxy spoke for it */
	const char *place;     /* where it comes from; NULL: nowhere */
	bool is_holder;	       /* it holds the session (session_is_held()) */
	bool may_answer;       /* it may be the answer to a question */
	bool may_join;	       /* a running turn takes it; else ERR_BUSY */
	bool is_unscoped;      /* the client did not name the session */
	/* The name of the agent that a new session is with; NULL: the default.
	 * A session stays with the agent of its first turn. */
	const char *agent;
};

enum input_outcome {
	INPUT_STARTED,	/* a turn begins: wait for its terminal event */
	INPUT_ADDED,	/* the running turn takes it; id names it */
	INPUT_ANSWERED, /* it answered a waiting ask_user; id names it */
	INPUT_REPEATED, /* same input_id and body as before: see below */
	INPUT_REFUSED,	/* err says why; nothing was kept */
};

/*
 * What became of an input, durable as 'durability' says when it is told. For
 * INPUT_REPEATED, session_id (perhaps another session, which this caller may
 * open) and turn name the first one; if is_over it has ended, with 'result' or
 * (has_failed) 'reason', and the stored conversation is that after it only if
 * is_latest; else, if it has an id, it joined that turn and was acknowledged so.
 */
struct session_receipt {
	enum input_outcome outcome;
	uint32_t turn;
	uint64_t seq;
	const char *id;
	const char *session_id;
	bool is_over;
	bool is_latest;
	bool has_failed;
	const char *result;
	size_t result_len;
	const char *reason;
	int64_t duration_ms;
	const struct err *err;
};

typedef void session_receipt_fn(void *arg, const struct session_receipt *r);

/*
 * Give the session a prompt. fn is called once, never from inside this call,
 * unless session_forget() came first; the input goes on all the same.
 */
struct session_call *session_input(struct session *s,
    const struct session_input *in, session_receipt_fn *fn, void *arg);

/* The caller of session_input() does not want to hear; nulls *call. */
void session_forget(struct session_call **call);

/*
 * Answer the waiting question of this kind with JSON text (any value; for
 * approvals an object, normalised by the door). 0, or -1: ERR_STALE when none
 * waits.
 */
int session_answer(struct session *s, enum event_type kind, const char *json,
    size_t len, struct err *err);

/* Ask the running turn to stop. 0, or -1: ERR_NOT_RUNNING. Idempotent. */
int session_interrupt(struct session *s, struct err *err);

/* The client is alive: an idle session is not forgotten. */
void session_touch(struct session *s);

/* ---- tools ---- */

/* One call of a tool without the model (spec 2.9.7); all of it is borrowed. */
struct session_tool {
	const char *name;
	const char *args; /* a JSON object */
	size_t args_len;
	bool is_owner;	       /* whether the caller owns the agent */
	const char *caller;    /* a verified address; "" or NULL: nobody */
	const char *peer;      /* where it comes from; NULL: nowhere */
	bool peer_is_loopback; /* and no proxy spoke for it */
};

/* What came of it, valid inside the callback only. */
struct session_exec_result {
	bool has_failed;  /* text says why, for the caller */
	const char *text; /* what the tool returned */
	size_t len;
	int64_t duration_ms;
};

struct session_exec;
typedef void session_exec_fn(
    void *arg, const struct session_exec_result *result);

/*
 * Call the tool; nothing of it is kept. fn is called once, later, and the call
 * is gone then, unless session_exec_cancel() came first. It counts as a turn
 * while it runs: NULL with ERR_DRAINING, ERR_RUNS (max_runs) or ERR_LIMIT
 * (limit_runs, limit_peer_runs), or ERR_BAD_REQUEST when this agent has no tools
 * to call.
 */
struct session_exec *session_exec(struct session *s,
    const struct session_tool *tool, session_exec_fn *fn, void *arg,
    struct err *err);

/* Stop the call, without a word; nulls *x. */
void session_exec_cancel(struct session_exec **x);

/* ---- modes ---- */

/*
 * How far the agent may go by itself (spec 2.9.6), a word of the conversation
 * that only the server sets. In full-access, turns_left turns are left; else it
 * is 0.
 */
struct session_mode {
	const char *id; /* read-only, auto or full-access */
	int64_t turns_left;
};

/* The mode of a session; auto when none was chosen. */
void session_mode(struct session *s, struct session_mode *mode);

struct session_mode_call;
typedef void session_mode_fn(void *arg, const struct err *err);

/*
 * Change it, between turns. fn is called once, later, with NULL or ERR_STORE.
 * NULL, and no call, when a turn runs.
 */
struct session_mode_call *session_set_mode(struct session *s,
    const struct session_mode *mode, const char *caller, session_mode_fn *fn,
    void *arg);

/* The caller of session_set_mode() does not want to hear; nulls *call. */
void session_mode_forget(struct session_mode_call **call);

/* ---- records ---- */

/* What is stored of a session: its latest turn and conversation. */
struct session_record {
	const char *id;
	const char *caller;
	const char *status; /* connected running done failed interrupted ... */
	uint32_t turn;
	int64_t created_ms;
	int64_t expires_ms;
	int64_t updated_ms;
	int64_t duration_ms; /* -1: not ended */
	const char *prompt;
	size_t prompt_len;
	const char *result; /* NULL: none */
	size_t result_len;
	const char *reason;	  /* the word why it failed, or "" */
	const char *conversation; /* JSON object, "{}" at least */
	size_t conversation_len;
	const char *continuation; /* for who holds it, set by doors; NULL */
};

/*
 * Read the record of an id into *r; its strings live in *mem. Expired ones that
 * do not run are absent. 0, or -1: ERR_NOT_FOUND, ERR_DAMAGED, ERR_STORE.
 */
int session_get(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err);

/* Which records to list, and for whom. */
struct session_query {
	const char *caller; /* whose; "": nobody's alone */
	bool with_nobodys;  /* those that are nobody's, too */
	size_t limit;	    /* most of them */
};

/*
 * Call fn for the records asked for that are not expired, newest created first.
 * r is valid inside fn. 0, or -1: ERR_STORE.
 */
int session_list(struct sessions *all, const struct session_query *query,
    void (*fn)(const struct session_record *r, void *arg), void *arg,
    struct err *err);

/*
 * Which conversation wins (doc/oip.txt 11): the client's or the stored one.
 * Appends the winner, with the server's keys restored, to *out and returns
 * whether the server's was newer.
 */
bool session_merge(
    struct session *s, const char *client, size_t len, struct buf *out);

#endif
