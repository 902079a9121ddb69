/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_RETRY_H
#define OPENHANDS_OH_RETRY_H

/*
 * Messages that a client sends again. A library that is told to retry sends a
 * message whose ack has not come in time again, under another ack id, and the
 * server cannot know which of them the user meant once. It is taken as the same
 * message if it has the same content and comes while the first waits for its
 * ack, or soon after an ack that came late: those were sent before it.
 *
 * Part of a client's state, which may be in shared memory. Pure functions.
 */
#include <stdbool.h>
#include <stdint.h>

struct json;

/* An ack after this time is late. */
#define OH_RETRY_LATE_MS 500

/* How long after a late ack its message may be sent again. */
#define OH_RETRY_WINDOW_MS 3000

/* A message that was acknowledged late; {0}: none. */
struct oh_retry {
	uint32_t digest;
	int64_t until_ms;
};

/*
 * Returns the digest of a message with these images (NULL: none), never 0. Its
 * text is compared as it is meant, not as it is written.
 */
uint32_t oh_retry_digest(const struct json *content, const struct json *images);

/* A message that came at this time is acknowledged now. */
void oh_retry_acked(
    struct oh_retry *retry, uint32_t digest, int64_t came_ms, int64_t now_ms);

/* Whether a message that comes now was acknowledged late a moment ago. */
bool oh_retry_is_known(
    const struct oh_retry *retry, uint32_t digest, int64_t now_ms);

#endif
