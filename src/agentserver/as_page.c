/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_page.h"

#include "agentserver/as_event.h"
#include "agentserver/as_id.h"
#include "agentserver/as_talk.h"
#include "base/buf.h"
#include "door/door.h"
#include "session/session.h"

#include <stdbool.h>

/* No more events are added to a page of this size. */
#define PAGE_BYTES ((size_t)4 * 1024 * 1024)

struct page {
	struct buf *out;
	struct as_trail trail;
	uint64_t from;
	unsigned left;
	size_t begin;
	uint64_t next; /* position of the first event after it; 0: none */
};

static bool take(const struct event *ev, void *arg)
{
	struct page *p = arg;
	if (ev->seq < p->from) {
		as_event_pass(&p->trail, ev);
		return true;
	}
	if (!p->left || p->out->len - p->begin > PAGE_BYTES) {
		p->next = ev->seq;
		return false;
	}
	if (p->out->len > p->begin)
		buf_char(p->out, ',');
	as_event_put(p->out, &p->trail, ev);
	p->left--;
	return true;
}

void as_page_put(
    struct buf *out, const struct as_talk *t, uint64_t from, unsigned most)
{
	struct page page = {.out = out, .from = from, .left = most};
	uint64_t look_back = from > AS_EVENT_LOOK_BACK ? AS_EVENT_LOOK_BACK : 0;
	const struct session_range range = {
	    .from = look_back ? from - look_back : 1,
	    .most = AS_EVENT_LOOK_BACK + most + 1,
	};
	char id[ENC_UUID_SIZE];
	page.trail.salt = as_talk_salt(t);
	buf_str(out, "{\"items\":[");
	page.begin = out->len;
	(void)session_events(t->session, &range, take, &page);
	buf_str(out, "],\"next_page_id\":");
	as_id_event(id, page.trail.salt, page.next);
	if (page.next)
		buf_printf(out, "\"%s\"}", id);
	else
		buf_str(out, "null}");
}
