/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_run.h"

#include "access/access.h"
#include "agentserver/as_talk.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "door/console.h"
#include "door/door.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* The prompt of a run that only lets the agent go on. */
#define GO_ON "Continue."

struct as_run {
	struct session *session;
	struct session_call *input;
	struct session_draft_call *draft;
	uint64_t drafts; /* the place of the last draft in the input; 0: none */
	as_run_fn *fn;	 /* NULL: forgotten */
	void *arg;
};

/* ---- messages ---- */

static void add_images(struct buf *images, const struct json *urls)
{
	for (const struct json *u = json_first(urls); u; u = json_next(u)) {
		size_t len;
		const char *text = json_text(u, &len);
		buf_str(images, images->len > 1 ? "," : "");
		buf_append(images, text, len);
	}
}

/* Append a part of the content. Returns whether it is one. */
static bool add_part(struct as_message *m, const struct json *part)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(json_get(part, "text"), &scratch, &len);
	bool is_text = json_str_is(json_get(part, "type"), "text") && text;
	bool is_image = json_str_is(json_get(part, "type"), "image") &&
			json_is(json_get(part, "image_urls"), JSON_ARRAY);
	if (is_text) {
		buf_str(&m->text, m->text.len ? "\n" : "");
		buf_append(&m->text, text, len);
	} else if (is_image) {
		add_images(&m->images, json_get(part, "image_urls"));
	}
	buf_fini(&scratch);
	return is_text || is_image;
}

int as_message_read(struct as_message *m, const struct json *said,
    bool wants_run, struct err *err)
{
	const struct json *content = json_get(said, "content");
	*m = (struct as_message){.wants_run = wants_run};
	buf_char(&m->images, '[');
	(void)json_bool(json_get(said, "run"), &m->wants_run);
	if (!json_str_is(json_get(said, "role"), "user"))
		return err_set(err, ERR_BAD_REQUEST, "role must be \"user\"");
	if (!json_is(content, JSON_ARRAY))
		return err_set(err, ERR_BAD_REQUEST,
		    "content must be an array of texts and images");
	for (const struct json *p = json_first(content); p; p = json_next(p))
		if (!add_part(m, p))
			return err_set(err, ERR_BAD_REQUEST,
			    "content: a part is neither {\"type\": \"text\", "
			    "\"text\": TEXT} nor {\"type\": \"image\", "
			    "\"image_urls\": [...]}");
	buf_char(&m->images, ']');
	if (!m->text.len && m->images.len == 2)
		return err_set(err, ERR_BAD_REQUEST, "content is empty");
	return 0;
}

void as_message_fini(struct as_message *m)
{
	buf_fini(&m->text);
	buf_fini(&m->images);
}

/* ---- drafts ---- */

/* All drafts together, and the message after them. */
struct gathered {
	struct as_message m;
	struct buf name; /* of the last one: names the input */
	uint64_t last;
};

static void add_text(struct buf *out, const char *text, size_t len)
{
	buf_str(out, out->len && len ? "\n\n" : "");
	buf_append(out, text, len);
}

static void gather(uint64_t place, const char *text, size_t len, void *arg)
{
	struct gathered *g = arg;
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scratch = {0};
	const struct json *draft = json_parse(&doc, text, len, 0, &why);
	size_t n = 0;
	const char *s = json_str(json_get(draft, "text"), &scratch, &n);
	add_text(&g->m.text, s ? s : "", n);
	add_images(&g->m.images, json_get(draft, "images"));
	buf_reset(&scratch);
	buf_reset(&g->name);
	s = json_str(json_get(draft, "id"), &scratch, &n);
	buf_append(&g->name, s ? s : "", s ? n : 0);
	g->last = place;
	buf_fini(&scratch);
	json_fini(&doc);
}

static void gather_all(
    struct gathered *g, const struct session *s, const struct as_message *m)
{
	struct json_doc doc = {0};
	struct json_error why;
	*g = (struct gathered){.last = 0};
	buf_char(&g->m.images, '[');
	(void)session_drafts(s, gather, g);
	if (m) {
		add_text(&g->m.text, m->text.data, m->text.len);
		add_images(&g->m.images,
		    json_parse(&doc, m->images.data, m->images.len, 0, &why));
	}
	buf_char(&g->m.images, ']');
	json_fini(&doc);
}

static void gathered_fini(struct gathered *g)
{
	as_message_fini(&g->m);
	buf_fini(&g->name);
}

/* ---- calls ---- */

static struct as_run *run_new(const struct as_talk *t, as_run_fn *fn, void *arg)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct as_run *run = mem_zero(sizeof *run);
	const char *id = session_id(t->session);
	/* It is open already, so this cannot fail. */
	run->session = session_open(
	    t->setup->sessions, id, strlen(id), "", &status, &has_record, &err);
	run->fn = fn;
	run->arg = arg;
	return run;
}

static void finish(struct as_run *run, const struct err *err)
{
	if (run->fn)
		run->fn(run->arg, err);
	session_close(&run->session);
	free(run);
}

void as_run_forget(struct as_run **run)
{
	if (*run)
		(*run)->fn = NULL;
	*run = NULL;
}

static void on_kept(void *arg, const struct err *err)
{
	finish(arg, err);
}

static enum as_begun keep(struct as_run **run, const struct as_talk *t,
    const struct as_message *m, as_run_fn *fn, void *arg)
{
	struct buf draft = {0};
	char id[ENC_UUID_SIZE];
	enc_uuid(id);
	buf_printf(&draft, "{\"id\":\"%s\",\"text\":", id);
	buf_json(&draft, m->text.data ? m->text.data : "", m->text.len);
	buf_str(&draft, ",\"images\":");
	buf_append(&draft, m->images.data, m->images.len);
	buf_char(&draft, '}');
	*run = run_new(t, fn, arg);
	(*run)->draft = session_keep(
	    (*run)->session, draft.data, draft.len, "", on_kept, *run);
	buf_fini(&draft);
	return AS_PENDING;
}

/* Drafts that can never be run would be in the way of all later runs. */
static bool is_settled(const struct session_receipt *r)
{
	return r->outcome != INPUT_REFUSED || r->err->code == ERR_BAD_REQUEST ||
	       r->err->code == ERR_TOO_LARGE;
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct as_run *run = arg;
	if (run->drafts && is_settled(r))
		session_drop_drafts(run->session, run->drafts);
	finish(run, r->outcome == INPUT_REFUSED ? r->err : NULL);
}

static enum as_begun submit(struct as_run **run, const struct as_talk *t,
    const struct gathered *g, const struct as_sender *who, as_run_fn *fn,
    void *arg)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool holds = as_talk_is_held(t, who->place);
	const struct session_input in = {
	    .prompt = g->m.text.data ? g->m.text.data : "",
	    .prompt_len = g->m.text.len,
	    .input_id = g->name.len ? g->name.data : NULL,
	    .input_id_len = g->name.len,
	    .images =
		json_parse(&doc, g->m.images.data, g->m.images.len, 0, &why),
	    .caller = "",
	    .level = CALLER_NOBODY.level,
	    .peer = who->peer,
	    .peer_is_loopback = who->peer_is_loopback,
	    .place = who->place,
	    .is_holder = holds,
	    .may_answer = holds,
	    .may_join = true,
	};
	*run = run_new(t, fn, arg);
	(*run)->drafts = g->last;
	console_submit(t->session, &in);
	(*run)->input = session_input((*run)->session, &in, on_receipt, *run);
	json_fini(&doc);
	return AS_PENDING;
}

/* ---- what waits ---- */

static bool waits_for(const struct as_talk *t, enum event_type kind)
{
	uint64_t question;
	return session_is_waiting(t->session, kind, &question);
}

static int answer(const struct as_talk *t, const struct as_sender *who,
    enum event_type kind, const struct buf *json, struct err *err)
{
	if (!as_talk_is_held(t, who->place))
		return err_set(err, ERR_FORBIDDEN,
		    "another client holds this conversation");
	return session_answer(t->session, kind, json->data, json->len, err);
}

int as_run_confirm(const struct as_talk *t, const struct as_sender *who,
    bool is_accepted, const struct json *reason, struct err *err)
{
	struct buf json = {0};
	size_t len = 0;
	const char *text = json_text(reason, &len);
	if (is_accepted) {
		buf_str(&json, "{\"approved\":true,\"scope\":\"once\"}");
	} else {
		buf_str(&json, "{\"approved\":false,\"scope\":\"once\","
			       "\"mode\":\"reject_explain\",\"feedback\":");
		if (json_is(reason, JSON_STRING))
			buf_append(&json, text, len);
		else
			buf_str(&json, "\"User rejected the action\"");
		buf_char(&json, '}');
	}
	int rc = answer(t, who, EV_APPROVAL_NEEDED, &json, err);
	buf_fini(&json);
	return rc;
}

/* The drafts are the review of the plan. */
static enum as_begun review(const struct as_talk *t, const struct gathered *g,
    const struct as_sender *who, struct err *err)
{
	struct buf json = {0};
	buf_json(&json, g->m.text.data ? g->m.text.data : "", g->m.text.len);
	int rc = answer(t, who, EV_PLAN_REVIEW, &json, err);
	buf_fini(&json);
	if (rc != 0)
		return AS_FAILED;
	if (g->last)
		session_drop_drafts(t->session, g->last);
	return AS_DONE;
}

static enum as_begun run_without(struct as_run **run, const struct as_talk *t,
    struct gathered *g, const struct as_sender *who, as_run_fn *fn, void *arg,
    struct err *err)
{
	if (waits_for(t, EV_APPROVAL_NEEDED))
		return as_run_confirm(t, who, true, NULL, err) == 0 ? AS_DONE
								    : AS_FAILED;
	const char *status = as_talk_status(t);
	if (strcmp(status, "running") == 0) {
		(void)err_set(err, ERR_BUSY,
		    "Conversation already running. Wait for completion or "
		    "pause first.");
		return AS_FAILED;
	}
	if (strcmp(status, "paused") != 0)
		return AS_NOTHING;
	buf_str(&g->m.text, GO_ON);
	return submit(run, t, g, who, fn, arg);
}

static bool is_busy(const struct as_talk *t)
{
	return session_status(t->session) == SESSION_RUNNING &&
	       !waits_for(t, EV_ASK_USER) && !waits_for(t, EV_PLAN_REVIEW);
}

enum as_begun as_run(struct as_run **run, const struct as_talk *t,
    const struct as_message *m, const struct as_sender *who, as_run_fn *fn,
    void *arg, struct err *err)
{
	struct gathered g;
	enum as_begun begun;
	int64_t most = t->setup->conf->max_prompt;
	*run = NULL;
	if (m && m->text.len > (size_t)most) {
		(void)err_set(err, ERR_TOO_LARGE,
		    "message too long: %zu bytes (max: %lld). Increase "
		    "max_prompt in host.yaml",
		    m->text.len, (long long)most);
		return AS_FAILED;
	}
	if (m && !m->wants_run && !is_busy(t))
		return keep(run, t, m, fn, arg);
	gather_all(&g, t->session, m);
	if (!g.m.text.len && g.m.images.len == 2)
		begun = run_without(run, t, &g, who, fn, arg, err);
	else if (waits_for(t, EV_PLAN_REVIEW))
		begun = review(t, &g, who, err);
	else
		begun = submit(run, t, &g, who, fn, arg);
	gathered_fini(&g);
	return begun;
}

void as_run_stop(const struct as_talk *t)
{
	struct err err;
	(void)session_interrupt(
	    t->session, SESSION_PAUSE, &err); /* it may not run */
}
