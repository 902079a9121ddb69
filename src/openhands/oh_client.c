/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_client.h"

#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "engine/engine.h"
#include "openhands/oh_event.h"
#include "openhands/oh_state.h"
#include "socketio/eio_packet.h"

#include <stdlib.h>
#include <string.h>

struct oh_client *oh_client_of(struct engine_side *side)
{
	struct oh_client *c = engine_mine(side);
	if (c)
		return c;
	c = mem_zero(sizeof *c);
	c->side = side;
	list_init(&c->calls);
	list_init(&c->runs);
	engine_set_mine(side, c);
	return c;
}

/* Who the client is now: its level may have changed. */
static int look_up(struct oh_client *c, const char *address, struct err *err)
{
	c->who = CALLER_NOBODY;
	if (!*address)
		return 0;
	return access_look(
	    engine_setup(c->side)->access, address, &c->who, err);
}

struct session *oh_client_open(struct oh_client *c, struct err *err)
{
	struct sessions *all = engine_setup(c->side)->sessions;
	char caller[ADDRESS_SIZE];
	struct buf id = {0};
	enum session_status status;
	bool has_record;
	const struct oh_state *state = engine_take_state(c->side);
	if (!state) {
		(void)err_set(err, ERR_NO_SESSION, "the session is over");
		return NULL;
	}
	buf_str(&id, state->conversation);
	memcpy(caller, state->caller, sizeof caller);
	engine_give_state(c->side);
	struct session *s = NULL;
	oh_conversation_find(all, &id);
	if (look_up(c, caller, err) == 0)
		s = session_open(
		    all, id.data, id.len, caller, &status, &has_record, err);
	buf_fini(&id);
	return s;
}

bool oh_client_is_blocked(
    const struct engine_side *side, const struct oh_state *state)
{
	return *state->caller &&
	       access_is_blocked(engine_setup(side)->access, state->caller);
}

void oh_client_dismiss(struct engine_side *side, struct buf *out)
{
	struct oh_state *state = engine_take_state(side);
	if (!state)
		return;
	state->phase = OH_LEFT;
	engine_give_state(side);
	sio_begin_event(out, "oh_event");
	oh_event_put_error(out, DOOR_BLOCKED);
	sio_end_event(out);
	buf_char(out, EIO_SEPARATOR);
	buf_str(out, "41");
	engine_leave(side);
}

void oh_client_detach(struct oh_client *c)
{
	if (!c->session)
		return;
	session_detach(&c->at);
	session_close(&c->session);
}

void oh_client_free(struct engine_side *side)
{
	struct oh_client *c = engine_mine(side);
	if (!c)
		return;
	oh_client_detach(c);
	if (c->asking)
		access_forget(&c->asking);
	buf_fini(&c->held);
	free(c);
	engine_set_mine(side, NULL);
}
