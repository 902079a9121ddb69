/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_trajectory.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/err.h"
#include "net/http.h"
#include "openhands/oh_asked.h"
#include "openhands/oh_page.h"
#include "session/session.h"

#include <stdlib.h>

#define JSON "application/json"

struct trajectory {
	struct http_req *req;
	struct session *session;
	struct oh_page page; /* the next one */
	int64_t newest;
	bool has_some;
};

static void let_go(struct trajectory *t)
{
	session_close(&t->session);
	free(t);
}

static void on_gone(void *arg)
{
	let_go(arg);
}

static void finish(struct trajectory *t)
{
	struct http_req *req = t->req;
	http_on_gone(req, NULL, NULL);
	let_go(t);
	http_stream_write(req, "]}", 2);
	http_stream_end(req);
}

static void put_page(struct buf *out, struct trajectory *t)
{
	struct buf events = {0};
	t->page.last = t->page.first + OH_PAGE_MAX - 1;
	if (t->page.last > t->newest)
		t->page.last = t->newest;
	oh_page_put(&events, t->session, &t->page);
	if (events.len && t->has_some)
		buf_char(out, ',');
	t->has_some |= events.len > 0;
	buf_append(out, events.data, events.len);
	/* What is written must drain, or nobody asks for the next page. */
	buf_char(out, '\n');
	buf_fini(&events);
	t->page.first = t->page.last + 1;
}

static void on_drain(void *arg)
{
	struct trajectory *t = arg;
	struct buf out = {0};
	if (t->page.first > t->newest) {
		finish(t);
		return;
	}
	put_page(&out, t);
	http_stream_write(t->req, out.data, out.len);
	buf_fini(&out);
}

void oh_trajectory_get(struct oh_asked *a)
{
	static const char head[] = "{\"trajectory\":[";
	struct session_record record;
	struct buf memory = {0};
	struct session *s = NULL;
	struct err err;
	if (oh_asked_find(a, &memory, &record, &err) == 0)
		s = oh_asked_open(a, &err);
	buf_fini(&memory);
	if (!s) {
		oh_asked_unknown(a, &err);
		return;
	}
	if (http_is_head(a->req)) {
		session_close(&s);
		http_reply_head(a->req, 200, JSON);
		return;
	}
	struct trajectory *t = mem_zero(sizeof *t);
	t->req = a->req;
	t->session = s;
	t->newest = oh_page_newest(s);
	t->page.began_us = record.began_ms * 1000;
	http_on_gone(t->req, on_gone, t);
	http_stream_start(t->req, 200, JSON, on_drain, t);
	http_stream_write(t->req, head, sizeof head - 1);
}
