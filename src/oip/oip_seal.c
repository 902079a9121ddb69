/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_seal.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "identity/seal.h"
#include "net/loop.h"
#include "net/wire.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"
#include "oip/oip_limit.h"
#include "oip/oip_sender.h"

#include <stdlib.h>
#include <string.h>

/*
 * Messages up to this size are sealed and opened at once, which takes 0.5 ms.
 */
#define AT_ONCE_BYTES (256 * 1024)

/* Slices of larger messages per tick, for all clients together. */
#define SLICES_PER_TICK 4

/* Node memory of larger frames is freed at once. */
#define KEEP_TEXT_BYTES (64 * 1024)

/*
 * From the private range of RFC 6455 section 7.4.2: the seal was refused or
 * broken.
 */
#define CLOSE_UNSEALED 4003

struct oip_seal {
	struct wire wire; /* first member: c->wire points to it */
	struct wire *inner;
	struct oip_conn *conn;
	struct seal_call *call; /* the handshake; NULL: finished */
	struct seal seal;
	struct list heard;	  /* messages that wait to be opened */
	struct seal_box *opening; /* the message being opened; NULL: none */
	struct list parcels;	  /* messages being sealed */
	size_t parcel_bytes;
	struct list work; /* in shared.busy: there are slices to process */
	bool is_open;	  /* the handshake succeeded */
	bool is_over;	  /* nothing is sent or delivered any more */
};

/* A message as received. */
struct heard {
	struct list link;
	size_t len;
	char text[];
};

/* An outgoing message. */
struct parcel {
	struct list link;
	struct seal_box *box;
	size_t len;
};

/* Clients with large messages, served round-robin. */
static struct {
	struct list busy;
	struct loop_timer timer;
	bool is_ready;
} shared;

/* One parser for all: each frame is finished before the next is parsed. */
static struct json_doc doc;

static void oip_seal_go_on(struct oip_seal *s);

static struct oip_seal *seal_of(struct wire *w)
{
	return (struct oip_seal *)(void *)w;
}

/* ---- the end ---- */

static void free_parcel(struct parcel *p)
{
	seal_box_free(&p->box);
	free(p);
}

static void drop_all(struct oip_seal *s)
{
	struct list *l;

	seal_call_forget(&s->call);
	seal_box_free(&s->opening);
	while ((l = list_shift(&s->heard)))
		free(list_entry(l, struct heard, link));
	while ((l = list_shift(&s->parcels)))
		free_parcel(list_entry(l, struct parcel, link));
	s->parcel_bytes = 0;
	list_remove(&s->work);
}

/* An attack or a fault: say why, in clear, and end the connection. */
static void oip_seal_give_up(struct oip_seal *s, const char *why)
{
	struct buf *frame = oip_conn_frame();

	log_info("✗ %s", why);
	drop_all(s);
	s->is_over = true;
	oip_frame_error(frame, why);
	wire_send(s->inner, frame->data, frame->len);
	wire_close(s->inner, CLOSE_UNSEALED, "");
}

/* ---- work in slices ---- */

static bool has_work(const struct oip_seal *s)
{
	return s->opening || !list_is_empty(&s->parcels);
}

static void ask_work(struct oip_seal *s)
{
	if (!has_work(s) || !list_is_empty(&s->work))
		return;
	list_append(&shared.busy, &s->work);
	loop_timer_set(s->conn->setup->loop, &shared.timer, 0);
}

/*
 * Reading pauses while a message is being opened, and when the door asks for
 * it.
 */
static void update_pause(struct oip_seal *s)
{
	wire_pause(
	    s->inner, s->wire.is_paused || s->call != NULL || s->opening);
}

/* ---- out ---- */

static enum seal_step oip_seal_finish(struct seal_box *box)
{
	enum seal_step step;

	while ((step = seal_box_step(box)) == SEAL_MORE)
		;
	return step;
}

static void ship(struct oip_seal *s, const struct seal_box *box)
{
	size_t len = 0;
	const char *text = seal_box_text(box, &len);

	wire_send(s->inner, text, len);
}

/* The parcel is the first in the queue, and complete. */
static void ship_parcel(struct oip_seal *s, struct parcel *p)
{
	list_remove(&p->link);
	s->parcel_bytes -= p->len;
	ship(s, p->box);
	free_parcel(p);
}

/* A writer that stopped because of this backlog may resume. */
static void step_parcel(struct oip_seal *s)
{
	struct parcel *p = list_entry(s->parcels.next, struct parcel, link);

	if (seal_box_step(p->box) == SEAL_MORE)
		return;
	ship_parcel(s, p);
	if (list_is_empty(&s->parcels))
		oip_conn_pump(s->conn);
}

static void oip_seal_send_text(struct wire *w, const char *text, size_t len)
{
	struct oip_seal *s = seal_of(w);

	/* A client would take a PING in clear for the answer to SEAL. */
	if (!s->is_open || s->is_over)
		return;
	struct seal_box *box = seal_put(&s->seal, text, len);
	if (len <= AT_ONCE_BYTES && list_is_empty(&s->parcels)) {
		(void)oip_seal_finish(box); /* sealing cannot fail */
		ship(s, box);
		seal_box_free(&box);
		return;
	}
	struct parcel *p = mem_zero(sizeof *p);
	p->box = box;
	p->len = len;
	s->parcel_bytes += len;
	list_append(&s->parcels, &p->link);
	ask_work(s);
}

static size_t pending(const struct wire *w)
{
	const struct oip_seal *s = (const struct oip_seal *)(const void *)w;

	return s->inner->ops->pending(s->inner) + s->parcel_bytes;
}

static void close_wire(struct wire *w, int code, const char *reason)
{
	struct oip_seal *s = seal_of(w);

	if (s->is_over)
		return;
	list_each_safe(it, &s->parcels)
	{
		struct parcel *p = list_entry(it, struct parcel, link);
		(void)oip_seal_finish(p->box); /* sealing cannot fail */
		ship_parcel(s, p);
	}
	drop_all(s);
	s->is_over = true;
	wire_close(s->inner, code, reason);
}

static void pause_reading(struct wire *w)
{
	update_pause(seal_of(w));
}

static const struct wire_ops ops = {
    .send = oip_seal_send_text,
    .pending = pending,
    .close = close_wire,
    .pause = pause_reading,
};

/* ---- in ---- */

static void oip_seal_hear(struct oip_seal *s, const struct seal_box *box)
{
	size_t len = 0;
	const char *text = seal_box_text(box, &len);

	if (oip_limit_message(s->conn, len))
		s->conn->feed(s->conn, text, len);
}

static void tell_broken(struct oip_seal *s)
{
	oip_seal_give_up(
	    s, "sealed frame rejected: sealed frame does not open");
}

static void step_opening(struct oip_seal *s)
{
	enum seal_step step = seal_box_step(s->opening);
	struct seal_box *box = s->opening;

	if (step == SEAL_MORE)
		return;
	if (step == SEAL_BROKEN) {
		tell_broken(s);
		return;
	}
	s->opening = NULL;
	oip_seal_hear(s, box);
	seal_box_free(&box);
	oip_seal_go_on(s);
}

static void open_box(struct oip_seal *s, struct seal_box *box, size_t len)
{
	if (len > AT_ONCE_BYTES) {
		s->opening = box;
		ask_work(s);
		return;
	}
	if (oip_seal_finish(box) == SEAL_DONE)
		oip_seal_hear(s, box);
	else
		tell_broken(s);
	seal_box_free(&box);
}

static void refuse_type(struct oip_seal *s, const struct json *type)
{
	struct buf why = {0};

	buf_str(&why, "sealed frame rejected: expected a SEALED frame, got ");
	oip_frame_repr(&why, type);
	oip_seal_give_up(s, buf_cstr(&why));
	buf_fini(&why);
}

static void refuse_text(struct oip_seal *s, const struct json_error *why,
    const char *text, size_t len)
{
	struct buf *frame = oip_conn_frame();

	oip_frame_invalid(frame, why, text, len);
	wire_send(s->inner, frame->data, frame->len);
}

static void on_frame(struct oip_seal *s, const struct json *frame, size_t len)
{
	const struct json *type = json_get(frame, "type");
	struct seal_box *box;
	struct err err;

	if (!json_str_is(type, "SEALED")) {
		refuse_type(s, type);
		return;
	}
	box = seal_take(&s->seal, frame, &err);
	if (box)
		open_box(s, box, len);
	else
		oip_seal_give_up(s, err.text);
}

static void oip_seal_take(struct oip_seal *s, const char *text, size_t len)
{
	struct json_error why;
	/* An empty text counts as an empty frame (doc/oip.txt 1). */
	const struct json *frame = len ? json_parse(&doc, text, len, 0, &why)
				       : json_parse(&doc, "{}", 2, 0, &why);

	if (frame)
		on_frame(s, frame, len);
	else
		refuse_text(s, &why, text, len);
	if (len > KEEP_TEXT_BYTES)
		json_fini(&doc);
}

static bool must_wait(const struct oip_seal *s)
{
	return !s->is_over && (s->call || s->opening);
}

static void oip_seal_keep(struct oip_seal *s, const char *text, size_t len)
{
	struct heard *h = mem_zero(sizeof *h + len);

	h->len = len;
	memcpy(h->text, text, len);
	list_append(&s->heard, &h->link);
}

static void oip_seal_go_on(struct oip_seal *s)
{
	struct list *l;

	while (!must_wait(s) && (l = list_shift(&s->heard))) {
		struct heard *h = list_entry(l, struct heard, link);
		oip_seal_take(s, h->text, h->len);
		free(h);
	}
	if (!s->is_over)
		update_pause(s);
}

void oip_seal_text(struct oip_conn *c, const char *text, size_t len)
{
	struct oip_seal *s = c->seal;

	if (must_wait(s))
		oip_seal_keep(s, text, len);
	else if (!s->is_over)
		oip_seal_take(s, text, len);
	if (!s->is_over)
		update_pause(s);
}

void oip_seal_binary(struct oip_conn *c)
{
	if (!c->seal->is_over)
		refuse_type(c->seal, NULL);
}

/* ---- the handshake ---- */

static void on_work(void *arg)
{
	struct list *l;

	for (int i = 0; i < SLICES_PER_TICK && (l = list_shift(&shared.busy));
	     i++) {
		struct oip_seal *s = list_entry(l, struct oip_seal, work);
		if (s->opening)
			step_opening(s);
		if (!list_is_empty(&s->parcels))
			step_parcel(s);
		ask_work(s);
	}
	if (!list_is_empty(&shared.busy))
		loop_timer_set(arg, &shared.timer, 0);
}

static void get_ready(struct loop *loop)
{
	if (shared.is_ready)
		return;
	list_init(&shared.busy);
	loop_timer_init(&shared.timer, on_work, loop);
	shared.is_ready = true;
}

static void on_sealed(void *arg, const struct seal *seal, const char *reply,
    size_t reply_len, const struct err *err)
{
	struct oip_seal *s = arg;

	s->call = NULL;
	if (err) {
		oip_seal_give_up(s, err->text);
		return;
	}
	log_info("✓ SEAL identity=%.6s...", seal->peer);
	s->seal = *seal;
	s->is_open = true;
	wire_send(s->inner, reply, reply_len);
	oip_seal_go_on(s);
}

static struct oip_seal *new_seal(struct oip_conn *c)
{
	struct oip_seal *s = mem_zero(sizeof *s);

	get_ready(c->setup->loop);
	s->inner = c->wire;
	s->wire = *c->wire;
	s->wire.ops = &ops;
	s->conn = c;
	list_init(&s->heard);
	list_init(&s->parcels);
	list_init(&s->work);
	return s;
}

bool oip_seal_is_asked(const struct json *frame)
{
	return json_str_is(json_get(frame, "type"), "SEAL");
}

void oip_seal_begin(struct oip_conn *c, const struct json *frame)
{
	struct oip_seal *s = new_seal(c);
	struct access_sealing sealing = {
	    .frame = frame,
	    .peer = s->wire.peer,
	    .is_relayed = s->wire.origin == WIRE_RELAYED,
	};
	struct err err;

	c->seal = s;
	c->wire = &s->wire;
	s->call = access_seal(c->setup->access, &sealing, on_sealed, s, &err);
	if (s->call)
		update_pause(s);
	else
		oip_seal_give_up(s, err.text);
}

bool oip_seal_is_by(const struct oip_conn *c, const struct json *frame)
{
	return c->seal && oip_sender_is_from(frame, c->seal->seal.peer);
}

void oip_seal_forget(struct oip_conn *c)
{
	struct oip_seal *s = c->seal;

	if (!s)
		return;
	c->seal = NULL;
	c->wire = s->inner;
	drop_all(s);
	seal_fini(&s->seal);
	free(s);
}
