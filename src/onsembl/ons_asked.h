/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_ASKED_H
#define ONSEMBL_ONS_ASKED_H

/* What all requests of the HTTP API have in common: who asks, and errors. */
#include <stdbool.h>
#include <stdint.h>

struct door_setup;
struct http_req;
struct ons_claims;
struct ons_token_keys;

/* What the routes know; borrowed. */
struct ons_site {
	const struct door_setup *setup;
	const struct ons_token_keys *keys;
};

/* Reply with an error in the words of the protocol; message NULL: none. */
void ons_asked_error(
    struct http_req *req, int status, const char *error, const char *message);

/* Returns false after a reply: this client asks too much. */
bool ons_asked_count(const struct ons_site *site, struct http_req *req);

/* The same, and false after a reply if its token is not good. */
bool ons_asked_admit(const struct ons_site *site, struct http_req *req,
    struct ons_claims *claims);

/*
 * Read a parameter of the query that is a number. Returns false if it is there
 * and is none from least to most.
 */
bool ons_asked_number(struct http_req *req, const char *name, int64_t least,
    int64_t most, int64_t *out);

#endif
