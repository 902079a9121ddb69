/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CO_CONNECT_H
#define CO_CONNECT_H

/*
 * Talk to an AI agent that is hosted somewhere, by its address:
 *
 *	struct co_error error;
 *	struct co_client *agent = co_connect("0x3d40...", NULL, &error);
 *	struct co_prompt prompt;
 *	struct co_result result;
 *
 *	co_prompt_init(&prompt, "What is 42 * 17?");
 *	if (agent && co_input(agent, &prompt, 60000, &result) == CO_OK)
 *		puts(result.text);
 *	co_free(&agent);
 *
 * Link with -lcoconnect (pkg-config coconnect). co_connect(3) has examples.
 *
 * A client is a conversation with one agent. It has at most one operation at a
 * time: an input, the call of a tool, and so on. There are two ways to run one:
 *
 *	blocking	co_input() and the others return when it has ended
 *	event-driven	co_begin_input() and the others return at once. While
 *			co_state() is not CO_IDLE, poll co_fd() for reading
 *			and call co_step() when it is readable. Then
 *			co_take() has the result.
 *
 * co_step() never waits for the network. A client may be used from one thread at
 * a time, except for co_cancel(); different clients share nothing. The library
 * has no global state (but libcurl's, which is set up once), prints nothing,
 * sets no signal handlers and raises no SIGPIPE. It ends the process only when
 * memory has run out, with a line on standard error, as malloc() may do itself.
 *
 * Texts are UTF-8. Those that the library returns belong to the client and are
 * valid until the client's next operation begins, unless it says otherwise.
 * Those that it is given are copied. Times are in milliseconds.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CO_API __attribute__((visibility("default")))
#else
#define CO_API
#endif

#define CO_CONNECT_VERSION "0.1.0"

/* For timeouts: wait as long as it takes. 0 stands for CO_DEFAULT_TIMEOUT. */
#define CO_NO_TIMEOUT ((int64_t)-1)
#define CO_DEFAULT_TIMEOUT ((int64_t)60000)

/* Room for an address: "0x", 64 hex digits, NUL. */
#define CO_ADDRESS_SIZE 67

struct co_client;

/* ---- errors ---- */

/* What went wrong. co_code_name() has the names as text. */
enum co_code {
	CO_OK = 0,
	CO_ERR_ARGUMENT,    /* the caller's: an address, URL, option, text */
	CO_ERR_KEY,	    /* the key file cannot be used */
	CO_ERR_STATE,	    /* not now: another operation runs, or none */
	CO_ERR_UNREACHABLE, /* no connection to the agent or the relay */
	CO_ERR_AWAY,	  /* the relay does not know the agent, or it is off */
	CO_ERR_IDENTITY,  /* who answers has another address */
	CO_ERR_SEAL,	  /* the connection could not be sealed */
	CO_ERR_REFUSED,	  /* the agent does not admit this caller */
	CO_ERR_ONBOARD,	  /* it wants an invite code or a payment first */
	CO_ERR_LIMIT,	  /* too many requests, or the agent is full: later */
	CO_ERR_AGENT,	  /* the agent took the operation, and it failed */
	CO_ERR_LOST,	  /* the connection broke; how the turn ended is not
			       known, and the input is not sent again */
	CO_ERR_TIMEOUT,	  /* the time is up; the turn may go on at the agent */
	CO_ERR_CANCELLED, /* co_cancel() */
	CO_ERR_PROTOCOL,  /* the peer sent what makes no sense */
	CO_ERR_TOO_LARGE, /* a message over max_message_bytes */
	CO_ERR_QUESTION	  /* a turn waits for an answer: co_question() */
};

/* An error: its code, and a sentence that names the thing and the reason. */
struct co_error {
	enum co_code code;
	int64_t retry_after_ms; /* when to try again; 0: not known */
	char text[512];
};

/* Returns the name of a code, such as "unreachable". Never NULL. */
CO_API const char *co_code_name(enum co_code code);

/* ---- clients ---- */

/* Whether connections are sealed: encrypted end to end, by relay as well. */
enum co_seal {
	CO_SEAL_REQUIRED = 0, /* else it is CO_ERR_SEAL */
	CO_SEAL_IF_POSSIBLE,  /* go on in clear with an agent that cannot */
	CO_SEAL_NEVER
};

/* Flags of options. */
#define CO_KEYLESS 1u	/* sign nothing, be a stranger; implies SEAL_NEVER */
#define CO_NO_DIRECT 2u /* always by the relay */

/* An event of a turn. It is valid inside the call only. */
struct co_event {
	const char *type; /* "thinking", "tool_call", "assistant", ... */
	const char *id;	  /* "" if it has none */
	const char *json; /* the whole event, a JSON object, NUL-terminated */
	size_t json_len;
};

/*
 * Receives events, in order. It may call co_answer(), co_approve(),
 * co_review(), co_interrupt(), co_question(), co_cancel() and the co_session_...
 * calls of this client, but begin nothing and not free the client.
 */
typedef void co_event_fn(
    void *arg, struct co_client *c, const struct co_event *event);

/* What happens on the way to the agent. */
enum co_way {
	CO_WAY_LOOKUP,	   /* the relay is asked for the agent: where */
	CO_WAY_REJECTED,   /* an endpoint is not used: where, and why */
	CO_WAY_CONNECTING, /* where */
	CO_WAY_OPEN,	   /* where, is_relayed, is_sealed */
	CO_WAY_BROKEN,	   /* where, and why */
	CO_WAY_RETRY	   /* why, and delay_ms until the next attempt */
};

struct co_connection {
	enum co_way way;
	const char *where; /* URL; "" if not known */
	const char *why;   /* "" if there is nothing to say */
	int is_relayed;
	int is_sealed;
	int64_t delay_ms;
};

/* Receives news of the connection; the rules of co_event_fn hold. */
typedef void co_connection_fn(
    void *arg, struct co_client *c, const struct co_connection *news);

/*
 * Options. Begin with co_options_init(), then set what differs; NULL and 0 stand
 * for the defaults.
 */
struct co_options {
	size_t size; /* set by co_options_init() */

	/*
	 * The relay: ws, wss, http or https, with or without the path of one of
	 * its sockets. NULL: RELAY_URL, CONNECTONION_BACKEND_URL,
	 * OPENONION_API_URL, OPENONION_BASE_URL of the environment, else
	 * CO_DEFAULT_RELAY. "": none.
	 */
	const char *relay_url;

	/*
	 * Connect to this host, and nowhere else (http, https, ws, wss). The
	 * address may then be any name; who answers is asked for its own.
	 */
	const char *direct_url;

	/*
	 * The Ed25519 seed (32 bytes) of the caller; or the .co folder that has
	 * it in keys/agent.key. Neither: that of ./.co, or of ~/.co, or else a
	 * new key for this client, which makes the caller a stranger.
	 */
	const unsigned char *key;
	const char *co_dir;

	unsigned flags; /* CO_KEYLESS, CO_NO_DIRECT */
	enum co_seal seal;

	/* Continue a conversation: what co_session_save() wrote. */
	const char *session;
	/* Or by hand; each may be NULL. */
	const char *session_id;
	const char *last_event_id;

	/* Offered when the agent asks for it. */
	const char *invite_code;

	/*
	 * How often to try again when there is no connection at the beginning
	 * of an operation, after 0.5, 1, 2, 4, 8, 8, ... s (with jitter). Once
	 * a turn runs, the client always tries to come back until the timeout.
	 */
	unsigned retries;

	int64_t open_timeout_ms;  /* for each attempt; 0: 30 s */
	size_t max_message_bytes; /* received; 0: 256 MiB */
	const char *user_agent;

	co_event_fn *on_event;
	co_connection_fn *on_connection;
	void *arg; /* for both */
};

#define CO_DEFAULT_RELAY "wss://oo.openonion.ai"

/* Fill in the defaults. */
static inline void co_options_init(struct co_options *o)
{
	memset(o, 0, sizeof *o);
	o->size = sizeof *o;
}

/*
 * Create a client of the agent that has this address ("0x" and 64 hex digits; or
 * any name, with direct_url; or NULL, for co_find() alone). options may be NULL.
 * Nothing is sent before the first operation. Returns NULL with *error (may be
 * NULL): CO_ERR_ARGUMENT or CO_ERR_KEY.
 */
CO_API struct co_client *co_connect(const char *address,
    const struct co_options *options, struct co_error *error);

/*
 * End the operation and the connection, free, and null *c; NULL is allowed. A
 * turn that runs goes on at the agent. Not from callbacks.
 */
CO_API void co_free(struct co_client **c);

/* Returns the caller's own address, or "" without a key. */
CO_API const char *co_own_address(const struct co_client *c);

/* Returns the agent's address, or "" if it is not known yet (direct_url). */
CO_API const char *co_agent_address(const struct co_client *c);

/* ---- operations ---- */

/* A file or image for the agent. */
struct co_file {
	const char *name; /* "report.pdf"; not needed for an image */
	const char *type; /* MIME; NULL: application/octet-stream, or for an
			     image what its first bytes say */
	const void *data;
	size_t len;
};

/* An input. */
struct co_prompt {
	size_t size; /* set by co_prompt_init() */
	const char *text;
	const struct co_file *images;
	size_t n_images;
	const struct co_file *files;
	size_t n_files;
	/*
	 * The input's name. NULL: a new one. co-hostd runs inputs of one caller
	 * with the same name and contents once only, so a caller that got
	 * CO_ERR_LOST may safely send it again with the same name.
	 */
	const char *input_id;
};

/* Fill in the text, and nothing else. */
static inline void co_prompt_init(struct co_prompt *p, const char *text)
{
	memset(p, 0, sizeof *p);
	p->size = sizeof *p;
	p->text = text;
}

enum co_question_kind {
	CO_NO_QUESTION = 0,
	CO_ASK,	     /* co_answer() */
	CO_APPROVAL, /* co_approve() */
	CO_PLAN	     /* co_review() */
};

/* A question of the agent. */
struct co_question {
	enum co_question_kind kind;
	const char *id;	  /* "" if it has none */
	const char *text; /* the question, the tool's name, or the plan */
	/* What may be answered; the answer may be another one as well. */
	const char *const *options;
	size_t n_options;
	int is_multiple;       /* several options may be chosen */
	const char *arguments; /* of the tool, JSON; "" for other kinds */
	const char *json;      /* the whole event */
};

/* How an operation ended. */
struct co_result {
	enum co_code code;
	const char *text; /* the agent's answer; on an error, what went wrong */
	size_t text_len;
	/*
	 * The frame that ended it, a JSON object (OUTPUT, ERROR, EXEC_RESULT,
	 * mode_changed); for co_info() and co_find(), what they found. "" if
	 * there is none.
	 */
	const char *json;
	size_t json_len;
	int64_t duration_ms;	/* as the agent measured it; 0 if unknown */
	int64_t retry_after_ms; /* with CO_ERR_LIMIT; 0: not known */
};

/*
 * Each operation has a blocking form, which returns result->code (result may be
 * NULL), and one that only begins: it returns CO_OK, or CO_ERR_ARGUMENT or
 * CO_ERR_STATE if nothing was begun, with co_error_text(). timeout_ms is for all
 * of it, connecting included.
 *
 * A turn may ask a question. If no callback answers it, the blocking form
 * returns CO_ERR_QUESTION, and so does co_take(): then answer it, and go on with
 * co_wait(), or leave it.
 */

/* Say something to the agent, and let it answer: a turn. */
CO_API enum co_code co_input(struct co_client *c,
    const struct co_prompt *prompt, int64_t timeout_ms,
    struct co_result *result);
CO_API enum co_code co_begin_input(
    struct co_client *c, const struct co_prompt *prompt, int64_t timeout_ms);

/*
 * Come back to a turn that runs in the session of the options, or that ended
 * there meanwhile: its events after the last one that was seen, and its end.
 * CO_ERR_STATE if there is none.
 */
CO_API enum co_code co_resume(
    struct co_client *c, int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_resume(struct co_client *c, int64_t timeout_ms);

/*
 * Call one tool of the agent without its model: arguments is a JSON object
 * (NULL: none). The result's text is that of the tool.
 */
CO_API enum co_code co_call(struct co_client *c, const char *tool,
    const char *arguments, int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_call(struct co_client *c, const char *tool,
    const char *arguments, int64_t timeout_ms);

/*
 * Set what the agent may do without asking: "read-only", "auto", or
 * "full-access" for so many turns (0: the agent's own number).
 */
CO_API enum co_code co_set_mode(struct co_client *c, const char *mode,
    unsigned turns, int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_set_mode(
    struct co_client *c, const char *mode, unsigned turns, int64_t timeout_ms);

/* Open the connection, so that it is known to work; co_input() does it, too. */
CO_API enum co_code co_open(
    struct co_client *c, int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_open(struct co_client *c, int64_t timeout_ms);

/*
 * Learn about the agent without talking to it. The result's json is
 *	{"address", "is_direct": BOOL, "where": URL or null,
 *	 "info": {...} or null, "record": {...} or null}
 * info is what the agent says of itself at /info, and only if the address there
 * is the right one; where is its WebSocket then, and null if only the relay
 * knows the way. record is what the relay says. CO_ERR_AWAY if nothing is known.
 */
CO_API enum co_code co_info(
    struct co_client *c, int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_info(struct co_client *c, int64_t timeout_ms);

/*
 * Search the relay's directory. The result's json is {"query", "agents":
 * [{"address", "summary", "endpoints", "last_seen", "online"}, ...]}, best first.
 * CO_ERR_LIMIT if there were too many searches, CO_ERR_ARGUMENT if the relay
 * does not take the query.
 */
CO_API enum co_code co_find(struct co_client *c, const char *query,
    int64_t timeout_ms, struct co_result *result);
CO_API enum co_code co_begin_find(
    struct co_client *c, const char *query, int64_t timeout_ms);

/* Returns why the last call of this client failed; "" if it did not. */
CO_API const char *co_error_text(const struct co_client *c);

/* ---- while a turn runs ---- */

enum co_state {
	CO_IDLE = 0, /* no operation, or its result has not been taken yet */
	CO_WORKING,
	CO_WAITING /* for the answer to co_question() */
};

CO_API enum co_state co_state(const struct co_client *c);

/*
 * Returns the open question, valid until it is answered or the turn ends; or
 * NULL.
 */
CO_API const struct co_question *co_question(const struct co_client *c);

/*
 * Answer CO_ASK, with one text or several. These calls return CO_OK, or
 * CO_ERR_STATE if no such question is open. An answer that meets a broken
 * connection is sent when it is back.
 */
CO_API enum co_code co_answer(struct co_client *c, const char *text);
CO_API enum co_code co_answer_many(
    struct co_client *c, const char *const *texts, size_t n);

enum co_verdict {
	CO_APPROVE_ONCE = 0,
	CO_APPROVE_SESSION, /* and do not ask again for this tool */
	CO_REJECT,	    /* the agent tries something else */
	CO_REJECT_EXPLAIN,  /* it is told why: explanation */
	CO_REJECT_STOP	    /* and the turn stops */
};

/* Answer CO_APPROVAL. explanation may be NULL. */
CO_API enum co_code co_approve(
    struct co_client *c, enum co_verdict verdict, const char *explanation);

/* Answer CO_PLAN: "Looks good, proceed", or what to change. */
CO_API enum co_code co_review(struct co_client *c, const char *text);

/*
 * Ask the agent to stop. The turn ends with a result as any other. CO_ERR_STATE
 * if no turn runs.
 */
CO_API enum co_code co_interrupt(struct co_client *c);

/*
 * End the operation here with CO_ERR_CANCELLED, as soon as it is stepped; a
 * blocking call returns. The turn goes on at the agent, see co_interrupt(). This
 * call may be made from any thread and from signal handlers.
 */
CO_API void co_cancel(struct co_client *c);

/*
 * Go on with an operation: wait for its end, or for a question that no callback
 * answered. For operations that were begun, or had a question.
 */
CO_API enum co_code co_wait(
    struct co_client *c, int64_t timeout_ms, struct co_result *result);

/* ---- event-driven use ---- */

/*
 * Returns a descriptor to be polled for reading, never to be read or closed. It
 * stays the same, and becomes readable also when time has passed.
 */
CO_API int co_fd(const struct co_client *c);

/*
 * Do what can be done without waiting. Callbacks are called from here. Call it
 * also between operations, so that the connection stays open.
 */
CO_API void co_step(struct co_client *c);

/*
 * Take the result of an operation that has ended, or asks: returns 1 with
 * *result, or 0 if it still works or there is none. A question is told once; the
 * operation goes on when it is answered.
 */
CO_API int co_take(struct co_client *c, struct co_result *result);

/* ---- the conversation ---- */

/*
 * An agent remembers a conversation by its session, which the client names in
 * each input. Returns its id, or "" before the first connection.
 */
CO_API const char *co_session_id(const struct co_client *c);

/*
 * Returns the id of the event to come back to, or "": the newest one that was
 * seen, but while a question is open the one before it, so that a client which
 * continues from there is asked again.
 */
CO_API const char *co_last_event_id(const struct co_client *c);

/*
 * Returns all that another client needs to continue this conversation, as JSON
 * for the option "session", to be freed by free(). It is as private as the
 * conversation. The next client needs the same key.
 */
CO_API char *co_session_save(const struct co_client *c);

/* Forget the conversation: the next input begins a new one. Only when idle. */
CO_API enum co_code co_reset(struct co_client *c);

#ifdef __cplusplus
}
#endif

#endif
