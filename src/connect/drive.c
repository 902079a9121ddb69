/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/drive.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "connect/client.h"
#include "connect/hear.h"
#include "connect/peer.h"
#include "connect/say.h"
#include "connect/way.h"
#include "core/err.h"
#include "websocket/ws_client.h"
#include "websocket/ws_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Pauses between attempts to connect. */
#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS 8000

/*
 * A connection on which nothing came for this long, although hosts send a PING
 * every 30 s, may be dead without our knowing: no command is risked on it.
 */
#define STALE_MS 45000

/* How long a turn without a deadline is looked for. */
#define LOST_AFTER_MS 300000

static void watch(struct co_client *c, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (epoll_ctl(c->set, EPOLL_CTL_ADD, fd, &event) != 0)
		fatal("connect: epoll: %s", strerror(errno));
}

void drive_drop(struct co_client *c)
{
	peer_free(&c->peer);
	seal_fini(&c->seal);
	c->is_sealed = false;
	c->is_onboarding = false;
	free(c->where);
	c->where = NULL;
	c->phase = PHASE_NONE;
}

static bool needs_agent(const struct co_client *c)
{
	return client_is_busy(c) && c->op.kind != OP_INFO &&
	       c->op.kind != OP_FIND;
}

/* ---- sealing and greeting ---- */

static void greet(struct co_client *c)
{
	struct buf text = {0};
	const struct say say = {
	    .from = c->settings.own_address,
	    .secret_key = c->settings.secret_key,
	    .to = c->address,
	    .is_relayed = c->is_relayed,
	    .now_s = clock_wall_ms() / 1000,
	};
	const struct say_connect connect = {
	    .session_id = bookmark_text(&c->bookmark.session_id),
	    .last_event_id = c->op.has_turn || c->op.kind == OP_RESUME
				 ? bookmark_text(&c->bookmark.last_event_id)
				 : NULL,
	    .session = bookmark_text(&c->bookmark.session),
	};

	c->phase = PHASE_GREETING;
	say_connect(&text, &say, &connect);
	client_send(c, text.data, text.len);
	buf_fini(&text);
}

static void ask_for_seal(struct co_client *c)
{
	struct buf text = {0};
	const struct seal_host me = {
	    .address = c->settings.own_address,
	    .secret_key = c->settings.secret_key,
	};

	c->phase = PHASE_SEALING;
	seal_ask(&c->asked, &text, c->address, &me, clock_wall_ms() / 1000);
	client_send(c, text.data, text.len);
	buf_fini(&text);
}

static void on_open(void *arg)
{
	struct co_client *c = arg;

	if (c->settings.seal == CO_SEAL_NEVER)
		greet(c);
	else
		ask_for_seal(c);
}

/* The agent, or the relay, does not seal. */
static void on_seal_refused(struct co_client *c, const struct json *frame)
{
	struct buf text = {0};
	const struct json *message = json_get(frame, "message");

	bookmark_set_string(
	    &text, message ? message : json_get(frame, "error"));
	if (strcasestr(bookmark_text(&text), "agent not connected"))
		client_fault(c, CO_ERR_AWAY, false, "%s", bookmark_text(&text));
	else if (c->settings.seal == CO_SEAL_IF_POSSIBLE)
		greet(c);
	else
		client_fault(c, CO_ERR_SEAL, true,
		    "the connection cannot be sealed: %s",
		    *bookmark_text(&text) ? bookmark_text(&text)
					  : "the agent does not know SEAL");
	buf_fini(&text);
}

static void on_sealed(struct co_client *c, const struct json *frame)
{
	struct err err;

	if (seal_confirm(&c->seal, &c->asked, frame, &err) != 0) {
		client_fault(
		    c, CO_ERR_IDENTITY, false, "%s: %s", c->where, err.text);
		return;
	}
	c->is_sealed = true;
	greet(c);
}

/* ---- what comes ---- */

/* Only what is inside a seal is from the agent. */
static void on_clear(struct co_client *c, const struct json *frame)
{
	static const char pong[] = "{\"type\":\"PONG\"}";
	struct buf text = {0};

	if (json_str_is(json_get(frame, "type"), "PING")) {
		client_send(c, pong, sizeof pong - 1);
		return;
	}
	bookmark_set_string(&text, json_get(frame, "message"));
	client_fault(c, CO_ERR_UNREACHABLE, false,
	    "the sealed connection was ended in clear: %s",
	    bookmark_text(&text));
	buf_fini(&text);
}

static void open_sealed(struct co_client *c, const struct json *frame)
{
	struct err err;
	struct json_error why;
	size_t len = 0;
	enum seal_step step = SEAL_BROKEN;
	struct seal_box *box = seal_take(&c->seal, frame, &err);

	while (box && (step = seal_box_step(box)) == SEAL_MORE)
		continue;
	if (step != SEAL_DONE) {
		client_fault(c, CO_ERR_UNREACHABLE, false,
		    "the sealed connection was tampered with");
	} else {
		const char *text = seal_box_text(box, &len);
		const struct json *inner =
		    json_parse(&c->inner_doc, text, len, 0, &why);
		if (inner)
			hear_frame(c, inner);
		else
			client_fault(c, CO_ERR_PROTOCOL, false,
			    "the agent sent what is no JSON: %s", why.message);
	}
	seal_box_free(&box);
}

static void on_frame(struct co_client *c, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");

	if (c->is_sealed) {
		if (json_str_is(type, "SEALED"))
			open_sealed(c, frame);
		else
			on_clear(c, frame);
	} else if (c->phase != PHASE_SEALING) {
		hear_frame(c, frame);
	} else if (json_str_is(type, "SEALED_OK")) {
		on_sealed(c, frame);
	} else if (json_str_is(type, "PING")) {
		on_clear(c, frame);
	} else {
		on_seal_refused(c, frame);
	}
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct co_client *c = arg;
	struct json_error why;
	const struct json *frame;

	if (c->fault.code)
		return;
	frame = json_parse(&c->doc, text, len, 0, &why);
	if (frame)
		on_frame(c, frame);
	else
		client_fault(c, CO_ERR_PROTOCOL, false,
		    "%s sent what is no JSON: %s", c->where, why.message);
}

static void on_end(void *arg, int code, const char *why)
{
	struct co_client *c = arg;

	(void)code;
	client_fault(c, CO_ERR_UNREACHABLE, false, "%s %s", c->where, why);
}

static const struct ws_client_handlers handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};

/* ---- dialling ---- */

/* text is the URL of a WebSocket. */
static void dial(struct co_client *c, const char *text, bool is_relayed)
{
	struct url url;
	const char *why;

	c->is_relayed = is_relayed;
	c->where = mem_strdup(text);
	if (url_parse(&url, text, &why) != 0) {
		client_fault(c, CO_ERR_ARGUMENT, true, "%s %s", text, why);
		return;
	}
	if (url.is_secure && !c->trust)
		c->trust = ws_trust_open();
	client_tell_way(c, CO_WAY_CONNECTING, text, NULL, 0);
	const struct peer_setup setup = {
	    .url = &url,
	    .trust = c->trust,
	    .user_agent = c->settings.user_agent,
	    .open_timeout_ms = c->settings.open_timeout_ms,
	    .max_message_bytes = c->settings.max_message_bytes,
	    .handlers = &handlers,
	    .arg = c,
	};
	c->phase = PHASE_DIALLING;
	c->peer = peer_open(&setup);
	watch(c, peer_fd(c->peer));
	url_fini(&url);
}

/* ---- pauses ---- */

/* Half of them shorter, half longer, so that clients do not come all at once. */
static int64_t jitter(int64_t pause_ms)
{
	uint32_t random;

	enc_random(&random, sizeof random);
	return pause_ms * 3 / 4 + random % (uint32_t)(pause_ms / 2 + 1);
}

static bool may_retry(const struct co_client *c)
{
	if (!needs_agent(c) || c->fault.is_final)
		return false;
	if (c->op.has_turn)
		return c->op.deadline_ms != INT64_MAX ||
		       clock_mono_ms() - c->op.broken_ms < LOST_AFTER_MS;
	return !c->op.is_sent && c->op.n_failures < c->settings.retries;
}

static void pause_until_next(struct co_client *c)
{
	int64_t pause_ms;

	c->op.n_failures++;
	c->op.pause_ms = backoff(c->op.pause_ms, FIRST_PAUSE_MS, MAX_PAUSE_MS);
	pause_ms = jitter(c->op.pause_ms);
	if (c->fault.retry_after_ms > pause_ms)
		pause_ms = c->fault.retry_after_ms;
	c->resume_ms = clock_mono_ms() + pause_ms;
	c->phase = PHASE_PAUSING;
	client_tell_way(c, CO_WAY_RETRY, NULL, c->fault.text, pause_ms);
}

static void give_up(struct co_client *c)
{
	if (!needs_agent(c))
		return;
	if (c->op.is_sent || c->op.has_turn)
		client_fail(c, CO_ERR_LOST,
		    "the connection broke, and was not restored: %s",
		    c->fault.text);
	else
		client_fail(c, c->fault.code, "%s", c->fault.text);
	if (c->op.is_done)
		c->op.retry_after_ms = c->fault.retry_after_ms;
}

/* Act on a fault: the connection is dropped, and what then? */
static void recover(struct co_client *c)
{
	bool was_open = c->phase == PHASE_OPEN;

	if (c->peer || c->where)
		client_tell_way(c, CO_WAY_BROKEN, c->where, c->fault.text, 0);
	if (was_open && c->op.has_turn && !c->op.broken_ms)
		c->op.broken_ms = clock_mono_ms();
	drive_drop(c);
	if (may_retry(c))
		pause_until_next(c);
	else
		give_up(c);
	c->fault = (struct fault){.code = CO_OK};
}

/* ---- steps ---- */

static void look_at_clock(struct co_client *c)
{
	int64_t now_ms = clock_mono_ms();

	if (c->is_cancelled) {
		c->is_cancelled = false;
		client_fail(c, CO_ERR_CANCELLED, "cancelled");
	}
	if (client_is_busy(c) && now_ms >= c->op.deadline_ms)
		client_fail(c, CO_ERR_TIMEOUT, "the time is up");
	if (c->phase == PHASE_PAUSING && now_ms >= c->resume_ms)
		c->phase = PHASE_NONE;
	if ((c->phase == PHASE_SEALING || c->phase == PHASE_GREETING) &&
	    now_ms >= c->greet_by_ms)
		client_fault(c, CO_ERR_UNREACHABLE, false,
		    "%s did not answer in time", c->where);
}

/* A turn that nobody waits for is left to the agent, with its connection. */
static void leave_turn(struct co_client *c)
{
	if (c->op.kind != OP_NONE && c->op.is_done && c->op.is_left) {
		c->op.is_left = false;
		drive_drop(c);
	}
}

/* An operation finds the connection that an earlier one left open. */
static void use_connection(struct co_client *c)
{
	if (c->op.kind == OP_RESUME && !c->op.has_turn)
		drive_drop(c); /* only CONNECT tells whether a turn runs */
	else if (!c->op.is_sent &&
		 clock_mono_ms() - peer_heard_ms(c->peer) > STALE_MS)
		drive_drop(c);
	else if (c->op.kind == OP_OPEN)
		client_finish(c, CO_OK, NULL, NULL);
	else if (c->op.type && !c->op.is_sent)
		client_send_operation(c);
}

static void advance(struct co_client *c)
{
	if (c->phase == PHASE_OPEN && needs_agent(c))
		use_connection(c);
	if (c->phase == PHASE_NONE && needs_agent(c)) {
		c->greet_by_ms = clock_mono_ms() + c->settings.open_timeout_ms;
		if (!c->direct && c->settings.direct)
			c->direct = way_socket(c->settings.direct);
		if (c->direct)
			dial(c, c->direct, false);
		else
			client_fail(c, CO_ERR_UNREACHABLE,
			    "there is no way to the agent");
	}
}

/* ---- the one descriptor ---- */

static int64_t due_ms(const struct co_client *c)
{
	int64_t due = INT64_MAX;
	int64_t times[] = {
	    client_is_busy(c) ? c->op.deadline_ms : INT64_MAX,
	    c->phase == PHASE_PAUSING ? c->resume_ms : INT64_MAX,
	    c->phase == PHASE_SEALING || c->phase == PHASE_GREETING
		? c->greet_by_ms
		: INT64_MAX,
	    c->peer ? peer_due_ms(c->peer) : INT64_MAX,
	};

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (times[i] < due)
			due = times[i];
	return due;
}

static void set_timer(struct co_client *c)
{
	int64_t due = due_ms(c);
	struct itimerspec when = {.it_value = {0}};

	if (due != INT64_MAX) {
		/* A zero would stop the timer. */
		if (due <= 0)
			due = 1;
		when.it_value.tv_sec = due / 1000;
		when.it_value.tv_nsec = due % 1000 * 1000000;
	}
	if (timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
		fatal("connect: timerfd: %s", strerror(errno));
}

static void take_wakes(struct co_client *c)
{
	uint64_t n;

	(void)!read(c->timer, &n, sizeof n); /* it says only that time passed */
	if (eventfd_read(c->cancel, &n) == 0)
		c->is_cancelled = true;
}

void drive_step(struct co_client *c)
{
	take_wakes(c);
	if (c->peer)
		peer_step(c->peer);
	look_at_clock(c);
	if (c->fault.code)
		recover(c);
	leave_turn(c);
	advance(c);
	set_timer(c);
}
