/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_BACKEND_H
#define T_UNIT_FAKE_BACKEND_H

/*
 * An HTTP server on 127.0.0.1, in a thread of its own. Each connection has one
 * request; it gets the oldest answer that the test has put down. Without one
 * the connection stays silent until the client leaves.
 */
#include <stdbool.h>
#include <stddef.h>

struct fake_backend;

/* A new one; is_tls: with a certificate that nobody vouches for. */
struct fake_backend *fake_backend(bool is_tls);

/* Stop it, free, null *b. */
void fake_backend_free(struct fake_backend **b);

/* "http://127.0.0.1:PORT" (or https). */
const char *fake_backend_url(const struct fake_backend *b);

/* Put down a whole answer, head and body. */
void fake_backend_answer(struct fake_backend *b, const char *answer);

/* The same, with status 200 and this body. */
void fake_backend_json(struct fake_backend *b, const char *body);

/* How many requests have come. */
size_t fake_backend_count(struct fake_backend *b);

/* Request n, from 0, head and body; "" when it has not come. */
const char *fake_backend_request(struct fake_backend *b, size_t n);

#endif
