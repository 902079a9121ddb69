/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_calls.h"

#include "base/buf.h"
#include "base/enc.h"
#include "openhands/oh_event.h"

static uint32_t digest(const struct buf *text)
{
	return enc_crc32c(0, text->data, text->len) | 1;
}

static int64_t take_call(struct oh_calls *calls, uint32_t name)
{
	for (int i = 0; i < OH_CALLS; i++) {
		struct oh_call *call = &calls->calls[i];
		if (call->digest != name)
			continue;
		call->digest = 0;
		return call->id;
	}
	return -1;
}

static void note_call(
    struct oh_calls *calls, uint32_t name, const struct event *ev)
{
	struct oh_call *call = &calls->calls[calls->next];
	call->digest = name;
	call->id = oh_event_id(ev, 0);
	calls->next = (uint8_t)((calls->next + 1) % OH_CALLS);
}

int64_t oh_calls_cause(struct oh_calls *calls, const struct event *ev)
{
	struct buf text = {0};
	int64_t cause = -1;
	if (oh_event_tool(&text, ev) && ev->type == EV_TOOL_CALL)
		note_call(calls, digest(&text), ev);
	else if (ev->type == EV_TOOL_RESULT && text.len)
		cause = take_call(calls, digest(&text));
	buf_fini(&text);
	return cause;
}
