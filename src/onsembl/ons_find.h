/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_FIND_H
#define ONSEMBL_ONS_FIND_H

/* An agent that a request of the HTTP API names, if its user may see it. */
#include "base/buf.h"
#include "ons/ons_message.h"
#include "onsembl/ons_token.h"

#include <stdbool.h>

struct http_req;
struct ons_site;

struct ons_found {
	struct ons_claims claims; /* of the client */
	bool is_there;
	bool is_hosted;	   /* by this server */
	bool is_own;	   /* it belongs to the user of the claims */
	bool is_online;	   /* a command could be sent to it now */
	struct buf object; /* as the API shows it */
	char id[ONS_MAX_ID + 1];
};

/*
 * Find the agent whose id, or else name, is the segment of the path. Returns
 * false after a reply: the token is not good. *f is to be freed in any case.
 */
bool ons_find(const struct ons_site *site, struct http_req *req, bool is_name,
    struct ons_found *f);

/* The same for an id, with f->claims filled in. */
void ons_find_id(
    const struct ons_site *site, struct span id, struct ons_found *f);

/* Free the memory. */
void ons_found_fini(struct ons_found *f);

/* Reply that there is no such agent. */
void ons_find_refuse(struct http_req *req);

#endif
