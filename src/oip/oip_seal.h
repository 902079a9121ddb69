/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SEAL_H
#define OIP_OIP_SEAL_H

/*
 * A sealed connection (doc/oip.txt 2): a wire on top of a wire. Outgoing
 * messages are sealed, and incoming ones are opened before the door sees them,
 * so the rest of the door is unaware of it. A large message is processed in
 * slices between other work; messages keep their order.
 */
#include <stdbool.h>
#include <stddef.h>

struct json;
struct oip_conn;

/* Whether this frame, the first of its connection, requests a seal. */
bool oip_seal_is_asked(const struct json *frame);

/*
 * Begin to seal the connection. From now on c->wire seals what is written to
 * it. Until the client has proved its identity, nothing is sent and nothing
 * delivered.
 */
void oip_seal_begin(struct oip_conn *c, const struct json *frame);

/* Process a text message of a client whose c->seal is set. */
void oip_seal_text(struct oip_conn *c, const char *text, size_t len);

/* Process a binary message of such a client. */
void oip_seal_binary(struct oip_conn *c);

/*
 * Whether the connection is sealed, and by the address in this frame's "from".
 */
bool oip_seal_is_by(const struct oip_conn *c, const struct json *frame);

/* The client is closing: erase the seal and drop messages in progress. */
void oip_seal_forget(struct oip_conn *c);

#endif
