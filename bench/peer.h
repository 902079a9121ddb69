/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * A client's connection, for benchmarks: HTTP/1.1 kept alive, or a WebSocket.
 * All peers of the process are served by one epoll loop. A broken connection
 * or an answer that is no success ends the program: what fails is not measured.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct peer {
	int fd;
	bool is_open; /* a WebSocket whose handshake is done */
	bool is_over; /* it waits to be renewed */
	unsigned port;
	const char *ws_path;
	unsigned n; /* the caller's number for it */
	int64_t sent_us;
	struct buf in;
	struct buf out;
	size_t written;
	/* A whole answer's body, or a message; the handshake's end is "". */
	void (*on_message)(struct peer *p, const char *text, size_t len);
};

/* Connect to 127.0.0.1:port; ws_path NULL: ready for requests. */
struct peer *peer_open(unsigned port, const char *ws_path, unsigned n,
    void (*on_message)(struct peer *p, const char *text, size_t len));

/* From on_message: go on with a new connection instead of this one. */
void peer_renew(struct peer *p);

/* Send an HTTP request; body NULL: GET. Notes the time in sent_us. */
void peer_request(struct peer *p, const char *path, const char *body);

/* Send a text message. Notes the time in sent_us. */
void peer_say(struct peer *p, const char *text);

/* Serve all peers for so many microseconds, or until peers_stop(). */
void peers_run(int64_t us);

/* Let peers_run() return. */
void peers_stop(void);

/* The process that holds the other end: one of pids, or 0. */
int peer_worker(const struct peer *p, unsigned port, const int *pids, int n);

/* Monotonic and wall clock in microseconds. */
int64_t now_us(void);
int64_t wall_us(void);

/* End the program with a message. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
