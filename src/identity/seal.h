/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SEAL_H
#define IDENTITY_SEAL_H

/*
 * A seal encrypts a connection end to end (doc/oip.txt 2): client and host each
 * generate a one-time X25519 key and sign it with the Ed25519 key behind their
 * address. From then on each message is a NaCl box that only these two can
 * open, with an increasing number. A message that cannot be opened ends the
 * connection.
 *
 * Order of calls of a host: seal_read(), signed_verify() of what it appended,
 * then seal_accept(), which takes about as long as a verification; of a client:
 * seal_ask(), then seal_confirm(). A message may be large, so it is processed in
 * slices. No call does I/O. Use a seal from one thread at a time.
 */
#include "identity/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json;
struct seal_box;

/* The state that both ends share; seal_fini() erases it. */
struct seal {
	uint8_t key[32];
	uint64_t sent;		 /* number of the newest message to the peer */
	uint64_t received;	 /* and from the peer */
	char peer[ADDRESS_SIZE]; /* its address, canonical */
	bool is_client;		 /* this end is the client */
};

/* The identity of this end, the host or the client. */
struct seal_host {
	const char *address;	   /* canonical */
	const uint8_t *secret_key; /* identity/ident_key.h; NULL: cannot seal */
};

/* The contents of a SEAL. */
struct seal_hello {
	char from[ADDRESS_SIZE];      /* canonical */
	char from_text[ADDRESS_SIZE]; /* as it came; the answer repeats it */
	char ephemeral_text[65];
	uint8_t key[32]; /* of from */
	uint8_t signature[64];
};

/*
 * Read a client's SEAL at this time (seconds, wall clock), and append to
 * payload the JSON text that its signature covers. Returns 0, or -1 with
 * ERR_UNAUTHORIZED and the text for the client.
 */
int seal_read(struct seal_hello *hello, struct buf *payload,
    const struct json *frame, const char *address, double now, struct err *err);

/*
 * Accept a SEAL whose signature is good: fill in *s and append SEALED_OK to
 * reply. Returns 0, or -1 with ERR_UNAUTHORIZED and the text for the client if
 * its one-time key is invalid.
 */
int seal_accept(struct seal *s, const struct seal_hello *hello,
    const struct seal_host *host, struct buf *reply, struct err *err);

/* Erase the key. */
void seal_fini(struct seal *s);

/* ---- the client's side ---- */

/* What a client keeps from SEAL to the answer; seal_confirm() erases its key. */
struct seal_question {
	char to[ADDRESS_SIZE];	 /* the host, canonical */
	char from[ADDRESS_SIZE]; /* the client, canonical */
	char ephemeral_text[65];
	uint8_t secret_key[32]; /* one-time */
};

/* Append a SEAL of this client for the host at this time (seconds). */
void seal_ask(struct seal_question *q, struct buf *out, const char *to,
    const struct seal_host *client, int64_t now_s);

/*
 * Check a SEALED_OK, and fill in *s. Returns 0, or -1 with ERR_UNAUTHORIZED if
 * it does not prove that the host has this one-time key.
 */
int seal_confirm(struct seal *s, struct seal_question *q,
    const struct json *frame, struct err *err);

/* ---- messages ---- */

/*
 * The approximate number of bytes that one seal_box_step() processes, in about
 * 0.1 ms.
 */
#define SEAL_SLICE (48 * 1024)

enum seal_step {
	SEAL_MORE,   /* call again */
	SEAL_DONE,   /* the result is in seal_box_text() */
	SEAL_BROKEN, /* it cannot be opened */
};

/*
 * Begin to seal a message (copied), which gets the next number. Boxes must be
 * finished in the order in which they were begun. Never returns NULL.
 */
struct seal_box *seal_put(struct seal *s, const char *text, size_t len);

/*
 * Begin to open what a frame of type SEALED carries (copied). Returns NULL with
 * ERR_UNAUTHORIZED and the text for the client if its number is not higher than
 * that of the message before.
 */
struct seal_box *seal_take(
    struct seal *s, const struct json *frame, struct err *err);

/* Process one slice; call it until it no longer returns SEAL_MORE. */
enum seal_step seal_box_step(struct seal_box *b);

/*
 * After SEAL_DONE: returns the SEALED frame, or the message, *len bytes without
 * NUL. The box owns it.
 */
const char *seal_box_text(const struct seal_box *b, size_t *len);

/* Free the box and set *b to NULL. */
void seal_box_free(struct seal_box **b);

#endif
