/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_client.h"

#include "access/access.h"
#include "base/mem.h"
#include "engine/engine.h"

#include <stdlib.h>

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
