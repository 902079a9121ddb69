/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_connect.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"
#include "oip/oip_limit.h"
#include "oip/oip_mode.h"
#include "oip/oip_onboard.h"
#include "oip/oip_rows.h"
#include "oip/oip_seal.h"
#include "oip/oip_sender.h"

#include <stdio.h>
#include <string.h>

#define ALREADY "already authenticated: open a new connection"

enum form { FORM_CONNECT, FORM_INIT, FORM_ATTACH };

enum peer { PEER_LEGACY, PEER_OIP, PEER_UNSUPPORTED };

/* A greeting in progress. */
struct greeting {
	struct oip_conn *conn;
	const struct json *frame;
	enum form form;
	const struct caller *caller; /* the client */
	enum session_status status;
	bool has_record;
	bool is_again; /* the client was greeted before */
	bool is_server_newer;
	/*
	 * The latest turn and the position of its first event, as of 'status':
	 * another turn may begin during the greeting.
	 */
	uint32_t turn;
	uint64_t began;
	struct buf merged; /* the conversation that won */
	struct oip_rows rows;
	uint64_t head; /* newest event, for a client that wants rows */
	/*
	 * Where the client continues: after 'seen', an event of the latest
	 * turn, or (has_missed) with the whole turn. 0 and false: neither.
	 */
	uint64_t seen;
	bool has_missed;   /* the turn ended while it was away */
	bool has_hole;	   /* not all events after 'seen' can be sent */
	uint64_t n_missed; /* how many cannot; 0: unknown */
};

/* ---- the frame ---- */

static enum peer peer_of(const struct json *frame)
{
	const struct json *protocol = json_get(frame, "protocol");

	if (json_type(protocol) == JSON_NULL)
		return PEER_LEGACY;
	if (json_str_is(json_get(protocol, "name"), "oip") &&
	    json_str_is(json_get(protocol, "version"), "0.1"))
		return PEER_OIP;
	return PEER_UNSUPPORTED;
}

static void log_compat(const struct oip_conn *c, enum peer peer)
{
	static const char *const names[] = {
	    [PEER_LEGACY] = "legacy",
	    [PEER_OIP] = "oip/0.1",
	    [PEER_UNSUPPORTED] = "unsupported",
	};

	bool is_relayed = c->wire->origin == WIRE_RELAYED;

	console_compat(is_relayed ? "relay" : "direct", names[peer],
	    peer != PEER_UNSUPPORTED);
}

/* An empty id asks for a new session, like a missing one. */
static const struct json *named_session(const struct greeting *g)
{
	const struct json *id = json_get(g->frame, "session_id");

	if (g->form == FORM_INIT || json_type(id) == JSON_NULL ||
	    json_str_is(id, ""))
		return NULL;
	return id;
}

/* The client's session object; NULL if it sent none. */
static const struct json *brought(const struct greeting *g)
{
	const struct json *session = json_get(g->frame, "session");

	return json_is(session, JSON_OBJECT) && json_count(session) ? session
								    : NULL;
}

/* ---- the answer ---- */

static const char *status_word(const struct greeting *g)
{
	if (g->status == SESSION_RUNNING || g->has_missed)
		return "running";
	if (g->form == FORM_ATTACH)
		return g->status == SESSION_CONNECTED || g->has_record
			   ? "completed"
			   : "expired";
	return g->status == SESSION_CONNECTED ? "connected" : "new";
}

static void send_profile(struct oip_conn *c)
{
	const struct door_setup *setup = c->setup;

	oip_frame_profile(oip_conn_frame(), session_id(c->session), setup->name,
	    setup->conf->address, setup->about, c->caller.is_known);
	oip_conn_send(c);
}

static void send_greeting(struct oip_conn *c, struct oip_hello *hello)
{
	struct session_mode mode;
	struct buf modes = {0};

	if (c->is_holder)
		hello->continuation = session_continuation(c->session);
	session_mode(c->session, &mode);
	oip_mode_offer(&modes, c->setup->conf, &mode);
	hello->modes = &modes;
	oip_conn_admit(c);
	oip_frame_connected(oip_conn_frame(), hello);
	buf_fini(&modes);
	oip_conn_send(c);
	send_profile(c);
	c->dashboard = 0;
	oip_conn_dashboard(c, true);
}

void oip_connect_greet(struct oip_conn *c, const char *status)
{
	struct oip_hello hello = {
	    .session_id = session_id(c->session),
	    .status = status,
	};

	console_connect(c->caller.address, hello.session_id, status, false);
	send_greeting(c, &hello);
}

static void log_greeting(const struct greeting *g)
{
	const struct json *session = brought(g);
	const char *id = session_id(g->conn->session);
	const char *caller = g->conn->caller.address;

	if (g->is_again)
		console_reattach(
		    caller, id, status_word(g), g->is_server_newer);
	else
		console_connect(caller, id, status_word(g), g->is_server_newer);
	if (session)
		console_history(json_count(json_get(session, "messages")));
	if (session && g->is_server_newer)
		console_merged();
	if (g->status == SESSION_RUNNING && !g->is_again)
		console_resumed();
}

static void greet(struct greeting *g)
{
	struct buf rows = {0};
	struct oip_hello hello = {
	    .session_id = session_id(g->conn->session),
	    .status = status_word(g),
	};

	if (g->is_server_newer) {
		hello.conversation = g->merged.data;
		hello.conversation_len = g->merged.len;
	}
	if (g->conn->is_rows) {
		oip_rows_put_state(&rows, g->conn, g->head);
		hello.rows = &rows;
	}
	log_greeting(g);
	send_greeting(g->conn, &hello);
	buf_fini(&rows);
}

/* ---- conversations ---- */

/*
 * The next INPUT starts from it. A running turn has its own conversation, which
 * is not touched.
 */
static void keep_conversation(struct greeting *g, const char *text, size_t len)
{
	struct oip_conn *c = g->conn;

	oip_conn_drop_conversation(c);
	if (g->status == SESSION_RUNNING || g->is_server_newer)
		return;
	c->conversation = mem_strndup(text, len);
	c->conversation_len = len;
}

static void merge(struct greeting *g)
{
	const struct json *session = brought(g);
	const char *text = "{}";
	size_t len = 2;

	if (session)
		text = json_text(session, &len);
	if (g->has_record)
		g->is_server_newer =
		    session_merge(g->conn->session, text, len, &g->merged);
	if (!session)
		return;
	g->conn->has_conversation = true;
	keep_conversation(g, text, len);
}

/* ---- the place in the session ---- */

/*
 * Whether the latest turn failed before the client had seen all of it. A
 * failure changes no conversation, so there is no other sign of it. Its end has
 * no id: a client that has seen all but that must say that it waits for it.
 */
static bool has_missed_failure(const struct greeting *g)
{
	struct session_record r;
	bool awaits_end = false;

	(void)json_bool(json_get(g->frame, "awaits_end"), &awaits_end);
	return g->seen &&
	       session_head(g->conn->session) > g->seen + !awaits_end &&
	       oip_conn_record(g->conn, &r) &&
	       (strcmp(r.status, "failed") == 0 ||
		   strcmp(r.status, "interrupted") == 0);
}

/* Find the newest event that the client has seen. */
static void find_event(struct greeting *g, const char *id, size_t len)
{
	struct session *s = g->conn->session;
	uint64_t before = 0;

	g->seen = session_find(s, id, len);
	if (!g->seen)
		before = session_find_before(s, id, len);
	if (g->form == FORM_CONNECT && g->status != SESSION_RUNNING)
		g->has_missed = (g->is_server_newer && (g->seen || before)) ||
				has_missed_failure(g);
	if (!g->seen && !before) {
		/*
		 * An acknowledgement says nothing about the events before it.
		 */
		g->has_hole = !session_has_joined(s, id, len);
	} else if (before && before + 2 < g->began &&
		   (g->has_missed || g->status == SESSION_RUNNING)) {
		/* The end of a turn has no id. */
		g->n_missed = g->began - before - 2;
		g->has_hole = true;
	}
}

/*
 * Determine what the client has seen of the latest turn. A client that lost its
 * connection and knows less of the conversation than we do has missed the end
 * of a turn: it is sent this turn as if it still ran, end included (doc/oip.txt
 * 6).
 */
static void find_place(struct greeting *g)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *last =
	    json_str(json_get(g->frame, "last_msg_id"), &scratch, &len);

	if (last && len > 0 && named_session(g))
		find_event(g, last, len);
	buf_fini(&scratch);
}

/*
 * Never leave a silent hole: some events are not kept, or belong to a turn that
 * is not sent.
 */
static void tell_hole(const struct greeting *g)
{
	if (g->has_hole)
		oip_conn_tell_gap(g->conn, g->n_missed);
}

/*
 * Whether the client's first frame may be the answer to a waiting question:
 * then the question must not be sent again before it. A v2 client may answer
 * any question. Older Python clients answer ask_user by their next input(), and
 * would take the question, sent again, for a new one; they are recognised by
 * sending their conversation without naming the protocol.
 */
static bool may_come_to_answer(const struct greeting *g)
{
	uint64_t question = 0;

	if (g->status != SESSION_RUNNING || g->seen)
		return false;
	if (g->conn->is_v2)
		return true;
	return peer_of(g->frame) == PEER_LEGACY && brought(g) &&
	       session_is_waiting(g->conn->session, EV_ASK_USER, &question);
}

/* Let the client read a turn from its first event on, to its end. */
static void attach_to_turn(struct oip_conn *c, uint32_t turn, uint64_t began)
{
	oip_conn_attach(c, began ? began - 1 : 0, turn ? turn - 1 : 0);
}

/*
 * Choose where the client continues to read. In a turn that it must see: after
 * the last event seen, or from the start of the turn. Otherwise: from now on.
 */
static void attach(const struct greeting *g)
{
	struct oip_conn *c = g->conn;
	struct session *s = c->session;
	/*
	 * Read the turn before the head, so that an end between the two is
	 * sent.
	 */
	uint32_t turn = session_turn(s);

	c->has_run = g->status == SESSION_RUNNING || g->has_missed;
	if (may_come_to_answer(g))
		oip_conn_hush(c);
	if (c->has_run && g->seen)
		oip_conn_attach(c, g->seen, g->turn ? g->turn - 1 : 0);
	else if (c->has_run)
		attach_to_turn(c, g->turn, g->began);
	else if (session_status(s) == SESSION_RUNNING &&
		 session_turn(s) == turn)
		/* It began after the client was told that none runs. */
		attach_to_turn(c, turn, session_turn_began(s));
	else
		oip_conn_attach(c, session_head(s), turn);
}

/* ---- CONNECT ---- */

/* Returns 0 if the frame may proceed; otherwise the client was told why not. */
static int oip_connect_check(const struct greeting *g)
{
	const struct json *id = named_session(g);
	const struct json *session = json_get(g->frame, "session");
	struct oip_rows rows;
	const char *why = oip_rows_read(&rows, g->frame);
	size_t len = 0;

	if (why) {
		oip_conn_error(g->conn, why);
		return -1;
	}
	if (id && !json_is(id, JSON_STRING)) {
		oip_conn_error(g->conn, "session_id invalid");
		return -1;
	}
	if (!id && g->form == FORM_ATTACH) {
		oip_conn_error(g->conn, "session_id required");
		return -1;
	}
	if (json_type(session) != JSON_NULL && !json_is(session, JSON_OBJECT)) {
		oip_conn_error(g->conn, "session invalid");
		return -1;
	}
	(void)json_text(session, &len);
	if (session && len > (size_t)g->conn->setup->conf->max_session) {
		oip_conn_error(g->conn,
		    "session too large. Increase max_session in host.yaml");
		return -1;
	}
	return 0;
}

static struct session *open_for(
    struct greeting *g, const char *id, size_t len, struct err *err)
{
	return session_open(g->conn->setup->sessions, id, len,
	    g->caller->address, &g->status, &g->has_record, err);
}

/* A session of another caller is treated as if it did not exist. */
static int open_session(struct greeting *g)
{
	struct oip_conn *c = g->conn;
	struct buf scratch = {0};
	struct err err;
	size_t len = 0;
	const char *id = json_str(named_session(g), &scratch, &len);

	if (id && !session_id_is_valid(id, len)) {
		oip_conn_error(c, "session_id invalid");
		buf_fini(&scratch);
		return -1;
	}
	c->session = open_for(g, id, len, &err);
	if (!c->session && err.code == ERR_NO_SESSION) {
		char name[SESSION_ID_MAX + 1];
		(void)snprintf(name, sizeof name, "%.*s", (int)len, id);
		console_foreign(name);
		c->session = open_for(g, NULL, 0, &err);
	}
	if (!c->session)
		oip_conn_refuse(c, &err);
	buf_fini(&scratch);
	return c->session ? 0 : -1;
}

/*
 * Rows tell all that a conversation does. It is sent if they cannot, since the
 * journal was lost.
 */
static void greet_with_rows(struct greeting *g)
{
	struct oip_conn *c = g->conn;

	g->head = session_head(c->session);
	c->has_run |= g->status == SESSION_RUNNING;
	if (!g->head || oip_rows_are_void(&g->rows, c, g->head))
		merge(g);
	greet(g);
}

static void greet_with_events(struct greeting *g)
{
	merge(g);
	find_place(g);
	greet(g);
	tell_hole(g);
	attach(g);
}

static void connect_first(struct greeting *g)
{
	enum peer peer = peer_of(g->frame);

	log_compat(g->conn, peer);
	if (peer == PEER_UNSUPPORTED) {
		oip_frame_unsupported(oip_conn_frame());
		oip_conn_send(g->conn);
		return;
	}
	if (oip_connect_check(g) != 0 ||
	    !oip_limit_caller(g->conn, g->caller->address) ||
	    open_session(g) != 0)
		return;
	g->turn = session_turn(g->conn->session);
	g->began = session_turn_began(g->conn->session);
	g->conn->caller = *g->caller;
	g->conn->is_v2 = oip_sender_is_v2(g->frame);
	oip_conn_look(g->conn, brought(g));
	(void)oip_rows_read(&g->rows, g->frame); /* it was checked */
	g->conn->is_rows = g->rows.is_asked;
	if (g->rows.is_asked) {
		greet_with_rows(g);
		oip_rows_attach(g->conn, &g->rows, g->head);
	} else {
		greet_with_events(g);
	}
	session_touch(g->conn->session);
}

static bool names_same_session(const struct greeting *g)
{
	return json_str_is(named_session(g), session_id(g->conn->session)) &&
	       peer_of(g->frame) != PEER_UNSUPPORTED;
}

/*
 * A client that repeats its CONNECT is greeted again, and keeps its position.
 */
static void connect_again(struct greeting *g)
{
	struct oip_conn *c = g->conn;

	if (c->is_opening || !names_same_session(g) ||
	    strcmp(g->caller->address, c->caller.address) != 0 ||
	    oip_sender_is_v2(g->frame) != c->is_v2) {
		oip_conn_error(c, ALREADY);
		return;
	}
	if (oip_connect_check(g) != 0)
		return;
	g->is_again = true;
	g->status = session_status(c->session);
	g->has_record = session_turn(c->session) > 0;
	if (c->is_rows) {
		greet_with_rows(g);
	} else {
		merge(g);
		greet(g);
	}
	session_touch(c->session);
}

static enum form form_of(const struct json *frame)
{
	const struct json *type = json_get(frame, "type");

	if (json_str_is(type, "INIT"))
		return FORM_INIT;
	return json_str_is(type, "ATTACH") ? FORM_ATTACH : FORM_CONNECT;
}

static void connect_as(
    struct oip_conn *c, const struct json *frame, const struct caller *caller)
{
	struct greeting g = {
	    .conn = c,
	    .frame = frame,
	    .form = form_of(frame),
	    .caller = caller,
	};

	if (c->session)
		connect_again(&g);
	else
		connect_first(&g);
	buf_fini(&g.merged);
}

static void oip_connect_on_verdict(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	if (!v->err) {
		connect_as(c, frame, v->caller);
		return;
	}
	console_auth_error("CONNECT", v->err->text);
	if (v->may_onboard)
		oip_onboard_offer(c, frame, v->caller, connect_as);
	else
		oip_conn_deny(c, v->err);
}

void oip_connect(struct oip_conn *c, const struct json *frame)
{
	struct access_ask ask = {
	    .use = c->session ? ACCESS_AGAIN : ACCESS_CONNECT,
	    .may_repeat = !c->session,
	    .may_name_recipient = !oip_sender_is_v2(frame),
	};

	if (c->seal && !oip_seal_is_by(c, frame)) {
		oip_conn_error(c,
		    "unauthorized: CONNECT is not signed by the sealed peer");
		return;
	}
	oip_onboard_forget(c);
	if (oip_sender_is_signed(frame))
		oip_auth_ask(c, frame, &ask, oip_connect_on_verdict);
	else if (c->session || access_is_open(c->setup->access))
		connect_as(c, frame, &CALLER_NOBODY);
	else
		oip_auth_ask(c, frame, &ask, oip_connect_on_verdict);
}
