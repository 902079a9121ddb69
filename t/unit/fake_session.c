/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_session.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH 7
#define FAKE_TIME_US INT64_C(1702234567123456)

struct fake_event {
	struct event ev;
	char *id;
	char *body;
};

struct session {
	struct list link;
	struct sessions *all;
	char *id;
	struct fake_event *events;
	size_t n_events;
	uint64_t trimmed; /* positions up to this are gone */
	enum session_status status;
	uint32_t turn;
	uint64_t began;
	enum event_type waits_for;
	uint64_t question;
	char *conversation;
	char *result;
	char *input_id; /* of the turn; NULL: none */
	char *reason;	/* of the latest turn, NULL when it ended well */
	bool has_record;
	bool begins_at_merge;
	struct list attachments;
	char caller[68]; /* who opened it first */
	struct session_mode mode;
};

struct claim {
	struct list link;
	char *name; /* scope and input_id */
	char *prompt;
	struct session *session;
	uint32_t turn;
	bool is_joined;
};

struct session_call {
	struct list link;
	struct session *session;
	session_receipt_fn *fn;
	void *arg;
	char *prompt;
	char *input_id;
	bool may_join;
	bool is_unscoped;
};

/* The call of a tool that runs; fn NULL: none does. */
struct fake_exec {
	session_exec_fn *fn;
	void *arg;
	char text[256];
};

struct sessions {
	struct list sessions;
	struct list calls;
	struct list claims;
	struct fake_session_log log;
	struct err refusal;
	bool is_refusing;
	enum err_code full;
	unsigned made;
	struct fake_exec exec;
	session_mode_fn *mode_fn;
	void *mode_arg;
};

static void end_exec(struct sessions *all);
static void end_mode(struct sessions *all);

/* ---- the test's side ---- */

struct sessions *fake_session_all(void)
{
	struct sessions *all = mem_zero(sizeof(*all));

	list_init(&all->sessions);
	list_init(&all->calls);
	list_init(&all->claims);
	return all;
}

static void free_session(struct session *s)
{
	for (size_t i = 0; i < s->n_events; i++) {
		free(s->events[i].id);
		free(s->events[i].body);
	}
	free(s->events);
	free(s->id);
	free(s->conversation);
	free(s->result);
	free(s->input_id);
	free(s->reason);
	free(s);
}

static void free_call(struct session_call *call)
{
	free(call->prompt);
	free(call->input_id);
	free(call);
}

static void free_claim(struct claim *claim)
{
	free(claim->name);
	free(claim->prompt);
	free(claim);
}

void fake_session_free(struct sessions **all)
{
	struct list *l;

	while ((l = list_shift(&(*all)->calls)))
		free_call(list_entry(l, struct session_call, link));
	while ((l = list_shift(&(*all)->claims)))
		free_claim(list_entry(l, struct claim, link));
	while ((l = list_shift(&(*all)->sessions)))
		free_session(list_entry(l, struct session, link));
	free(*all);
	*all = NULL;
}

struct fake_session_log *fake_session_log(struct sessions *all)
{
	return &all->log;
}

static struct session *find(struct sessions *all, const char *id, size_t len)
{
	list_each(it, &all->sessions)
	{
		struct session *s = list_entry(it, struct session, link);
		if (strlen(s->id) == len && memcmp(s->id, id, len) == 0)
			return s;
	}
	return NULL;
}

static struct session *make(struct sessions *all, const char *id, size_t len)
{
	struct session *s = mem_zero(sizeof(*s));

	s->all = all;
	s->id = mem_strndup(id, len);
	s->waits_for = EV_COUNT;
	list_init(&s->attachments);
	list_append(&all->sessions, &s->link);
	return s;
}

struct session *fake_session_get(struct sessions *all, const char *id)
{
	struct session *s = find(all, id, strlen(id));

	return s ? s : make(all, id, strlen(id));
}

static void ring(struct session *s)
{
	list_each(it, &s->attachments) list_entry(it, struct attachment, link)
	    ->is_rung = true;
}

uint64_t fake_session_emit(
    struct session *s, enum event_type type, const char *id, const char *body)
{
	struct fake_event *e;

	s->events =
	    mem_realloc(s->events, (s->n_events + 1) * sizeof(*s->events));
	e = &s->events[s->n_events++];
	e->id = mem_strdup(id);
	e->body = mem_strdup(body);
	e->ev = (struct event){
	    .seq = s->n_events,
	    .time_us = FAKE_TIME_US + (int64_t)s->n_events,
	    .turn = s->turn,
	    .type = type,
	    .id = e->id,
	    .id_len = strlen(id),
	    .body = e->body,
	    .body_len = strlen(body),
	};
	if (type == EV_ASK_USER || type == EV_APPROVAL_NEEDED ||
	    type == EV_PLAN_REVIEW) {
		s->waits_for = type;
		s->question = e->ev.seq;
	}
	ring(s);
	return e->ev.seq;
}

void fake_session_begin(struct session *s, const char *input_id)
{
	struct buf body = {0};

	s->turn++;
	free(s->input_id);
	s->input_id = input_id ? mem_strdup(input_id) : NULL;
	s->status = SESSION_RUNNING;
	s->waits_for = EV_COUNT;
	s->has_record = true;
	buf_str(&body, "\"prompt\":\"p\"");
	if (input_id) {
		buf_str(&body, ",\"input_id\":");
		buf_json_str(&body, input_id);
	}
	s->began = fake_session_emit(s, EV_INPUT, "in", buf_cstr(&body));
	buf_fini(&body);
}

void fake_session_begin_at_merge(struct session *s)
{
	s->begins_at_merge = true;
}

static void end(struct session *s, enum event_type type, struct buf *body)
{
	if (s->input_id) {
		buf_str(body, ",\"input_id\":");
		buf_json_str(body, s->input_id);
	}
	s->status = SESSION_CONNECTED;
	s->waits_for = EV_COUNT;
	(void)fake_session_emit(s, type, "end", buf_cstr(body));
}

void fake_session_done(
    struct session *s, const char *result, const char *conversation)
{
	struct buf body = {0};

	free(s->result);
	free(s->reason);
	s->reason = NULL;
	s->result = mem_strdup(result);
	if (conversation) {
		free(s->conversation);
		s->conversation = mem_strdup(conversation);
	}
	buf_str(&body, "\"result\":");
	buf_json_str(&body, result);
	buf_str(&body, ",\"duration_ms\":12");
	end(s, EV_DONE, &body);
	buf_fini(&body);
}

void fake_session_fail(struct session *s, const char *reason)
{
	struct buf body = {0};

	free(s->reason);
	s->reason = mem_strdup(reason);
	buf_str(&body, "\"reason\":");
	buf_json_str(&body, reason);
	buf_str(&body, ",\"duration_ms\":12");
	end(s, EV_FAILED, &body);
	buf_fini(&body);
}

void fake_session_trim(struct session *s, uint64_t seq)
{
	s->trimmed = seq;
}

void fake_session_lose_record(struct session *s)
{
	s->has_record = false;
}

void fake_session_expire(struct session *s)
{
	s->status = SESSION_NEW;
}

void fake_session_refuse(
    struct sessions *all, enum err_code code, const char *text)
{
	all->is_refusing = true;
	(void)err_set(&all->refusal, code, text ? "%s" : NULL, text);
}

void fake_session_full(struct sessions *all, enum err_code code)
{
	all->full = code;
}

/* ---- inputs ---- */

static char *claim_name(const struct session_call *call)
{
	struct buf name = {0};

	buf_printf(&name, "%s/%s", call->is_unscoped ? "" : call->session->id,
	    call->input_id);
	buf_char(&name, 0);
	return buf_steal(&name, NULL);
}

static struct claim *find_claim(struct sessions *all, const char *name)
{
	list_each(it, &all->claims)
	{
		struct claim *claim = list_entry(it, struct claim, link);
		if (strcmp(claim->name, name) == 0)
			return claim;
	}
	return NULL;
}

static void put_claim(const struct session_call *call, bool is_joined)
{
	struct claim *claim;

	if (!call->input_id)
		return;
	claim = mem_zero(sizeof(*claim));
	claim->name = claim_name(call);
	claim->prompt = mem_strdup(call->prompt);
	claim->session = call->session;
	claim->turn = call->session->turn;
	claim->is_joined = is_joined;
	list_append(&call->session->all->claims, &claim->link);
}

static void fill_repeated(struct session_receipt *r, const struct claim *claim)
{
	const struct session *s = claim->session;

	r->outcome = INPUT_REPEATED;
	r->session_id = s->id;
	r->turn = claim->turn;
	r->duration_ms = 12;
	r->id = claim->is_joined ? "added-1" : NULL;
	r->is_over = s->turn > claim->turn || s->status != SESSION_RUNNING;
	r->is_latest = s->turn == claim->turn;
	r->has_failed = r->is_over && s->reason;
	r->reason = s->reason;
	if (r->is_over && !claim->is_joined && s->result) {
		r->result = s->result;
		r->result_len = strlen(s->result);
	}
}

/* Whether the claim decides; else the input finds a place of its own. */
static bool repeat(
    const struct session_call *call, struct session_receipt *r, struct err *err)
{
	char *name = call->input_id ? claim_name(call) : NULL;
	struct claim *claim =
	    name ? find_claim(call->session->all, name) : NULL;

	free(name);
	if (!claim)
		return false;
	if (strcmp(claim->prompt, call->prompt) == 0) {
		fill_repeated(r, claim);
	} else {
		(void)err_set(err, ERR_REUSED, NULL);
		r->outcome = INPUT_REFUSED;
	}
	return true;
}

static void join(struct session_call *call, struct session_receipt *r)
{
	struct session *s = call->session;

	put_claim(call, true);
	r->id = "added-1";
	if (s->waits_for == EV_ASK_USER) {
		r->outcome = INPUT_ANSWERED;
		s->waits_for = EV_COUNT;
		(void)fake_session_emit(s, EV_ANSWER, r->id, "");
	} else {
		r->outcome = INPUT_ADDED;
		(void)fake_session_emit(s, EV_MORE_INPUT, r->id, "");
	}
}

static void place(
    struct session_call *call, struct session_receipt *r, struct err *err)
{
	struct sessions *all = call->session->all;

	if (all->is_refusing) {
		all->is_refusing = false;
		*err = all->refusal;
		r->outcome = INPUT_REFUSED;
	} else if (repeat(call, r, err)) {
		return;
	} else if (call->session->status != SESSION_RUNNING) {
		fake_session_begin(call->session, call->input_id);
		put_claim(call, false);
		r->outcome = INPUT_STARTED;
	} else if (call->may_join) {
		join(call, r);
	} else {
		(void)err_set(err, ERR_BUSY, NULL);
		r->outcome = INPUT_REFUSED;
	}
}

static void hand_out(struct session_call *call)
{
	struct err err;
	struct session_receipt r = {
	    .session_id = call->session->id, .err = &err};

	place(call, &r, &err);
	if (r.outcome != INPUT_REPEATED)
		r.turn = call->session->turn;
	if (call->fn)
		call->fn(call->arg, &r);
	free_call(call);
}

/* Ring one client that is due; false when none is. */
static bool ring_one(struct sessions *all)
{
	list_each(it, &all->sessions)
	{
		struct session *s = list_entry(it, struct session, link);
		list_each(at, &s->attachments)
		{
			struct attachment *a =
			    list_entry(at, struct attachment, link);
			if (!a->is_rung)
				continue;
			a->is_rung = false;
			a->on_more(a->arg);
			return true;
		}
	}
	return false;
}

void fake_session_run(struct sessions *all)
{
	struct list *l;

	while ((l = list_shift(&all->calls)))
		hand_out(list_entry(l, struct session_call, link));
	end_exec(all);
	end_mode(all);
	while (ring_one(all))
		continue;
}

/* ---- session.h ---- */

struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err)
{
	struct session *s = id ? find(all, id, len) : NULL;
	char name[32];

	if (s && s->caller[0] && strcmp(s->caller, caller) != 0) {
		(void)err_set(err, ERR_NO_SESSION, NULL);
		return NULL;
	}
	if (all->full != ERR_OK) {
		(void)err_set(err, all->full, NULL);
		return NULL;
	}
	(void)snprintf(name, sizeof(name), "made-%u", ++all->made);
	if (!s)
		s = id ? make(all, id, len) : make(all, name, strlen(name));
	(void)snprintf(s->caller, sizeof(s->caller), "%s", caller);
	*status = s->status;
	*has_record = s->has_record;
	if (s->status == SESSION_NEW)
		s->status = SESSION_CONNECTED;
	all->log.opens++;
	return s;
}

bool session_is_held(const struct session *s, const struct session_guest *who)
{
	(void)s;
	(void)who;
	return true;
}

const char *session_continuation(const struct session *s)
{
	(void)s;
	return NULL;
}

void session_close(struct session **s)
{
	if (*s)
		(*s)->all->log.opens--;
	*s = NULL;
}

const char *session_id(const struct session *s)
{
	return s->id;
}

enum session_status session_peek(
    struct sessions *all, const char *id, size_t len, const char *caller)
{
	const struct session *s = find(all, id, len);

	if (s && s->caller[0] && strcmp(s->caller, caller) != 0)
		return SESSION_NEW;

	return s ? s->status : SESSION_NEW;
}

enum session_status session_status(const struct session *s)
{
	return s->status;
}

uint32_t session_turn(const struct session *s)
{
	return s->turn;
}

uint64_t session_number(const struct session *s)
{
	(void)s;
	return 1;
}

uint64_t session_head(const struct session *s)
{
	return s->n_events;
}

uint64_t session_turn_began(const struct session *s)
{
	return s->began;
}

uint64_t session_find(const struct session *s, const char *id, size_t len)
{
	for (size_t i = s->began ? s->began - 1 : 0; i < s->n_events; i++) {
		const struct event *ev = &s->events[i].ev;
		if (ev->id_len == len && memcmp(ev->id, id, len) == 0)
			return ev->seq;
	}
	return 0;
}

bool session_is_waiting(
    const struct session *s, enum event_type kind, uint64_t *question)
{
	if (s->waits_for != kind)
		return false;
	*question = s->question;
	return true;
}

uint64_t session_epoch(const struct sessions *all)
{
	(void)all; /* there is no store */
	return EPOCH;
}

void session_room(const struct sessions *all, struct session_room *room)
{
	(void)all;
	*room = (struct session_room){true, true, true};
}

unsigned session_count(const struct sessions *all)
{
	unsigned n = 0;

	list_each(it, &all->sessions) n++;
	return n;
}

void session_attach(struct session *s, struct attachment *a, uint64_t after,
    void (*on_more)(void *arg), void *arg)
{
	a->session = s;
	a->cursor = after;
	a->on_more = on_more;
	a->arg = arg;
	a->is_rung = after < s->n_events;
	list_append(&s->attachments, &a->link);
}

void session_detach(struct attachment *a)
{
	if (a->session)
		list_remove(&a->link);
	a->session = NULL;
}

uint64_t session_events(const struct session *s,
    const struct session_range *range,
    bool (*fn)(const struct event *ev, void *arg), void *arg)
{
	bool is_back = range->is_backwards;
	uint64_t from = is_back ? s->n_events : s->trimmed + 1;
	size_t left = range->most;

	if (range->from && (is_back ? range->from < from : range->from > from))
		from = range->from;
	for (; from > s->trimmed && from <= s->n_events;
	     from += is_back ? -1 : 1) {
		if (!left--)
			return from;
		if (!fn(&s->events[from - 1].ev, arg))
			left = 0;
	}
	return 0;
}

enum session_read session_read(struct attachment *a,
    bool (*fn)(const struct event *ev, void *arg), void *arg)
{
	struct session *s = a->session;

	a->is_rung = false;
	if (a->cursor < s->trimmed) {
		a->n_missed = s->trimmed - a->cursor;
		a->cursor = s->trimmed;
		return READ_GONE;
	}
	while (a->cursor < s->n_events) {
		if (!fn(&s->events[a->cursor++].ev, arg))
			return READ_STOPPED;
	}
	return READ_END;
}

static void keep(char *to, size_t size, const char *text, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	if (n)
		memcpy(to, text, n);
	to[n] = '\0';
}

struct session_call *session_input(struct session *s,
    const struct session_input *in, session_receipt_fn *fn, void *arg)
{
	struct session_call *call = mem_zero(sizeof(*call));
	struct fake_session_log *log = &s->all->log;

	call->session = s;
	call->fn = fn;
	call->arg = arg;
	call->prompt = mem_strndup(in->prompt, in->prompt_len);
	call->may_join = in->may_join;
	call->is_unscoped = in->is_unscoped;
	if (in->input_id)
		call->input_id = mem_strndup(in->input_id, in->input_id_len);
	keep(log->prompt, sizeof(log->prompt), in->prompt, in->prompt_len);
	keep(log->conversation, sizeof(log->conversation), in->conversation,
	    in->conversation_len);
	log->is_unscoped = in->is_unscoped;
	list_append(&s->all->calls, &call->link);
	return call;
}

void session_forget(struct session_call **call)
{
	(*call)->session->all->log.forgotten++;
	(*call)->fn = NULL;
	*call = NULL;
}

int session_answer(struct session *s, enum event_type kind, const char *json,
    size_t len, struct err *err)
{
	struct fake_session_log *log = &s->all->log;

	if (s->waits_for != kind)
		return err_set(err, ERR_STALE, NULL);
	s->waits_for = EV_COUNT;
	log->answer_kind = kind;
	keep(log->answer, sizeof(log->answer), json, len);
	(void)fake_session_emit(s, EV_ANSWER, "answer", "");
	return 0;
}

int session_interrupt(struct session *s, enum session_stop how, struct err *err)
{
	if (s->status != SESSION_RUNNING)
		return err_set(err, ERR_NOT_RUNNING, NULL);
	s->all->log.interrupts++;
	s->all->log.pauses += how == SESSION_PAUSE;
	return 0;
}

void session_touch(struct session *s)
{
	s->all->log.touches++;
}

int session_get(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err)
{
	struct session *s = find(all, id, len);

	if (!s || !s->has_record)
		return err_set(err, ERR_NOT_FOUND, NULL);
	buf_str(mem, s->conversation ? s->conversation : "{}");
	*r = (struct session_record){
	    .id = s->id,
	    .caller = "",
	    .status = s->status == SESSION_RUNNING ? "running" : "done",
	    .turn = s->turn,
	    .updated_ms = INT64_MAX / 2,
	    .conversation = mem->data,
	    .conversation_len = mem->len,
	};
	return 0;
}

int session_look(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err)
{
	if (session_get(all, id, len, mem, r, err) != 0)
		return -1;
	r->conversation = "{}";
	r->conversation_len = 2;
	return 0;
}

/* The stored copy wins when it is the longer one. */
bool session_merge(
    struct session *s, const char *client, size_t len, struct buf *out)
{
	size_t stored = s->conversation ? strlen(s->conversation) : 0;

	if (stored > len)
		buf_append(out, s->conversation, stored);
	else
		buf_append(out, client, len);
	if (s->begins_at_merge && s->status == SESSION_RUNNING)
		fake_session_done(s, "ended at merge", NULL);
	if (s->begins_at_merge)
		fake_session_begin(s, NULL);
	s->begins_at_merge = false;
	return stored > len;
}

bool session_has_joined(const struct session *s, const char *id, size_t len)
{
	(void)s;
	return len == 7 && memcmp(id, "added-1", len) == 0;
}

uint64_t session_find_before(
    const struct session *s, const char *id, size_t len)
{
	uint64_t found = 0;

	for (size_t i = 0; s->began && i + 1 < s->began; i++) {
		const struct event *ev = &s->events[i].ev;
		if (ev->id_len == len && memcmp(ev->id, id, len) == 0)
			found = ev->seq;
	}
	return found;
}

bool session_has_id(
    const struct session *s, uint64_t seq, const char *id, size_t len)
{
	const struct event *ev = &s->events[seq - 1].ev;

	return ev->id_len == len && memcmp(ev->id, id, len) == 0;
}

/* ---- tools and modes ---- */

/* The tool "echo" returns its arguments; no other is there. */
struct session_exec *session_exec(struct session *s,
    const struct session_tool *tool, session_exec_fn *fn, void *arg,
    struct err *err)
{
	struct sessions *all = s->all;

	if (strcmp(tool->name, "echo") != 0) {
		(void)err_set(
		    err, ERR_BAD_REQUEST, "this agent has no tools to call");
		return NULL;
	}
	all->exec.fn = fn;
	all->exec.arg = arg;
	(void)snprintf(all->exec.text, sizeof(all->exec.text), "%.*s",
	    (int)tool->args_len, tool->args);
	return (struct session_exec *)(void *)&all->exec;
}

void session_exec_cancel(struct session_exec **x)
{
	struct fake_exec *e = (struct fake_exec *)(void *)*x;

	if (e)
		e->fn = NULL;
	*x = NULL;
}

static void end_exec(struct sessions *all)
{
	struct session_exec_result result = {
	    .text = all->exec.text, .len = strlen(all->exec.text)};
	session_exec_fn *fn = all->exec.fn;

	all->exec.fn = NULL;
	if (fn)
		fn(all->exec.arg, &result);
}

void session_mode(struct session *s, struct session_mode *mode)
{
	*mode = s->mode;
	if (!mode->id)
		mode->id = "auto";
}

struct session_mode_call *session_set_mode(struct session *s,
    const struct session_mode *mode, const char *caller, session_mode_fn *fn,
    void *arg)
{
	struct sessions *all = s->all;

	(void)caller; /* the owner, or the door would not have the session */
	if (s->status == SESSION_RUNNING)
		return NULL;
	s->mode = *mode;
	all->mode_fn = fn;
	all->mode_arg = arg;
	return (struct session_mode_call *)(void *)s;
}

void session_mode_forget(struct session_mode_call **call)
{
	struct session *s = (struct session *)(void *)*call;

	if (s)
		s->all->mode_fn = NULL;
	*call = NULL;
}

static void end_mode(struct sessions *all)
{
	session_mode_fn *fn = all->mode_fn;

	all->mode_fn = NULL;
	if (fn)
		fn(all->mode_arg, NULL);
}

/* ---- lists and changes ---- */

/* There is no list; a test may have one of its own. */
__attribute__((weak)) int session_list(struct sessions *all,
    const struct session_query *query,
    void (*fn)(const struct session_record *r, void *arg), void *arg,
    uint64_t *next, struct err *err)
{
	(void)all;
	(void)fn;
	(void)arg;
	(void)err;
	*query->n_seen = 0;
	*next = 0;
	return 0;
}

/* Changes are for stories (t/41-sessions.t). */
struct session_change *session_set_title(struct session *s, const char *title,
    size_t len, const char *caller, session_change_fn *fn, void *arg)
{
	(void)s;
	(void)title;
	(void)len;
	(void)caller;
	fn(arg, NULL);
	return NULL;
}

struct session_change *session_delete(
    struct session *s, session_change_fn *fn, void *arg)
{
	(void)s;
	fn(arg, NULL);
	return NULL;
}

void session_change_forget(struct session_change **change)
{
	*change = NULL;
}
