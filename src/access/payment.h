/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_PAYMENT_H
#define ACCESS_PAYMENT_H

/*
 * Verification of payments. The backend of ConnectOnion knows them (spec 5.7):
 * we sign in with the agent's key and ask whether a transfer of at least the
 * operator's price came from an address. What the client claims to have paid is
 * ignored. On any error the answer is "not paid", and the log has the reason.
 *
 * The backend is what CONNECTONION_BACKEND_URL, OPENONION_API_URL or
 * OPENONION_BASE_URL names, http://localhost:8000 in development, else
 * PAYMENT_BACKEND. One struct payment per worker; loop's thread only.
 */
#include <stdint.h>

struct conf;
struct loop;
struct payment;

/* The backend if the environment names none. */
#define PAYMENT_BACKEND "https://oo.openonion.ai"

/* How long each of the two requests may take. */
#define PAYMENT_LIMIT_MS 10000

/*
 * The maximum number of pending questions; beyond it the answer is "not paid".
 */
#define PAYMENT_MAX_CALLS 16

/*
 * Receives the answer. receipt identifies the transfer, if the backend names
 * it, else the payer; NULL: not paid. A transfer must count only once, so claim
 * the receipt for payment_keep_ms() before acting on it. Valid only inside the
 * call.
 */
typedef void payment_fn(void *arg, const char *receipt);

/*
 * Create a payment. conf and loop must outlive it. Never NULL; nothing is
 * opened yet.
 */
struct payment *payment_new(const struct conf *conf, struct loop *loop);

/* Drop all questions without callbacks, free, and null *p; NULL is accepted. */
void payment_free(struct payment **p);

/*
 * Ask whether the client, a canonical address, has paid at least price (> 0).
 * fn is called once, later, unless payment_free() is called before. While a
 * question about a client is pending, another about the same one is answered
 * with NULL.
 */
void payment_verify(struct payment *p, const char *client, double price,
    payment_fn *fn, void *arg);

/* How long a receipt must be remembered, in milliseconds. */
int64_t payment_keep_ms(const char *receipt);

#endif
