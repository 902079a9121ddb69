/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_nudge.h"

#include "core/heritage.h"
#include "core/msg.h"
#include "proc/mailbox.h"

#include <stdatomic.h>

/* Its generation is odd while a process lives in it. */
static bool has_worker(const struct heritage_slot *slot)
{
	return slot->kind == KIND_WORKER && atomic_load(&slot->generation) & 1;
}

void as_nudge(const struct heritage *h, uint64_t salt)
{
	const struct msg m = {
	    .version = MSG_VERSION, .type = MSG_RAN, .a = salt};
	for (int i = 0; i < HERITAGE_SLOTS; i++)
		if (has_worker(&h->slots[i]))
			(void)mailbox_send(
			    HERITAGE_FD_MAILBOXES + i, &m, sizeof m);
}
