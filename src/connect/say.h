/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_SAY_H
#define CONNECT_SAY_H

/*
 * What a client says to an agent (doc/oip.txt): frames as text. With a key each
 * one is signed by itself (a v2 socket). Pure functions, but for the random
 * numbers that make a frame unique.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Who says it to whom; all is borrowed. */
struct say {
	const char *from;	   /* canonical address; "" without a key */
	const uint8_t *secret_key; /* NULL: nothing is signed */
	const char *to;		   /* canonical address */
	bool is_relayed;	   /* the relay has to know it, too */
	int64_t now_s;
};

/* What CONNECT tells of the conversation; NULL or "" for what is not known. */
struct say_connect {
	const char *session_id;
	const char *last_event_id;
	bool awaits_end;     /* of a turn */
	const char *session; /* a JSON object */
};

/* Append a CONNECT. */
void say_connect(
    struct buf *out, const struct say *s, const struct say_connect *connect);

/*
 * Append a command of this type. members are its own, each with a comma before
 * it (",\"prompt\":\"hello\""), or "".
 */
void say_command(struct buf *out, const struct say *s, const char *type,
    const char *members);

/* Append an invite code, for ONBOARD_REQUIRED. */
void say_invite_code(struct buf *out, const struct say *s, const char *code);

#endif
