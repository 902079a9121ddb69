/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_page.h"

#include "base/buf.h"
#include "core/event.h"
#include "openhands/oh_calls.h"
#include "openhands/oh_event.h"
#include "session/session.h"

/*
 * So many times a range of the journal is read for one page: most of its events
 * are shown, so this is more than enough, and a bound on the work.
 */
#define ROUNDS 8

struct reading {
	struct buf text;
	const struct oh_page *page;
	struct oh_calls calls;
	struct {
		size_t at, len;
	} items[OH_PAGE_MAX];
	size_t n;
	bool is_done;
};

static void end_item(struct reading *r, size_t at)
{
	if (r->text.len == at || r->n == OH_PAGE_MAX)
		return;
	r->items[r->n].at = at;
	r->items[r->n++].len = r->text.len - at;
}

static void take_view(struct reading *r, const struct event *ev, unsigned view,
    const struct oh_context *context)
{
	struct oh_change change;
	int64_t id = oh_event_id(ev, view);
	size_t at = r->text.len;
	if (!views_has(ev, view) || id < r->page->first || id > r->page->last)
		return;
	if (oh_event_change(&change, ev, view))
		oh_event_put_change(&r->text, &change, OH_UI);
	else
		(void)oh_event_put(&r->text, ev, view, context);
	end_item(r, at);
}

static bool take_event(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	const struct oh_context context = {
	    .dialect = OH_UI, .cause = oh_calls_cause(&r->calls, ev)};
	for (unsigned view = 0; view < VIEWS; view++)
		take_view(r, ev, view, &context);
	r->is_done = (int64_t)views_upto(ev) >= r->page->last;
	return !r->is_done;
}

static bool take_last(const struct event *ev, void *arg)
{
	*(int64_t *)arg = (int64_t)views_upto(ev);
	return false;
}

int64_t oh_page_newest(const struct session *s)
{
	const struct session_range newest = {.is_backwards = true, .most = 1};
	int64_t id = 0;
	(void)session_events(s, &newest, take_last, &id);
	return id;
}

/* The first of them is that the conversation began. */
static void take_begin(struct reading *r)
{
	const struct oh_change began = {
	    .time_us = r->page->began_us, .agent = OH_AGENT_AWAITING_INPUT};
	if (r->page->first)
		return;
	oh_event_put_change(&r->text, &began, OH_UI);
	end_item(r, 0);
}

static void read_events(struct reading *r, const struct session *s)
{
	int64_t first = r->page->first ? r->page->first : 1;
	uint64_t from = session_find_view(s, (uint64_t)first);
	struct session_range range = {
	    .from = from > OH_CALLS_BACK ? from - OH_CALLS_BACK : 1,
	    .most = SESSION_RANGE_MOST};
	for (int i = 0; i < ROUNDS && range.from && !r->is_done; i++)
		range.from = session_events(s, &range, take_event, r);
}

void oh_page_put(
    struct buf *out, const struct session *s, const struct oh_page *page)
{
	struct reading r = {.page = page};
	take_begin(&r);
	if (page->last >= 1 && page->last >= page->first)
		read_events(&r, s);
	for (size_t i = 0; i < r.n; i++) {
		size_t k = page->is_reverse ? r.n - 1 - i : i;
		if (i)
			buf_char(out, ',');
		buf_append(out, r.text.data + r.items[k].at, r.items[k].len);
	}
	buf_fini(&r.text);
}
