/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_SERVER_H
#define WRAPPER_SERVER_H

/*
 * The connection to the server: it is made again when it is lost (retry.h says
 * when), and given up after some attempts in a row. It introduces the agent,
 * sends heartbeats, answers pings, and sends what is in the backlog while the
 * server has room for it. Loop's thread only.
 */
#include "ons/ons_message.h"

#include <stdbool.h>
#include <stdint.h>

struct crew;
struct loop;
struct backlog;
struct server;
struct agent_settings;
struct ws_trust;

/* How a connection, or all of it, ended. */
enum server_event {
	SERVER_READY,	/* the server knows the agent; what waits is sent */
	SERVER_LOST,	/* not connected; another attempt follows */
	SERVER_CLOSED,	/* the server wants no further connection */
	SERVER_GIVEN_UP /* the last attempt has failed */
};

struct server_handlers {
	/*
	 * The token for the next connection, or NULL; valid until the next
	 * event of the loop.
	 */
	const char *(*token)(void *arg);
	/* It was refused. Returns whether there may be another one soon. */
	bool (*on_refused)(void *arg);
	/* Append a JSON array of the ids of the commands that are not over. */
	void (*active)(void *arg, struct buf *out);
	/* A message that is not for the connection itself. */
	void (*on_message)(
	    void *arg, const struct ons_message *m, struct ons_reader *r);
	/* why is a sentence; delay_ms is the time to the next attempt. */
	void (*on_event)(void *arg, enum server_event event, const char *why,
	    int64_t delay_ms);
	/* The backlog has been emptied, in part. */
	void (*on_room)(void *arg);
};

/* All but the texts is borrowed. */
struct server_setup {
	struct loop *loop;
	struct crew *crew;
	const struct ws_trust *trust;
	const struct agent_settings *settings;
	struct backlog *backlog;
	const char *agent_id;
	const char *agent_type;
	const struct server_handlers *handlers;
	void *arg;
};

/* What is in a heartbeat. */
struct server_health {
	int64_t n_commands;
	int64_t total_ms; /* of them together */
};

/* Begin to connect. Never returns NULL. */
struct server *server_open(const struct server_setup *setup);

/* Close the connection with 1000; on_event(SERVER_CLOSED) follows. */
void server_close(struct server *s);

/* Cut the connection, free, and null *s. */
void server_free(struct server **s);

/* The backlog has something. */
void server_send(struct server *s);

/* Whether the server knows the agent now. */
bool server_is_ready(const struct server *s);

/* Whether it takes AGENT_EVENT messages; as it said last. */
bool server_takes_events(const struct server *s);

/* For heartbeats, from now on. */
void server_report(struct server *s, const struct server_health *health);

#endif
