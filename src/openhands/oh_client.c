/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_client.h"

#include "access/access.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "engine/engine.h"
#include "openhands/oh_state.h"

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
	engine_set_mine(side, c);
	return c;
}

struct session *oh_client_open(const struct oh_client *c, struct err *err)
{
	char id[OH_CONVERSATION_MAX + 1];
	enum session_status status;
	bool has_record;
	const struct oh_state *state = engine_take_state(c->side);
	if (!state) {
		(void)err_set(err, ERR_NO_SESSION, "the session is over");
		return NULL;
	}
	memcpy(id, state->conversation, sizeof id);
	engine_give_state(c->side);
	return session_open(engine_setup(c->side)->sessions, id, strlen(id), "",
	    &status, &has_record, err);
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
