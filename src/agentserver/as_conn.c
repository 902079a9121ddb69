/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_conn.h"

#include "base/buf.h"
#include "base/clock.h"
#include "door/door.h"
#include "net/wire.h"

void as_conn_close(struct as_conn *c, int code, const char *reason)
{
	if (c->is_closed)
		return;
	c->is_closed = true;
	loop_timer_stop(c->setup->loop, &c->patience);
	wire_close(c->wire, code, reason);
}

void as_conn_send_state(
    struct as_conn *c, const char *key, const char *value, size_t len)
{
	struct buf out = {0};
	if (c->form == AS_SESSION)
		buf_str(&out, "{\"type\":\"transient\",\"event\":");
	as_event_put_state(&out, clock_wall_us(), key, value, len);
	if (c->form == AS_SESSION)
		buf_char(&out, '}');
	wire_send(c->wire, out.data, out.len);
	buf_fini(&out);
}
