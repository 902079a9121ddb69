/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_TUNNEL_H
#define RELAY_TUNNEL_H

/*
 * The tunnel forwards frames between an agent and its clients, whose sockets
 * are all in one worker. Payloads are forwarded byte by byte; only the members
 * of the top level that say where a frame belongs are replaced.
 *
 * Towards an agent, each frame names the client's socket: by "conn_id", a
 * random name, if the agent announced that it routes by it; and by
 * "session_id", the routing id, which for other agents is all there is.
 *
 * A client that does not read has a queue of its own and is disconnected when
 * it is full; the agent is read on. While an agent does not read, its clients
 * are not read: each keeps at most one frame for it, and their turn comes in
 * the order in which they began to wait.
 */
#include "base/buf.h"
#include "base/list.h"
#include "base/unfinished.h"
#include "core/session_id.h"
#include "identity/address.h"
#include "relay/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;
struct wire;

/* Random names are 16 bytes in hex. */
#define TUNNEL_CONN_ID 33

/* The longest session id that a client may name, in bytes. */
#define TUNNEL_SESSION_ID SESSION_ID_MAX

/*
 * Programs that do not route by conn_id take frames of 1 MiB, and end their
 * link, and so all their clients, at a longer one.
 */
#define TUNNEL_OLD_FRAME ((size_t)1024 * 1024)

/* The announced socket of an agent; its maker embeds it. */
struct tunnel_agent {
	struct wire *wire;
	char address[ADDRESS_SIZE];
	uint64_t number;   /* of the socket in this worker */
	bool has_conn_id;  /* it routes by conn_id */
	struct map *by_id; /* clients by conn_id, or else by routing id */
	struct list clients;
	struct list waiting; /* those that keep a frame for it */
	size_t n_clients;
};

/* Why a client is not read. */
#define TUNNEL_WAITS_AGENT 1u /* its agent does not read */
#define TUNNEL_WAITS_TURN 2u  /* its own frames come too fast */
#define TUNNEL_WAITS_ROUTE 4u /* its agent is not found yet */

/* The socket of a client; its maker embeds it. */
struct tunnel_client {
	struct wire *wire;
	struct tunnel_agent *agent; /* NULL: not bound */
	char conn_id[TUNNEL_CONN_ID];
	char session[TUNNEL_SESSION_ID + 1]; /* the routing id */
	/*
	 * What the client asked about, if answers have to name that instead of
	 * the routing id; "" otherwise.
	 */
	char asked[TUNNEL_SESSION_ID + 1];
	struct list all_link;  /* among all bound clients */
	struct list link;      /* in agent->clients */
	struct list wait_link; /* in agent->waiting */
	struct buf kept;       /* a frame for the agent, not yet cut */
	struct scan scan;      /* of the frame that comes, or of the kept one */
	struct unfinished share; /* of the memory for frames: that of kept */
	unsigned pauses;	 /* TUNNEL_WAITS_... */
};

/* ---- agents ---- */

/* An agent was announced: list it under its number. */
void tunnel_open(struct tunnel_agent *a);

/* Its socket is gone: all its clients are disconnected (1012). */
void tunnel_close(struct tunnel_agent *a);

/* Returns the announced agent with a number, or NULL. */
struct tunnel_agent *tunnel_find(uint64_t number);

/*
 * A frame of the agent: forward it to its client. Takes *text. A frame for
 * nobody, or for a client of another agent, is dropped and counted.
 */
void tunnel_from_agent(
    struct tunnel_agent *a, const struct scan *s, struct buf *text);

/* The agent reads again. */
void tunnel_agent_drained(struct tunnel_agent *a);

/* ---- clients ---- */

/* Initialise the part of a client; it is not bound. */
void tunnel_client_init(struct tunnel_client *c, struct wire *wire);

/*
 * Returns the client that is bound with a routing id, or NULL. An agent that
 * routes by conn_id has none: there it names nobody.
 */
struct tunnel_client *tunnel_holder(
    const struct tunnel_agent *a, const char *session);

/*
 * Bind a client to an agent. session is the routing id; NULL makes a new one.
 * No other client of the agent may have it.
 */
void tunnel_bind(
    struct tunnel_client *c, struct tunnel_agent *a, const char *session);

/* Tell the agent that the client is gone, and unbind it. */
void tunnel_unbind(struct tunnel_client *c);

/* The same without telling: another socket continues with its routing id. */
void tunnel_replace(struct tunnel_client *c);

/* Whether the agent takes a frame of so many bytes of the client. */
bool tunnel_takes(const struct tunnel_client *c, size_t len);

/*
 * The frame that c->scan has read: forward it to the agent, now or when it
 * reads again. Takes *text.
 */
void tunnel_from_client(struct tunnel_client *c, struct buf *text);

/* Stop or resume reading from a client, for one of the reasons. */
void tunnel_pause(struct tunnel_client *c, unsigned why, bool is_paused);

/*
 * Keep a frame in c->kept. Returns false if there is no memory for it: the
 * frame is gone, and the client has to go.
 */
bool tunnel_keep(struct tunnel_client *c, struct buf *text);

/*
 * Set up: the most bytes of output that may wait for all sockets together.
 * Beyond that, the client with most of it is disconnected.
 */
void tunnel_init(size_t max_output_bytes);

#endif
