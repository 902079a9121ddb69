/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_ASKER_H
#define CONNECT_ASKER_H

/*
 * A question to the directory of a relay, on a WebSocket of its own that ends
 * with the answer (doc/relay.txt 4). No call waits.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct asker;
struct peer_setup;

/*
 * Ask: text is a frame. The connection is that of setup (connect/peer.h), whose
 * handlers are not used. Never returns NULL.
 */
struct asker *asker_start(const struct peer_setup *setup, const char *text);

/* Returns a descriptor that is readable when there is something to do. */
int asker_fd(const struct asker *a);

/* Returns the time (clock_mono_ms()) at which there is something to do. */
int64_t asker_due_ms(const struct asker *a);

/* Do what can be done without waiting. */
void asker_step(struct asker *a);

/*
 * Whether there is an answer: a frame; or NULL, and *why says why there is none.
 * Both are NUL-terminated, and valid until asker_free().
 */
bool asker_is_done(
    const struct asker *a, const char **answer, const char **why);

/* Free, and null *a. */
void asker_free(struct asker **a);

#endif
