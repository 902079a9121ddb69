/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SENDER_H
#define OIP_OIP_SENDER_H

/*
 * What a frame claims about its sender. Pure functions that verify nothing;
 * oip/oip_auth.h verifies.
 */
#include <stdbool.h>

struct json;

/* Whether a frame has payload, from or signature, well formed or not. */
bool oip_sender_is_signed(const struct json *frame);

/* Whether its "from" is this address, in any spelling. */
bool oip_sender_is_from(const struct json *frame, const char *address);

/*
 * Whether a signed payload has the same type as its frame, both being strings.
 */
bool oip_sender_has_type(const struct json *payload, const struct json *frame);

/* Whether the payload of a CONNECT promises to sign each command. */
bool oip_sender_is_v2(const struct json *frame);

#endif
