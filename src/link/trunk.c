/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/trunk.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

/* Lanes hand over messages while less than this waits for the kernel. */
#define ROOM_BYTES ((size_t)256 * 1024)

/* What precedes the text of each message, in the byte order of the machine. */
struct head {
	uint32_t type;
	uint32_t wire;
	uint32_t value;
	uint32_t len;
};

/* A message that waits in a lane. */
struct parcel {
	struct list link;
	struct head head;
	char text[];
};

struct trunk {
	struct stream *stream;
	const struct trunk_handlers *handlers;
	void *arg;
	size_t max_bytes;
	struct list busy; /* lanes with messages that may go, in turn */
	struct loop_later hand_over;
	struct loop *loop;
	struct buf in;	/* the beginning of a message */
	bool is_closed; /* by its owner, inside a handler */
	bool is_inside; /* a handler */
};

/* ---- out ---- */

static struct parcel *first_of(const struct trunk_lane *lane)
{
	return list_entry(lane->parcels.next, struct parcel, link);
}

static bool may_go(const struct trunk_lane *lane)
{
	return !list_is_empty(&lane->parcels) &&
	       (!lane->window || lane->under_way < lane->window);
}

/* Let the lane take its turn, if it has something for it. */
static void enlist(struct trunk *t, struct trunk_lane *lane)
{
	if (!may_go(lane) || !list_is_empty(&lane->link))
		return;
	list_append(&t->busy, &lane->link);
	loop_later_ask(t->loop, &t->hand_over);
}

static void put(struct trunk *t, const struct head *h, const char *text)
{
	/* The limit is checked before, so these take everything. */
	(void)stream_write(t->stream, h, sizeof *h, SIZE_MAX);
	if (h->len)
		(void)stream_write(t->stream, text, h->len, SIZE_MAX);
}

static void hand_over(struct trunk *t, struct trunk_lane *lane)
{
	struct parcel *p = first_of(lane);

	list_remove(&p->link);
	lane->waiting -= p->head.len;
	if (lane->window)
		lane->under_way += p->head.len;
	put(t, &p->head, p->text);
	free(p);
	enlist(t, lane);
}

static void on_hand_over(void *arg)
{
	struct trunk *t = arg;
	struct list *l;
	bool has_moved = false;

	while (!trunk_is_full(t) && (l = list_shift(&t->busy))) {
		hand_over(t, list_entry(l, struct trunk_lane, link));
		has_moved = true;
	}
	if (has_moved)
		t->handlers->on_room(t->arg);
}

static struct head head_of(const struct trunk_message *m)
{
	return (struct head){m->type, m->wire, m->value, (uint32_t)m->len};
}

/* ---- in ---- */

static void end(struct trunk *t)
{
	stream_close(&t->stream);
	loop_later_cancel(&t->hand_over);
	t->handlers->on_end(t->arg);
}

static bool is_valid(const struct trunk *t, const struct head *h)
{
	return h->type < TRUNK_TYPES && h->len <= t->max_bytes;
}

/* Deliver one message; returns how many bytes it had, 0: it is incomplete. */
static size_t deliver(struct trunk *t, const char *bytes, size_t n)
{
	struct head h;

	if (n < sizeof h)
		return 0;
	memcpy(&h, bytes, sizeof h);
	if (!is_valid(t, &h) || n - sizeof h < h.len)
		return 0;
	struct trunk_message m = {
	    .type = h.type,
	    .wire = h.wire,
	    .value = h.value,
	    .text = bytes + sizeof h,
	    .len = h.len,
	};
	t->handlers->on_message(t->arg, &m);
	return sizeof h + h.len;
}

/* Deliver all complete messages; returns how many bytes they had. */
static size_t deliver_all(struct trunk *t, const char *bytes, size_t n)
{
	size_t done = 0, len;

	while (!t->is_closed && (len = deliver(t, bytes + done, n - done)))
		done += len;
	return done;
}

/* Whether these bytes can still become a message. */
static bool is_promising(const struct trunk *t)
{
	struct head h;

	if (t->in.len < sizeof h)
		return true;
	memcpy(&h, t->in.data, sizeof h);
	return is_valid(t, &h);
}

static void read_bytes(struct trunk *t, const char *bytes, size_t n)
{
	size_t done;

	if (!t->in.len) {
		done = deliver_all(t, bytes, n);
		buf_append(&t->in, bytes + done, n - done);
		return;
	}
	buf_append(&t->in, bytes, n);
	done = deliver_all(t, t->in.data, t->in.len);
	buf_consume(&t->in, done);
	if (!t->in.len)
		buf_fini(&t->in);
}

static void trunk_free(struct trunk *t)
{
	buf_fini(&t->in);
	free(t);
}

static void on_data(void *arg, const char *bytes, size_t n)
{
	struct trunk *t = arg;

	t->is_inside = true;
	read_bytes(t, bytes, n);
	t->is_inside = false;
	if (t->is_closed)
		trunk_free(t);
	else if (!is_promising(t))
		end(t);
}

static void on_stream_end(void *arg)
{
	end(arg);
}

static void on_drain(void *arg)
{
	struct trunk *t = arg;

	if (!list_is_empty(&t->busy))
		loop_later_ask(t->loop, &t->hand_over);
}

static const struct stream_handlers stream_handlers = {
    .on_data = on_data,
    .on_end = on_stream_end,
    .on_drain = on_drain,
};

/* ---- calls ---- */

void trunk_lane_init(struct trunk_lane *lane, size_t window)
{
	*lane = (struct trunk_lane){.window = window};
	list_init(&lane->link);
	list_init(&lane->parcels);
}

void trunk_lane_fini(struct trunk_lane *lane)
{
	struct list *l;

	list_remove(&lane->link);
	while ((l = list_shift(&lane->parcels)))
		free(list_entry(l, struct parcel, link));
	trunk_lane_init(lane, lane->window);
}

void trunk_lane_keep(struct trunk_lane *lane, const struct trunk_message *m)
{
	struct parcel *p = mem_alloc(sizeof *p + m->len);

	p->head = head_of(m);
	if (m->len)
		memcpy(p->text, m->text, m->len);
	list_append(&lane->parcels, &p->link);
	lane->waiting += m->len;
}

struct trunk *trunk_open(struct loop *l, int fd, size_t max_bytes,
    const struct trunk_handlers *handlers, void *arg)
{
	struct trunk *t = mem_zero(sizeof *t);

	t->loop = l;
	t->handlers = handlers;
	t->arg = arg;
	t->max_bytes = max_bytes;
	list_init(&t->busy);
	loop_later_init(&t->hand_over, on_hand_over, t);
	t->stream = stream_open(l, fd, fd, &stream_handlers, t);
	return t;
}

void trunk_close(struct trunk **tp)
{
	struct trunk *t = *tp;
	struct list *l;

	if (!t)
		return;
	*tp = NULL;
	while ((l = list_shift(&t->busy)))
		continue;
	loop_later_cancel(&t->hand_over);
	stream_close(&t->stream);
	t->is_closed = true;
	if (!t->is_inside)
		trunk_free(t);
}

void trunk_send(
    struct trunk *t, struct trunk_lane *lane, const struct trunk_message *m)
{
	struct head h = head_of(m);

	if (!t->stream)
		return;
	if (!lane) {
		put(t, &h, m->text);
		return;
	}
	trunk_lane_keep(lane, m);
	enlist(t, lane);
}

void trunk_adopt(struct trunk *t, struct trunk_lane *lane)
{
	enlist(t, lane);
}

void trunk_taken(struct trunk *t, struct trunk_lane *lane, size_t n)
{
	lane->under_way -= n < lane->under_way ? n : lane->under_way;
	enlist(t, lane);
}

bool trunk_is_full(const struct trunk *t)
{
	return t->stream && stream_waiting(t->stream) >= ROOM_BYTES;
}

void trunk_pause(struct trunk *t, bool is_paused)
{
	if (t->stream)
		stream_pause(t->stream, is_paused);
}
