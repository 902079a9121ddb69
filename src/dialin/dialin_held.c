/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_held.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct dialin_held_one *one_of(struct list *link)
{
	return list_entry(link, struct dialin_held_one, link);
}

void dialin_held_init(struct dialin_held *h)
{
	list_init(&h->messages);
	h->n_bytes = 0;
}

void dialin_held_fini(struct dialin_held *h)
{
	list_each_safe(it, &h->messages) dialin_held_remove(h, one_of(it));
}

bool dialin_held_has(const struct dialin_held *h, struct span command)
{
	list_each(it, &h->messages)
	{
		if (ons_is(command, one_of(it)->command))
			return true;
	}
	return false;
}

void dialin_held_add(
    struct dialin_held *h, struct span command, const char *text, size_t len)
{
	struct dialin_held_one *one = mem_zero(sizeof *one + len);
	memcpy(one->command, command.text, command.len);
	one->len = len;
	memcpy(one->text, text, len);
	list_append(&h->messages, &one->link);
	h->n_bytes += sizeof *one + len;
}

void dialin_held_remove(struct dialin_held *h, struct dialin_held_one *one)
{
	list_remove(&one->link);
	h->n_bytes -= sizeof *one + one->len;
	free(one);
}
