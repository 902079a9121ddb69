/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_LIMITS_H
#define LIMITS_LIMITS_H

/*
 * What one identity, and one network address, may have of the server, counted
 * by all workers together (host.yaml(5), the settings limit_*). Doors ask here
 * before they do what they are asked for. One struct limits per worker; all
 * calls are made on the loop's thread and none waits.
 *
 * Peers on this machine have no limit as peers: the operator is behind them, or
 * a proxy that speaks for nobody. An IPv6 peer is its /64 network, which is
 * what one customer gets. Where l is NULL, nothing is limited.
 */
#include "core/err.h"
#include "limits/gauge.h"

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct heritage;
struct limits;

/* Who asks. What is "" or NULL is not looked at. */
struct limits_who {
	const char *caller;    /* a verified address */
	const char *peer;      /* where it comes from */
	bool peer_is_loopback; /* and no proxy spoke for it */
};

/* What may be had at the same time. */
enum limits_kind { LIMITS_RUNS, LIMITS_SOCKETS };

/* What somebody has; {0} is nothing. */
struct limits_held {
	gauge_hold caller;
	gauge_hold peer;
};

/* How much is left: of what was refused, or of the requests. */
struct limits_verdict {
	const char *name; /* of the limit, static; NULL: there is none */
	int64_t most;
	int64_t window_ms; /* so many in this time */
	int64_t left;
	int64_t reset_ms; /* until it may be asked again, or all is left */
	struct err err;	  /* ERR_LIMIT if refused, else ERR_OK */
};

/* conf and h are borrowed. Never NULL. */
struct limits *limits_new(const struct conf *conf, struct heritage *h,
    unsigned slot, uint32_t generation);

/* Free and null *l. What is still held is given back with the process. */
void limits_free(struct limits **l);

/* A request, or a message, of so many bytes. 0, or -1 with ERR_LIMIT. */
int limits_request(struct limits *l, const struct limits_who *who,
    int64_t bytes, struct limits_verdict *verdict);

/*
 * Have one more, for the caller and the peer that 'who' has; what *held had of
 * these before is given back first. 0, or -1 with ERR_LIMIT and none of these
 * held. err NULL: it is counted in any case.
 */
int limits_hold(struct limits *l, enum limits_kind kind,
    const struct limits_who *who, struct limits_held *held, struct err *err);

/* Give it back; harmless when nothing is held. */
void limits_drop(struct limits *l, struct limits_held *held);

#endif
