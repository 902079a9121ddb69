/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_STATE_H
#define OPENHANDS_OH_STATE_H

/*
 * What the OpenHands door keeps of a client: the state of its Engine.IO session
 * (engine/engine.h), which may be in shared memory. It has no pointers, and is
 * changed a few bytes at a time.
 */
#include "identity/address.h"
#include "openhands/oh_calls.h"
#include "openhands/oh_conversation.h"
#include "openhands/oh_event.h"
#include "openhands/oh_retry.h"
#include "openhands/oh_token.h"
#include "socketio/sio_packet.h"

#include <stdbool.h>
#include <stdint.h>

struct http_req;

enum oh_phase {
	OH_NEW,
	OH_CONNECTED, /* in the conversation */
	OH_LEFT,      /* refused or disconnected */
};

/*
 * How far the events were sent. Only the side that gives packets changes it,
 * once the client is connected.
 */
struct oh_cursor {
	int64_t last_id; /* everything up to this one was sent; -1: nothing */
	uint64_t after;	 /* everything up to this position was sent */
	bool has_begun;	 /* events were read */
	bool is_replay;	 /* until the position replay_to was read */
	uint64_t replay_to;
	struct oh_change newest; /* of the replay */
	struct oh_calls calls;
};

struct oh_state {
	uint8_t phase; /* enum oh_phase */
	uint8_t dialect;
	bool has_key;		      /* its first request showed the key */
	bool has_bad_id;	      /* it named no possible conversation */
	char token[OH_TOKEN_MAX + 1]; /* or this one; "": none */
	char caller[ADDRESS_SIZE];    /* who has signed; "": nobody */
	char conversation[OH_CONVERSATION_MAX + 1]; /* "": none, or bad */
	/* An event whose attachments are still to come, and its ack id. */
	uint8_t n_attachments;
	uint8_t ack_len;
	char ack[SIO_MAX_ACK];
	struct oh_retry retry;
	uint64_t number; /* of the session (session_number()) */
	struct oh_cursor cursor;
};

/* Fill in the state of a client that begins with this request. */
void oh_state_begin(void *state, const struct http_req *req);

#endif
