/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_TCP_H
#define BASE_TCP_H

/* The options of TCP sockets. */

/*
 * Send small messages at once, and end a connection whose other end does not
 * acknowledge what was sent for so long: otherwise one that vanished is noticed
 * after a quarter of an hour. Other sockets refuse these options, and do not
 * need them.
 */
void tcp_tune(int fd, unsigned unacknowledged_ms);

#endif
