/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_PAYMENT_H
#define ACCESS_PAYMENT_H

/*
 * Has somebody paid us? The backend of ConnectOnion knows (spec 5.7): we sign
 * in there with our own key, and ask whether a transfer of at least the
 * operator's price came from an address. What the client says it paid counts
 * for nothing. Whatever goes wrong, nobody has paid; the log says why.
 *
 * The backend is what CONNECTONION_BACKEND_URL, OPENONION_API_URL or
 * OPENONION_BASE_URL names, http://localhost:8000 in development, else
 * PAYMENT_BACKEND. One struct payment per worker; loop's thread only.
 */
#include <stdint.h>

struct conf;
struct loop;
struct payment;

#define PAYMENT_BACKEND "https://oo.openonion.ai"

/* How long each of the two requests may take. */
#define PAYMENT_LIMIT_MS 10000

/* Most questions at once; above, nobody has paid. */
#define PAYMENT_MAX_CALLS 16

/*
 * receipt names the transfer, if the backend says which it was, else who paid;
 * NULL: nobody has paid. One transfer must count once, so claim the receipt for
 * payment_keep_ms() before it opens anything. Valid inside the call only.
 */
typedef void payment_fn(void *arg, const char *receipt);

/* conf and loop must outlive it. Never NULL; nothing is opened yet. */
struct payment *payment_new(const struct conf *conf, struct loop *loop);

/* Forget all questions, free, null *p; NULL is accepted. */
void payment_free(struct payment **p);

/*
 * Ask whether the client, a canonical address, has paid at least price (> 0).
 * fn is called once, later, unless payment_free() came first. While a question
 * about a client runs, another about the same one is answered with NULL.
 */
void payment_verify(struct payment *p, const char *client, double price,
    payment_fn *fn, void *arg);

/* How long a receipt has to be remembered, in milliseconds. */
int64_t payment_keep_ms(const char *receipt);

#endif
