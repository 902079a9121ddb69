/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SEAL_H
#define IDENTITY_SEAL_H

/*
 * A seal makes a connection private from end to end (doc/oip.txt 2): client and
 * host each make a one-time X25519 key and sign it with the Ed25519 key that is
 * their address. From then on each message is a NaCl box that only the two can
 * open, with a number that only grows. A message that does not open ends the
 * connection.
 *
 * First seal_read(), then signed_verify() of what it appended, then
 * seal_accept(), which costs about a verification as well. A message may be
 * large, so it is worked on in slices. No call does I/O. One seal, one thread
 * at a time.
 */
#include "identity/address.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json;
struct seal_box;

/* What both ends share; seal_fini() erases it. */
struct seal {
	uint8_t key[32];
	uint64_t sent;	   /* the number of the newest message, to the client */
	uint64_t received; /* and from it */
	char peer[ADDRESS_SIZE]; /* who sealed it, canonical */
};

/* Who we are. */
struct seal_host {
	const char *address;	   /* canonical */
	const uint8_t *secret_key; /* identity/ident_key.h; NULL: cannot seal */
};

/* What a SEAL says. */
struct seal_hello {
	char from[ADDRESS_SIZE];      /* canonical */
	char from_text[ADDRESS_SIZE]; /* as it came, which the answer repeats */
	char ephemeral_text[65];
	uint8_t key[32]; /* of from */
	uint8_t signature[64];
};

/*
 * Read a client's SEAL at this time (seconds, wall clock), and append to
 * payload what its signature is of, as JSON text. Returns 0, or -1 with
 * ERR_UNAUTHORIZED and the text for the client.
 */
int seal_read(struct seal_hello *hello, struct buf *payload,
    const struct json *frame, const char *address, double now, struct err *err);

/*
 * Accept a SEAL whose signature is good: fill in *s and append SEALED_OK to
 * reply. Returns 0, or -1 with ERR_UNAUTHORIZED and the text for the client:
 * the client's one-time key is none.
 */
int seal_accept(struct seal *s, const struct seal_hello *hello,
    const struct seal_host *host, struct buf *reply, struct err *err);

/* Erase the key. */
void seal_fini(struct seal *s);

/* ---- messages ---- */

/* About how many bytes one seal_box_step() works on: some 0.1 ms. */
#define SEAL_SLICE (48 * 1024)

enum seal_step {
	SEAL_MORE,   /* call again */
	SEAL_DONE,   /* seal_box_text() has it */
	SEAL_BROKEN, /* it does not open */
};

/*
 * Begin to seal a message, which gets the next number: finish boxes in the
 * order in which they were begun. The text is copied.
 */
struct seal_box *seal_put(struct seal *s, const char *text, size_t len);

/*
 * Begin to open what a frame of type SEALED carries; it is copied. NULL with
 * ERR_UNAUTHORIZED and the text for the client: its number is not higher than
 * that of the message before.
 */
struct seal_box *seal_take(
    struct seal *s, const struct json *frame, struct err *err);

/* Work on one slice, until it does not say SEAL_MORE. */
enum seal_step seal_box_step(struct seal_box *b);

/*
 * After SEAL_DONE: the SEALED frame, or the message, *len bytes without NUL. It
 * is the box's.
 */
const char *seal_box_text(const struct seal_box *b, size_t *len);

/* Free and null *b. */
void seal_box_free(struct seal_box **b);

#endif
