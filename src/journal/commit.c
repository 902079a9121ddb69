/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* Creation of commits, on the loop's thread: part of journal.h. */
#include "journal/journal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct commit *journal_commit(
    uint64_t number, uint32_t at, uint32_t turn, enum commit_rule rule)
{
	struct commit *c = mem_zero(sizeof *c);
	list_init(&c->link);
	c->number = number;
	c->at = at;
	c->turn = turn;
	c->rule = rule;
	return c;
}

struct commit *journal_fence(void)
{
	return journal_commit(0, 0, 0, COMMIT_IN_TURN);
}

void journal_add(struct commit *c, struct draft *d)
{
	size_t at = c->events.len;
	uint32_t len = 0;
	buf_append(&c->events, &len, sizeof len);
	event_encode(&c->events, d, clock_wall_us());
	len = (uint32_t)(c->events.len - at - sizeof len);
	memcpy(c->events.data + at, &len, sizeof len);
	c->n_events++;
}

struct commit_put *journal_put(
    struct commit *c, enum store_table table, const void *key, size_t key_len)
{
	if (c->n_puts == COMMIT_PUTS)
		panic("journal: more than %d rows in a commit", COMMIT_PUTS);
	struct commit_put *p = &c->puts[c->n_puts++];
	c->has_facts = store_part_of(table) == STORE_FACTS;
	p->table = table;
	buf_append(&p->key, key, key_len);
	return p;
}

void journal_commit_free(struct commit *c)
{
	for (unsigned i = 0; i < c->n_puts; i++) {
		buf_fini(&c->puts[i].key);
		buf_fini(&c->puts[i].value);
	}
	buf_fini(&c->events);
	buf_fini(&c->note);
	free(c);
}
