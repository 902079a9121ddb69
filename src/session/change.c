/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/change.h"

#include "base/mem.h"
#include "session/session_int.h"

#include <stdlib.h>

struct session_change *change_new(
    struct session *s, session_change_fn *fn, void *arg)
{
	struct session_change *c = mem_zero(sizeof *c);
	list_init(&c->link);
	c->session = session_ref(s);
	c->fn = fn;
	c->arg = arg;
	return c;
}

void change_end(struct session_change **cp, const struct err *err)
{
	struct session_change *c = *cp;
	*cp = NULL;
	list_remove(&c->link);
	if (c->fn)
		c->fn(c->arg, err);
	session_close(&c->session);
	free(c);
}

void session_change_forget(struct session_change **c)
{
	if (*c)
		(*c)->fn = NULL;
	*c = NULL;
}
