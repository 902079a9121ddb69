/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_CONN_H
#define DIALIN_DIALIN_CONN_H

/*
 * The connection of an agent that dials in (/ws/agent of Onsembl,
 * doc/onsembl.txt). The upgrade is always accepted, since agents give up when
 * it is refused; whose agent it is, is decided when AGENT_CONNECT comes, by the
 * token of the upgrade or of that message. A connection without it ends after
 * 30 s; one without any sign of life after 95 s.
 *
 * Of several connections of one agent, the newest gets commands. The others are
 * left open, since their agent would take their end for that of the newest;
 * what comes from them counts.
 */
#include <stddef.h>

struct dialin_dock;
struct wire;

/* How long a WebSocket may be silent, in milliseconds; and its largest message. */
#define DIALIN_SILENCE_MS 95000
#define DIALIN_MAX_MESSAGE 1048576

/*
 * Serve an agent. token is what its upgrade carried (copied); NULL: none. The
 * connection ends itself.
 */
void dialin_serve(struct dialin_dock *d, struct wire *wire, const char *token,
    size_t token_len);

/* This worker is draining: send all agents to others. */
void dialin_drain(struct dialin_dock *d);

/* End all connections: this process exits. */
void dialin_close_all(struct dialin_dock *d);

/* Orders of other workers may wait (MSG_ORDER), or connections of this one be
 * the newest now. Call it at each such message, and about once a second. */
void dialin_look(struct dialin_dock *d);

/* An order to an agent, as the kind of struct dialin_order: an action of
 * ons/ons_order.h, or this. */
#define DIALIN_EMERGENCY_STOP 100u

#endif
