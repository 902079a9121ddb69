/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/tunnel.h"

#include "base/enc.h"
#include "base/json.h"
#include "base/map.h"
#include "net/wire.h"
#include "net/ws.h"
#include "relay/relay_stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most that is put before a frame for an agent without conn_id. */
#define HEAD_BYTES 1024

static struct {
	struct map *agents;  /* by number */
	struct list clients; /* that are bound */
	size_t max_output_bytes;
} tunnel;

void tunnel_init(size_t max_output_bytes)
{
	tunnel.agents = map_new();
	list_init(&tunnel.clients);
	tunnel.max_output_bytes = max_output_bytes;
}

/* ---- names ---- */

static void new_name(char out[TUNNEL_CONN_ID])
{
	uint8_t random[16];
	enc_random(random, sizeof random);
	enc_hex(out, random, sizeof random);
}

/* A random UUID (RFC 9562 version 4), which nobody can guess. */
static void new_session(char out[TUNNEL_SESSION_ID + 1])
{
	char hex[TUNNEL_CONN_ID];
	new_name(hex);
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] & 3];
	(void)snprintf(out, TUNNEL_SESSION_ID + 1, "%.8s-%.4s-%.4s-%.4s-%.12s",
	    hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static const char *id_of(const struct tunnel_client *c)
{
	return c->agent->has_conn_id ? c->conn_id : c->session;
}

/* ---- memory ---- */

/* More output waits than there is memory for: the client with most has to go. */
static void drop_largest(void)
{
	struct tunnel_client *largest = NULL;
	list_each(it, &tunnel.clients)
	{
		struct tunnel_client *c =
		    list_entry(it, struct tunnel_client, all_link);
		if (!largest ||
		    wire_pending(c->wire) > wire_pending(largest->wire))
			largest = c;
	}
	if (!largest || !wire_pending(largest->wire))
		return;
	relay_stat_add(memory_drops, 1);
	ws_cut(largest->wire);
}

bool tunnel_keep(struct tunnel_client *c, struct buf *text)
{
	buf_fini(&c->kept);
	c->kept = *text;
	*text = (struct buf){0};
	if (unfinished_hold(&c->share, c->kept.len))
		return true;
	buf_fini(&c->kept);
	return false;
}

static void drop_kept(struct unfinished *share)
{
	struct tunnel_client *c =
	    list_entry(share, struct tunnel_client, share);
	buf_fini(&c->kept);
	relay_stat_add(memory_drops, 1);
	wire_close(
	    c->wire, WIRE_CLOSE_TRY_AGAIN, "the relay has no memory left");
}

static struct buf take_kept(struct tunnel_client *c)
{
	struct buf text = c->kept;
	c->kept = (struct buf){0};
	unfinished_release(&c->share);
	return text;
}

/* ---- pauses ---- */

void tunnel_pause(struct tunnel_client *c, unsigned why, bool is_paused)
{
	c->pauses = is_paused ? c->pauses | why : c->pauses & ~why;
	wire_pause(c->wire, c->pauses != 0);
}

/* ---- to agents ---- */

/* What a frame begins with that says whose it is. */
static void put_head(
    struct buf *out, const struct tunnel_client *c, bool with_session)
{
	buf_char(out, '{');
	if (with_session) {
		buf_str(out, "\"session_id\":");
		buf_json_str(out, c->session);
	}
	if (c->agent->has_conn_id)
		buf_printf(out, "%s\"conn_id\":\"%s\"", with_session ? "," : "",
		    c->conn_id);
}

/*
 * An agent that routes by conn_id decides about sessions itself, so the client
 * may name one; for others the routing id is the session's.
 */
static void forward_to_agent(struct tunnel_client *c, struct buf *text)
{
	bool keeps_session =
	    c->agent->has_conn_id && c->scan.texts[SCAN_SESSION_ID].is_there;
	unsigned cuts = SCAN_CUT_CONN | SCAN_CUT_PRIVATE |
			(keeps_session ? 0 : SCAN_CUT_SESSION);
	struct scan_rest rest = scan_cut(&c->scan, cuts, text->data, text->len);
	struct buf head = {0};
	put_head(&head, c, !keeps_session);
	if (rest.has_members)
		buf_char(&head, ',');
	text->len = rest.end;
	relay_stat_add(frames_in, 1);
	relay_stat_add(bytes_in, head.len + text->len - rest.from);
	wire_pass(c->agent->wire, head.data, head.len, text, rest.from);
	buf_fini(&head);
}

bool tunnel_takes(const struct tunnel_client *c, size_t len)
{
	return c->agent->has_conn_id || len + HEAD_BYTES <= TUNNEL_OLD_FRAME;
}

void tunnel_from_client(struct tunnel_client *c, struct buf *text)
{
	struct tunnel_agent *a = c->agent;
	if (!wire_is_full(a->wire) && list_is_empty(&a->waiting)) {
		forward_to_agent(c, text);
		return;
	}
	relay_stat_add(pauses, 1);
	if (!tunnel_keep(c, text)) {
		drop_kept(&c->share);
		return;
	}
	list_append(&a->waiting, &c->wait_link);
	tunnel_pause(c, TUNNEL_WAITS_AGENT, true);
}

void tunnel_agent_drained(struct tunnel_agent *a)
{
	struct list *it;
	while (!wire_is_full(a->wire) && (it = list_shift(&a->waiting))) {
		struct tunnel_client *c =
		    list_entry(it, struct tunnel_client, wait_link);
		struct buf text = take_kept(c);
		if (text.data)
			forward_to_agent(c, &text);
		tunnel_pause(c, TUNNEL_WAITS_AGENT, false);
	}
}

/* ---- to clients ---- */

static struct tunnel_client *client_of(
    const struct tunnel_agent *a, const struct scan *s)
{
	enum scan_key key = a->has_conn_id ? SCAN_CONN_ID : SCAN_SESSION_ID;
	const char *id = scan_text(s, key);
	return id ? map_get(a->by_id, id, s->texts[key].len) : NULL;
}

/* Whether the answer has to name what the client asked about. */
static bool has_asked(const struct tunnel_client *c, const struct scan *s)
{
	const char *session = scan_text(s, SCAN_SESSION_ID);
	return *c->asked && session && strcmp(session, c->session) == 0;
}

static void forward_to_client(
    struct tunnel_client *c, const struct scan *s, struct buf *text)
{
	bool names_asked = has_asked(c, s);
	struct scan_rest rest = scan_cut(s,
	    SCAN_CUT_CONN | SCAN_CUT_PRIVATE |
		(names_asked ? SCAN_CUT_SESSION : 0),
	    text->data, text->len);
	struct buf head = {0};
	buf_char(&head, '{');
	if (names_asked) {
		buf_str(&head, "\"session_id\":");
		buf_json_str(&head, c->asked);
		if (rest.has_members)
			buf_char(&head, ',');
	}
	text->len = rest.end;
	relay_stat_add(frames_out, 1);
	relay_stat_add(bytes_out, head.len + text->len - rest.from);
	wire_pass(c->wire, head.data, head.len, text, rest.from);
	buf_fini(&head);
}

/* Whether a close frame may have this code (RFC 6455 section 7.4). */
static bool is_close_code(int64_t code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* The agent ends the connection of a client, as it would end a direct one. */
static void end_client(struct tunnel_client *c, const struct buf *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *frame =
	    json_parse(&doc, text->data, text->len, 0, &why);
	char *reason = json_strdup(json_get(frame, "reason"));
	int64_t code;
	if (!json_int(json_get(frame, "code"), &code) || !is_close_code(code))
		code = WIRE_CLOSE_NORMAL;
	wire_close(c->wire, (int)code, reason ? reason : "");
	free(reason);
	json_fini(&doc);
}

void tunnel_from_agent(
    struct tunnel_agent *a, const struct scan *s, struct buf *text)
{
	struct tunnel_client *c = client_of(a, s);
	const char *type = scan_text(s, SCAN_TYPE);
	if (!c) {
		relay_stat_add(strays, 1);
		buf_fini(text);
		return;
	}
	if (type && strcmp(type, "close") == 0) {
		end_client(c, text);
		buf_fini(text);
		return;
	}
	forward_to_client(c, s, text);
	if (ws_total_pending() > tunnel.max_output_bytes)
		drop_largest();
}

/* ---- agents ---- */

void tunnel_open(struct tunnel_agent *a)
{
	a->by_id = map_new();
	list_init(&a->clients);
	list_init(&a->waiting);
	a->n_clients = 0;
	(void)map_put(tunnel.agents, &a->number, sizeof a->number, a);
}

static void unlink_client(struct tunnel_client *c)
{
	struct tunnel_agent *a = c->agent;
	(void)map_remove(a->by_id, id_of(c), strlen(id_of(c)));
	list_remove(&c->all_link);
	list_remove(&c->link);
	list_remove(&c->wait_link);
	a->n_clients--;
	c->agent = NULL;
	struct buf text = take_kept(c);
	buf_fini(&text);
}

void tunnel_close(struct tunnel_agent *a)
{
	(void)map_remove(tunnel.agents, &a->number, sizeof a->number);
	list_each_safe(it, &a->clients)
	{
		struct tunnel_client *c =
		    list_entry(it, struct tunnel_client, link);
		unlink_client(c);
		relay_stat_add(orphaned, 1);
		wire_close(c->wire, WIRE_CLOSE_RESTART, "the agent left");
	}
	map_free(&a->by_id);
}

struct tunnel_agent *tunnel_find(uint64_t number)
{
	return map_get(tunnel.agents, &number, sizeof number);
}

/* ---- clients ---- */

void tunnel_client_init(struct tunnel_client *c, struct wire *wire)
{
	c->wire = wire;
	list_init(&c->all_link);
	list_init(&c->link);
	list_init(&c->wait_link);
	unfinished_init(&c->share, drop_kept);
	scan_begin(&c->scan);
}

struct tunnel_client *tunnel_holder(
    const struct tunnel_agent *a, const char *session)
{
	return a->has_conn_id ? NULL
			      : map_get(a->by_id, session, strlen(session));
}

void tunnel_bind(
    struct tunnel_client *c, struct tunnel_agent *a, const char *session)
{
	c->agent = a;
	new_name(c->conn_id);
	if (session)
		(void)snprintf(c->session, sizeof c->session, "%s", session);
	else
		new_session(c->session);
	(void)map_put(a->by_id, id_of(c), strlen(id_of(c)), c);
	list_append(&a->clients, &c->link);
	list_append(&tunnel.clients, &c->all_link);
	a->n_clients++;
}

void tunnel_replace(struct tunnel_client *c)
{
	unlink_client(c);
}

void tunnel_unbind(struct tunnel_client *c)
{
	struct buf text = {0};
	struct wire *to = c->agent->wire;
	put_head(&text, c, true);
	buf_str(&text, ",\"type\":\"close\"}");
	unlink_client(c);
	wire_send(to, text.data, text.len);
	buf_fini(&text);
}
