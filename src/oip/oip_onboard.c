/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_onboard.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/console.h"
#include "door/door.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"
#include "oip/oip_seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A CONNECT that waits, in one block of memory, so that free() is enough. */
struct oip_stash {
	oip_onboard_fn *then;
	size_t len;
	char text[];
};

static struct oip_stash *new_stash(
    const struct json *frame, oip_onboard_fn *then)
{
	size_t len = 0;
	const char *text = json_text(frame, &len);
	struct oip_stash *s = mem_zero(sizeof *s + len);

	s->then = then;
	s->len = len;
	memcpy(s->text, text, len);
	return s;
}

void oip_onboard_forget(struct oip_conn *c)
{
	free(c->stash);
	c->stash = NULL;
	if (!c->session)
		c->caller = CALLER_NOBODY;
}

void oip_onboard_offer(struct oip_conn *c, const struct json *frame,
    const struct caller *caller, oip_onboard_fn *then)
{
	struct access_doors doors;

	free(c->stash);
	c->stash = new_stash(frame, then);
	c->caller = *caller;
	(void)access_doors(c->setup->access, &doors);
	oip_frame_onboard(
	    oip_conn_frame(), caller->address, c->setup->conf->address, &doors);
	oip_conn_send(c);
}

/* ---- ONBOARD_SUBMIT ---- */

static const char *thanks(const char *method, const char *level)
{
	static char text[80];

	if (strcmp(method, "payment") == 0)
		(void)snprintf(text, sizeof text,
		    "Payment verified. You are now a %s.", level);
	else
		(void)snprintf(text, sizeof text,
		    "Invite code verified. You are now a %s.", level);
	return text;
}

/* The CONNECT that waited is answered as if it had just arrived. */
static void let_in(struct oip_conn *c, const struct caller *caller)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct oip_stash *s = c->stash;
	const struct json *frame = json_parse(&doc, s->text, s->len, 0, &why);

	c->stash = NULL;
	s->then(c, frame, caller);
	c->was_onboarded = c->session && !c->is_v2;
	json_fini(&doc);
	free(s);
}

static void on_promoted(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	const struct json *payload = json_get(frame, "payload");
	bool has_code = json_is(json_get(payload, "invite_code"), JSON_STRING);
	const char *method = has_code ? "invite" : "payment";

	if (v->err) {
		oip_conn_deny(c, v->err);
		return;
	}
	console_verified(v->caller->address,
	    has_code ? "invite code" : "payment", v->caller->level);
	oip_frame_onboarded(oip_conn_frame(), v->caller->address,
	    v->caller->level, thanks(method, v->caller->level));
	oip_conn_send(c);
	if (c->stash)
		let_in(c, v->caller);
}

static void oip_onboard_on_verified(struct oip_conn *c,
    const struct json *frame, const struct access_verdict *v)
{
	if (v->err)
		oip_conn_deny(c, v->err);
	else if (c->stash && strcmp(v->caller->address, c->caller.address) != 0)
		oip_conn_error(
		    c, "unauthorized: signer does not match CONNECT");
	else
		oip_auth_onboard(c, frame, v->caller->address, on_promoted);
}

void oip_onboard(struct oip_conn *c, const struct json *frame)
{
	struct access_ask ask = {.use = ACCESS_ONBOARD};

	if (c->seal && !oip_seal_is_by(c, frame)) {
		oip_conn_error(c, "unauthorized: ONBOARD_SUBMIT is not signed "
				  "by the sealed peer");
		return;
	}
	oip_auth_ask(c, frame, &ask, oip_onboard_on_verified);
}
