/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/backlog.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an item costs besides its text. */
#define ITEM_BYTES 256

/*
 * A server that acknowledges nothing gets everything once; so much of what it
 * was sent is kept for the next connection.
 */
#define MAX_UNCONFIRMED ((size_t)16384)

struct item {
	struct list link;
	char *id;
	char *command_id; /* NULL: a message */
	char *text;
	size_t len;
	int64_t sequence;
	int64_t dropped_bytes;
	bool is_errors;
	bool is_kept; /* until it is acknowledged */
};

struct backlog {
	struct list sent; /* and not acknowledged */
	struct list waiting;
	size_t max_bytes;
	size_t bytes;	      /* of output */
	size_t message_bytes; /* of the others */
	size_t n_sent;
	int64_t n_dropped;
};

static struct item *item_at(struct list *link)
{
	return list_entry(link, struct item, link);
}

/* Where an item of this kind is counted. */
static size_t *count_of(struct backlog *o, const struct item *i)
{
	return i->command_id ? &o->bytes : &o->message_bytes;
}

/* Append an item. */
static void add(struct backlog *o, struct item *i)
{
	*count_of(o, i) += i->len + ITEM_BYTES;
	list_append(&o->waiting, &i->link);
}

static void item_free(struct backlog *o, struct item *i)
{
	*count_of(o, i) -= i->len + ITEM_BYTES;
	list_remove(&i->link);
	free(i->id);
	free(i->command_id);
	free(i->text);
	free(i);
}

struct backlog *backlog_new(size_t max_bytes)
{
	struct backlog *o = mem_zero(sizeof *o);

	o->max_bytes = max_bytes;
	list_init(&o->sent);
	list_init(&o->waiting);
	return o;
}

static void clear(struct backlog *o, struct list *items)
{
	while (!list_is_empty(items))
		item_free(o, item_at(items->next));
}

void backlog_free(struct backlog **op)
{
	struct backlog *o = *op;

	*op = NULL;
	if (!o)
		return;
	clear(o, &o->sent);
	clear(o, &o->waiting);
	free(o);
}

/* ---- room ---- */

/* The gap of this command that is being sent next, if there is one. */
static struct item *find_gap(struct backlog *o, const char *command_id)
{
	list_each(link, &o->waiting)
	{
		struct item *i = item_at(link);
		if (!i->command_id || strcmp(i->command_id, command_id) != 0)
			continue;
		return i->dropped_bytes ? i : NULL;
	}
	return NULL;
}

static struct item *oldest_output(struct list *items)
{
	list_each(link, items)
	{
		struct item *i = item_at(link);
		if (i->command_id && !i->dropped_bytes)
			return i;
	}
	return NULL;
}

/* Its text is lost; its place becomes a gap, or part of the one before it. */
static void drop(struct backlog *o, struct item *i)
{
	struct item *gap = find_gap(o, i->command_id);

	o->n_dropped += (int64_t)i->len;
	if (gap) {
		gap->dropped_bytes += (int64_t)i->len;
		gap->sequence = i->sequence;
		free(gap->id);
		gap->id = i->id;
		i->id = NULL;
		item_free(o, i);
		return;
	}
	o->bytes -= i->len;
	i->dropped_bytes = (int64_t)i->len;
	i->len = 0;
	free(i->text);
	i->text = NULL;
}

static void forget_sent(struct backlog *o, struct item *i)
{
	item_free(o, i);
	o->n_sent--;
}

/* What was sent has most probably arrived: that goes first. */
static void make_room(struct backlog *o)
{
	struct item *i;

	while (o->bytes > o->max_bytes) {
		if ((i = oldest_output(&o->sent)))
			forget_sent(o, i);
		else if ((i = oldest_output(&o->waiting)))
			drop(o, i);
		else
			return;
	}
}

/* ---- adding ---- */

static char *output_id(const struct backlog_output *output)
{
	char *id;

	if (asprintf(&id, "%s-%lld", output->command_id,
		(long long)output->sequence) < 0)
		abort();
	return id;
}

void backlog_add_output(struct backlog *o, const struct backlog_output *output)
{
	struct item *i = mem_zero(sizeof *i);

	i->id = output_id(output);
	i->command_id = mem_strdup(output->command_id);
	i->text = mem_strndup(output->text, output->len);
	i->len = output->len;
	i->sequence = output->sequence;
	i->is_errors = output->is_errors;
	i->is_kept = true;
	add(o, i);
	make_room(o);
}

void backlog_add(
    struct backlog *o, const char *id, const char *text, size_t len, bool keep)
{
	struct item *i = mem_zero(sizeof *i);

	i->id = mem_strdup(id);
	i->text = mem_strndup(text, len);
	i->len = len;
	i->is_kept = keep;
	add(o, i);
}

/* ---- sending ---- */

static void send_item(struct item *i, backlog_send_fn *send, void *arg)
{
	const struct backlog_output output = {
	    .command_id = i->command_id,
	    .sequence = i->sequence,
	    .is_errors = i->is_errors,
	    .text = i->text,
	    .len = i->len,
	    .dropped_bytes = i->dropped_bytes,
	};

	send(arg, i->id, i->command_id ? &output : NULL, i->text, i->len);
}

void backlog_send(
    struct backlog *o, size_t max_bytes, backlog_send_fn *send, void *arg)
{
	size_t n = 0;

	while (n < max_bytes && !list_is_empty(&o->waiting)) {
		struct item *i = item_at(list_shift(&o->waiting));
		n += i->len + ITEM_BYTES;
		send_item(i, send, arg);
		if (!i->is_kept) {
			item_free(o, i);
			continue;
		}
		list_append(&o->sent, &i->link);
		if (++o->n_sent > MAX_UNCONFIRMED)
			forget_sent(o, item_at(o->sent.next));
	}
}

bool backlog_is_waiting(const struct backlog *o)
{
	return !list_is_empty(&o->waiting);
}

static bool has(const struct list *items, const char *id, size_t len)
{
	list_each(link, items)
	{
		const struct item *i = item_at(link);
		if (strlen(i->id) == len && memcmp(i->id, id, len) == 0)
			return true;
	}
	return false;
}

bool backlog_has(const struct backlog *o, const char *id)
{
	return has(&o->sent, id, strlen(id)) ||
	       has(&o->waiting, id, strlen(id));
}

void backlog_acknowledge(struct backlog *o, const char *id, size_t len)
{
	bool is_last = !has(&o->sent, id, len);

	while (!is_last) {
		struct item *i = item_at(o->sent.next);
		is_last = strlen(i->id) == len && memcmp(i->id, id, len) == 0;
		forget_sent(o, i);
	}
}

void backlog_rewind(struct backlog *o)
{
	struct list *link;

	/* The sent ones are older than all that wait. */
	while ((link = list_shift(&o->waiting)))
		list_append(&o->sent, link);
	while ((link = list_shift(&o->sent)))
		list_append(&o->waiting, link);
	o->n_sent = 0;
}

bool backlog_is_full(const struct backlog *o, bool by_messages)
{
	size_t bytes = by_messages ? o->message_bytes : backlog_bytes(o);

	return bytes > o->max_bytes / 2;
}

size_t backlog_bytes(const struct backlog *o)
{
	return o->bytes + o->message_bytes;
}

int64_t backlog_dropped(const struct backlog *o)
{
	return o->n_dropped;
}
