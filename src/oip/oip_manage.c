/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_manage.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/brief_page.h"
#include "door/door.h"
#include "door/known_session.h"
#include "door/listing.h"
#include "net/wire.h"
#include "oip/oip_conn.h"
#include "oip/oip_request.h"

#include <stdlib.h>

/* Commands of one client that may wait for their end. */
#define MAX_COMMANDS 8

/* A command that waits. */
struct oip_command {
	struct list link;
	struct oip_conn *conn;
	struct listing_run *run;       /* NULL: none */
	struct session_change *change; /* NULL: none */
	struct session *session;
	struct buf request; /* ,"request_id":.. */
	struct buf reply;   /* of a change, without its end */
};

static void oip_manage_free(struct oip_command *w)
{
	list_remove(&w->link);
	if (w->session)
		session_close(&w->session);
	buf_fini(&w->request);
	buf_fini(&w->reply);
	free(w);
}

void oip_manage_forget(struct oip_conn *c)
{
	list_each_safe(it, &c->commands)
	{
		struct oip_command *w =
		    list_entry(it, struct oip_command, link);
		listing_stop(&w->run);
		session_change_forget(&w->change);
		oip_manage_free(w);
	}
}

/* Whether the client may have one more; otherwise it is told why not. */
static bool oip_manage_may(struct oip_conn *c, const struct json *frame)
{
	size_t n = 0;

	list_each(it, &c->commands) n++;
	if (!c->session || !c->is_v2)
		oip_request_refuse(c, frame,
		    "this needs a CONNECT with \"signed_commands\":1");
	else if (n >= MAX_COMMANDS)
		oip_request_refuse(
		    c, frame, "too many calls at once; wait for a result");
	else
		return true;
	return false;
}

static struct oip_command *oip_manage_new(
    struct oip_conn *c, const struct json *frame)
{
	struct oip_command *w = mem_zero(sizeof *w);

	w->conn = c;
	oip_request_put(&w->request, frame);
	list_append(&c->commands, &w->link);
	return w;
}

/* Send a frame with the request_id of the command, or ERROR. */
static void answer(
    struct oip_command *w, const struct buf *reply, const struct err *err)
{
	struct buf *out = oip_conn_frame();

	if (err) {
		buf_str(out, "{\"type\":\"ERROR\",\"message\":");
		buf_json_str(out, err_public_text(err));
	} else {
		buf_append(out, reply->data, reply->len);
	}
	buf_append(out, w->request.data, w->request.len);
	buf_char(out, '}');
	oip_conn_send(w->conn);
}

/* ---- SESSIONS ---- */

/* A page, and the command that it answers. */
struct oip_listing {
	struct brief_page *page;
	struct oip_command *command;
};

static void forget_list(void *arg)
{
	struct oip_listing *l = arg;

	brief_page_free(l->page);
	free(l);
}

static void finish_list(struct listing *made)
{
	struct oip_listing *l = made->arg;

	brief_page_put_end(&made->out, made->next);
	answer(l->command, &made->out, made->err);
	oip_manage_free(l->command);
	forget_list(l);
}

static const struct listing_form list_form = {
    .head = "{\"type\":\"SESSIONS\",\"sessions\":[",
    .put = brief_put,
    .finish = finish_list,
    .most_ticks = BRIEF_PAGE_TICKS,
    .forget = forget_list,
};

static void read_text(
    struct buf *text, const struct json *frame, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(json_get(frame, name), &scratch, &len);

	if (s)
		buf_append(text, s, len);
	(void)buf_cstr(text);
	buf_fini(&scratch);
}

/* The place is a text that another page gave. */
static int64_t read_before(const struct json *frame)
{
	struct buf text = {0};
	int64_t n = 0;
	char *end;

	read_text(&text, frame, "before");
	if (text.len) {
		n = strtoll(text.data, &end, 10);
		n = *end || n < 1 ? -1 : n;
	}
	buf_fini(&text);
	return n;
}

void oip_manage_list(struct oip_conn *c, const struct json *frame)
{
	struct brief_ask ask = {.limit = BRIEF_PAGE_PRESET,
	    .before = read_before(frame),
	    .is_here = c->wire->peer_is_loopback};
	const struct json *limit = json_get(frame, "limit");
	struct oip_listing *l;
	struct oip_command *w;
	struct listing_run *run;
	struct err err;

	if (!oip_manage_may(c, frame))
		return;
	if (json_type(limit) != JSON_NULL && !json_int(limit, &ask.limit))
		ask.limit = 0;
	read_text(&ask.text, frame, "q");
	read_text(&ask.status, frame, "status");
	read_text(&ask.owner, frame, "owner");
	struct brief_page *page = brief_page_new(&ask, &c->caller, &err);
	brief_ask_fini(&ask);
	if (!page) {
		oip_request_refuse(c, frame, err.text);
		return;
	}
	l = mem_zero(sizeof *l);
	l->page = page;
	l->command = w = oip_manage_new(c, frame);
	run = listing_start(c->setup, &list_form, &page->query, l);
	if (run) /* a list that is finished already has freed w */
		w->run = run;
}

/* ---- RENAME and DELETE ---- */

static void on_changed(void *arg, const struct err *err)
{
	struct oip_command *w = arg;

	w->change = NULL;
	answer(w, &w->reply, err);
	oip_manage_free(w);
}

/*
 * Open the session that a command names, for a client that may change it;
 * otherwise the client is told why not.
 */
static struct session *open_held(struct oip_conn *c, const struct json *frame)
{
	struct buf id = {0};
	struct session *s;
	struct err err;

	read_text(&id, frame, "session_id");
	s = known_session_open(c->setup, id.data, id.len, &c->caller, &err);
	if (s &&
	    known_session_may_change(s, &c->caller, c->wire->place, &err) != 0)
		session_close(&s);
	if (!s)
		oip_request_refuse(c, frame, err_public_text(&err));
	buf_fini(&id);
	return s;
}

/* Begin a command about a session, and the reply to it. Takes the session. */
static struct oip_command *begin(struct oip_conn *c, const struct json *frame,
    struct session *s, const char *type)
{
	struct oip_command *w = oip_manage_new(c, frame);

	w->session = s;
	buf_printf(&w->reply, "{\"type\":\"%s\",\"session_id\":", type);
	buf_json_str(&w->reply, session_id(s));
	return w;
}

static void rename_to(
    struct oip_conn *c, const struct json *frame, const struct buf *title)
{
	struct session *s = open_held(c, frame);
	struct oip_command *w;

	if (!s)
		return;
	w = begin(c, frame, s, "RENAMED");
	buf_str(&w->reply, ",\"title\":");
	buf_json(&w->reply, title->data, title->len);
	w->change = session_set_title(
	    s, title->data, title->len, c->caller.address, on_changed, w);
}

void oip_manage_rename(struct oip_conn *c, const struct json *frame)
{
	struct buf title = {0};

	if (!oip_manage_may(c, frame))
		return;
	read_text(&title, frame, "title");
	if (!json_is(json_get(frame, "title"), JSON_STRING) ||
	    title.len > SESSION_TITLE_MAX)
		oip_request_refuse(
		    c, frame, "title must be a text of at most 200 bytes");
	else
		rename_to(c, frame, &title);
	buf_fini(&title);
}

void oip_manage_delete(struct oip_conn *c, const struct json *frame)
{
	struct session *s;
	struct oip_command *w;

	if (!oip_manage_may(c, frame) || !(s = open_held(c, frame)))
		return;
	w = begin(c, frame, s, "DELETED");
	w->change = session_delete(s, on_changed, w);
}
