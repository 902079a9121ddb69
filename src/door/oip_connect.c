/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/oip_connect.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/oip_conn.h"
#include "door/oip_frame.h"
#include "door/oip_in.h"

#include <string.h>

#define ALREADY "already authenticated: open a new connection"

enum form { FORM_CONNECT, FORM_INIT, FORM_ATTACH };

enum peer { PEER_LEGACY, PEER_OIP, PEER_UNSUPPORTED };

/* One greeting on its way. */
struct greeting {
	struct oip_conn *conn;
	const struct json *frame;
	enum form form;
	enum session_status status;
	bool has_record;
	bool is_again; /* the client was greeted before */
	bool is_server_newer;
	struct buf merged; /* the conversation that won */
};

/* ---- what the frame says ---- */

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

static void log_compat(enum peer peer, bool is_accepted)
{
	static const char *const names[] = {
	    [PEER_LEGACY] = "legacy",
	    [PEER_OIP] = "oip/0.1",
	    [PEER_UNSUPPORTED] = "unsupported",
	};

	log_info("OIP_COMPAT transport=direct peer=%s outcome=%s", names[peer],
	    is_accepted ? "accepted" : "rejected");
}

/* An empty id asks for a new session, as an absent one does. */
static const struct json *named_session(const struct greeting *g)
{
	const struct json *id = json_get(g->frame, "session_id");

	if (g->form == FORM_INIT || json_type(id) == JSON_NULL ||
	    json_str_is(id, ""))
		return NULL;
	return id;
}

/* The client's session object, NULL when it brought nothing. */
static const struct json *brought(const struct greeting *g)
{
	const struct json *session = json_get(g->frame, "session");

	return json_is(session, JSON_OBJECT) && json_count(session) ? session
								    : NULL;
}

/* ---- the answer ---- */

static const char *status_word(const struct greeting *g)
{
	if (g->status == SESSION_RUNNING)
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
	    setup->conf->address, setup->about);
	oip_conn_send(c);
}

static void send_greeting(struct oip_conn *c, const struct oip_hello *hello)
{
	oip_frame_connected(oip_conn_frame(), hello);
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

	log_info("✓ CONNECT identity=anonymous session=%.4s... status=%s",
	    hello.session_id, status);
	send_greeting(c, &hello);
}

static void log_greeting(const struct greeting *g)
{
	const struct json *session = brought(g);
	const char *id = session_id(g->conn->session);

	log_info("%s identity=anonymous session=%.4s... status=%s%s",
	    g->is_again ? "↻ REATTACH" : "✓ CONNECT", id, status_word(g),
	    g->is_server_newer ? " (server_newer)" : "");
	if (session)
		log_info("  ↑ client session: %zu messages",
		    json_count(json_get(session, "messages")));
	if (session && g->is_server_newer)
		log_info("  ↕ merged sessions (server newer)");
	if (g->status == SESSION_RUNNING && !g->is_again)
		log_info("  ↻ reattaching to running agent");
}

static void greet(struct greeting *g)
{
	struct oip_hello hello = {
	    .session_id = session_id(g->conn->session),
	    .status = status_word(g),
	};

	if (g->is_server_newer) {
		hello.conversation = g->merged.data;
		hello.conversation_len = g->merged.len;
	}
	log_greeting(g);
	send_greeting(g->conn, &hello);
}

/* ---- conversations ---- */

/*
 * The next INPUT begins from it. A running
 * turn has its own, which is not touched.
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
 * Where a client goes on reading: after the last event it has seen of the
 * latest turn; else from the start of a turn that runs; else from now on.
 */
static void attach(const struct greeting *g)
{
	struct oip_conn *c = g->conn;
	struct session *s = c->session;
	struct buf scratch = {0};
	size_t len = 0;
	const char *last =
	    json_str(json_get(g->frame, "last_msg_id"), &scratch, &len);
	/*
	 * The turn is read before the head: an end between them is then told.
	 */
	uint32_t turn = session_turn(s);
	uint64_t seen = last ? session_find(s, last, len) : 0;
	uint64_t began = session_turn_began(s);

	buf_fini(&scratch);
	c->has_run = g->status == SESSION_RUNNING;
	if (seen)
		oip_conn_attach(c, seen, turn ? turn - 1 : 0);
	else if (c->has_run)
		oip_conn_attach(c, began ? began - 1 : 0, turn ? turn - 1 : 0);
	else
		oip_conn_attach(c, session_head(s), turn);
}

/* ---- CONNECT ---- */

/* 0 when the frame may go on; else the client was told why not. */
static int check(const struct greeting *g)
{
	const struct json *id = named_session(g);
	const struct json *session = json_get(g->frame, "session");
	size_t len = 0;

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

static int open_session(struct greeting *g)
{
	struct oip_conn *c = g->conn;
	struct buf scratch = {0};
	struct err err;
	size_t len = 0;
	const char *id = json_str(named_session(g), &scratch, &len);

	if (id && !session_id_is_valid(id, len)) {
		oip_conn_error(c, "session_id invalid");
	} else {
		c->session = session_open(c->setup->sessions, id, len, "",
		    &g->status, &g->has_record, &err);
		if (!c->session)
			oip_conn_refuse(c, &err);
	}
	buf_fini(&scratch);
	return c->session ? 0 : -1;
}

static void connect_first(struct greeting *g)
{
	enum peer peer = peer_of(g->frame);

	log_compat(peer, peer != PEER_UNSUPPORTED);
	if (peer == PEER_UNSUPPORTED) {
		oip_frame_unsupported(oip_conn_frame());
		oip_conn_send(g->conn);
		return;
	}
	if (check(g) != 0 || open_session(g) != 0)
		return;
	merge(g);
	greet(g);
	attach(g);
	session_touch(g->conn->session);
}

static bool names_same_session(const struct greeting *g)
{
	return json_str_is(named_session(g), session_id(g->conn->session)) &&
	       peer_of(g->frame) != PEER_UNSUPPORTED;
}

/* A client that says the same again is greeted again, and keeps its place. */
static void connect_again(struct greeting *g)
{
	struct oip_conn *c = g->conn;

	if (c->is_opening || !names_same_session(g)) {
		oip_conn_error(c, ALREADY);
		return;
	}
	if (check(g) != 0)
		return;
	g->is_again = true;
	g->status = session_status(c->session);
	g->has_record = session_turn(c->session) > 0;
	merge(g);
	greet(g);
	session_touch(c->session);
}

static void connect(
    struct oip_conn *c, const struct json *frame, enum form form)
{
	struct greeting g = {.conn = c, .frame = frame, .form = form};

	if (c->session)
		connect_again(&g);
	else
		connect_first(&g);
	buf_fini(&g.merged);
}

void oip_connect(struct oip_conn *c, const struct json *frame)
{
	connect(c, frame, FORM_CONNECT);
}

void oip_connect_init(struct oip_conn *c, const struct json *frame)
{
	connect(c, frame, FORM_INIT);
}

void oip_connect_attach(struct oip_conn *c, const struct json *frame)
{
	connect(c, frame, FORM_ATTACH);
}
