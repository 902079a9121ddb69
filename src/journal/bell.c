/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "journal/bell.h"

#include "core/heritage.h"
#include "core/stat.h"
#include "proc/mailbox.h"

struct bell bell_make(const struct journal_setup *s, const struct commit *c)
{
	const struct entry *e = registry_entry(s->registry, c->at);
	struct bell b = {.msg = {.version = MSG_VERSION,
			     .type = MSG_GREW,
			     .from_slot = (uint16_t)s->slot,
			     .from_generation = s->generation,
			     .a = c->number,
			     .b = c->last_seq,
			     .c = c->at}};
	registry_owner owner = atomic_load(&e->owner);
	b.ears[0] = atomic_load(&e->listeners[0]);
	b.ears[1] = atomic_load(&e->listeners[1]);
	if (c->n_stimuli && owner) {
		unsigned slot = owner_slot(owner);
		b.ears[slot / 64] |= 1ull << (slot % 64);
	}
	b.ears[s->slot / 64] &= ~(1ull << (s->slot % 64));
	return b;
}

void bell_ring(const struct bell *b)
{
	for (int half = 0; half < 2; half++)
		for (uint64_t set = b->ears[half]; set; set &= set - 1) {
			int slot = half * 64 + __builtin_ctzll(set);
			if (mailbox_send(HERITAGE_FD_MAILBOXES + slot, &b->msg,
				sizeof b->msg))
				stat_add(bells_sent, 1);
			else
				stat_add(bells_lost, 1);
		}
}
