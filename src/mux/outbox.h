/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_OUTBOX_H
#define MUX_OUTBOX_H

/*
 * An outbox holds the frames that are on their way to the server, in order:
 * each is "TURN JSON\n". It has no limit of its own; its owner asks for its
 * length before adding to it. Its owner also holds the lock.
 */
#include <stddef.h>
#include <stdint.h>

struct outbox {
	char *data;
	size_t start, len, size; /* len bytes from start wait to be sent */
};

/* Room that is always there, so that the last words need no allocation. */
#define OUTBOX_SPARE 512

/* The longest number of a turn with the space after it, and a null byte. */
#define OUTBOX_NUMBER_MAX 24

enum outbox_end {
	OUTBOX_SENT, /* nothing is left */
	OUTBOX_FULL, /* the socket takes no more for now */
	OUTBOX_GONE, /* nobody is at the other end */
};

/* Returns the bytes of a frame whose JSON has len bytes. */
size_t outbox_frame_bytes(uint64_t turn, size_t len);

/* Add a frame; json has len bytes and no newline. */
void outbox_add(struct outbox *o, uint64_t turn, const char *json, size_t len);

/* Send what the socket takes without blocking. */
enum outbox_end outbox_send(struct outbox *o, int sock);

#endif
