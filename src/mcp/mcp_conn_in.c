/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_conn_int.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/json_peek.h"
#include "base/mem.h"
#include "core/mcp_servers.h"
#include "core/stat.h"
#include "mcp/mcp_wire.h"

#include <stdlib.h>
#include <string.h>

/* Pages of one list of tools. */
#define MAX_PAGES 64

/* Between attempts to be told of changes. */
#define MAX_LISTEN_MS 60000

/* ---- what the server says ---- */

static void on_discovered(struct mcp_conn *c, const struct mcp_message *m)
{
	struct buf text = {0};

	if (mcp_message_read_discover(&c->about, m)) {
		mcp_conn_become_ready(c);
	} else if (m->kind == MCP_RESULT || mcp_message_is_modern_error(m)) {
		mcp_message_put_error(&text, m);
		mcp_conn_fail(c,
		    "it does not speak the version " MCP_VERSION_MODERN
		    " of the protocol as we do: %.120s",
		    m->kind == MCP_RESULT ? "it supports others"
					  : buf_cstr(&text));
	} else {
		mcp_conn_say_initialize(c);
	}
	buf_fini(&text);
}

static void on_initialized(struct mcp_conn *c, const struct mcp_message *m)
{
	struct buf text = {0};

	if (m->kind == MCP_ERROR && *c->late.version) {
		c->about = c->late;
		mcp_conn_become_ready(c);
	} else if (m->kind == MCP_ERROR) {
		mcp_message_put_error(&text, m);
		mcp_conn_fail(
		    c, "it refuses initialize: %.160s", buf_cstr(&text));
	} else if (!mcp_message_read_initialize(&c->about, m)) {
		mcp_conn_fail(c,
		    "it speaks a version of the protocol that we do not: "
		    "%s",
		    c->about.version);
	} else {
		mcp_conn_become_ready(c);
	}
	buf_fini(&text);
}

/* Once the tools are known, an error in a later list leaves them as they are. */
static void fail_list(struct mcp_conn *c, const char *why)
{
	if (!c->is_loaded) {
		mcp_conn_fail(c, "%s", why);
		return;
	}
	c->list_id = -1;
	loop_timer_stop(c->setup.loop, &c->timer);
	mcp_conn_complain(c, "%s; its tools stay as they are", why);
	mcp_conn_rest(c);
}

static void on_page(struct mcp_conn *c, const struct mcp_message *m)
{
	const struct json *cursor = NULL;
	struct buf text = {0};

	if (m->kind == MCP_ERROR) {
		buf_str(&text, "it does not list its tools: ");
		mcp_message_put_error(&text, m);
		fail_list(c, buf_cstr(&text));
	} else if (!mcp_tools_read(&c->next_tools, m->body, &cursor)) {
		fail_list(c, "its list of tools is not one");
	} else if (cursor && ++c->n_pages == MAX_PAGES) {
		fail_list(c, "its list of tools has too many pages");
	} else if (cursor) {
		mcp_conn_list(c, cursor);
	} else {
		mcp_conn_finish_list(c);
	}
	buf_fini(&text);
}

static struct mcp_request *find_sent(struct mcp_conn *c, int64_t id)
{
	for (struct list *l = c->sent.next; l != &c->sent; l = l->next) {
		struct mcp_request *r = list_entry(l, struct mcp_request, link);
		if (r->id == id)
			return r;
	}
	return NULL;
}

/* Without an id, an error belongs to the only request there is. */
static struct mcp_request *find_only(struct mcp_conn *c)
{
	struct list *l = c->sent.next;

	return l != &c->sent && l->next == &c->sent
		   ? list_entry(l, struct mcp_request, link)
		   : NULL;
}

static void remove_request(struct mcp_conn *c, struct mcp_request *r)
{
	list_remove(&r->link);
	c->n_requests--;
	mcp_conn_rest(c);
}

static void on_answered(
    struct mcp_conn *c, struct mcp_request *r, const struct mcp_message *m)
{
	c->wire->ops->forget(c->wire, r->id, true);
	remove_request(c, r);
	r->ops->on_answer(r->arg, m);
}

static void lose_listening(struct mcp_conn *c)
{
	c->listen_id = -1;
	c->listen_ms = backoff(c->listen_ms, MCP_CONN_RELIST_MS, MAX_LISTEN_MS);
	loop_timer_set(c->setup.loop, &c->relist, c->listen_ms);
}

static void take_strange(struct mcp_conn *c, const struct mcp_message *m)
{
	/* An answer to what was withdrawn is late, and nothing else. */
	if (m->id >= 1 && m->id <= c->last_id)
		return;
	mcp_conn_complain(c,
	    "an answer with the id %.*s, which nobody asked for",
	    m->id_text.len ? (int)(m->id_text.len < 60 ? m->id_text.len : 60)
			   : 4,
	    m->id_text.len ? m->id_text.text : "null");
}

static void take_answer(
    struct mcp_conn *c, int64_t stream, const struct mcp_message *m)
{
	int64_t id = m->id;

	/* Some servers refuse a request with an id of their own. */
	if (stream >= 0 && id < 0 && (!m->id_text.len || m->kind == MCP_ERROR))
		id = stream;
	struct mcp_request *r = id >= 0 ? find_sent(c, id) : NULL;
	if (!r && id < 0 && m->kind == MCP_ERROR)
		r = find_only(c);
	if (r)
		on_answered(c, r, m);
	else if (id >= 0 && id == c->discover_id) {
		c->discover_id = -1;
		if (c->step == STEP_DISCOVER)
			on_discovered(c, m);
		else if (m->kind != MCP_RESULT ||
			 !mcp_message_read_discover(&c->late, m))
			c->late.version[0] = '\0';
	} else if (id >= 0 && id == c->step_id) {
		c->step_id = -1;
		on_initialized(c, m);
	} else if (id >= 0 && id == c->list_id)
		on_page(c, m);
	else if (id >= 0 && id == c->listen_id)
		lose_listening(c);
	else
		take_strange(c, m);
}

static void put_progress(struct buf *out, const struct json *params)
{
	struct buf scratch = {0};
	size_t len;
	const char *text =
	    json_str(json_get(params, "message"), &scratch, &len);
	double done, total;

	if (text)
		buf_append(out, text, len);
	else if (json_double(json_get(params, "progress"), &done)) {
		buf_printf(out, "%g", done);
		if (json_double(json_get(params, "total"), &total))
			buf_printf(out, " of %g", total);
	}
	buf_char(out, '\n');
	buf_fini(&scratch);
}

static void take_progress(struct mcp_conn *c, const struct json *params)
{
	const struct json *token = json_get(params, "progressToken");
	int64_t id = -1;
	struct buf text = {0};

	if (!json_int(token, &id))
		return;
	struct mcp_request *r = find_sent(c, id);
	if (!r)
		return;
	put_progress(&text, params);
	r->ops->on_progress(r->arg, text.data, text.len);
	buf_fini(&text);
}

static void relist_soon(struct mcp_conn *c)
{
	if (c->is_list_stale || !c->about.has_tools)
		return;
	c->is_list_stale = true;
	loop_timer_set(c->setup.loop, &c->relist, MCP_CONN_RELIST_MS);
}

static void take_notification(struct mcp_conn *c, const struct mcp_message *m)
{
	if (json_str_is(m->method, "notifications/progress"))
		take_progress(c, m->params);
	else if (json_str_is(m->method, "notifications/tools/list_changed") &&
		 c->step == STEP_READY)
		relist_soon(c);
}

/*
 * A question on a program's output does not say which call it is about. If there
 * are several, it is not known whom to ask, and nobody else may see it.
 */
static void take_question(
    struct mcp_conn *c, int64_t stream, const struct mcp_message *m)
{
	struct mcp_request *r =
	    stream >= 0 ? find_sent(c, stream) : find_only(c);
	struct buf text = {0};

	if (r) {
		r->ops->on_asked(r->arg, m->id_text, m->params);
		return;
	}
	mcp_conn_complain(
	    c, "a question that belongs to none of %zu calls", c->n_requests);
	mcp_message_put_result(&text, m->id_text, "{\"action\":\"cancel\"}");
	mcp_conn_say_answer(c, &text);
	buf_fini(&text);
}

static void take_request(
    struct mcp_conn *c, int64_t stream, const struct mcp_message *m)
{
	struct buf text = {0};

	if (json_str_is(m->method, "elicitation/create")) {
		take_question(c, stream, m);
		return;
	}
	if (json_str_is(m->method, "ping"))
		mcp_message_put_result(&text, m->id_text, "{}");
	else
		mcp_message_put_refusal(&text, m->id_text);
	mcp_conn_say_answer(c, &text);
	buf_fini(&text);
}

static void take_message(
    struct mcp_conn *c, int64_t stream, const struct json *v)
{
	struct mcp_message m;

	mcp_message_read(&m, v);
	switch (m.kind) {
	case MCP_RESULT:
	case MCP_ERROR:
		take_answer(c, stream, &m);
		return;
	case MCP_REQUEST:
		take_request(c, stream, &m);
		return;
	case MCP_NOTIFICATION:
		take_notification(c, &m);
		return;
	case MCP_INVALID:
		break;
	}
	mcp_conn_complain(c, "a message that is not one of JSON-RPC");
}

/* ---- what it will not say ---- */

static void lose_request(
    struct mcp_conn *c, struct mcp_request *r, const struct mcp_loss *loss)
{
	struct buf why = {0};

	if (loss->is_session_gone && !r->was_repeated) {
		/* It was not taken. A new session can take it. */
		r->was_repeated = true;
		r->id = -1;
		list_remove(&r->link);
		list_append(&c->waiting, &r->link);
		if (c->step == STEP_READY && loss->has_other_session)
			mcp_conn_send_waiting(c);
		else if (c->step == STEP_READY)
			mcp_conn_say_initialize(c);
		return;
	}
	buf_printf(&why, "The MCP server %s gave no answer: %s%s",
	    mcp_conn_name(c), loss->why,
	    loss->was_sent ? ". The tool may have done its work" : "");
	stat_add(mcp_lost, 1);
	remove_request(c, r);
	r->ops->on_failed(r->arg, buf_cstr(&why));
	buf_fini(&why);
}

/* A server of the older generation may refuse the question in any words. */
static void lose_discover(struct mcp_conn *c, const struct mcp_loss *loss)
{
	c->discover_id = -1;
	if (loss->status >= 400 && loss->status < 500 && loss->status != 401 &&
	    loss->status != 403 && loss->status != 429)
		mcp_conn_say_initialize(c);
	else
		mcp_conn_fail(c, "%s", loss->why);
}

static void take_loss(
    struct mcp_conn *c, int64_t id, const struct mcp_loss *loss)
{
	struct mcp_request *r = find_sent(c, id);

	if (r)
		lose_request(c, r, loss);
	else if (id == c->discover_id && c->step == STEP_DISCOVER)
		lose_discover(c, loss);
	else if (id == c->step_id)
		mcp_conn_fail(c, "%s", loss->why);
	else if (id == c->list_id && loss->is_session_gone)
		mcp_conn_fail(c, "%s", loss->why);
	else if (id == c->list_id)
		fail_list(c, loss->why);
	else if (id == c->listen_id)
		lose_listening(c);
}

static void on_lost(void *arg, int64_t id, const struct mcp_loss *loss)
{
	struct mcp_conn *c = arg;

	if (!c->is_failing)
		take_loss(c, id, loss);
}

/* Returns the id at the beginning of a message; -1: none is there. */
static int64_t peek_id(const char *text, size_t len)
{
	struct json_peek p;
	struct json_peeked member;
	int64_t id = -1;

	json_peek_begin(&p, text, len);
	while (id < 0 && json_peek_next(&p, &member)) {
		if (member.is_cut || member.key.len != 2 ||
		    memcmp(member.key.text, "id", 2) != 0)
			continue;
		char *number = mem_strndup(member.value.text, member.value.len);
		id = strtoll(number, NULL, 10);
		free(number);
	}
	return id;
}

static void on_oversized(
    void *arg, int64_t stream, const char *text, size_t len)
{
	struct mcp_conn *c = arg;
	const struct mcp_loss loss = {
	    .was_sent = true, .why = "its answer is too long"};
	struct mcp_request *only = find_only(c);
	int64_t id = stream >= 0 ? stream : peek_id(text, len);

	if (c->is_failing)
		return;
	mcp_conn_complain(
	    c, "a message of more than %zu bytes", MCP_WIRE_MESSAGE_MAX);
	if (id < 0 && only)
		id = only->id;
	take_loss(c, id, &loss);
}

static void on_down(void *arg, const char *why)
{
	mcp_conn_fail(arg, "%s", why);
}

static void not_json(struct mcp_conn *c, int64_t stream, const char *text,
    size_t len, const char *why)
{
	const struct mcp_loss loss = {
	    .was_sent = true, .why = "its answer is not JSON"};
	struct buf quoted = {0};

	buf_json(&quoted, text, len < 80 ? len : 80);
	mcp_conn_complain(c, "not JSON (%s): %s", why, buf_cstr(&quoted));
	buf_fini(&quoted);
	if (stream >= 0)
		take_loss(c, stream, &loss);
}

/* ---- the wire ---- */

static void on_message(void *arg, int64_t stream, const char *text, size_t len)
{
	struct mcp_conn *c = arg;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, text, len, 0, &why);

	if (c->is_failing) {
		/* It fails already. */
	} else if (!v) {
		not_json(c, stream, text, len, why.message);
	} else if (json_is(v, JSON_ARRAY)) {
		/* Older servers may put several messages into one. */
		for (const struct json *m = json_first(v); m && !c->is_failing;
		     m = json_next(m))
			take_message(c, stream, m);
	} else {
		take_message(c, stream, v);
	}
	json_fini(&doc);
}

const struct mcp_wire_handlers mcp_conn_handlers = {
    .on_message = on_message,
    .on_oversized = on_oversized,
    .on_lost = on_lost,
    .on_down = on_down,
};
