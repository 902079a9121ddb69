/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_NETWORK_H
#define LIMITS_NETWORK_H

/*
 * Properties of the network address of a peer. What is limited by address is
 * limited by network: one customer gets a whole /64 of IPv6, so its addresses
 * are interchangeable. Pure functions; safe from any thread.
 */
#include "base/ip.h"

/* Room for an address and "/64". */
#define NETWORK_SIZE 50

/*
 * Write the network of a peer: an IPv6 address without its last 64 bits and
 * with "/64", an IPv4 address (even inside IPv6) as it is, any other text as it
 * is, cut to fit.
 */
void network_name(char out[NETWORK_SIZE], const char *peer);

/*
 * Classify the address of a peer. A UNIX socket ("unix") is on this machine;
 * text that is not an address may be anywhere.
 */
enum ip_class network_class(const char *peer);

#endif
