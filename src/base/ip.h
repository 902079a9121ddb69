/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_IP_H
#define BASE_IP_H

/*
 * The reach of an IP address. This is the only list of networks that are not
 * public. Pure functions.
 */
#include <netinet/in.h>

enum ip_class {
	IP_LOOPBACK, /* this machine */
	IP_PRIVATE,  /* not reachable from outside */
	IP_PUBLIC,
};

/* Returns the class of an IPv4 address. */
enum ip_class ip_class_v4(const struct in_addr *a);

/* Returns the class of an IPv6 address, including IPv4-mapped ones. */
enum ip_class ip_class_v6(const struct in6_addr *a);

#endif
