/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_limit.h"

#include "core/err.h"
#include "door/door.h"
#include "limits/limits.h"
#include "net/wire.h"
#include "oip/oip_conn.h"

bool oip_limit_caller(struct oip_conn *c, const char *address)
{
	struct limits_who who = {.caller = address};
	struct err err;

	if (limits_hold(c->setup->limits, LIMITS_SOCKETS, &who,
		&c->held_sockets, &err) == 0)
		return true;
	oip_conn_refuse(c, &err);
	return false;
}

bool oip_limit_message(struct oip_conn *c, size_t len)
{
	struct limits_who who = {
	    .peer = c->wire->peer,
	    .peer_is_loopback = c->wire->peer_is_loopback,
	};
	struct limits_verdict v;

	if (limits_request(c->setup->limits, &who, (int64_t)len, &v) == 0)
		return true;
	oip_conn_refuse(c, &v.err);
	return false;
}

int oip_limit_input(const struct oip_conn *c, size_t len, struct err *err)
{
	struct limits_who who = {.caller = c->caller.address};
	struct limits_verdict v;

	if (limits_request(c->setup->limits, &who, (int64_t)len, &v) == 0)
		return 0;
	*err = v.err;
	return -1;
}
