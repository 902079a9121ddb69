/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_RELAYED_H
#define LINK_RELAYED_H

/*
 * Clients behind a relay, in the worker that serves them: each becomes a wire
 * (net/wire.h, WIRE_RELAYED). Their messages come over a trunk from the process
 * that holds the connection to the relay. When that process ends, so do its
 * wires, and nothing else of a client. Loop's thread only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a client's input may be on its way to its worker. */
#define RELAYED_WINDOW ((size_t)256 * 1024)

struct loop;
struct relayed;
struct wire;

struct relayed_setup {
	struct loop *loop;
	size_t max_wires;
	size_t max_message_bytes; /* of a client; close 1009 above this */
	/* A wire is cut if more than this waits and something is sent. */
	size_t max_output_bytes;
	/* Counts the wires that were cut; may be NULL. */
	uint64_t *slow_readers_total;
	/* Serve a new client: take its wire before returning. */
	void (*serve)(struct wire *w, void *arg);
	void *arg;
};

/* Create it, without wires. setup is copied. Never returns NULL. */
struct relayed *relayed_new(const struct relayed_setup *setup);

/* End all wires (on_gone), free, and null *r. */
void relayed_free(struct relayed **r);

/* Take ownership of fd, our end of a trunk. */
void relayed_connect(struct relayed *r, int fd);

/* From now on, refuse new clients. */
void relayed_drain(struct relayed *r);

/* Returns the number of wires. */
size_t relayed_count(const struct relayed *r);

#endif
