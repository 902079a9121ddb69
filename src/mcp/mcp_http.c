/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_http.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/sse.h"
#include "core/mcp_servers.h"
#include "core/stat.h"
#include "fetch/fetch.h"
#include "mcp/mcp_header.h"
#include "mcp/mcp_wire.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000

/* A stream may wait for a person's answer; who waits for it has a limit. */
#define STREAM_TIMEOUT_MS ((int64_t)24 * 3600 * 1000)

/* All events of one stream together. */
#define STREAM_BYTES (8 * MCP_WIRE_MESSAGE_MAX)

/* How long a server may take to end a stream after the answer. */
#define LINGER_MS 5000

/* Before a stream is resumed: what the server says, within limits. */
#define RESUME_MS 1000
#define RESUME_MAX_MS 30000
#define RESUMPTIONS 5 /* without an event in between */

/* Between attempts to listen. */
#define LISTEN_MS 1000
#define LISTEN_MAX_MS 60000

/* How much of a refusal is quoted. */
#define QUOTE_BYTES 200

#define SESSION_BYTES 256

/* The "id" of the stream of what a server says by itself. */
#define LISTENING (-2)

struct http {
	struct mcp_wire wire;
	struct loop *loop;
	struct fetch *fetch;
	const struct mcp_server *server;
	struct list exchanges;
	char session[SESSION_BYTES]; /* "": none */
	unsigned n_sessions;	     /* how many there have been */
	struct mcp_pace pace;
	int64_t listen_ms; /* the last delay */
};

/* What an answer is. */
enum form { UNKNOWN, WHOLE, STREAM };

/* One message of ours, or the stream that we listen to, with what comes back. */
struct exchange {
	struct list link;
	struct http *http;
	int64_t id; /* of the request; -1: none; or LISTENING */
	struct fetch_call *call;
	enum form form;
	struct buf body; /* a whole answer */
	struct sse sse;
	char version[16];
	unsigned session; /* the number of the one it was sent in; 0: none */
	unsigned resumptions;
	bool is_answered;
	bool is_over; /* to be freed by its timer, at once */
	bool is_held; /* its timer lets it go on */
	struct loop_timer timer;
};

static struct http *http_of(struct mcp_wire *w)
{
	return (struct http *)(void *)w;
}

/* ---- the end of an exchange ---- */

static void exchange_free(struct exchange *x)
{
	loop_timer_stop(x->http->loop, &x->timer);
	fetch_forget(&x->call);
	list_remove(&x->link);
	sse_fini(&x->sse);
	buf_fini(&x->body);
	free(x);
}

/* Tell that no answer comes, unless nobody waits, and free it. */
static void exchange_lose(struct exchange *x, struct mcp_loss *loss)
{
	struct http *h = x->http;
	int64_t id = x->is_answered ? -1 : x->id;

	exchange_free(x);
	if (id >= 0)
		h->wire.handlers->on_lost(h->wire.arg, id, loss);
}

static void lose_cut(struct exchange *x, const char *detail)
{
	char why[200];
	struct mcp_loss loss = {.was_sent = true, .why = why};

	(void)snprintf(why, sizeof why, "the connection was cut: %s", detail);
	exchange_lose(x, &loss);
}

/* ---- what comes ---- */

static bool on_event(void *arg, const char *name, const char *data, size_t len)
{
	struct exchange *x = arg;
	struct http *h = x->http;

	/* Servers begin with an empty event, for its id. */
	if (len == 0 || (*name && strcmp(name, "message") != 0))
		return true;
	x->resumptions = 0;
	h->wire.handlers->on_message(h->wire.arg, x->id, data, len);
	x->is_held |= !mcp_pace_take(&h->pace, clock_mono_ms());
	return !x->is_over;
}

static void take_session(struct exchange *x)
{
	struct http *h = x->http;
	const char *id = fetch_header(x->call, "mcp-session-id");

	/* Only what was sent without a session may begin one. */
	if (x->session || !id || !*id || strlen(id) >= SESSION_BYTES)
		return;
	(void)snprintf(h->session, SESSION_BYTES, "%s", id);
	h->n_sessions++;
}

static void learn_form(struct exchange *x, long status)
{
	static const char stream[] = "text/event-stream";
	const char *type = fetch_header(x->call, "content-type");

	/* A refusal may name a session that has ended with it. */
	if (status >= 200 && status < 300)
		take_session(x);
	x->form = status == 200 && type &&
			  strncasecmp(type, stream, strlen(stream)) == 0
		      ? STREAM
		      : WHOLE;
}

static void exchange_end_soon(struct exchange *x)
{
	x->is_over = true;
	loop_timer_set(x->http->loop, &x->timer, 0);
}

static void oversized(struct exchange *x, const char *text, size_t len)
{
	struct http *h = x->http;

	h->wire.handlers->on_oversized(h->wire.arg, x->id, text, len);
	if (x->id != LISTENING)
		x->is_answered = true;
	exchange_end_soon(x);
}

static bool take_stream(struct exchange *x, const char *data, size_t len)
{
	if (sse_feed(&x->sse, data, len) == SSE_TOO_LONG)
		oversized(x, "", 0);
	return !x->is_held;
}

static bool take_whole(struct exchange *x, const char *data, size_t len)
{
	if (x->body.len + len > MCP_WIRE_MESSAGE_MAX)
		oversized(x, x->body.data, x->body.len);
	else
		buf_append(&x->body, data, len);
	return true;
}

/* The server waits when it sent too much in this second. */
static bool hold_back(struct exchange *x)
{
	stat_add(mcp_held_back, 1);
	loop_timer_set(x->http->loop, &x->timer, 1000 - clock_mono_ms() % 1000);
	return false;
}

static bool on_part(void *arg, long status, const char *data, size_t len)
{
	struct exchange *x = arg;
	bool has_room;

	if (x->is_over)
		return true;
	if (x->form == UNKNOWN)
		learn_form(x, status);
	has_room = x->form == STREAM ? take_stream(x, data, len)
				     : take_whole(x, data, len);
	return has_room || x->is_over || hold_back(x);
}

/* ---- requests ---- */

static void put_header(struct buf *out, const char *name, const char *value)
{
	if (value && *value)
		buf_printf(out, "%s: %s%c", name, value, '\0');
}

static void put_common(struct buf *out, const struct exchange *x)
{
	const struct http *h = x->http;

	for (char **line = h->server->headers; line && *line; line++)
		buf_append(out, *line, strlen(*line) + 1);
	if (h->server->token)
		buf_printf(
		    out, "Authorization: Bearer %s%c", h->server->token, '\0');
	put_header(out, "Mcp-Protocol-Version", x->version);
	put_header(out, "Mcp-Session-Id", h->session);
}

/* Make an array of the headers; free() it. */
static const char **list_headers(const struct buf *text)
{
	size_t n = 0;
	const char *end = text->data + text->len;

	for (const char *at = text->data; at < end; at += strlen(at) + 1)
		n++;
	const char **list = mem_zero((n + 1) * sizeof *list);
	n = 0;
	for (const char *at = text->data; at < end; at += strlen(at) + 1)
		list[n++] = at;
	return list;
}

static void on_end(void *arg, const struct fetch_answer *answer);

static void exchange_start(
    struct exchange *x, const struct buf *headers, const char *body, size_t len)
{
	const char **list = list_headers(headers);
	const struct fetch_ask ask = {
	    .url = x->http->server->url,
	    .headers = list,
	    .body = body,
	    .body_len = len,
	    .timeout_ms = STREAM_TIMEOUT_MS,
	    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
	    .max_bytes = STREAM_BYTES,
	    .on_part = on_part,
	};

	x->form = UNKNOWN;
	buf_reset(&x->body);
	x->call = fetch_start(x->http->fetch, &ask, on_end, x);
	free(list);
}

static void exchange_get(struct exchange *x)
{
	struct buf headers = {0};

	put_common(&headers, x);
	put_header(&headers, "Accept", "text/event-stream");
	put_header(&headers, "Last-Event-ID", buf_cstr(&x->sse.id));
	exchange_start(x, &headers, NULL, 0);
	buf_fini(&headers);
}

/* ---- the end of an answer ---- */

/* What was cut is read again from the last whole event. */
static void restart_sse(struct exchange *x)
{
	struct sse fresh = {.max_bytes = MCP_WIRE_MESSAGE_MAX,
	    .fn = on_event,
	    .arg = x,
	    .id = x->sse.id,
	    .retry_ms = x->sse.retry_ms};

	x->sse.id = (struct buf){0};
	buf_append(&fresh.next_id, fresh.id.data, fresh.id.len);
	sse_fini(&x->sse);
	x->sse = fresh;
}

static void resume(struct exchange *x, const char *detail)
{
	int64_t delay_ms = x->sse.retry_ms ? x->sse.retry_ms : RESUME_MS;

	if (x->sse.id.len == 0 || x->resumptions++ == RESUMPTIONS) {
		lose_cut(x, detail);
		return;
	}
	restart_sse(x);
	stat_add(mcp_resumed, 1);
	loop_timer_set(x->http->loop, &x->timer,
	    delay_ms < RESUME_MAX_MS ? delay_ms : RESUME_MAX_MS);
}

/* Returns whether a refusal is one in the words of the protocol. */
static bool is_rpc_error(const struct buf *body)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool is = json_is(
	    json_get(json_parse(&doc, body->data, body->len, 0, &why), "error"),
	    JSON_OBJECT);

	json_fini(&doc);
	return is;
}

/*
 * What is no request, such as a cancellation, is not sent again: the next
 * request finds out that the session is gone.
 */
static bool is_session_gone(const struct exchange *x, long status)
{
	return status == 404 && x->session > 0 && x->id >= 0;
}

static void refuse(struct exchange *x, long status)
{
	struct buf why = {0};
	size_t len = x->body.len < QUOTE_BYTES ? x->body.len : QUOTE_BYTES;
	struct mcp_loss loss = {.status = (int)status,
	    .is_session_gone = is_session_gone(x, status)};

	/* Its own session, not one that has begun since. */
	if (loss.is_session_gone && x->session == x->http->n_sessions)
		*x->http->session = '\0';
	loss.has_other_session =
	    loss.is_session_gone && *x->http->session != '\0';
	buf_printf(&why, "it answered with status %ld", status);
	if (len) {
		buf_str(&why, ": ");
		buf_json(&why, x->body.data, len);
	}
	loss.why = buf_cstr(&why);
	exchange_lose(x, &loss);
	buf_fini(&why);
}

/* A JSON object, in whatever status, or nothing at all. */
static void take_end(struct exchange *x, long status)
{
	struct http *h = x->http;
	bool is_good = status >= 200 && status < 300;

	if (x->is_answered || (x->id < 0 && is_good)) {
		exchange_free(x);
	} else if (is_session_gone(x, status) ||
		   (!is_good && !is_rpc_error(&x->body))) {
		refuse(x, status);
	} else if (x->body.len == 0) {
		lose_cut(x, "the answer is empty");
	} else {
		struct buf body = x->body;
		int64_t id = x->id;
		x->body = (struct buf){0};
		exchange_free(x);
		h->wire.handlers->on_message(
		    h->wire.arg, id, body.data, body.len);
		buf_fini(&body);
	}
}

static void lose_connection(struct exchange *x, const char *error)
{
	char why[200];
	/* It is not known how much of the request the server got. */
	struct mcp_loss loss = {.was_sent = true, .why = why};

	(void)snprintf(why, sizeof why, "no answer: %s", error);
	exchange_lose(x, &loss);
}

static void listen_again(struct exchange *x, long status)
{
	struct http *h = x->http;

	/* Most servers have nothing to say by themselves. */
	if (status >= 400) {
		exchange_free(x);
		return;
	}
	restart_sse(x);
	h->listen_ms = backoff(h->listen_ms, LISTEN_MS, LISTEN_MAX_MS);
	loop_timer_set(h->loop, &x->timer, h->listen_ms);
}

static void on_end(void *arg, const struct fetch_answer *answer)
{
	struct exchange *x = arg;

	if (x->form == UNKNOWN && !answer->error)
		learn_form(x, answer->status);
	x->call = NULL;
	x->is_held = false;
	loop_timer_stop(x->http->loop, &x->timer);
	if (x->is_over)
		exchange_free(x);
	else if (x->id == LISTENING)
		listen_again(x, answer->error ? 0 : answer->status);
	else if (x->is_answered)
		exchange_free(x);
	else if (x->form == STREAM || (x->resumptions && answer->error))
		resume(x, answer->error ? answer->error : "it ended early");
	else if (x->resumptions)
		lose_cut(x, "the server does not resume it");
	else if (answer->error)
		lose_connection(x, answer->error);
	else
		take_end(x, answer->status);
}

static void on_time(void *arg)
{
	struct exchange *x = arg;

	if (x->is_over || x->is_answered) {
		exchange_free(x);
	} else if (x->is_held) {
		x->is_held = false;
		fetch_resume(x->call);
	} else {
		exchange_get(x);
	}
}

/* ---- the wire ---- */

static struct exchange *exchange_new(
    struct http *h, int64_t id, const char *version)
{
	struct exchange *x = mem_zero(sizeof *x);

	x->http = h;
	x->id = id;
	x->session = *h->session ? h->n_sessions : 0;
	x->sse = (struct sse){
	    .max_bytes = MCP_WIRE_MESSAGE_MAX, .fn = on_event, .arg = x};
	(void)snprintf(
	    x->version, sizeof x->version, "%s", version ? version : "");
	loop_timer_init(&x->timer, on_time, x);
	list_append(&h->exchanges, &x->link);
	return x;
}

static void http_send(struct mcp_wire *w, const struct mcp_out *out)
{
	struct exchange *x = exchange_new(http_of(w), out->id, out->version);
	struct buf headers = {0};

	put_common(&headers, x);
	put_header(&headers, "Content-Type", "application/json");
	put_header(&headers, "Accept", "application/json, text/event-stream");
	/* Otherwise a long request waits for a permission to be sent. */
	buf_append(&headers, "Expect:", 8);
	if (out->is_modern)
		put_header(&headers, "Mcp-Method", out->method);
	if (out->is_modern && out->name) {
		buf_str(&headers, "Mcp-Name: ");
		mcp_header_put_value(&headers, out->name, strlen(out->name));
		buf_char(&headers, '\0');
	}
	for (const char *line = out->headers;
	     out->is_modern && line && line < out->headers + out->headers_len;
	     line += strlen(line) + 1)
		buf_append(&headers, line, strlen(line) + 1);
	exchange_start(x, &headers, out->text, out->len);
	buf_fini(&headers);
}

static void http_forget(struct mcp_wire *w, int64_t id, bool is_answered)
{
	struct http *h = http_of(w);

	list_each_safe(link, &h->exchanges)
	{
		struct exchange *x = list_entry(link, struct exchange, link);
		if (x->id != id || x->is_answered)
			continue;
		x->is_answered = true;
		/* It may be in a callback of its own. */
		loop_timer_set(h->loop, &x->timer, is_answered ? LINGER_MS : 0);
	}
}

static void http_listen(struct mcp_wire *w, const char *version)
{
	exchange_get(exchange_new(http_of(w), LISTENING, version));
}

static void http_close(struct mcp_wire **w)
{
	struct http *h = http_of(*w);

	*w = NULL;
	list_each_safe(link, &h->exchanges)
	    exchange_free(list_entry(link, struct exchange, link));
	free(h);
}

static const struct mcp_wire_ops http_ops = {
    .send = http_send,
    .forget = http_forget,
    .listen = http_listen,
    .close = http_close,
};

struct mcp_wire *mcp_http_open(struct loop *loop, struct fetch *fetch,
    const struct mcp_server *server, const struct mcp_wire_handlers *handlers,
    void *arg)
{
	struct http *h = mem_zero(sizeof *h);

	h->wire = (struct mcp_wire){&http_ops, handlers, arg};
	h->loop = loop;
	h->fetch = fetch;
	h->server = server;
	list_init(&h->exchanges);
	return &h->wire;
}
