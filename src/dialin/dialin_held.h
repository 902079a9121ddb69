/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_HELD_H
#define DIALIN_DIALIN_HELD_H

/*
 * What an agent says of commands whose turns are not here yet: copies of its
 * messages, in their order. The connection decides how long they wait, and how
 * many may (dialin/dialin_conn.c). Pure.
 */
#include "base/list.h"
#include "base/span.h"
#include "ons/ons_message.h"

#include <stdbool.h>
#include <stddef.h>

struct dialin_held {
	struct list messages; /* struct dialin_held_one, by link */
	size_t n_bytes;	      /* of memory */
};

struct dialin_held_one {
	struct list link;
	char command[ONS_MAX_ID + 1];
	size_t len;
	char text[]; /* the whole message */
};

/* Hold nothing; and forget all. */
void dialin_held_init(struct dialin_held *h);
void dialin_held_fini(struct dialin_held *h);

/* Whether a message about this command waits. */
bool dialin_held_has(const struct dialin_held *h, struct span command);

/* Add a message about a command, whose id is one (ons_is_command_id()). */
void dialin_held_add(
    struct dialin_held *h, struct span command, const char *text, size_t len);

/* Remove and free one of the messages. */
void dialin_held_remove(struct dialin_held *h, struct dialin_held_one *one);

#endif
