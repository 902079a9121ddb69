/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/agent_opening.h"

#include "base/buf.h"
#include "core/agent.h"
#include "core/event.h"

#include <stdio.h>

void agent_opening_user_input(struct draft *d, const struct agent_input *in)
{
	event_begin(d, EV_USER_INPUT, in->turn);
	if (in->id)
		(void)snprintf(d->id, sizeof d->id, "%s", in->id);
	event_str(d, "content", in->prompt, in->prompt_len);
	event_int(d, "turn", in->client_turn);
}

void agent_opening_files_received(struct draft *d, const struct agent_input *in)
{
	struct buf files = {0};

	event_begin(d, EV_FILES_RECEIVED, in->turn);
	for (size_t i = 0; i < in->n_files; i++) {
		buf_str(&files, i ? ",{\"name\":" : "[{\"name\":");
		buf_json_str(&files, in->files[i].name);
		buf_str(&files, ",\"path\":");
		buf_json_str(&files, in->files[i].path);
		buf_char(&files, '}');
	}
	buf_char(&files, ']');
	event_json(d, "files", files.data, files.len);
	buf_fini(&files);
}
