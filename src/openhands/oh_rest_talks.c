/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_rest_talks.h"

#include "base/json.h"
#include "core/err.h"
#include "door/door.h"
#include "door/listing.h"
#include "door/reply.h"
#include "net/http.h"
#include "openhands/oh_asked.h"
#include "openhands/oh_conversation.h"
#include "openhands/oh_event.h"
#include "openhands/oh_pending.h"
#include "session/session.h"

#include <inttypes.h>
#include <string.h>

/* Conversations in one page, and rows that are examined for it. */
#define PAGE_MAX 100
#define ROWS_MAX 5000

/* ---- what is told about a conversation ---- */

static void put_id(struct buf *out, const char *name, const char *session_id)
{
	struct buf id = {0};
	oh_conversation_put(&id, session_id);
	buf_printf(out, "\"%s\":", name);
	buf_json_str(out, buf_cstr(&id));
	buf_fini(&id);
}

static void put_url(struct buf *out, const char *session_id)
{
	struct buf url = {0};
	buf_str(&url, "/api/conversations/");
	oh_conversation_put(&url, session_id);
	buf_str(out, ",\"url\":");
	buf_json_str(out, buf_cstr(&url));
	buf_fini(&url);
}

/*
 * There is no container to start or stop: a conversation that is stored can be
 * continued at any time, which is what RUNNING means to the page.
 */
static void put_info(struct buf *out, const struct session_record *r)
{
	buf_char(out, '{');
	put_id(out, "conversation_id", r->id);
	buf_str(out, ",\"title\":");
	buf_json(out, r->title, r->title_len);
	buf_str(out, ",\"created_at\":");
	oh_event_put_time(out, r->began_ms * 1000);
	buf_str(out, ",\"last_updated_at\":");
	oh_event_put_time(out, r->updated_ms * 1000);
	put_url(out, r->id);
	buf_str(out,
	    ",\"status\":\"RUNNING\",\"runtime_status\":\"STATUS$READY\","
	    "\"selected_repository\":null,\"selected_branch\":null,"
	    "\"git_provider\":null,\"trigger\":null,\"num_connections\":0,"
	    "\"session_api_key\":null,\"pr_number\":[],"
	    "\"conversation_version\":\"V0\",\"sub_conversation_ids\":[]}");
}

/* The answer to create, start and stop; message is JSON. */
static void reply_status(struct http_req *req, const char *session_id,
    const char *message, const char *status)
{
	struct buf out = {0};
	buf_str(&out, "{\"status\":\"ok\",");
	put_id(&out, "conversation_id", session_id);
	buf_printf(&out, ",\"message\":%s,\"conversation_status\":\"%s\"}",
	    message, status);
	reply_json(req, 200, &out);
	buf_fini(&out);
}

/* ---- create ---- */

/* Why a body cannot be done; msg_id is for the page. */
static void refuse_create(
    struct http_req *req, int status, const char *name, const char *why)
{
	struct buf out = {0}, text = {0};
	buf_printf(&text, "%s: %s", name, why);
	buf_str(&out, "{\"status\":\"error\",\"message\":");
	buf_json_str(&out, buf_cstr(&text));
	buf_str(&out, ",\"detail\":");
	buf_json_str(&out, buf_cstr(&text));
	buf_str(&out, ",\"msg_id\":\"CONFIGURATION$SETTINGS_NOT_FOUND\"}");
	reply_json(req, status, &out);
	buf_fini(&out);
	buf_fini(&text);
}

/* The keys of the real interface; what is not NULL cannot be done here. */
static const struct key {
	const char *name;
	const char *lacks;
} keys[] = {
    {"initial_user_msg", NULL},
    {"image_urls", NULL},
    {"repository", "this server has no repositories"},
    {"git_provider", "this server has no repositories"},
    {"selected_branch", "this server has no repositories"},
    {"replay_json", "this server does not replay trajectories"},
    {"suggested_task", "this server has no tasks to suggest"},
    {"create_microagent", "this server has no microagents"},
    {"conversation_instructions",
	"the agent of this server takes its instructions from the operator"},
    {"mcp_config", "the tools of this server are set by its operator"},
};

static const struct key *find_key(const struct json *name)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_str_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static bool is_nothing(const struct json *v)
{
	return json_type(v) == JSON_NULL || json_str_is(v, "") ||
	       (json_is(v, JSON_OBJECT) && !json_count(v)) ||
	       (json_is(v, JSON_ARRAY) && !json_count(v));
}

static void refuse_unknown(struct http_req *req, const struct json *name)
{
	struct buf scratch = {0}, shown = {0};
	size_t len = 0;
	const char *text = json_str(name, &scratch, &len);
	buf_printf(&shown, "%.*s", (int)(len < 80 ? len : 80), text);
	refuse_create(req, 422, buf_cstr(&shown), "there is no such key");
	buf_fini(&scratch);
	buf_fini(&shown);
}

/* Returns whether all keys can be done; otherwise the request is answered. */
static bool check_keys(struct oh_asked *a)
{
	const struct json *m = json_first(a->body);
	for (; m; m = json_next(m)) {
		const struct key *key = find_key(json_key(m));
		if (!key)
			refuse_unknown(a->req, json_key(m));
		else if (key->lacks && !is_nothing(m))
			refuse_create(a->req, 400, key->name, key->lacks);
		else
			continue;
		return false;
	}
	return true;
}

/* Returns the member, or NULL if it is absent or null. */
static const struct json *member(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);
	return json_type(v) == JSON_NULL ? NULL : v;
}

static void on_created(
    struct http_req *req, const char *id, const struct err *err)
{
	if (err)
		oh_asked_refuse(req, err);
	else
		reply_status(req, id, "null", "STARTING");
}

static struct session *open_new(struct oh_asked *a, struct err *err)
{
	struct buf id = {0};
	enum session_status status;
	bool has_record;
	oh_conversation_new(&id);
	struct session *s = session_open(a->setup->sessions, id.data, id.len,
	    a->caller.address, &status, &has_record, err);
	buf_fini(&id);
	return s;
}

static void begin_with(struct oh_asked *a, struct session *s,
    const struct json *message, const struct json *images)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(message, &scratch, &len);
	const struct session_input in = {
	    .prompt = text,
	    .prompt_len = len,
	    .images = images,
	    .caller = a->caller.address,
	    .level = a->caller.level,
	    .peer = http_peer(a->req),
	    .peer_is_loopback = http_peer_is_loopback(a->req),
	    .place = http_place(a->req),
	    .is_holder = true,
	};
	oh_pending_input(a, s, &in, on_created);
	buf_fini(&scratch);
}

void oh_rest_talks_create(struct oh_asked *a)
{
	const struct json *message = member(a->body, "initial_user_msg");
	const struct json *images = member(a->body, "image_urls");
	struct err err;
	if (!check_keys(a))
		return;
	if (message && !json_is(message, JSON_STRING)) {
		refuse_create(
		    a->req, 422, "initial_user_msg", "it must be a string");
		return;
	}
	if (images && !json_is(images, JSON_ARRAY)) {
		refuse_create(a->req, 422, "image_urls", "it must be a list");
		return;
	}
	struct session *s = open_new(a, &err);
	if (!s)
		oh_asked_refuse(a->req, &err);
	else if (message && !json_str_is(message, ""))
		begin_with(a, s, message, images);
	else
		oh_pending_title(a, s, "", 0, on_created);
}

/* ---- list and get ---- */

static void finish_page(struct listing *l)
{
	buf_str(&l->out, "],\"next_page_id\":");
	if (l->next)
		buf_printf(&l->out, "\"%" PRIu64 "\"}", l->next);
	else
		buf_str(&l->out, "null}");
	if (l->err)
		oh_asked_refuse(l->req, l->err);
	else
		reply_json(l->req, 200, &l->out);
}

static const struct listing_form page_form = {
    .head = "{\"results\":[",
    .put = put_info,
    .finish = finish_page,
};

/*
 * The id is the only protection of a session without an owner: as at /sessions,
 * they are listed for those who could read the files, and who has the key.
 */
static bool may_list_nobodys(const struct oh_asked *a)
{
	return a->has_key || a->caller.is_admin ||
	       http_peer_is_loopback(a->req);
}

void oh_rest_talks_list(struct oh_asked *a)
{
	int64_t limit = 20, page = 0;
	if (!reply_query_int(a->req, "limit", &limit) ||
	    !reply_query_int(a->req, "page_id", &page) || page < 0) {
		reply_detail(a->req, 422,
		    "limit must be an integer, and page_id a next_page_id");
		return;
	}
	if (limit < 1 || limit > PAGE_MAX) {
		reply_detail(a->req, 400, "Invalid limit");
		return;
	}
	const struct session_query query = {
	    .caller = a->caller.address,
	    .with_nobodys = may_list_nobodys(a),
	    .limit = (size_t)limit,
	    .before = (uint64_t)page,
	    .most_seen = ROWS_MAX,
	    .is_brief = true,
	};
	listing_begin(a->req, a->setup, &page_form, &query, NULL);
}

void oh_rest_talks_get(struct oh_asked *a)
{
	struct buf memory = {0}, out = {0};
	struct session_record record;
	struct err err;
	int rc = oh_asked_find(a, &memory, &record, &err);
	if (rc != 0 && err.code != ERR_NOT_FOUND) {
		oh_asked_refuse(a->req, &err);
	} else {
		if (rc == 0)
			put_info(&out, &record);
		else
			buf_str(&out, "null");
		reply_json(a->req, 200, &out);
	}
	buf_fini(&memory);
	buf_fini(&out);
}

void oh_rest_talks_config(struct oh_asked *a)
{
	struct buf memory = {0}, out = {0};
	struct session_record record;
	struct err err;
	if (oh_asked_find(a, &memory, &record, &err) != 0) {
		oh_asked_unknown(a, &err);
	} else {
		buf_char(&out, '{');
		put_id(&out, "runtime_id", record.id);
		buf_char(&out, ',');
		put_id(&out, "session_id", record.id);
		buf_char(&out, '}');
		reply_json(a->req, 200, &out);
	}
	buf_fini(&memory);
	buf_fini(&out);
}

/* ---- delete, start, stop ---- */

static void reply_bool(struct http_req *req, bool value)
{
	struct buf out = {0};
	buf_str(&out, value ? "true" : "false");
	reply_json(req, 200, &out);
	buf_fini(&out);
}

/* What true says was done. */
static void on_changed(
    struct http_req *req, const char *id, const struct err *err)
{
	(void)id;
	if (err)
		oh_asked_refuse(req, err);
	else
		reply_bool(req, true);
}

/* Releases the session. */
static void refuse_guest(struct oh_asked *a, struct session *s)
{
	session_close(&s);
	reply_detail(a->req, 403, "another client holds this conversation");
}

void oh_rest_talks_delete(struct oh_asked *a)
{
	struct err err;
	struct session *s = oh_asked_open(a, &err);
	if (!s && err.code == ERR_NOT_FOUND) {
		reply_bool(a->req, false);
	} else if (!s) {
		oh_asked_refuse(a->req, &err);
	} else if (!oh_asked_is_holder(a, s)) {
		refuse_guest(a, s);
	} else {
		oh_pending_delete(a, s, on_changed);
	}
}

void oh_rest_talks_rename(struct oh_asked *a)
{
	struct buf scratch = {0};
	struct err err;
	size_t len = 0;
	const char *title =
	    json_str(json_get(a->body, "title"), &scratch, &len);
	struct session *s = NULL;
	if (!title || len > SESSION_TITLE_MAX)
		reply_detail(
		    a->req, 422, "title must be a string of at most 200 bytes");
	else if (!(s = oh_asked_open(a, &err)))
		oh_asked_unknown(a, &err);
	else if (!oh_asked_is_holder(a, s))
		refuse_guest(a, s);
	else
		oh_pending_title(a, s, title, len, on_changed);
	buf_fini(&scratch);
}

void oh_rest_talks_start(struct oh_asked *a)
{
	struct buf memory = {0}, out = {0};
	struct session_record record;
	struct err err;
	if (oh_asked_find(a, &memory, &record, &err) == 0) {
		reply_status(a->req, record.id, "null", "RUNNING");
	} else if (err.code != ERR_NOT_FOUND) {
		oh_asked_refuse(a->req, &err);
	} else {
		buf_str(&out, "{\"status\":\"error\",");
		put_id(&out, "conversation_id", buf_cstr(&a->id));
		buf_str(&out, ",\"message\":\"Conversation not found\"}");
		reply_json(a->req, 404, &out);
	}
	buf_fini(&memory);
	buf_fini(&out);
}

void oh_rest_talks_stop(struct oh_asked *a)
{
	struct err err;
	struct session *s = oh_asked_open(a, &err);
	if (!s && err.code != ERR_NOT_FOUND) {
		oh_asked_refuse(a->req, &err);
		return;
	}
	bool has_stopped = s && session_interrupt(s, SESSION_STOP, &err) == 0;
	reply_status(a->req, buf_cstr(&a->id),
	    has_stopped ? "\"Conversation stopped successfully\""
			: "\"Conversation was not running\"",
	    "STOPPED");
	if (s)
		session_close(&s);
}
