/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SEAL_H
#define OIP_OIP_SEAL_H

/*
 * A sealed connection (doc/oip.txt 2): a wire over a wire. What the door sends
 * is sealed on its way out, and what the client sends is opened before the door
 * sees it, so nothing else of the door knows of it. A large message is worked on
 * in slices between other things; messages keep their order.
 */
#include <stdbool.h>
#include <stddef.h>

struct json;
struct oip_conn;

/* Whether this frame, the first of its connection, asks for a seal. */
bool oip_seal_is_asked(const struct json *frame);

/*
 * The client asks for a seal. From now on c->wire seals what it is given;
 * until the client has proved who it is, nothing is sent and nothing heard.
 */
void oip_seal_begin(struct oip_conn *c, const struct json *frame);

/* A text message of a client whose c->seal is set. */
void oip_seal_text(struct oip_conn *c, const char *text, size_t len);

/* A binary message of such a client. */
void oip_seal_binary(struct oip_conn *c);

/* Whether the connection is sealed, and this frame's "from" sealed it. */
bool oip_seal_is_by(const struct oip_conn *c, const struct json *frame);

/* The client goes: erase the seal and drop what is on its way. */
void oip_seal_forget(struct oip_conn *c);

#endif
