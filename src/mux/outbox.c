/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A buffer larger than this is given back when it is empty. */
#define KEPT_BYTES ((size_t)1 << 20)

/* Make room for n bytes and the spare ones behind what waits. */
static void make_room(struct outbox *o, size_t n)
{
	size_t needed = o->len + n + OUTBOX_SPARE;

	if (o->start + needed <= o->size)
		return;
	if (o->start > 0) {
		memmove(o->data, o->data + o->start, o->len);
		o->start = 0;
	}
	if (needed <= o->size)
		return;
	size_t size = o->size ? o->size : 8192;
	while (size < needed)
		size *= 2;
	char *data = realloc(o->data, size);
	if (!data)
		abort(); /* out of memory ends the process */
	o->data = data;
	o->size = size;
}

static size_t number_of(uint64_t turn, char out[static OUTBOX_NUMBER_MAX])
{
	return (size_t)snprintf(out, OUTBOX_NUMBER_MAX, "%" PRIu64 " ", turn);
}

size_t outbox_frame_bytes(uint64_t turn, size_t len)
{
	char number[OUTBOX_NUMBER_MAX];

	return number_of(turn, number) + len + 1;
}

void outbox_add(struct outbox *o, uint64_t turn, const char *json, size_t len)
{
	char number[OUTBOX_NUMBER_MAX];
	size_t digits = number_of(turn, number);

	make_room(o, digits + len + 1);
	char *end = o->data + o->start + o->len;
	memcpy(end, number, digits);
	memcpy(end + digits, json, len);
	end[digits + len] = '\n';
	o->len += digits + len + 1;
}

enum outbox_end outbox_send(struct outbox *o, int sock)
{
	while (o->len > 0) {
		ssize_t n = send(sock, o->data + o->start, o->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			return OUTBOX_FULL;
		if (n < 0)
			return OUTBOX_GONE;
		o->start += (size_t)n;
		o->len -= (size_t)n;
	}
	o->start = 0;
	if (o->size > KEPT_BYTES) {
		free(o->data);
		*o = (struct outbox){0};
	}
	return OUTBOX_SENT;
}
