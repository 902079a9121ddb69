/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

/*
 * The session API: the only API for all doors, and all that a door may see of
 * this folder.
 *
 * A session is a conversation that outlives connections and processes.
 * Everything that happens in it is an event in its journal, at positions (seq)
 * 1, 2, 3, ... Any worker can open any session; a turn (one INPUT to its end)
 * runs in one worker, its owner. A door attaches a client to a session with a
 * cursor and reads events from there: live delivery and replay are the same
 * call.
 *
 * struct sessions is all sessions of one worker. struct session is this
 * worker's handle of one, reference-counted by session_open() and
 * session_close(). All calls are made on the loop's thread and never block;
 * callbacks come later on that thread, never from inside the call that
 * requested them, and may make any call of this API unless they say otherwise.
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

/* The status of a session. */
enum session_status {
	SESSION_NEW,	   /* unknown, deleted, or no longer stored */
	SESSION_CONNECTED, /* known and idle */
	SESSION_RUNNING,   /* a turn runs in some worker */
};

/*
 * Open a session. id NULL (len 0) creates one with a generated id. caller is
 * the verified address, "" if anonymous. A new session belongs to its caller
 * permanently; one without an owner may be opened by any caller that knows its
 * id, and stays without one. A UUID may be given with or without dashes: it
 * names the session that was begun in the other spelling if there is none in
 * its own. *status is the status before this call, and
 * *has_record says whether a result is stored. Returns NULL with *err:
 * ERR_BAD_REQUEST (id), ERR_NO_SESSION (owned by another caller), ERR_FULL,
 * ERR_STORE.
 */
struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err);

/*
 * Any caller that knows the id of a session without an owner may open it, watch
 * it and send inputs. To answer its questions, a client must hold it: it sends
 * the continuation, a token that the server puts into the conversation for
 * holders; or, for an anonymous client that cannot have received one yet, it
 * comes from the place from which a holder spoke last. A client that comes
 * before anything was said in the session holds it. A session with an owner is
 * held by every caller that may open it.
 */
struct session_guest {
	const char *caller; /* the verified address; "": anonymous */
	const char *place;  /* its origin (http_place()) */
	const struct json *conversation; /* what it sent; NULL: nothing */
};

/* Whether this client holds the session. */
bool session_is_held(const struct session *s, const struct session_guest *who);

/*
 * Returns the token for holders of a session without an owner; NULL if it has
 * an owner, or this agent has no key. Valid until the next call.
 */
const char *session_continuation(const struct session *s);

/* Release a handle and null *s. Attachments must be detached before. */
void session_close(struct session **s);

/* The id, NUL-terminated. */
const char *session_id(const struct session *s);

/*
 * A number that no other session has, also none that got its id when this one
 * was deleted. A session in which nothing was said may get another one when it
 * is opened again.
 */
uint64_t session_number(const struct session *s);

/*
 * Get the present status of an id for this caller, without opening it. Returns
 * SESSION_NEW for unknown ids and for sessions owned by another caller.
 */
enum session_status session_peek(
    struct sessions *all, const char *id, size_t len, const char *caller);

/* Returns the present status. */
enum session_status session_status(const struct session *s);

/* The number of the latest accepted turn, 0 before the first. */
uint32_t session_turn(const struct session *s);

/* Position of the newest event; 0: none. */
uint64_t session_head(const struct session *s);

/* Position of the event that began the latest turn; 0: none. */
uint64_t session_turn_began(const struct session *s);

/*
 * Position of the first event of the latest turn with this event id (ids may
 * repeat), or 0.
 */
uint64_t session_find(const struct session *s, const char *id, size_t len);

/*
 * Position of the newest event with this id among the last events before the
 * latest turn, or 0.
 */
uint64_t session_find_before(
    const struct session *s, const char *id, size_t len);

/* Whether an input was acknowledged under this id in the latest turn. */
bool session_has_joined(const struct session *s, const char *id, size_t len);

/* Whether the event at this position has this id. */
bool session_has_id(
    const struct session *s, uint64_t seq, const char *id, size_t len);

/*
 * Whether the latest turn waits for an answer of this kind (EV_ASK_USER,
 * EV_APPROVAL_NEEDED, EV_PLAN_REVIEW); *question is the position of its
 * question.
 */
bool session_is_waiting(
    const struct session *s, enum event_type kind, uint64_t *question);

/*
 * Identifies the journals of this store: positions of another epoch are
 * meaningless.
 */
uint64_t session_epoch(const struct sessions *all);

/* The number of sessions in the registry, over all workers. */
unsigned session_count(const struct sessions *all);

/* The room for a new input at the moment. */
struct session_room {
	bool has_lock;	   /* the registry's lock is available */
	bool has_sessions; /* it has room for one more (max_sessions) */
	bool has_turns;	   /* this worker has room (max_runs) */
};

/* Get the room, without waiting. */
void session_room(const struct sessions *all, struct session_room *room);

/* ---- reading ---- */

/*
 * A client's position in a session, embedded in the door's own struct.
 * on_more(arg) says that there may be events after the cursor; it is not called
 * again before the next session_read().
 */
struct attachment {
	struct session *session; /* NULL: not attached */
	uint64_t cursor;	 /* position of the last event read */
	void (*on_more)(void *arg);
	void *arg;
	struct list link;
	uint64_t n_missed; /* after READ_GONE: the number of events */
	bool is_damaged;   /* damaged, not merely the oldest */
	bool is_rung;
	/*
	 * The next read takes the end from the record. A door sets this if the
	 * end of the latest turn was in a journal that is lost.
	 */
	bool is_end_lost;
};

/*
 * Attach with the cursor after position 'after'. If there are events already,
 * on_more is called at the end of this tick.
 */
void session_attach(struct session *s, struct attachment *a, uint64_t after,
    void (*on_more)(void *arg), void *arg);

/* Detach; does nothing if not attached. */
void session_detach(struct attachment *a);

/* Why session_read() returned. */
enum session_read {
	READ_END,     /* at the end: on_more will be called */
	READ_STOPPED, /* fn returned false: read again when ready */
	/*
	 * Events after the cursor are no longer kept, or damaged. The cursor
	 * was moved to just before the oldest available one: continue reading.
	 */
	READ_GONE,
	READ_DELETED, /* the session was deleted: nothing comes any more */
};

/*
 * Call fn for the events after the cursor, in order and without gaps, and move
 * the cursor, until there are no more or fn returns false (that event counts as
 * read). The event is valid only inside fn, and fn must not call this API. If
 * the end of the latest turn is damaged, it is rebuilt from the record.
 */
enum session_read session_read(struct attachment *a,
    bool (*fn)(const struct event *ev, void *arg), void *arg);

/*
 * Returns the position of the event that has the view with this number
 * (core/views.h; the number of a view of an event is views_number()), or, if it
 * is no longer kept, of the next event that has views. If there is none yet,
 * the position after the newest event.
 */
uint64_t session_find_view(const struct session *s, uint64_t view);

/* Some events of a session. */
struct session_range {
	uint64_t from; /* position of the first one; 0: the oldest, or newest */
	bool is_backwards; /* newer ones first */
	size_t most; /* how many events to read, SESSION_RANGE_MOST or fewer */
};

#define SESSION_RANGE_MOST 1000

/*
 * Call fn for the events of a range, without being attached, until fn returns
 * false (that event counts as read). Events that are no longer kept, or
 * damaged, are left out. Costs what session_read() does for as many events. The
 * event is valid only inside fn, and fn must not call this API. Returns the
 * position from which the next range goes on, or 0 if there are no more.
 */
uint64_t session_events(const struct session *s,
    const struct session_range *range,
    bool (*fn)(const struct event *ev, void *arg), void *arg);

/* ---- speaking ---- */

/* A prompt. All of it is copied. */
struct session_input {
	const char *prompt;
	size_t prompt_len;
	const char *input_id; /* the client's own name for it; NULL: none */
	size_t input_id_len;
	const struct json *images; /* as sent by the client; checked here */
	const struct json *files;
	const char *conversation; /* the client's session object; NULL: none */
	size_t conversation_len;
	const char *caller;    /* the verified address; "": anonymous */
	const char *level;     /* of the caller, a word of spec 5.1 */
	const char *peer;      /* network address, for limits; NULL: none */
	bool peer_is_loopback; /* and no proxy has named the client */
	const char *place;     /* its origin; NULL: none */
	bool is_holder;	       /* holds the session (session_is_held()) */
	bool may_answer;       /* may be the answer to a question */
	bool may_join;	       /* may join a running turn; else ERR_BUSY */
	bool is_unscoped;      /* the client did not name the session */
	/*
	 * The name of the agent for a new session; NULL: the default. A session
	 * keeps the agent of its first turn.
	 */
	const char *agent;
	/*
	 * What this agent should know of the input, a JSON object; NULL:
	 * nothing. It has no part in the comparison of repeated inputs.
	 */
	const char *options;
	size_t options_len;
};

/* What became of an input. */
enum input_outcome {
	INPUT_STARTED,	/* a turn begins: wait for its terminal event */
	INPUT_ADDED,	/* it joined the running turn; id names it */
	INPUT_ANSWERED, /* it answered a waiting ask_user; id names it */
	INPUT_REPEATED, /* same input_id and body as before: see below */
	INPUT_REFUSED,	/* err says why; nothing was stored */
};

/*
 * What became of an input, reported when it is as durable as 'durability' says.
 * For INPUT_REPEATED, session_id (perhaps of another session, which this caller
 * may open) and turn identify the first input. If is_over, it has ended with
 * 'result' or (has_failed) 'reason', and the stored conversation is the one
 * after it only if is_latest. Otherwise, if it has an id, it joined that turn
 * and was acknowledged under this id.
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

/* Receives the receipt of an input, valid only inside the call. */
typedef void session_receipt_fn(void *arg, const struct session_receipt *r);

/*
 * Submit a prompt to the session. fn is called once, never from inside this
 * call, unless session_forget() is called before; the input proceeds in any
 * case. Returns the call, valid until fn is called.
 */
struct session_call *session_input(struct session *s,
    const struct session_input *in, session_receipt_fn *fn, void *arg);

/* Cancel the receipt callback and null *call. The input itself proceeds. */
void session_forget(struct session_call **call);

/*
 * Answer the waiting question of this kind with JSON text (any value; for
 * approvals an object, normalised by the door). Returns 0, or -1: ERR_STALE if
 * none waits.
 */
int session_answer(struct session *s, enum event_type kind, const char *json,
    size_t len, struct err *err);

/* What a user who interrupts a turn has in mind. The turn ends either way. */
enum session_stop {
	SESSION_STOP,
	SESSION_PAUSE, /* to go on later: clients are told that it paused */
};

/*
 * Ask the running turn to stop. Returns 0, or -1: ERR_NOT_RUNNING. Idempotent;
 * a turn that was asked to stop and to pause has been stopped.
 */
int session_interrupt(
    struct session *s, enum session_stop how, struct err *err);

/*
 * Report that the client is alive, which keeps an idle session from expiring.
 */
void session_touch(struct session *s);

/* ---- drafts ---- */

/*
 * A draft is what a client said without asking for a turn, in the words of its
 * door. Drafts are facts: whichever process dies, they are kept in order until
 * a door has made an input of them and drops them. The agent does not see them.
 */
struct session_draft_call;
/* Receives the result of session_keep(): NULL, or an error. */
typedef void session_draft_fn(void *arg, const struct err *err);

/*
 * Keep a draft; all of it is copied. A session that has never run gets a
 * record, so that it is known from now on; with an empty text (len 0) that is
 * all that happens. fn is called once, later, with NULL, ERR_STORE, or
 * ERR_NOT_ACCEPTING (max_waiting).
 */
struct session_draft_call *session_keep(struct session *s, const char *text,
    size_t len, const char *caller, session_draft_fn *fn, void *arg);

/* Cancel the callback of session_keep() and null *call. The draft is kept. */
void session_keep_forget(struct session_draft_call **call);

/*
 * Call fn for the drafts in order, each with its place, a growing number; text
 * is valid only inside fn, which must not call this API. Returns the last
 * place; 0: there are none.
 */
uint64_t session_drafts(const struct session *s,
    void (*fn)(uint64_t place, const char *text, size_t len, void *arg),
    void *arg);

/* Drop the drafts up to a place. A failure is logged and leaves them. */
void session_drop_drafts(struct session *s, uint64_t upto);

/* ---- tools ---- */

/*
 * A direct call of one tool, without the model (spec 2.9.7); all of it is
 * borrowed.
 */
struct session_tool {
	const char *name;
	const char *args; /* a JSON object */
	size_t args_len;
	bool is_owner;	       /* whether the caller owns the agent */
	const char *caller;    /* a verified address; "" or NULL: anonymous */
	const char *peer;      /* network address; NULL: none */
	bool peer_is_loopback; /* and no proxy has named the client */
};

/* The result, valid only inside the callback. */
struct session_exec_result {
	bool has_failed;  /* text is the reason, for the caller */
	const char *text; /* the output of the tool */
	size_t len;
	int64_t duration_ms;
};

struct session_exec;
/* Receives the result of a tool call. */
typedef void session_exec_fn(
    void *arg, const struct session_exec_result *result);

/*
 * Call the tool; nothing of it is stored. fn is called once, later, and the
 * call is freed then, unless session_exec_cancel() is called before. It counts
 * as a turn while it runs. Returns NULL with ERR_DRAINING, ERR_RUNS (max_runs),
 * ERR_LIMIT (limit_runs, limit_peer_runs), or ERR_BAD_REQUEST if this agent has
 * no callable tools.
 */
struct session_exec *session_exec(struct session *s,
    const struct session_tool *tool, session_exec_fn *fn, void *arg,
    struct err *err);

/* Stop the call without a callback, and null *x. */
void session_exec_cancel(struct session_exec **x);

/* ---- modes ---- */

/*
 * How far the agent may act without approval (spec 2.9.6), a word of the
 * conversation that only the server sets. In full-access, turns_left is the
 * number of remaining turns; otherwise it is 0.
 */
struct session_mode {
	const char *id; /* read-only, auto or full-access */
	int64_t turns_left;
};

/* Get the mode of a session; auto if none was chosen. */
void session_mode(struct session *s, struct session_mode *mode);

struct session_mode_call;
/* Receives the result of a mode change: NULL, or an error. */
typedef void session_mode_fn(void *arg, const struct err *err);

/*
 * Change the mode, between turns. fn is called once, later, with NULL or
 * ERR_STORE. Returns NULL, without a callback, if a turn is running.
 */
struct session_mode_call *session_set_mode(struct session *s,
    const struct session_mode *mode, const char *caller, session_mode_fn *fn,
    void *arg);

/*
 * Cancel the callback of session_set_mode() and null *call. The change
 * proceeds.
 */
void session_mode_forget(struct session_mode_call **call);

/* ---- titles and deletion ---- */

/* The longest title, in bytes. */
#define SESSION_TITLE_MAX 200

struct session_change;
/* Receives the result of a change: NULL, or an error. */
typedef void session_change_fn(void *arg, const struct err *err);

/*
 * Store a title (at most SESSION_TITLE_MAX bytes; "": the first prompt will be
 * it). A session in which nothing was said is stored by this, with the status
 * "connected", as the caller's. fn is called once, later, with NULL, ERR_STORE,
 * or ERR_NO_SESSION if the session was deleted.
 */
struct session_change *session_set_title(struct session *s, const char *title,
    size_t len, const char *caller, session_change_fn *fn, void *arg);

/*
 * Delete the session with all that is stored of it, as if it had expired: its
 * turn is interrupted, and inputs that wait are cancelled. Then its id is
 * unknown, and free for a new session; attached clients read READ_DELETED, and
 * inputs are refused with ERR_NO_SESSION. The caller must hold the session
 * (session_is_held()). fn is called once, later, with NULL, ERR_STORE, or
 * ERR_BUSY if the turn does not end.
 */
struct session_change *session_delete(
    struct session *s, session_change_fn *fn, void *arg);

/* Cancel the callback and null *change. The change proceeds. */
void session_change_forget(struct session_change **change);

/* ---- records ---- */

/* What is stored of a session: its latest turn and its conversation. */
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
	const char *reason;	  /* the word for the failure, or "" */
	const char *conversation; /* JSON object, at least "{}" */
	size_t conversation_len;
	const char *continuation; /* for a holder, set by doors; NULL: none */
	/*
	 * As a client has set it; else the first prompt, as one short line. ""
	 * if there is neither.
	 */
	const char *title;
	size_t title_len;
	int64_t began_ms;  /* when the session began; created_ms: its turn */
	const char *agent; /* the name of its agent; "": the default */
	/* Of the question that its turn waits for: "ask_user"; NULL: none. */
	const char *waits_for;
	uint64_t place; /* in lists: see session_query */
};

/*
 * Read the record of an id into *r; its strings are in *mem. Expired records
 * without a running turn count as missing. Returns 0, or -1: ERR_NOT_FOUND,
 * ERR_DAMAGED, ERR_STORE.
 */
int session_get(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err);

/* The same without the conversation ("{}"), which may be long. */
int session_look(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err);

/* Which records to list. */
struct session_query {
	const char *caller; /* the owner; "": only those without one */
	bool with_nobodys;  /* include those without an owner */
	size_t limit;	    /* maximum number of records */
	uint64_t before;    /* list those after the one of this place; 0: all */
	size_t most_seen;   /* maximum number of rows to examine; 0: all */
	size_t most_bytes;  /* stop after so many bytes of rows; 0: all */
	size_t *n_seen;	    /* gets how many rows were examined; NULL: no */
	bool is_brief;	    /* records without conversation ("{}") */
	const char *status; /* only those of this status; NULL: any */
	bool with_all;	    /* whoever owns them */
	/*
	 * Only those for which this returns true; it must not call this API.
	 * NULL: all.
	 */
	bool (*is_wanted)(const struct session_record *r, void *arg);
	void *wanted_arg;
};

/*
 * Call fn for the matching records that have not expired, the newest session
 * first. r is valid only inside fn. *next (may be NULL) is the place of the
 * last record that was examined, with which to go on, or 0 after the last one.
 * Returns 0, or -1: ERR_STORE.
 */
int session_list(struct sessions *all, const struct session_query *query,
    void (*fn)(const struct session_record *r, void *arg), void *arg,
    uint64_t *next, struct err *err);

/*
 * Choose between the client's conversation and the stored one (doc/oip.txt 11).
 * Appends the newer one, with the server's keys restored, to *out. Returns
 * whether the server's was newer.
 */
bool session_merge(
    struct session *s, const char *client, size_t len, struct buf *out);

#endif
