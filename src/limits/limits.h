/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_LIMITS_H
#define LIMITS_LIMITS_H

/*
 * Limits on what one identity, and one network address, may use of the server,
 * counted over all workers together (host.yaml(5), the settings limit_*). A
 * door calls here before it does what a client asks for. One struct limits per
 * worker; all calls are made on the loop's thread, and none blocks.
 *
 * Peers on this machine have no limit as peers: they are the operator, or a
 * proxy that forwards no addresses. An IPv6 peer is its /64 network, which is
 * what one customer gets. Where l is NULL, nothing is limited.
 */
#include "core/err.h"
#include "limits/gauge.h"

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct heritage;
struct limits;

/* Who uses something. A member that is "" or NULL is not counted. */
struct limits_who {
	const char *caller;    /* a verified address */
	const char *peer;      /* its network address */
	bool peer_is_loopback; /* and no proxy has named the client */
};

/* What is limited in number at the same time. */
enum limits_kind { LIMITS_RUNS, LIMITS_SOCKETS };

/* Slots in use; {0} is none. */
struct limits_held {
	gauge_hold caller;
	gauge_hold peer;
};

/* How much is left of the limit that refused, or of the request rate. */
struct limits_verdict {
	const char *name; /* of the limit, static; NULL: there is none */
	int64_t most;
	int64_t window_ms; /* the limit is for this time */
	int64_t left;
	int64_t reset_ms; /* until a retry may succeed, or all is left */
	struct err err;	  /* ERR_LIMIT if refused, else ERR_OK */
};

/*
 * Write the network that counts as this peer (NETWORK_SIZE bytes, see
 * limits/network.h); "" if it has no limit.
 */
void limits_network(char *out, const struct limits_who *who);

/* Create limits; conf and h are borrowed. Never NULL. */
struct limits *limits_new(const struct conf *conf, struct heritage *h,
    unsigned slot, uint32_t generation);

/* Free and null *l. Slots still held are released when the process ends. */
void limits_free(struct limits **l);

/*
 * Count a request, or a message, of this many bytes. Returns 0, or -1 with
 * ERR_LIMIT.
 */
int limits_request(struct limits *l, const struct limits_who *who,
    int64_t bytes, struct limits_verdict *verdict);

/*
 * Acquire one slot for this caller and this peer; slots that *held already has
 * for them are released first. Returns 0, or -1 with ERR_LIMIT and neither slot
 * held. If err is NULL, the slot is counted even above the limit.
 */
int limits_hold(struct limits *l, enum limits_kind kind,
    const struct limits_who *who, struct limits_held *held, struct err *err);

/*
 * Count a connection of a peer in *hold. Returns false, with nothing counted,
 * if it is one too many. Connections have no caller yet.
 */
bool limits_connect(
    struct limits *l, const struct limits_who *who, gauge_hold *hold);

/* The connection is closed. */
void limits_disconnect(struct limits *l, gauge_hold *hold);

/* Release the slots; does nothing if none is held. */
void limits_drop(struct limits *l, struct limits_held *held);

#endif
