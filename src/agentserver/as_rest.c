/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_rest.h"

#include "agentserver/as_auth.h"
#include "agentserver/as_id.h"
#include "agentserver/as_list.h"
#include "agentserver/as_nudge.h"
#include "agentserver/as_page.h"
#include "agentserver/as_reply.h"
#include "agentserver/as_run.h"
#include "agentserver/as_talk.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/conversations.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "door/server_info.h"
#include "net/http.h"
#include "openhands/oh_key.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* A request about a conversation. */
struct asked {
	struct http_req *req;
	struct as_talk talk;
	const struct json *body; /* NULL: none was wanted */
};

struct route {
	const char *method;
	const char *path;
	void (*fn)(struct asked *a);
	bool has_body;	   /* it must have one, of JSON */
	bool is_of_one;	   /* about the conversation that its path names */
	const char *lacks; /* without fn: what this server does not do */
};

static const struct door_setup *setup;

/* ---- pending replies ---- */

/* A request that waits for something to be durable. */
struct pending {
	struct http_req *req;
	struct as_run *run;
	struct session_draft_call *draft;
	struct session_change *change;
	struct as_talk talk;
	struct buf reply;	 /* "": success */
	struct as_message first; /* said once the conversation is stored */
	bool has_first;
};

static void pending_free(struct pending *p)
{
	as_talk_close(&p->talk);
	buf_fini(&p->reply);
	as_message_fini(&p->first);
	free(p);
}

static void on_gone(void *arg)
{
	struct pending *p = arg;
	as_run_forget(&p->run);
	session_keep_forget(&p->draft);
	session_change_forget(&p->change);
	pending_free(p);
}

/* Takes the conversation. */
static struct pending *pend(struct asked *a)
{
	struct pending *p = mem_zero(sizeof *p);
	p->req = a->req;
	p->talk = a->talk;
	a->talk.session = NULL;
	http_on_gone(p->req, on_gone, p);
	return p;
}

static void settle(struct pending *p, const struct err *err)
{
	http_on_gone(p->req, NULL, NULL);
	if (err)
		as_reply_err(p->req, err);
	else if (p->reply.len)
		reply_json(p->req, 201, &p->reply);
	else
		reply_success(p->req);
	pending_free(p);
}

static void on_run(void *arg, const struct err *err)
{
	settle(arg, err);
}

static void on_changed(void *arg, const struct err *err)
{
	struct pending *p = arg;
	p->change = NULL;
	settle(p, err);
}

/* ---- messages and runs ---- */

static struct as_sender sender_of(struct http_req *req)
{
	return (struct as_sender){
	    .peer = http_peer(req),
	    .place = http_place(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
}

static void say_in(struct pending *p, const struct as_message *m)
{
	struct err err;
	const struct as_sender who = sender_of(p->req);
	switch (as_run(&p->run, &p->talk, m, &who, on_run, p, &err)) {
	case AS_PENDING:
		return;
	case AS_FAILED:
		settle(p, &err);
		return;
	case AS_NOTHING:
		as_nudge(setup->heritage, as_talk_salt(&p->talk));
		settle(p, NULL);
		return;
	case AS_DONE:
		settle(p, NULL);
		return;
	}
}

static void say(struct asked *a, const struct as_message *m)
{
	say_in(pend(a), m);
}

static void post_event(struct asked *a)
{
	struct as_message m;
	struct err err;
	if (as_message_read(&m, a->body, false, &err) == 0)
		say(a, &m);
	else
		reply_detail(a->req, 422, err.text);
	as_message_fini(&m);
}

static void post_run(struct asked *a)
{
	say(a, NULL);
}

static void post_stop(struct asked *a)
{
	as_run_stop(&a->talk);
	reply_success(a->req);
}

static void post_confirmation(struct asked *a)
{
	struct err err;
	const struct as_sender who = sender_of(a->req);
	bool is_accepted;
	if (!json_bool(json_get(a->body, "accept"), &is_accepted))
		reply_detail(a->req, 422, "accept must be true or false");
	else if (as_run_confirm(&a->talk, &who, is_accepted,
		     json_get(a->body, "reason"), &err) < 0)
		as_reply_err(a->req, &err);
	else
		reply_success(a->req);
}

/* ---- titles ---- */

/* Whether the client holds the conversation; otherwise it is refused. */
static bool is_held(struct asked *a)
{
	if (as_talk_is_held(&a->talk, http_place(a->req)))
		return true;
	reply_detail(a->req, 403, "another client holds this conversation");
	return false;
}

static void set_title(struct asked *a)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *title =
	    json_str(json_get(a->body, "title"), &scratch, &len);
	if (!title || !len || len > SESSION_TITLE_MAX) {
		reply_detail(
		    a->req, 422, "title must be a text of 1 to 200 bytes");
	} else if (is_held(a)) {
		struct pending *p = pend(a);
		p->change = session_set_title(
		    p->talk.session, title, len, "", on_changed, p);
	}
	buf_fini(&scratch);
}

/* ---- reading ---- */

static void get_one(struct asked *a)
{
	struct buf out = {0};
	as_talk_put_info(&out, &a->talk);
	reply_json(a->req, 200, &out);
	buf_fini(&out);
}

/* Read limit, 1 to AS_PAGE_MOST. */
static bool read_limit(struct http_req *req, unsigned *most)
{
	int64_t n = AS_PAGE_MOST;
	if (!reply_query_int(req, "limit", &n) || n < 1 || n > AS_PAGE_MOST)
		return false;
	*most = (unsigned)n;
	return true;
}

/* Read page_id: the id of the first event of the page. */
static bool read_page(const struct asked *a, uint64_t *from)
{
	size_t len = 0;
	const char *text = reply_query(a->req, "page_id", &len);
	*from = 1;
	if (!text || !len)
		return true;
	return as_id_event_read(from, as_talk_salt(&a->talk), text, len) &&
	       *from <= session_head(a->talk.session);
}

/* Returns the first parameter that would be ignored, or NULL. */
static const char *filter_of(struct http_req *req)
{
	static const char *const filters[] = {"kind", "source", "body",
	    "timestamp__gte", "timestamp__lt", "sort_order"};
	size_t len;
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		if (reply_query(req, filters[i], &len))
			return filters[i];
	return NULL;
}

static void refuse_filter(struct http_req *req, const char *name)
{
	struct buf text = {0};
	buf_printf(&text,
	    "%s: events are sent in the order of their numbers, without a "
	    "filter",
	    name);
	reply_detail(req, 501, buf_cstr(&text));
	buf_fini(&text);
}

static void search_events(struct asked *a)
{
	struct buf out = {0};
	unsigned most;
	uint64_t from;
	const char *filter = filter_of(a->req);
	if (filter) {
		refuse_filter(a->req, filter);
	} else if (!read_limit(a->req, &most)) {
		reply_detail(a->req, 422, "limit must be 1 to 100");
	} else if (!read_page(a, &from)) {
		reply_detail(a->req, 422,
		    "page_id is not the id of an event of this conversation");
	} else {
		as_page_put(&out, &a->talk, from, most);
		reply_json(a->req, 200, &out);
	}
	buf_fini(&out);
}

static void count_events(struct asked *a)
{
	struct buf out = {0};
	buf_int(&out, (int64_t)session_head(a->talk.session));
	reply_json(a->req, 200, &out);
	buf_fini(&out);
}

/* ---- lists ---- */

/* The id of a session without an owner is all that protects it. */
static bool may_list(struct http_req *req)
{
	if (oh_key_is_set() || http_peer_is_loopback(req))
		return true;
	reply_detail(req, 401,
	    "Unauthorized: conversations are listed for clients that show the "
	    "key (SESSION_API_KEY), or are on the server's machine");
	return false;
}

/* Read page_id: the place in the list; an empty one is its beginning. */
static bool read_place(struct http_req *req, uint64_t *place)
{
	size_t len = 0;
	int64_t n = 0;
	(void)reply_query(req, "page_id", &len);
	if (len && (!reply_query_int(req, "page_id", &n) || n < 0))
		return false;
	*place = (uint64_t)n;
	return true;
}

static void search(struct asked *a)
{
	unsigned most;
	uint64_t before;
	if (!may_list(a->req))
		return;
	if (!read_limit(a->req, &most))
		reply_detail(a->req, 422, "limit must be 1 to 100");
	else if (!read_place(a->req, &before))
		reply_detail(a->req, 422,
		    "page_id must be the next_page_id of another page");
	else
		as_list_answer(a->req, setup, before, most);
}

static void get_some(struct asked *a)
{
	struct buf out = {0};
	struct err err;
	if (as_list_put_some(&out, setup, http_query(a->req), &err) < 0)
		reply_detail(a->req, 422, err.text);
	else
		reply_json(a->req, 200, &out);
	buf_fini(&out);
}

/* ---- creating and deleting ---- */

/* Read the id that the client wants; a new one if it names none. */
static bool read_id(char uuid[ENC_UUID_SIZE], const struct json *body)
{
	const struct json *id = json_get(body, "conversation_id");
	struct buf scratch = {0};
	size_t len = 0;
	if (json_type(id) == JSON_NULL) {
		enc_uuid(uuid);
		return true;
	}
	const char *text = json_str(id, &scratch, &len);
	bool is_it = text && as_id_read(uuid, text, len);
	buf_fini(&scratch);
	return is_it;
}

static const struct json *object(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);
	return json_is(v, JSON_OBJECT) ? v : NULL;
}

static void on_created(void *arg, const struct err *err)
{
	struct pending *p = arg;
	p->draft = NULL;
	if (p->has_first && !err)
		say_in(p, &p->first);
	else
		settle(p, err);
}

static void begin_new(
    struct asked *a, struct buf *reply, struct as_message *first)
{
	struct pending *p = pend(a);
	p->reply = *reply;
	*reply = (struct buf){0};
	p->has_first = first->images.len;
	p->first = *first;
	*first = (struct as_message){.wants_run = false};
	p->draft = session_keep(p->talk.session, "", 0, "", on_created, p);
}

/* Read what is to be said first; *m is {0} if there is nothing. */
static int read_first(
    struct as_message *m, const struct json *body, struct err *err)
{
	const struct json *first = json_get(body, "initial_message");
	*m = (struct as_message){.wants_run = false};
	if (json_type(first) == JSON_NULL)
		return 0;
	return as_message_read(m, first, false, err);
}

static void create_as(
    struct asked *a, const char *uuid, struct as_message *first)
{
	struct err err;
	bool is_new;
	struct buf out = {0};
	if (as_talk_begin(&a->talk, setup, uuid, &is_new, &err) < 0) {
		as_reply_err(a->req, &err);
		return;
	}
	as_talk_put_created(&out, &a->talk, object(a->body, "agent"),
	    object(a->body, "workspace"));
	if (is_new)
		begin_new(a, &out, first);
	else
		reply_json(a->req, 200, &out);
	buf_fini(&out);
}

static void create(struct asked *a)
{
	char uuid[ENC_UUID_SIZE];
	struct as_message first = {.wants_run = false};
	struct err err;
	if (!read_id(uuid, a->body))
		reply_detail(a->req, 422, "conversation_id must be a UUID");
	else if (read_first(&first, a->body, &err) < 0)
		reply_detail(a->req, 422, err.text);
	else
		create_as(a, uuid, &first);
	as_message_fini(&first);
}

static void delete_one(struct asked *a)
{
	if (!is_held(a))
		return;
	struct pending *p = pend(a);
	p->change = session_delete(p->talk.session, on_changed, p);
}

/* ---- all requests ---- */

#define CONVERSATIONS "/api/conversations"
#define ONE CONVERSATIONS "/*"

static const struct route routes[] = {
    {"POST", CONVERSATIONS, create, true, false, NULL},
    {"GET", CONVERSATIONS, get_some, false, false, NULL},
    {"GET", CONVERSATIONS "/search", search, false, false, NULL},
    {"DELETE", ONE, delete_one, false, true, NULL},
    {"GET", ONE, get_one, false, true, NULL},
    {"PATCH", ONE, set_title, true, true, NULL},
    {"GET", ONE "/events/search", search_events, false, true, NULL},
    {"GET", ONE "/events/count", count_events, false, true, NULL},
    {"POST", ONE "/events", post_event, true, true, NULL},
    {"POST", ONE "/events/respond_to_confirmation", post_confirmation, true,
	true, NULL},
    {"POST", ONE "/run", post_run, false, true, NULL},
    {"POST", ONE "/pause", post_stop, false, true, NULL},
    {"POST", ONE "/interrupt", post_stop, false, true, NULL},
    {"POST", ONE "/confirmation_policy", NULL, false, true,
	"the server decides what needs a confirmation (permissions in "
	"host.yaml)"},
    {"POST", ONE "/security_analyzer", NULL, false, true,
	"the server has no security analyzer"},
    {"POST", ONE "/secrets", NULL, false, true,
	"the agent of this server takes no secrets from clients"},
    {"POST", ONE "/ask_agent", NULL, false, true,
	"the agent of this server answers in its conversation only"},
    {"POST", ONE "/condense", NULL, false, true,
	"the agent of this server condenses by itself"},
    {"POST", ONE "/load_plugin", NULL, false, true,
	"the agent of this server takes no plugins from clients"},
    {"POST", ONE "/fork", NULL, false, true, "conversations cannot be forked"},
    {"POST", ONE "/navigate", NULL, false, true,
	"a conversation has no branches"},
};

static void answer_about(struct asked *a, const struct route *r)
{
	struct err err;
	char uuid[ENC_UUID_SIZE];
	const char *id = http_segment(a->req);
	if (!as_id_read(uuid, id, strlen(id)))
		reply_detail(a->req, 422, "the id of a conversation is a UUID");
	else if (as_talk_open(&a->talk, setup, uuid, &err) == 0 && r->fn)
		r->fn(a);
	else if (a->talk.session)
		reply_detail(a->req, 501, r->lacks);
	else if (err.code == ERR_NOT_FOUND)
		reply_detail(a->req, 404, "Not Found");
	else
		as_reply_err(a->req, &err);
}

static void on_admitted(struct http_req *req, void *arg)
{
	const struct route *r = arg;
	struct asked a = {.req = req};
	struct json_doc doc = {0};
	struct json_error why;
	size_t len = 0;
	const char *body = http_body(req, &len);
	a.body = r->has_body ? json_parse(&doc, body, len, 0, &why) : NULL;
	if (r->has_body && !json_is(a.body, JSON_OBJECT))
		reply_detail(req, 422, "the body must be a JSON object");
	else if (!r->is_of_one)
		r->fn(&a);
	else
		answer_about(&a, r);
	as_talk_close(&a.talk);
	json_fini(&doc);
}

static void refuse(struct http_req *req, const char *why)
{
	reply_detail(req, 401, why);
}

static bool may_ask(struct http_req *req)
{
	struct err err;
	if (request_limit_count(req, setup, &err) == 0)
		return true;
	as_reply_err(req, &err);
	return false;
}

static void on_request(struct http_req *req, void *arg)
{
	if (!may_ask(req))
		return;
	if (oh_key_is_set() && as_auth_shown(req) != AS_SHOWN_KEY)
		refuse(req, "Unauthorized");
	else
		as_auth_ask(req, setup, on_admitted, arg, refuse);
}

void as_rest_mount(struct http *http, const struct door_setup *given)
{
	setup = given;
	server_info_mount(http, CONVERSATIONS_SERVER, given);
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		union {
			const struct route *route;
			void *arg;
		} u = {.route = &routes[i]};
		conversations_route(http, CONVERSATIONS_SERVER,
		    routes[i].method, routes[i].path, on_request, u.arg);
	}
}
