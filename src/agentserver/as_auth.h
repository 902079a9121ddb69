/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_AUTH_H
#define AGENTSERVER_AS_AUTH_H

/*
 * Who may come in. If the server has a key (openhands/oh_key.h), a client must
 * show it, in the header X-Session-API-Key, the query session_api_key, or the
 * first frame of a WebSocket; otherwise the setting trust decides about
 * anonymous clients, as everywhere.
 */
#include <stdbool.h>

struct door_setup;
struct http_req;

enum as_shown {
	AS_SHOWN_NOTHING,
	AS_SHOWN_KEY,	/* the right one */
	AS_SHOWN_WRONG, /* another one, or an empty text */
};

/* Returns what a request shows; its query counts first. */
enum as_shown as_auth_shown(struct http_req *req);

/* Receives the request of a client that may come in. */
typedef void as_auth_fn(struct http_req *req, void *arg);

/* Ends the request of a client that may not, and says why. */
typedef void as_auth_no_fn(struct http_req *req, const char *why);

/*
 * Ask the policy about the client of a request, now or later; fn is called only
 * if it may come in, and fn's arg must outlive the server. Otherwise no(req, why)
 * is called, which ends the request.
 */
void as_auth_ask(struct http_req *req, const struct door_setup *setup,
    as_auth_fn *fn, void *arg, as_auth_no_fn *no);

#endif
