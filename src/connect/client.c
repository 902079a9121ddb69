/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/client.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "connect/peer.h"
#include "connect/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

void client_watch(struct co_client *c, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0 || epoll_ctl(c->set, EPOLL_CTL_ADD, fd, &event) != 0)
		fatal("connect: epoll: %s", strerror(errno));
}

/* ---- to the agent ---- */

static void send_sealed(struct co_client *c, const char *text, size_t len)
{
	struct seal_box *box = seal_put(&c->seal, text, len);
	size_t n = 0;

	while (seal_box_step(box) == SEAL_MORE)
		continue;
	const char *frame = seal_box_text(box, &n);
	peer_send(c->peer, frame, n);
	seal_box_free(&box);
}

void client_send(struct co_client *c, const char *text, size_t len)
{
	if (!c->peer)
		return;
	if (c->is_sealed)
		send_sealed(c, text, len);
	else
		peer_send(c->peer, text, len);
}

void client_send_pong(struct co_client *c)
{
	static const char pong[] = "{\"type\":\"PONG\"}";

	client_send(c, pong, sizeof pong - 1);
}

struct say client_say(const struct co_client *c)
{
	return (struct say){
	    .from = c->settings.own_address,
	    .secret_key = c->settings.secret_key,
	    .to = c->address,
	    .is_relayed = c->is_relayed,
	    .now_s = clock_wall_ms() / 1000,
	};
}

/* Send a command of this type (connect/say.h). */
static void command(struct co_client *c, const char *type, const char *members)
{
	struct buf frame = {0};
	const struct say say = client_say(c);

	say_command(&frame, &say, type, members);
	client_send(c, frame.data, frame.len);
	buf_fini(&frame);
}

void client_send_operation(struct co_client *c)
{
	c->op.is_sent = true;
	c->op.has_turn = c->op.kind == OP_INPUT;
	command(c, c->op.type, c->op.members.data);
}

/* Answers are kept as type NUL members NUL, and signed when they are sent. */
void client_answer(
    struct co_client *c, const char *id, const char *type, const char *members)
{
	if (c->phase == PHASE_OPEN)
		command(c, type, members);
	buf_append(&c->answers, type, strlen(type) + 1);
	buf_append(&c->answers, members, strlen(members) + 1);
	bookmark_note_answer(&c->bookmark);
	if (id)
		bookmark_set(&c->answered, id);
}

void client_repeat_answers(struct co_client *c)
{
	const char *at = c->answers.data;
	const char *end = at + c->answers.len;

	while (at != end) {
		const char *type = at;
		const char *members = type + strlen(type) + 1;
		command(c, type, members);
		at = members + strlen(members) + 1;
	}
}

void client_drop_answers(struct co_client *c)
{
	buf_fini(&c->answers);
	buf_fini(&c->answered);
}

/* ---- to the caller ---- */

void client_tell_event(struct co_client *c, const struct json *event)
{
	struct buf text = {0}, type = {0}, id = {0};
	size_t len = 0;
	const char *json = json_text(event, &len);

	if (!c->settings.on_event || c->is_in_callback)
		return;
	buf_append(&text, json, len);
	bookmark_set_string(&type, json_get(event, "type"));
	bookmark_set_string(&id, json_get(event, "id"));
	const struct co_event told = {
	    .type = bookmark_text(&type),
	    .id = bookmark_text(&id),
	    .json = buf_cstr(&text),
	    .json_len = len,
	};
	c->is_in_callback = true;
	c->settings.on_event(c->settings.arg, c, &told);
	c->is_in_callback = false;
	buf_fini(&text);
	buf_fini(&type);
	buf_fini(&id);
}

void client_tell_way(struct co_client *c, enum co_way way, const char *where,
    const char *why, int64_t delay_ms)
{
	const struct co_connection news = {
	    .way = way,
	    .where = where ? where : "",
	    .why = why ? why : "",
	    .is_relayed = c->is_relayed,
	    .is_sealed = c->is_sealed,
	    .delay_ms = delay_ms,
	};

	if (!c->settings.on_connection || c->is_in_callback)
		return;
	c->is_in_callback = true;
	c->settings.on_connection(c->settings.arg, c, &news);
	c->is_in_callback = false;
}

/* ---- ends ---- */

void client_fault(
    struct co_client *c, enum co_code code, bool is_final, const char *fmt, ...)
{
	va_list ap;

	if (c->fault.code)
		return;
	c->fault.code = code;
	c->fault.is_final = is_final;
	va_start(ap, fmt);
	(void)vsnprintf(c->fault.text, sizeof c->fault.text, fmt, ap);
	va_end(ap);
}

enum co_code client_refuse(
    struct co_client *c, enum co_code code, const char *fmt, ...)
{
	va_list ap;

	c->error.code = code;
	va_start(ap, fmt);
	(void)vsnprintf(c->error.text, sizeof c->error.text, fmt, ap);
	va_end(ap);
	return code;
}

bool client_is_busy(const struct co_client *c)
{
	return c->op.kind != OP_NONE && !c->op.is_done;
}

void client_drop_question(struct co_client *c)
{
	query_fini(&c->query);
	c->op.is_told = false;
}

static bool end(struct co_client *c, enum co_code code)
{
	if (!client_is_busy(c))
		return false;
	client_drop_question(c);
	client_drop_answers(c);
	buf_reset(&c->op.text);
	buf_reset(&c->op.json);
	c->op.is_done = true;
	c->op.is_left = code == CO_ERR_TIMEOUT || code == CO_ERR_CANCELLED;
	c->op.has_turn = false;
	c->op.code = code;
	return true;
}

void client_fail(struct co_client *c, enum co_code code, const char *fmt, ...)
{
	va_list ap;

	if (!end(c, code))
		return;
	va_start(ap, fmt);
	buf_vprintf(&c->op.text, fmt, ap);
	va_end(ap);
}

void client_finish_text(struct co_client *c, const char *text, const char *json)
{
	if (!end(c, CO_OK))
		return;
	buf_str(&c->op.text, text);
	buf_str(&c->op.json, json);
}

/* Text as it is; anything else as JSON. */
static void put_value(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = "";

	if (json_is(v, JSON_STRING))
		text = json_str(v, &scratch, &len);
	else if (json_type(v) != JSON_NULL)
		text = json_text(v, &len);
	buf_append(out, text, len);
	buf_fini(&scratch);
}

void client_finish(struct co_client *c, enum co_code code,
    const struct json *text, const struct json *frame)
{
	size_t len = 0;
	const char *json = json_text(frame, &len);

	if (!end(c, code))
		return;
	put_value(&c->op.text, text);
	buf_append(&c->op.json, json, len);
	(void)json_int(json_get(frame, "duration_ms"), &c->op.duration_ms);
	(void)json_int(
	    json_get(frame, "retry_after_ms"), &c->op.retry_after_ms);
}
