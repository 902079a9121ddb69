/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_IN_H
#define OIP_OIP_IN_H

/*
 * The ConnectOnion protocol (doc/oip.txt), inwards: a client's frames become
 * session calls. One command table.
 */
#include <stddef.h>

struct oip_conn;

/* Messages of a client in clear: see oip_feed_fn. */
void oip_in_feed(struct oip_conn *c, const char *text, size_t len);

/* A binary message of a client in clear, which is no frame. */
void oip_in_binary(struct oip_conn *c);

#endif
