/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "llm/model_call.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sse.h"
#include "fetch/fetch.h"
#include "model/codec.h"
#include "model/completion.h"
#include "model/fault.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_DELAY_MS 500
#define MAX_DELAY_MS 8000

/* Of the body of a refusal; more of it says nothing. */
#define REFUSAL_BYTES ((size_t)64 << 10)

/* On the wire, an event takes more than the text in it. */
#define ANSWER_BYTES (16 * COMPLETION_MAX_BYTES)

/*
 * When the model has come to its end, the server gets so long to end the answer,
 * so that the connection can be used again.
 */
#define LINGER_MS 250

#define MAX_HEADERS 8

struct model_call {
	struct loop *loop;
	struct fetch *fetch;
	const struct model_provider *provider;
	const struct model_call_ops *ops;
	void *arg;
	char *url;
	struct buf body;
	struct fetch_call *fetching;
	struct loop_timer timer; /* of the next attempt, or of lingering */
	unsigned n_attempts;
	int64_t delay_ms;
	/* Of this attempt. */
	struct completion completion;
	struct sse stream;
	struct buf whole; /* an answer that is no stream, or a refusal */
	bool is_whole;
	bool is_over; /* what follows is of no interest */
	bool is_lingering;
	size_t n_told; /* bytes of the completion that on_more was told */
	/* Set while callbacks run: freed instead of used. */
	bool *is_gone;
};

/* ---- life ---- */

static void free_attempt(struct model_call *c)
{
	fetch_forget(&c->fetching);
	completion_fini(&c->completion);
	sse_fini(&c->stream);
	buf_fini(&c->whole);
}

void model_call_forget(struct model_call **cp)
{
	struct model_call *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	if (c->is_gone)
		*c->is_gone = true;
	free_attempt(c);
	loop_timer_stop(c->loop, &c->timer);
	buf_fini(&c->body);
	free(c->url);
	free(c);
}

static void end(struct model_call *c)
{
	bool is_gone = false;

	c->is_gone = &is_gone;
	c->ops->on_end(c->arg, &c->completion);
	if (is_gone)
		return;
	c->is_gone = NULL;
	model_call_forget(&c);
}

/* ---- the answer ---- */

static bool model_call_on_event(
    void *arg, const char *name, const char *data, size_t len)
{
	struct model_call *c = arg;

	c->is_over = !c->provider->codec->take(&c->completion, name, data, len);
	return !c->is_over;
}

static void take_stream(struct model_call *c, const char *data, size_t len)
{
	if (!c->is_over && sse_feed(&c->stream, data, len) == SSE_TOO_LONG) {
		c->is_over = true;
		completion_fail(&c->completion, false,
		    "the provider sent an event of more than 8 MiB", "", 0);
	}
}

/* Some servers answer with one object although a stream was asked for. */
static bool is_object(const struct model_call *c, const char *data, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", data[i]))
		i++;
	return c->completion.n_bytes == 0 && i < len && data[i] == '{';
}

/* Returns whether the call still exists. */
static bool tell_more(struct model_call *c)
{
	bool is_gone = false;

	if (c->completion.n_bytes == c->n_told)
		return true;
	c->n_told = c->completion.n_bytes;
	c->is_gone = &is_gone;
	c->ops->on_more(c->arg, &c->completion);
	if (!is_gone)
		c->is_gone = NULL;
	return !is_gone;
}

/* ---- attempts ---- */

static void begin(struct model_call *c);

static void model_call_on_time(void *arg)
{
	struct model_call *c = arg;

	if (c->is_lingering) {
		fetch_forget(&c->fetching);
		end(c);
	} else {
		begin(c);
	}
}

/* Half of the delay is random, so that many turns do not come back at once. */
static int64_t jitter(int64_t delay_ms)
{
	return delay_ms / 2 + clock_mono_us() % (delay_ms / 2 + 1);
}

/* Returns whether another attempt follows. */
static bool retry(struct model_call *c, int64_t retry_after_s)
{
	bool is_gone = false;

	if (!c->completion.is_transient || c->n_told ||
	    c->n_attempts == MODEL_CALL_ATTEMPTS ||
	    retry_after_s > MODEL_CALL_MAX_WAIT_MS / 1000)
		return false;
	c->delay_ms = backoff(c->delay_ms, FIRST_DELAY_MS, MAX_DELAY_MS);
	int64_t wait_ms =
	    retry_after_s ? retry_after_s * 1000 : jitter(c->delay_ms);
	c->is_gone = &is_gone;
	c->ops->on_retry(c->arg, c->completion.error, wait_ms);
	if (is_gone)
		return true;
	c->is_gone = NULL;
	free_attempt(c);
	loop_timer_set(c->loop, &c->timer, wait_ms);
	return true;
}

static void take_answer(struct model_call *c, const struct fetch_answer *answer)
{
	if (answer->error)
		completion_fail(&c->completion, true,
		    "the provider cannot be asked", answer->error,
		    strlen(answer->error));
	else if (answer->status != 200)
		fault_refused(&c->completion, answer->status, c->whole.data,
		    c->whole.len);
	else if (c->is_whole)
		c->provider->codec->take_whole(
		    &c->completion, c->whole.data, c->whole.len);
	else if (!c->is_over)
		(void)sse_end(&c->stream);
	fault_end(&c->completion);
}

static void model_call_on_answer(void *arg, const struct fetch_answer *answer)
{
	struct model_call *c = arg;

	c->fetching = NULL;
	loop_timer_stop(c->loop, &c->timer);
	/* A server that closes without an end after the model's own is fine. */
	if (c->completion.status == COMPLETION_UNFINISHED)
		take_answer(c, answer);
	if (c->completion.status == COMPLETION_FAILED) {
		if (!retry(c, answer->retry_after_s))
			end(c);
	} else if (tell_more(c)) {
		end(c);
	}
}

/*
 * The model has come to its end, or what it sends is of no use, while the server
 * may go on for ever.
 */
static void leave_stream(struct model_call *c)
{
	if (c->completion.status == COMPLETION_UNFINISHED)
		fault_end(&c->completion);
	if (c->completion.status != COMPLETION_FAILED) {
		c->is_lingering = true;
		loop_timer_set(c->loop, &c->timer, LINGER_MS);
		return;
	}
	fetch_forget(&c->fetching);
	if (!retry(c, 0))
		end(c);
}

static bool on_part(void *arg, long status, const char *data, size_t len)
{
	struct model_call *c = arg;

	if (!c->is_whole && status == 200 && !c->stream.line.len &&
	    is_object(c, data, len))
		c->is_whole = true;
	if (status == 200 && !c->is_whole) {
		take_stream(c, data, len);
		if (tell_more(c) && c->is_over && !c->is_lingering)
			leave_stream(c);
		return true;
	}
	size_t max = status == 200 ? ANSWER_BYTES : REFUSAL_BYTES;
	size_t room = max - c->whole.len;
	buf_append(&c->whole, data, len < room ? len : room);
	return true;
}

static void begin(struct model_call *c)
{
	const struct model_provider *p = c->provider;
	const char *headers[MAX_HEADERS] = {"Content-Type: application/json"};
	size_t n = 1;
	struct buf key = {0};

	if (p->key) {
		p->codec->write_key(&key, p->key);
		headers[n++] = buf_cstr(&key);
	}
	for (const char *const *h = p->codec->headers; h && *h; h++)
		headers[n++] = *h;
	c->n_attempts++;
	c->is_whole = c->is_over = c->is_lingering = false;
	c->stream = (struct sse){.max_bytes = COMPLETION_MAX_BYTES,
	    .fn = model_call_on_event,
	    .arg = c};
	struct fetch_ask ask = {
	    .url = c->url,
	    .headers = headers,
	    .body = c->body.data,
	    .body_len = c->body.len,
	    .timeout_ms = p->timeout_ms,
	    .connect_timeout_ms = p->connect_timeout_ms,
	    .idle_timeout_s = p->idle_timeout_s,
	    .max_bytes = ANSWER_BYTES,
	    .on_part = on_part,
	};
	c->fetching = fetch_start(c->fetch, &ask, model_call_on_answer, c);
	if (key.len)
		explicit_bzero(key.data, key.len);
	buf_fini(&key);
}

struct model_call *model_call_start(struct loop *loop, struct fetch *fetch,
    const struct model_provider *provider, const struct model_request *request,
    const struct model_call_ops *ops, void *arg)
{
	struct model_call *c = mem_zero(sizeof *c);
	struct buf url = {0};

	c->loop = loop;
	c->fetch = fetch;
	c->provider = provider;
	c->ops = ops;
	c->arg = arg;
	buf_str(&url, provider->base_url);
	buf_str(&url, provider->codec->path);
	c->url = buf_steal(&url, NULL);
	provider->codec->write(&c->body, request);
	loop_timer_init(&c->timer, model_call_on_time, c);
	begin(c);
	return c;
}
