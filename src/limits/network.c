/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "limits/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

enum ip_class network_class(const char *peer)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (strcmp(peer, "unix") == 0)
		return IP_LOOPBACK;
	if (inet_pton(AF_INET, peer, &v4) == 1)
		return ip_class_v4(&v4);
	return inet_pton(AF_INET6, peer, &v6) == 1 ? ip_class_v6(&v6)
						   : IP_PUBLIC;
}
