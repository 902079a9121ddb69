/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_auth.h"

#include "access/access.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_conn.h"
#include "oip/oip_seal.h"
#include "oip/oip_sender.h"

#include <stdlib.h>
#include <string.h>

/* A frame whose verdict is pending. */
struct oip_asking {
	struct access_call *call;
	oip_auth_fn *then;
	bool is_command;
	char *text;
	size_t len;
};

/* A message that arrived in the meantime. */
struct held {
	struct list link;
	size_t len;
	char text[];
};

/* ---- held frames ---- */

bool oip_auth_hold(struct oip_conn *c, const char *text, size_t len)
{
	if (!c->asking)
		return false;
	struct held *h = mem_zero(sizeof *h + len);
	h->len = len;
	memcpy(h->text, text, len);
	list_append(&c->held, &h->link);
	return true;
}

static void free_asking(struct oip_asking *a)
{
	free(a->text);
	free(a);
}

static void drop_held(struct oip_conn *c)
{
	struct list *l;
	while ((l = list_shift(&c->held)))
		free(list_entry(l, struct held, link));
}

void oip_auth_forget(struct oip_conn *c)
{
	drop_held(c);
	if (!c->asking)
		return;
	access_forget(&c->asking->call);
	free_asking(c->asking);
	c->asking = NULL;
}

/*
 * Process the frames held behind the one that was judged, up to the next that
 * must be judged itself.
 */
static void oip_auth_go_on(struct oip_conn *c)
{
	struct list *l;
	while (!c->asking && (l = list_shift(&c->held))) {
		struct held *h = list_entry(l, struct held, link);
		c->feed(c, h->text, h->len);
		free(h);
	}
	wire_pause(c->wire, c->asking != NULL);
}

/* ---- the verdict ---- */

static void refuse_command(struct oip_conn *c, const struct err *err)
{
	console_auth_error("command", err->text);
	oip_conn_deny(c, err);
}

static void continue_with(struct oip_conn *c, const struct oip_asking *a,
    const struct access_verdict *v)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *frame = json_parse(&doc, a->text, a->len, 0, &why);

	if (a->is_command && v->err)
		refuse_command(c, v->err);
	else if (a->is_command)
		a->then(c, json_get(frame, "payload"), v);
	else
		a->then(c, frame, v);
	json_fini(&doc);
}

static void oip_auth_on_verdict(void *arg, const struct access_verdict *v)
{
	struct oip_conn *c = arg;
	struct oip_asking *a = c->asking;

	c->asking = NULL;
	continue_with(c, a, v);
	free_asking(a);
	oip_auth_go_on(c);
}

static struct oip_asking *new_asking(
    struct oip_conn *c, const struct json *frame, oip_auth_fn *then)
{
	struct oip_asking *a = mem_zero(sizeof *a);
	const char *text = json_text(frame, &a->len);

	a->text = mem_strndup(text, a->len);
	a->then = then;
	c->asking = a;
	wire_pause(c->wire, true);
	return a;
}

void oip_auth_onboard(struct oip_conn *c, const struct json *frame,
    const char *address, oip_auth_fn *then)
{
	struct oip_asking *a = new_asking(c, frame, then);

	a->call = access_onboard(c->setup->access, address,
	    json_get(frame, "payload"), c->wire->peer, oip_auth_on_verdict, c);
}

void oip_auth_ask(struct oip_conn *c, const struct json *frame,
    struct access_ask *ask, oip_auth_fn *then)
{
	struct oip_asking *a = new_asking(c, frame, then);

	ask->payload = json_get(frame, "payload");
	ask->from = json_get(frame, "from");
	ask->signature = json_get(frame, "signature");
	ask->peer = c->wire->peer;
	ask->place = c->wire->place;
	ask->is_relayed = c->wire->origin == WIRE_RELAYED;
	ask->is_sealed = oip_seal_is_by(c, frame);
	a->call = access_ask(c->setup->access, ask, oip_auth_on_verdict, c);
}

/* ---- commands of a v2 socket ---- */

/*
 * Returns what is wrong with a signed command besides its signature, or NULL.
 */
static const char *oip_auth_complaint(
    const struct oip_conn *c, const struct json *frame)
{
	const struct json *payload = json_get(frame, "payload");
	const struct json *nonce = json_get(payload, "nonce");

	if (!oip_sender_is_from(frame, c->caller.address))
		return "unauthorized: command signer does not own this "
		       "connection";
	if (!oip_sender_has_type(payload, frame))
		return "unauthorized: signed command type mismatch";
	if (!json_is(nonce, JSON_STRING) || json_str_is(nonce, ""))
		return "unauthorized: signed command nonce required";
	return NULL;
}

void oip_auth_command(
    struct oip_conn *c, const struct json *frame, oip_auth_fn *then)
{
	struct access_ask ask = {.use = ACCESS_COMMAND};

	if (!json_is(json_get(frame, "payload"), JSON_OBJECT)) {
		oip_conn_error(c, "unauthorized: signed command required");
		return;
	}
	ask.late = oip_auth_complaint(c, frame);
	oip_auth_ask(c, frame, &ask, then);
	c->asking->is_command = true;
}
