/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_LINK_CLIENT_H
#define LINK_LINK_CLIENT_H

/*
 * One client behind a relay: how it begins and ends, and who is told. Only
 * link/link_clients.c sees it; its callers see link/link_clients.h.
 *
 * Life cycle: link_client_new(), link_client_put() with what it says, then one
 * of the ends below, each of which frees it, or leaves that to the moment at
 * which its worker has been told.
 */
#include "base/list.h"
#include "base/unfinished.h"
#include "link/link_clients.h"
#include "link/trunk.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

struct link_clients {
	struct link_clients_setup setup;
	struct list workers;
	size_t n_workers;
	struct list active;  /* clients, those silent for longest first */
	struct list leaving; /* clients whose end waits in their lanes */
	struct map *by_route;
	struct map *by_number;
	size_t n_clients;
	size_t n_admitted;
	size_t waiting_bytes; /* of all clients */
	uint32_t last_number;
	struct loop_timer look;
	bool is_draining;
	bool is_paused;
};

struct link_worker {
	struct list link;
	struct link_clients *all;
	struct trunk *trunk;
	size_t n_clients;
};

struct link_client {
	struct list link; /* in active or leaving */
	struct link_clients *all;
	struct link_worker *worker; /* NULL: there is none yet */
	struct trunk_lane lane;	    /* to the worker */
	struct unfinished part;	    /* what waits of it */
	uint32_t number;
	char *session;
	char *conn;
	int64_t heard_ms;
	bool was_answered;
	bool is_admitted; /* by its worker's door */
	bool is_leaving;
};

/* Returns the client that sent this frame, or NULL. */
struct link_client *link_client_find(
    const struct link_clients *all, const struct link_frame *f);

/* Create the client that sent this frame, without a worker. */
struct link_client *link_client_new(
    struct link_clients *all, struct link_frame *f);

/* Queue something for its worker, or for the one that it will have. */
void link_client_put(
    struct link_client *c, enum trunk_type type, const char *text, size_t len);

/* Count what waits of a client; false if it has to go, and went. */
bool link_client_note(struct link_client *c);

/* Tell the relay that a client is done. */
void link_client_tell_relay(
    const struct link_client *c, int code, const char *reason);

/* Free it. Nobody is told. */
void link_client_free(struct link_client *c);

/* Its worker ended it, or is gone: tell the relay, and free it. */
void link_client_end(struct link_client *c, int code, const char *reason);

/* It left: its worker learns it after what it has said. */
void link_client_lose(struct link_client *c);

/* Its worker ended it; nothing but this says why, if it was not answered. */
void link_client_refuse(struct link_client *c, int code, const char *reason);

/* We give it up: tell both sides, at once. */
void link_client_drop(struct link_client *c, int code, const char *reason);

/* Refuse the client that sent this frame and is not known yet. */
void link_client_turn_away(struct link_clients *all, struct link_frame *f,
    int code, const char *reason);

#endif
