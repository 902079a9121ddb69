/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SENDER_H
#define OIP_OIP_SENDER_H

/*
 * What a frame claims about its sender. Pure: nothing is verified here; that is
 * what oip/oip_auth.h asks for.
 */
#include <stdbool.h>

struct json;

/* Whether a frame has payload, from or signature, well formed or not. */
bool oip_sender_is_signed(const struct json *frame);

/* Whether its "from" is this address, however it is spelled. */
bool oip_sender_is_from(const struct json *frame, const char *address);

/* Whether a signed payload has the type of its frame; both are strings. */
bool oip_sender_has_type(const struct json *payload, const struct json *frame);

/* Whether a CONNECT promises in its payload to sign each command. */
bool oip_sender_is_v2(const struct json *frame);

#endif
