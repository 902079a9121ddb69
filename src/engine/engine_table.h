/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ENGINE_ENGINE_TABLE_H
#define ENGINE_ENGINE_TABLE_H

/*
 * The Engine.IO sessions of clients that poll, in shared memory. Each request
 * of such a client may reach another worker: the GET that waits for packets,
 * the POST that brings some, the WebSocket to which the client upgrades. So what
 * one request must know of the others is here, and no packet waits in a
 * process. A client that began with a WebSocket has no place in this table: its
 * session is its connection.
 *
 * An entry is taken by its sid, changed while it is taken, and given back:
 *
 *	struct engine *e = engine_take(t, sid, len, &found);
 *	if (e) { ...; engine_give(t); }
 *
 * One robust lock guards the table. It is held for the copying of a few
 * kilobytes, or a look at some entries: between take and give, only the calls
 * below that say "of a taken entry" may be made, and nothing that waits. If a
 * process dies while it has an entry, the next one drops that entry, since it
 * may be half written, and rebuilds the links; its client connects again. The
 * number of entries is limited (max_polling); the time that one lives without a
 * sign of its client is limited by its expiry.
 *
 * Loop's thread only; any process.
 */
#include "socketio/eio_packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct heritage;
struct engine_table;

enum engine_state {
	ENGINE_FREE,
	ENGINE_POLLING,
	ENGINE_PROBING,	 /* a WebSocket has sent its probe */
	ENGINE_UPGRADED, /* the WebSocket is the transport */
};

/* A process that holds a request of the client. */
struct engine_holder {
	uint32_t slot;
	uint32_t generation; /* 0: none */
};

/* Room for packets that wait, and for what the user of the table keeps. */
#define ENGINE_OUT_BYTES 4096
#define ENGINE_USER_BYTES 1536

/* A session, in shared memory. */
struct engine {
	char sid[EIO_SID + 4];	     /* with its NUL */
	uint32_t state;		     /* enum engine_state */
	uint32_t chain;		     /* next in the hash bucket, or free */
	uint32_t peer;		     /* which count it is part of, or none */
	uint64_t number;	     /* no two entries ever have the same */
	struct engine_holder poller; /* of the GET that waits */
	struct engine_holder socket; /* of the WebSocket */
	int64_t began_ms;	     /* the handshake */
	int64_t pong_ms;	     /* last pong, or the handshake */
	int64_t ping_ms;	     /* when a ping was sent; 0: it has come */
	int64_t end_ms;		     /* removed then; 0: not yet known */
	int64_t patience_ms;	     /* of a GET without packets; 0: any */
	bool is_connected;	     /* to a namespace, now or before */
	uint32_t out_len;
	_Alignas(8) char user[ENGINE_USER_BYTES];
	char out[ENGINE_OUT_BYTES];
};

/* The memory of the table begins at a multiple of this. */
#define ENGINE_ALIGNMENT ((uint64_t)64)

/* Returns the memory for this many sessions, in bytes. */
uint64_t engine_table_bytes(uint64_t max_sessions);

/*
 * Lay out the table of heritage.engines_at, once, before other processes map
 * it. Does nothing if that was done.
 */
void engine_table_make(struct heritage *h);

/* Map the table, as this process. Never NULL. */
struct engine_table *engine_table_new(
    struct heritage *h, unsigned slot, uint32_t generation);

/* Free the handle, not the table, and null *t. */
void engine_table_free(struct engine_table **t);

enum engine_found {
	ENGINE_FOUND,
	ENGINE_UNKNOWN, /* no session has this sid */
	ENGINE_FULL,	/* there are as many as there may be */
	ENGINE_CROWDED, /* the peer has as many as it may have */
	ENGINE_STUCK,	/* the lock is held by a process that is stuck */
};

/*
 * Take the entry of a sid, after forgetting a poller or probe of a process that
 * has died. Returns NULL, with nothing taken, if *found is not ENGINE_FOUND.
 */
struct engine *engine_take(struct engine_table *t, const char *sid, size_t len,
    enum engine_found *found);

/* Who begins a session. */
struct engine_peer {
	const char *network; /* what counts as one peer; "": has no limit */
	int64_t most;	     /* how many sessions it may have; 0: any */
};

/*
 * Add an entry with a new sid, all else zeroed, and take it. The same
 * otherwise. (Sessions are counted by a hash of the network, with a secret:
 * of networks whose hashes fall together, all count as one.)
 */
struct engine *engine_add(struct engine_table *t,
    const struct engine_peer *peer, enum engine_found *found);

/* Give the taken entry back. */
void engine_give(struct engine_table *t);

/* Why a session ends; each reason has its counter (core/counters.tbl). */
enum engine_end {
	ENGINE_LEFT,	  /* the client left, or was refused, or its socket */
	ENGINE_BROKEN,	  /* the client broke a rule */
	ENGINE_OVERSIZED, /* the client sent more than maxPayload */
	ENGINE_STUFFED,	  /* packets for the client found no room */
	ENGINE_SILENT,	  /* the client sent no pong */
	ENGINE_LOST, /* with a process that had its WebSocket or its entry */
	ENGINE_IDLE, /* the client connected to nothing */
};

/* Remove the taken entry, instead of giving it back. */
void engine_end(struct engine_table *t, enum engine_end why);

/* Returns this process as a holder. */
struct engine_holder engine_self(const struct engine_table *t);

/* Whether that process is alive; false for none. */
bool engine_is_alive(
    const struct engine_table *t, const struct engine_holder *holder);

/* Whether both are the same process. */
bool engine_is_same(
    const struct engine_holder *a, const struct engine_holder *b);

/*
 * Queue packets of a taken entry, already separated if there are several.
 * Returns false, with nothing queued, if there is no room for them.
 */
bool engine_queue(struct engine *e, const char *packets, size_t len);

/*
 * Move the oldest packets that wait in a taken entry, 'most' of them at most, to
 * the end of out, with a separator if out has packets already. Returns their
 * number.
 */
size_t engine_unqueue(struct engine *e, struct buf *out, size_t most);

/*
 * Tell a process, by MSG_ENGINE with this number, that something has changed
 * for the request it holds. Best effort: holders also look by a timer. Returns
 * whether it is this process, which is not told.
 */
bool engine_nudge(const struct engine_table *t,
    const struct engine_holder *holder, uint64_t number);

/* How long a session may live without a pong. */
#define ENGINE_PING_INTERVAL_MS 25000
#define ENGINE_PING_TIMEOUT_MS 20000
#define ENGINE_SILENCE_MS (ENGINE_PING_INTERVAL_MS + ENGINE_PING_TIMEOUT_MS)

/*
 * How long a session may live without being connected to a namespace, and how
 * long if more than ENGINE_ROOMY eighths of the table are in use.
 */
#define ENGINE_IDLE_MS ENGINE_SILENCE_MS
#define ENGINE_IDLE_CROWDED_MS 3000
#define ENGINE_ROOMY 7

/*
 * Remove the sessions whose client is silent for too long or does not connect,
 * and those whose WebSocket died with its process; forget dead pollers and
 * probes. To be called every second by one process. Returns how many were
 * removed.
 */
unsigned engine_sweep(struct engine_table *t);

/* Returns the number of sessions. */
unsigned engine_count(const struct engine_table *t);

#endif
