/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_conn_int.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "core/mcp_servers.h"
#include "core/stat.h"
#include "mcp/mcp_wire.h"

#include <stdarg.h>
#include <stdio.h>

/* Strange messages that are logged of one connection. */
#define MAX_COMPLAINTS 10

const char *mcp_conn_name(const struct mcp_conn *c)
{
	return c->setup.server->name;
}

/* ---- failure ---- */

/* The wire is closed later: it may be in a callback of its own. */
void mcp_conn_fail(struct mcp_conn *c, const char *fmt, ...)
{
	va_list ap;

	if (c->is_failing)
		return;
	c->is_failing = true;
	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof c->why, fmt, ap);
	va_end(ap);
	loop_later_ask(c->setup.loop, &c->later);
}

/* A message that makes no sense is told a few times, and always counted. */
void mcp_conn_complain(struct mcp_conn *c, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	stat_add(mcp_strange, 1);
	if (c->complaints++ >= MAX_COMPLAINTS)
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	log_warn("mcp server=%s: %s", mcp_conn_name(c), buf_cstr(&text));
	buf_fini(&text);
}

/* ---- what we say ---- */

static void send(
    struct mcp_conn *c, int64_t id, const char *method, const struct buf *text)
{
	const struct mcp_out out = {
	    .text = text->data,
	    .len = text->len,
	    .id = id,
	    .method = method,
	    .version = *c->about.version ? c->about.version : NULL,
	    .is_modern = c->about.era == MCP_MODERN,
	};

	c->wire->ops->send(c->wire, &out);
}

void mcp_conn_say_answer(struct mcp_conn *c, const struct buf *text)
{
	const struct mcp_out out = {
	    .text = text->data,
	    .len = text->len,
	    .id = -1,
	    .version = *c->about.version ? c->about.version : NULL,
	    .is_modern = c->about.era == MCP_MODERN,
	};

	c->wire->ops->send(c->wire, &out);
}

void mcp_conn_say_cancelled(struct mcp_conn *c, const struct mcp_request *r)
{
	struct buf text = {0};

	/* A modern server of HTTP knows by the end of the stream. */
	if (c->is_program || c->about.era == MCP_LEGACY) {
		mcp_message_put_cancelled(
		    &text, r->id, "the result is not needed any more");
		send(c, -1, "notifications/cancelled", &text);
	}
	c->wire->ops->forget(c->wire, r->id, false);
	buf_fini(&text);
}

void mcp_conn_send_request(struct mcp_conn *c, struct mcp_request *r)
{
	struct buf text = {0}, headers = {0};

	r->id = ++c->last_id;
	list_append(&c->sent, &r->link);
	r->ops->write(r->arg, &text, c->about.era, r->id);
	if (!c->is_program)
		r->ops->write_headers(r->arg, &headers);
	const struct mcp_out out = {
	    .text = text.data,
	    .len = text.len,
	    .id = r->id,
	    .method = "tools/call",
	    .name = r->name,
	    .version = c->about.version,
	    .is_modern = c->about.era == MCP_MODERN,
	    .headers = headers.data,
	    .headers_len = headers.len,
	};
	c->wire->ops->send(c->wire, &out);
	buf_fini(&text);
	buf_fini(&headers);
}

void mcp_conn_send_waiting(struct mcp_conn *c)
{
	struct list *link;

	while (c->step == STEP_READY && !c->is_failing &&
	       (link = list_shift(&c->waiting)) != NULL)
		mcp_conn_send_request(
		    c, list_entry(link, struct mcp_request, link));
}

void mcp_conn_rest(struct mcp_conn *c)
{
	if (c->is_program && c->step == STEP_READY && c->n_requests == 0)
		loop_timer_set(c->setup.loop, &c->idle, c->setup.idle_ms);
	else
		loop_timer_stop(c->setup.loop, &c->idle);
}

void mcp_conn_list(struct mcp_conn *c, const struct json *cursor)
{
	struct buf text = {0};

	c->list_id = ++c->last_id;
	mcp_message_put_list(&text, c->about.era, c->list_id, cursor);
	send(c, c->list_id, "tools/list", &text);
	buf_fini(&text);
}

static void begin_list(struct mcp_conn *c)
{
	const struct mcp_server *server = c->setup.server;

	c->is_list_stale = false;
	c->n_pages = 0;
	mcp_tools_fini(&c->next_tools);
	c->next_tools = (struct mcp_tools){
	    .server = server->name,
	    .is_trusted = server->is_trusted,
	    .has_headers = !c->is_program,
	};
	mcp_conn_list(c, NULL);
	loop_timer_set(c->setup.loop, &c->timer, c->setup.connect_ms);
}

/* ---- opening ---- */

void mcp_conn_say_discover(struct mcp_conn *c)
{
	struct buf text = {0};

	c->about = (struct mcp_about){
	    .era = MCP_MODERN, .version = MCP_VERSION_MODERN};
	c->step = STEP_DISCOVER;
	c->discover_id = ++c->last_id;
	mcp_message_put_discover(&text, c->discover_id);
	send(c, c->discover_id, "server/discover", &text);
	loop_timer_set(c->setup.loop, &c->timer,
	    c->is_program ? c->setup.probe_ms : c->setup.connect_ms);
	buf_fini(&text);
}

void mcp_conn_say_initialize(struct mcp_conn *c)
{
	struct buf text = {0};

	c->about = (struct mcp_about){.era = MCP_LEGACY};
	c->step = STEP_INITIALIZE;
	c->list_id = -1; /* of a session that is gone; it is listed again */
	c->step_id = ++c->last_id;
	mcp_message_put_initialize(&text, c->step_id);
	send(c, c->step_id, "initialize", &text);
	loop_timer_set(c->setup.loop, &c->timer, c->setup.connect_ms);
	buf_fini(&text);
}

static void say_listen(struct mcp_conn *c)
{
	struct buf text = {0};

	c->listen_id = ++c->last_id;
	mcp_message_put_listen(&text, c->listen_id);
	send(c, c->listen_id, "subscriptions/listen", &text);
	buf_fini(&text);
}

void mcp_conn_finish_list(struct mcp_conn *c)
{
	c->list_id = -1;
	mcp_tools_fini(&c->tools);
	c->tools = c->next_tools;
	c->next_tools = (struct mcp_tools){0};
	c->is_loaded = true;
	c->failures = 0;
	c->delay_ms = 0;
	loop_timer_stop(c->setup.loop, &c->timer);
	log_info("mcp server=%s: protocol=%s tools=%zu", mcp_conn_name(c),
	    c->about.version, c->tools.n);
	if (c->tools.n_left_out)
		log_warn("mcp server=%s: %zu tools are left out; %s",
		    mcp_conn_name(c), c->tools.n_left_out, c->tools.why);
	mcp_conn_rest(c);
}

void mcp_conn_relist(struct mcp_conn *c)
{
	if (c->about.era == MCP_MODERN && c->about.tells_changes &&
	    c->listen_id < 0)
		say_listen(c);
	if (c->list_id < 0)
		begin_list(c);
}

void mcp_conn_become_ready(struct mcp_conn *c)
{
	struct buf text = {0};

	c->step = STEP_READY;
	if (c->about.era == MCP_LEGACY) {
		mcp_message_put_initialized(&text);
		send(c, -1, "notifications/initialized", &text);
		if (c->wire->ops->listen)
			c->wire->ops->listen(c->wire, c->about.version);
	} else if (c->about.tells_changes) {
		say_listen(c);
	}
	buf_fini(&text);
	if (c->about.has_tools)
		begin_list(c);
	else
		mcp_conn_finish_list(c);
	mcp_conn_send_waiting(c);
}
