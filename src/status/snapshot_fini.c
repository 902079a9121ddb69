/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/snapshot.h"

#include <stdlib.h>

void snapshot_session_fini(struct snapshot_session *session)
{
	free(session->id);
	free(session->caller);
	free(session->agent);
	*session = (struct snapshot_session){0};
}

void snapshot_fini(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_sessions; i++)
		snapshot_session_fini(&s->sessions[i]);
	free(s->sessions);
	free(s->processes);
	free(s->stats);
	buf_fini(&s->damage);
	*s = (struct snapshot){0};
}
