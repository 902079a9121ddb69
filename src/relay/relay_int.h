/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_INT_H
#define RELAY_RELAY_INT_H

/*
 * Private to relay/: what the parts of a worker share. relay_worker.c makes it;
 * relay_agents.c, relay_clients.c and relay_lookups.c use it and not each other.
 * The calls below are in relay_wire.c.
 */
#include "base/buf.h"
#include "net/ws.h"
#include "relay/relay_conf.h"
#include "relay/roster.h"

#include <stdbool.h>
#include <stdint.h>

struct crew;
struct directory;
struct dock;
struct http;
struct http_req;
struct ledger;
struct loop;
struct wire;

struct relay {
	const struct relay_conf *conf;
	struct heritage *heritage;
	struct loop *loop;
	struct http *http;
	struct roster *roster;
	struct dock *dock;
	struct crew *crew;	     /* verifies, looks up and searches */
	struct directory *directory; /* for the jobs of the crew */
	struct directory *finder;    /* the same, for searches */
	struct ledger *ledger;
	struct ws_limits agent_limits;
	struct ws_limits client_limits;
	struct ws_limits lookup_limits;
	unsigned slot;
	uint64_t next_number; /* of announced sockets of this worker */
	bool is_leaving;
};

/* An agent that left this long ago, or less, may be about to return. */
#define RELAY_RECENT_MS 60000

/* What is counted, by address of an agent or by network address. */
enum relay_quota {
	QUOTA_ANNOUNCES,
	QUOTA_REFUSED, /* refused ANNOUNCEs, by network address; as these: */
	QUOTA_SOCKETS,
	QUOTA_FRAME_BYTES,
	QUOTA_LOOKUPS,
	QUOTA_FINDS,
};

/*
 * Whether a limit allows one more. per_minute is a setting, 0: no limit; burst
 * is how many may come at once.
 */
bool relay_may(const struct relay *r, enum relay_quota kind, const char *who,
    int64_t per_minute, int64_t burst);

/*
 * Answer a WebSocket with {"type": "ERROR", ...} in all spellings that programs
 * read. original is the type of the message that was wrong, or NULL.
 */
void relay_say_error(struct wire *w, const char *text, const char *original);

/*
 * Accept a WebSocket with these limits, or refuse the request: what is no
 * handshake, and more of them than limit_sockets. Ends the request. Returns
 * NULL if it was refused.
 */
struct wire *relay_accept(const struct relay *r, struct http_req *req,
    const struct ws_limits *limits);

#endif
