/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_carrier.h"

#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_admin.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_exec.h"
#include "oip/oip_first.h"
#include "oip/oip_in.h"
#include "oip/oip_input.h"
#include "oip/oip_limit.h"
#include "oip/oip_manage.h"
#include "oip/oip_mode.h"
#include "oip/oip_seal.h"

static void on_text(void *arg, const char *text, size_t len)
{
	struct oip_conn *c = arg;

	if (c->seal)
		oip_seal_text(c, text, len);
	else if (oip_limit_message(c, len))
		oip_in_feed(c, text, len);
}

static void on_binary(void *arg)
{
	struct oip_conn *c = arg;

	if (c->seal)
		oip_seal_binary(c);
	else if (oip_limit_message(c, 0))
		oip_in_binary(c);
}

static void on_drain(void *arg)
{
	oip_conn_pump(arg);
}

static void oip_carrier_on_gone(void *arg)
{
	struct oip_conn *c = arg;
	const struct door_setup *setup = c->setup;

	oip_input_forget(c);
	oip_admin_forget(c);
	oip_mode_forget(c);
	oip_exec_forget(c);
	oip_manage_forget(c);
	oip_auth_forget(c);
	oip_seal_forget(c);
	oip_conn_close(&c);
	console_closed(session_count(setup->sessions));
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .may_grow = oip_first_may_grow,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = oip_carrier_on_gone,
};

void oip_serve(const struct door_setup *setup, struct wire *wire,
    const struct limits_held *held)
{
	struct oip_conn *c = oip_conn_open(setup);

	c->feed = oip_in_feed;
	if (held)
		c->held_sockets = *held;
	c->wire = c->line = wire;
	wire_take(wire, &handlers, c);
	console_opened(wire->origin == WIRE_RELAYED ? "relay" : wire->peer,
	    session_count(setup->sessions));
}
