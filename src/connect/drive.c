/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/drive.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "connect/asker.h"
#include "connect/bookmark.h"
#include "connect/client.h"
#include "connect/finder.h"
#include "connect/http_get.h"
#include "connect/meet.h"
#include "connect/peer.h"
#include "connect/way.h"
#include "websocket/ws_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

void drive_drop(struct co_client *c)
{
	peer_free(&c->peer);
	finder_free(&c->finder);
	asker_free(&c->asker);
	seal_fini(&c->seal);
	c->is_sealed = false;
	c->is_new_clear = false;
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

/* ---- dialling ---- */

static bool set_url(struct co_client *c, struct url *url, const char *text)
{
	const char *why;

	if (url_parse(url, text, &why) != 0) {
		client_fault(c, CO_ERR_ARGUMENT, true, "%s %s", text, why);
		return false;
	}
	if (url->is_secure && !c->trust)
		c->trust = ws_trust_open();
	return true;
}

static struct peer_setup peer_setup(struct co_client *c, const struct url *url)
{
	return (struct peer_setup){
	    .url = url,
	    .trust = c->trust,
	    .user_agent = c->settings.user_agent,
	    .open_timeout_ms = c->settings.open_timeout_ms,
	    .max_message_bytes = c->settings.max_message_bytes,
	    .handlers = &meet_handlers,
	    .arg = c,
	};
}

/* where is the URL of a WebSocket, which is taken over. */
static void dial(struct co_client *c, char *where, bool is_relayed)
{
	struct url url;

	free(c->where);
	c->where = where;
	c->is_relayed = is_relayed;
	if (!set_url(c, &url, where))
		return;
	client_tell_way(c, CO_WAY_CONNECTING, where, NULL, 0);
	const struct peer_setup setup = peer_setup(c, &url);
	c->phase = PHASE_DIALLING;
	c->greet_by_ms = clock_mono_ms() + c->settings.open_timeout_ms;
	c->peer = peer_open(&setup);
	client_watch(c, peer_fd(c->peer));
	url_fini(&url);
}

/* ---- finding the agent ---- */

static void on_rejected(void *arg, const char *where, const char *why)
{
	client_tell_way(arg, CO_WAY_REJECTED, where, why, 0);
}

static void find(struct co_client *c)
{
	if (!c->http) {
		c->http = http_get_new(c->settings.user_agent);
		client_watch(c, http_get_fd(c->http));
	}
	const struct finder_setup setup = {
	    .http = c->http,
	    .address = c->address,
	    .direct = c->settings.direct,
	    .relay = c->settings.relay,
	    /* In clear only sealed: else a network could be the agent. */
	    .takes_clear = c->settings.seal == CO_SEAL_REQUIRED,
	    .on_rejected = on_rejected,
	    .arg = c,
	};
	client_tell_way(c, CO_WAY_LOOKUP,
	    c->settings.direct ? c->settings.direct : c->settings.relay, NULL,
	    0);
	if (c->phase == PHASE_NONE)
		c->phase = PHASE_FINDING;
	c->finder = finder_start(&setup);
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = mem_strdup(text && *text ? text : NULL);
}

/* The only endpoint that may be used is not there, or is another one. */
static void miss(struct co_client *c, const struct finder_found *found)
{
	client_fault(c, found->is_other ? CO_ERR_IDENTITY : CO_ERR_UNREACHABLE,
	    found->is_other, "%s", found->why);
}

/* Returns whether the search is over. */
static bool take_found(struct co_client *c)
{
	struct finder_found found;

	if (!finder_is_done(c->finder, &found))
		return false;
	if (c->phase == PHASE_FINDING)
		c->phase = PHASE_NONE;
	c->is_found = true;
	c->is_direct_bad = false;
	set_text(&c->direct, found.base);
	set_text(&c->info, found.info);
	set_text(&c->record, found.record);
	if (c->settings.direct && !found.base && c->op.kind != OP_INFO)
		miss(c, &found);
	else
		memcpy(c->address, found.address, sizeof c->address);
	finder_free(&c->finder);
	return true;
}

static bool may_go_direct(const struct co_client *c)
{
	return c->direct && !c->is_direct_bad && !c->settings.is_direct_off;
}

static bool may_be_relayed(const struct co_client *c)
{
	return c->settings.relay && !c->settings.direct && *c->address;
}

static void go(struct co_client *c)
{
	bool needs_finding = c->settings.direct ||
			     (c->settings.relay && !c->settings.is_direct_off);

	if (!c->is_found && needs_finding)
		find(c);
	else if (may_go_direct(c))
		dial(c, way_socket(c->direct), false);
	else if (may_be_relayed(c))
		dial(c, way_relay_socket(c->settings.relay, "/ws/input"), true);
	else
		client_fault(c, CO_ERR_UNREACHABLE, true,
		    "there is no way to the agent: neither a URL nor a relay");
}

/* ---- questions about agents ---- */

static void put_json(struct buf *out, const char *text)
{
	buf_str(out, text ? text : "null");
}

static void tell_info(struct co_client *c)
{
	struct buf json = {0};
	bool is_known = c->info || c->record;
	char *where = c->direct ? way_socket(c->direct) : NULL;

	buf_str(&json, "{\"address\":");
	buf_json_str(&json, c->address);
	buf_printf(&json,
	    ",\"is_direct\":%s,\"where\":", c->direct ? "true" : "false");
	buf_json_str(&json, where);
	buf_str(&json, ",\"info\":");
	put_json(&json, c->info);
	buf_str(&json, ",\"record\":");
	put_json(&json, c->record);
	buf_char(&json, '}');
	if (is_known)
		client_finish_text(c, c->address, buf_cstr(&json));
	else
		client_fail(c, CO_ERR_AWAY, "nothing is known of the agent");
	free(where);
	buf_fini(&json);
}

static void ask_info(struct co_client *c)
{
	if (c->op.is_sent) {
		tell_info(c);
		return;
	}
	c->op.is_sent = true;
	find(c);
}

static void ask_find(struct co_client *c)
{
	struct url url;
	char *where = way_relay_socket(c->settings.relay, "/ws/lookup");

	c->op.is_sent = true;
	if (set_url(c, &url, where)) {
		const struct peer_setup setup = peer_setup(c, &url);
		client_tell_way(c, CO_WAY_LOOKUP, where, NULL, 0);
		c->asker = asker_start(&setup, c->op.members.data);
		client_watch(c, asker_fd(c->asker));
		url_fini(&url);
	}
	free(where);
}

/* What a relay says instead of an answer: relays have texts, and no codes. */
static enum co_code code_of_refusal(const struct json *error)
{
	struct buf text = {0};

	bookmark_set_string(&text, error);
	const char *words = bookmark_text(&text);
	enum co_code code = strcasestr(words, "rate limit") ? CO_ERR_LIMIT
			    : strcasestr(words, "query")    ? CO_ERR_ARGUMENT
							    : CO_ERR_REFUSED;
	buf_fini(&text);
	return code;
}

static void take_answer(struct co_client *c)
{
	const char *answer, *why;
	struct json_doc doc = {0};
	struct json_error error;

	if (!asker_is_done(c->asker, &answer, &why))
		return;
	const struct json *frame =
	    answer ? json_parse(&doc, answer, strlen(answer), 0, &error) : NULL;
	if (!answer)
		client_fail(c, CO_ERR_UNREACHABLE, "the relay %s", why);
	else if (json_is(json_get(frame, "agents"), JSON_ARRAY))
		client_finish(c, CO_OK, NULL, frame);
	else if (frame)
		client_finish(c, code_of_refusal(json_get(frame, "error")),
		    json_get(frame, "error"), frame);
	else
		client_fail(c, CO_ERR_PROTOCOL, "the relay sent no JSON");
	json_fini(&doc);
	asker_free(&c->asker);
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
	c->is_seal_off = false;
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

/* Faults of an endpoint, in whose place the relay may find the agent. */
static bool is_of_endpoint(enum co_code code)
{
	return code == CO_ERR_UNREACHABLE || code == CO_ERR_IDENTITY ||
	       code == CO_ERR_SEAL || code == CO_ERR_PROTOCOL;
}

/* How the connection was that broke. */
struct broken {
	bool was_open;
	bool was_direct;
	bool was_unsealed; /* the agent refused to seal it, and clear will do */
};

static void note_broken(struct co_client *c, struct broken *b)
{
	b->was_open = c->phase == PHASE_OPEN;
	b->was_direct = c->peer && !c->is_relayed;
	b->was_unsealed = c->is_new_clear && c->phase == PHASE_GREETING;
	if (c->where)
		client_tell_way(c, CO_WAY_BROKEN, c->where, c->fault.text, 0);
	if (b->was_open && c->op.has_turn && !c->op.broken_ms)
		c->op.broken_ms = clock_mono_ms();
}

/* Whether the next attempt is made at once, since it goes another way. */
static bool may_go_on(struct co_client *c, const struct broken *b)
{
	if (!needs_agent(c))
		return false;
	if (b->was_unsealed)
		return !c->fault.is_final;
	if (b->was_open) /* it ended between two operations */
		return !c->op.is_sent && !c->op.has_turn;
	if (!b->was_direct || !may_be_relayed(c) ||
	    !is_of_endpoint(c->fault.code))
		return false;
	c->is_direct_bad = true;
	return true;
}

/* Act on a fault: the connection is dropped, and what then? */
static void recover(struct co_client *c)
{
	struct broken b;

	note_broken(c, &b);
	drive_drop(c);
	if (!may_go_on(c, &b)) {
		/* By then it may be elsewhere, unless it was just there. */
		if (!b.was_open || !b.was_direct)
			c->is_found = false;
		if (may_retry(c))
			pause_until_next(c);
		else
			give_up(c);
	}
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

/* What nobody waits for any more is left, and with it the connection. */
static void leave(struct co_client *c)
{
	if (c->op.is_left)
		drive_drop(c);
	c->op.is_left = false;
}

/* An operation finds the connection that an earlier one left open. */
static void use_connection(struct co_client *c)
{
	if (c->op.kind == OP_RESUME && !c->op.has_turn)
		drive_drop(c); /* only CONNECT tells whether a turn runs */
	else if (!c->op.is_sent && !c->op.has_turn &&
		 clock_mono_ms() - peer_heard_ms(c->peer) > STALE_MS)
		drive_drop(c);
	else if (c->op.kind == OP_OPEN)
		client_finish(c, CO_OK, NULL, NULL);
	else if (c->op.type && !c->op.is_sent)
		client_send_operation(c);
}

static void advance(struct co_client *c)
{
	if (c->finder && !take_found(c))
		return;
	if (c->asker)
		take_answer(c);
	if (c->phase == PHASE_OPEN && needs_agent(c))
		use_connection(c);
	if (!client_is_busy(c) || c->fault.code)
		return;
	if (c->op.kind == OP_INFO)
		ask_info(c);
	else if (c->op.kind == OP_FIND && !c->op.is_sent)
		ask_find(c);
	else if (c->phase == PHASE_NONE && needs_agent(c))
		go(c);
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
	    c->http ? http_get_due_ms(c->http) : INT64_MAX,
	    c->asker ? asker_due_ms(c->asker) : INT64_MAX,
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
	if (c->http)
		http_get_step(c->http);
	if (c->asker)
		asker_step(c->asker);
	if (c->peer)
		peer_step(c->peer);
	look_at_clock(c);
	if (c->fault.code)
		recover(c);
	leave(c);
	advance(c);
	if (c->finder) /* which may have had nobody to ask */
		advance(c);
	if (c->fault.code)
		recover(c);
	set_timer(c);
}
