/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_wire.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake {
	struct wire wire; /* first: a wire of ours is a fake */
	char **frames;
	size_t n_frames;
	size_t taken;
	char *last; /* the frame the test holds */
	size_t pending;
	bool is_stalled;
	int closed;
};

struct http {
	http_handler *fn;
	void *arg;
};

struct http_req {
	bool is_handshake;
};

static struct wire *accepted;
static int status;
static struct loop_timer *timer;

/* ---- the test's side ---- */

struct http *fake_wire_http(void)
{
	static struct http http;

	return &http;
}

struct wire *fake_wire_open(struct http *http, bool is_handshake)
{
	struct http_req req = {is_handshake};

	accepted = NULL;
	status = 0;
	http->fn(&req, http->arg);
	return accepted;
}

int fake_wire_status(void)
{
	return status;
}

static struct fake *fake_of(struct wire *w)
{
	return (struct fake *)(void *)w;
}

static const struct fake *const_fake_of(const struct wire *w)
{
	return (const struct fake *)(const void *)w;
}

void fake_wire_say_bytes(struct wire *w, const char *text, size_t len)
{
	/* A copy of its exact size: a sanitizer sees who reads beyond it. */
	char *copy = mem_alloc(len ? len : 1);

	if (len)
		memcpy(copy, text, len);
	w->handlers->on_text(w->arg, copy, len);
	free(copy);
}

void fake_wire_say(struct wire *w, const char *text)
{
	fake_wire_say_bytes(w, text, strlen(text));
}

void fake_wire_say_binary(struct wire *w)
{
	w->handlers->on_binary(w->arg);
}

const char *fake_wire_next(struct wire *w)
{
	struct fake *f = fake_of(w);

	free(f->last);
	f->last = NULL;
	if (f->taken < f->n_frames)
		f->last = f->frames[f->taken++];
	return f->last;
}

size_t fake_wire_count(const struct wire *w)
{
	return const_fake_of(w)->n_frames - const_fake_of(w)->taken;
}

void fake_wire_stall(struct wire *w, bool is_stalled)
{
	struct fake *f = fake_of(w);

	f->is_stalled = is_stalled;
	if (is_stalled || f->pending == 0)
		return;
	f->pending = 0;
	w->handlers->on_drain(w->arg);
}

int fake_wire_closed(const struct wire *w)
{
	return const_fake_of(w)->closed;
}

void fake_wire_gone(struct wire **w)
{
	struct fake *f = fake_of(*w);

	*w = NULL;
	f->wire.handlers->on_gone(f->wire.arg);
	for (size_t i = f->taken; i < f->n_frames; i++)
		free(f->frames[i]);
	free(f->last);
	free(f->frames);
	free(f);
}

/* ---- net/wire.h and net/ws.h ---- */

static void keep_frame(struct wire *w, const char *text, size_t len)
{
	struct fake *f = fake_of(w);

	f->frames =
	    mem_realloc(f->frames, (f->n_frames + 1) * sizeof(*f->frames));
	f->frames[f->n_frames++] = mem_strndup(text, len);
	if (f->is_stalled)
		f->pending += len;
}

static size_t pending(const struct wire *w)
{
	return const_fake_of(w)->pending;
}

static void close_wire(struct wire *w, int code, const char *reason)
{
	(void)reason; /* for people */
	fake_of(w)->closed = code;
}

static void pause_reading(struct wire *w)
{
	(void)w; /* whoever feeds frames looks at is_paused */
}

static const struct wire_ops ops = {
    .send = keep_frame,
    .pending = pending,
    .close = close_wire,
    .pause = pause_reading,
};

int ws_is_handshake(const struct http_req *req)
{
	return req->is_handshake;
}

void ws_refuse(struct http_req *req)
{
	http_reply_error(req, 400, "no handshake");
}

struct wire *fake_wire_new(void)
{
	struct fake *f = mem_zero(sizeof(*f));

	f->wire = (struct wire){
	    .ops = &ops,
	    .peer = "127.0.0.1",
	    .place = "127.0.0.1",
	    .high_water = 256 * 1024,
	    .peer_is_loopback = true,
	};
	return &f->wire;
}

struct wire *ws_accept(struct http_req *req, const struct ws_limits *limits)
{
	(void)req;
	(void)limits;
	accepted = fake_wire_new();
	return accepted;
}

/* ---- net/http.h ---- */

void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg)
{
	(void)method;
	(void)path;
	h->fn = fn;
	h->arg = arg;
}

const char *http_peer(const struct http_req *req)
{
	(void)req;
	return "127.0.0.1";
}

const char *http_place(const struct http_req *req)
{
	(void)req;
	return "127.0.0.1";
}

bool http_peer_is_loopback(const struct http_req *req)
{
	(void)req;
	return true;
}

void http_add_header(struct http_req *req, const char *name, const char *value)
{
	(void)req;
	(void)name;
	(void)value;
}

const char *http_segment(const struct http_req *req)
{
	(void)req;
	return "";
}

const char *http_query(const struct http_req *req)
{
	(void)req;
	return "";
}

void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg)
{
	(void)req;
	(void)fn;
	(void)arg;
}

void http_reply(struct http_req *req, int code, const char *type,
    const char *body, size_t len)
{
	(void)req;
	(void)type;
	(void)body;
	(void)len;
	status = code;
}

void http_reply_problem(
    struct http_req *req, int code, const char *body, size_t len)
{
	(void)req;
	(void)body;
	(void)len;
	status = code;
}

void http_reply_error(struct http_req *req, int code, const char *text)
{
	(void)req;
	(void)text;
	status = code;
}

/* ---- net/loop.h: one timer is enough ---- */

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg)
{
	*t = (struct loop_timer){.on_time = on_time, .arg = arg};
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms)
{
	(void)l;
	(void)delay_ms; /* its owner looks at the clock again */
	timer = t;
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	(void)l;
	if (timer == t)
		timer = NULL;
}

/* Each call is a tick of its own. */
uint64_t loop_tick(const struct loop *l)
{
	static uint64_t tick;

	(void)l;
	return ++tick;
}

/* ---- time ---- */

static int64_t passed_ms;
static int clock_fd = -1;

static void follow_clock(void)
{
	char path[] = "/tmp/fake_wire.XXXXXX";

	clock_fd = mkstemp(path);
	if (clock_fd < 0 || ftruncate(clock_fd, sizeof(passed_ms)) != 0 ||
	    !clock_follow(path))
		fatal("fake_wire: no clock file");
	(void)unlink(path); /* both of us have it open */
}

void fake_wire_pass_ms(int64_t ms)
{
	struct loop_timer *due = timer;

	if (clock_fd < 0)
		follow_clock();
	passed_ms += ms;
	if (pwrite(clock_fd, &passed_ms, sizeof(passed_ms), 0) !=
	    sizeof(passed_ms))
		fatal("fake_wire: clock file not written");
	timer = NULL;
	if (due)
		due->on_time(due->arg);
}
