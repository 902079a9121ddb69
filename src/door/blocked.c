/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/blocked.h"

#include "door/api_events.h"
#include "door/api_turn.h"
#include "door/door.h"
#include "door/oip_conn.h"
#include "net/wire.h"
#include "trust/access.h"

/* RFC 6455 section 7.4: against our policy. */
#define CLOSE_POLICY 1008

static void look_at(struct oip_conn *c)
{
	const char *address = c->caller.address;

	if (!*address || !access_is_blocked(c->setup->access, address))
		return;
	oip_conn_error(c, BLOCKED_TEXT);
	wire_close(c->wire, CLOSE_POLICY, BLOCKED_TEXT);
}

void blocked_look(const struct door_setup *setup)
{
	if (!access_has_changed(setup->access))
		return;
	oip_conn_each(look_at);
	api_events_end_blocked();
	api_turn_end_blocked();
}
