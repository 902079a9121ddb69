/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MODEL_HISTORY_H
#define MODEL_HISTORY_H

/*
 * The messages of a conversation in the form that every provider accepts.
 * Clients, older turns and interrupted ones leave messages that some provider
 * refuses: content that is null beside tool_calls, a call of a tool without its
 * result, a result without its call, members that are ours.
 */
#include "base/buf.h"

struct json;

/*
 * Append an array made of these messages (an array; anything else is empty):
 *
 *	- role is system, user, assistant or tool; other messages are left out
 *	- members other than role, content, tool_calls and tool_call_id are left
 *	  out
 *	- content is a string or an array; if it is absent or null, ""
 *	- calls keep id, function and extra_content (Gemini refuses calls that
 *	  come back without the latter)
 *	- an assistant's tool_calls are each followed by a tool message with
 *	  their result; one that has none gets "interrupted" as its result
 *	- a tool message that answers no call is left out
 *	- an assistant message without text and without calls is left out
 */
void history_write(struct buf *out, const struct json *messages);

/* What history_write() gives as the result of a call that has none. */
#define HISTORY_INTERRUPTED "The call was interrupted; its result is unknown."

#endif
