/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_SETUP_H
#define CONNECT_SETUP_H

/*
 * The options of a client, read once: with defaults, environment and key. This
 * reads the key file.
 */
#include "identity/address.h"

#include <co_connect.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings {
	char *relay;   /* base with ws:// or wss://; NULL: none */
	char *direct;  /* URL as it was given; NULL: none */
	char *session; /* that was saved; NULL: none */
	char *session_id;
	char *last_event_id;
	char *invite_code;
	char *user_agent;
	const uint8_t *secret_key; /* identity/ident_key.h; NULL: keyless */
	char own_address[ADDRESS_SIZE];
	bool is_direct_off;
	enum co_seal seal;
	unsigned retries;
	int64_t open_timeout_ms;
	size_t max_message_bytes;
	co_event_fn *on_event;
	co_connection_fn *on_connection;
	void *arg;
};

/* Read options (NULL: the defaults). Returns 0, or -1 with *error. */
int setup_read(struct settings *s, const struct co_options *options,
    struct co_error *error);

/* Free what s owns. */
void setup_fini(struct settings *s);

#endif
