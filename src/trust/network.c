/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "trust/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void network_name(char out[NETWORK_SIZE], const char *peer)
{
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET6, peer, &a) != 1) {
		(void)snprintf(out, NETWORK_SIZE, "%s", peer);
		return;
	}
	if (IN6_IS_ADDR_V4MAPPED(&a)) {
		(void)inet_ntop(AF_INET, &a.s6_addr[12], out, NETWORK_SIZE);
		return;
	}
	memset(&a.s6_addr[8], 0, 8);
	(void)inet_ntop(AF_INET6, &a, text, sizeof text);
	(void)snprintf(out, NETWORK_SIZE, "%s/64", text);
}

static enum network_class class_of_v4(const unsigned char b[4])
{
	if (b[0] == 127)
		return NETWORK_LOOPBACK;
	bool is_private = b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
			  (b[0] == 192 && b[1] == 168) ||
			  (b[0] == 169 && b[1] == 254);
	return is_private ? NETWORK_PRIVATE : NETWORK_PUBLIC;
}

static enum network_class class_of_v6(const struct in6_addr *a)
{
	const unsigned char *b = a->s6_addr;
	if (IN6_IS_ADDR_LOOPBACK(a))
		return NETWORK_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(a))
		return class_of_v4(b + 12);
	bool is_private = (b[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(a);
	return is_private ? NETWORK_PRIVATE : NETWORK_PUBLIC;
}

enum network_class network_class(const char *peer)
{
	unsigned char v4[4];
	struct in6_addr v6;
	if (strcmp(peer, "unix") == 0)
		return NETWORK_LOOPBACK;
	if (inet_pton(AF_INET, peer, v4) == 1)
		return class_of_v4(v4);
	return inet_pton(AF_INET6, peer, &v6) == 1 ? class_of_v6(&v6)
						   : NETWORK_PUBLIC;
}
