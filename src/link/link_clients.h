/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_LINK_CLIENTS_H
#define LINK_LINK_CLIENTS_H

/*
 * The clients behind a relay, in the process that holds the connection to it.
 * Each is given to a worker, which serves it as a wire (link/relayed.h); this
 * file hands frames between the two. A client whose worker ended is told to
 * connect again. Loop's thread only.
 *
 * A message above the limit ends its client and is counted. The limit is small
 * for clients that the door has not admitted: the relay forwards for strangers.
 *
 * What clients send waits here while their workers do not take it, within a
 * limit for each client and one for all (base/unfinished.h). The relay is one
 * connection for all of them, so a client over its limit is ended, and reading
 * stops only while a worker is so busy that its trunk is full.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_clients;
struct link_frame;
struct loop;

struct link_clients_setup {
	struct loop *loop;
	size_t max_clients;
	size_t max_message_bytes; /* of a client that was admitted */
	size_t max_first_bytes;	  /* of one that was not, yet */
	size_t max_client_bytes;  /* that wait of one client */
	size_t max_bytes;	  /* that wait of all */
	int64_t idle_timeout_ms;  /* a client silent for this long is gone */
	/* Send a frame to the relay. */
	void (*send)(void *arg, const char *text, size_t len);
	/* Something was taken: link_clients_is_crowded() may have changed. */
	void (*on_room)(void *arg);
	void *arg;
};

/* Create it, without workers. setup is copied. Never returns NULL. */
struct link_clients *link_clients_new(const struct link_clients_setup *setup);

/* Free and null *c. Nobody is told. */
void link_clients_free(struct link_clients **c);

/* Take ownership of fd, our end of a trunk to another worker. */
void link_clients_add_worker(struct link_clients *c, int fd);

/* Returns the number of workers. */
size_t link_clients_workers(const struct link_clients *c);

/* A client's frame of len bytes came: f is CLIENT or CLOSE. */
void link_clients_take(
    struct link_clients *c, struct link_frame *f, const char *text, size_t len);

/*
 * Returns how large the message of a client may be; f is what could be read of
 * its beginning, by link_frame_peek().
 */
size_t link_clients_most(
    const struct link_clients *c, const struct link_frame *f);

/* A message that began like this was larger: end its client, if it is known. */
void link_clients_refuse(struct link_clients *c, struct link_frame *f);

/* The relay is gone, and all clients with it. */
void link_clients_lose(struct link_clients *c);

/* From now on, refuse new clients. */
void link_clients_drain(struct link_clients *c);

/* Stop or resume taking frames from workers: the relay does not take them. */
void link_clients_pause(struct link_clients *c, bool is_paused);

/* Whether to stop reading from the relay until on_room. */
bool link_clients_is_crowded(const struct link_clients *c);

/* Returns the number of clients, with those whose end is not yet passed on. */
size_t link_clients_count(const struct link_clients *c);

#endif
