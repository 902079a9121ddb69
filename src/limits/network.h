/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_NETWORK_H
#define LIMITS_NETWORK_H

/*
 * What the network address of a peer tells. What is limited for an address is
 * limited for its network: one customer gets a whole /64 of IPv6, so each of
 * its addresses is as good as another. Pure functions; safe from any thread.
 */
#include "base/ip.h"

/* Room for an address and "/64". */
#define NETWORK_SIZE 50

/*
 * Write the network of a peer: an IPv6 address without its last 64 bits and
 * "/64", an IPv4 address (also one inside IPv6) as it is, other text as it is,
 * cut to what has room.
 */
void network_name(char out[NETWORK_SIZE], const char *peer);

/*
 * Where a peer is; a UNIX socket ("unix") is on this machine, and what is no
 * address is anywhere.
 */
enum ip_class network_class(const char *peer);

#endif
