/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_FINDER_H
#define CONNECT_FINDER_H

/*
 * Finding an agent: the relay is asked for its record, and the endpoints that it
 * lists are asked at /info who they are. One that does not name the agent's
 * address is not used, whatever the relay says.
 */
#include "base/buf.h"
#include "identity/address.h"

#include <stdbool.h>

struct finder;
struct http_get;

/* What to find; all of it is copied, except as noted. */
struct finder_setup {
	struct http_get *http; /* borrowed */
	/* Canonical; "": that of whoever is at direct. */
	const char *address;
	const char *direct; /* URL of the only endpoint; NULL: ask the relay */
	const char *relay;  /* base (base/url.h); NULL: none */
	bool takes_clear;   /* endpoints without TLS as well */
	/* An endpoint is not used; may be NULL. */
	void (*on_rejected)(void *arg, const char *where, const char *why);
	void *arg;
};

/* What was found. */
struct finder_found {
	char address[ADDRESS_SIZE]; /* the agent's, "" if it is not known */
	const char *base;	    /* of the endpoint; NULL: none */
	const char *info;	    /* what it says of itself; "": nothing */
	const char *record;	    /* what the relay says; "": nothing */
	bool is_other;		    /* an endpoint named another address */
	const char *why; /* why there is no endpoint, or no record; "" */
};

/* Begin. Never returns NULL. Progress is made by http_get_step(). */
struct finder *finder_start(const struct finder_setup *setup);

/* Whether it is done; *found is valid until finder_free(). */
bool finder_is_done(const struct finder *f, struct finder_found *found);

/* Free, and null *f; what is under way is cancelled. */
void finder_free(struct finder **f);

#endif
