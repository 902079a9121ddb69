/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_IN_H
#define OIP_OIP_IN_H

/*
 * The command table of the ConnectOnion protocol (doc/oip.txt): frames of a
 * client become session calls.
 */
#include <stddef.h>

struct oip_conn;

/* Process a text message of a client in clear: an oip_feed_fn. */
void oip_in_feed(struct oip_conn *c, const char *text, size_t len);

/* Process a binary message of a client in clear, which is not a frame. */
void oip_in_binary(struct oip_conn *c);

#endif
