/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_IP_H
#define BASE_IP_H

/* Where an IP address leads: the one list of networks that are not public. */
#include <netinet/in.h>

enum ip_class {
	IP_LOOPBACK, /* this machine */
	IP_PRIVATE,  /* outsiders cannot reach it */
	IP_PUBLIC,
};

/* The class of an IPv4 address. */
enum ip_class ip_class_v4(const struct in_addr *a);

/* The class of an IPv6 address, which may have an IPv4 address inside. */
enum ip_class ip_class_v6(const struct in6_addr *a);

#endif
