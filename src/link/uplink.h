/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_UPLINK_H
#define LINK_UPLINK_H

/*
 * The connection to the relay: made, announced on, renewed every minute, and
 * made again when it ends. What comes over it goes to the clients
 * (link/link_clients.h), which it owns, and so to workers. It connects once
 * there is a worker. Loop's thread only.
 *
 * After the end of a connection that was announced it connects again after 1 s;
 * failures in a row wait for 1, 2, 4, 8, 16, then 30 s, from the second on with
 * up to a second more, so that not all hosts of a relay come at once. That the
 * relay replaced us by another host of our address counts as a failure: two
 * that answer at once would throw each other out for ever.
 */
#include "link/link_clients.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct crew;
struct uplink;
struct ws_trust;

/* What happened, for people and counters. */
enum uplink_event {
	UPLINK_ANNOUNCED, /* the relay knows us, for the first time */
	UPLINK_RESTORED,  /* again, after a loss */
	UPLINK_LOST,	  /* the connection ended; a new one is made soon */
	UPLINK_FAILED,	  /* no connection could be made */
	UPLINK_REFUSED,	  /* the relay sent an error; we announce again */
};

struct uplink_setup {
	struct loop *loop;
	struct crew *crew;	      /* finds and connects */
	const struct ws_trust *trust; /* for wss:// */
	const char *url; /* of the relay, as url_relay() gives it */
	const char *user_agent;
	int64_t stall_timeout_ms; /* for the relay to read something */
	/* Its send, on_room and arg are set by uplink_new(). */
	struct link_clients_setup clients;
	/* Append a new ANNOUNCE, signed now. */
	void (*announce)(struct buf *out, void *arg);
	/*
	 * Something happened: why is about the relay, or is the relay's words;
	 * n counts failures in a row, delay_ms is the time to the next attempt.
	 */
	void (*on_event)(void *arg, enum uplink_event event, const char *why,
	    unsigned n, int64_t delay_ms);
	/* The connection is closed, after uplink_close(). */
	void (*on_closed)(void *arg);
	void *arg;
};

/*
 * Create it, unconnected. What setup points to is borrowed, setup itself
 * copied. Returns NULL with *why if the URL cannot be used.
 */
struct uplink *uplink_new(const struct uplink_setup *setup, const char **why);

/* Cut the connection, free, and null *u. */
void uplink_free(struct uplink **u);

/* Take ownership of fd, our end of a trunk to another worker. */
void uplink_add_worker(struct uplink *u, int fd);

/*
 * From now on, refuse new clients and announce no more, so that the relay sends
 * them elsewhere; if the connection ends, that is the end (on_closed).
 */
void uplink_drain(struct uplink *u);

/* Returns the number of clients. */
size_t uplink_clients(const struct uplink *u);

/* Close the connection for good; on_closed follows, soon. */
void uplink_close(struct uplink *u);

#endif
