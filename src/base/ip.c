/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ip_class ip_class_v4(const struct in_addr *a)
{
	static const struct {
		uint32_t net;
		unsigned bits;
		enum ip_class class;
	} nets[] = {
	    {0x00000000, 8, IP_PRIVATE},  /* 0.0.0.0/8: this network */
	    {0x0a000000, 8, IP_PRIVATE},  /* 10.0.0.0/8 */
	    {0x64400000, 10, IP_PRIVATE}, /* 100.64.0.0/10: carrier-grade
					   * NAT, or a private mesh */
	    {0x7f000000, 8, IP_LOOPBACK}, /* 127.0.0.0/8 */
	    {0xa9fe0000, 16, IP_PRIVATE}, /* 169.254.0.0/16: link-local */
	    {0xac100000, 12, IP_PRIVATE}, /* 172.16.0.0/12 */
	    {0xc0a80000, 16, IP_PRIVATE}, /* 192.168.0.0/16 */
	};
	uint32_t addr = ntohl(a->s_addr);

	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
		if ((addr ^ nets[i].net) >> (32 - nets[i].bits) == 0)
			return nets[i].class;
	return IP_PUBLIC;
}

enum ip_class ip_class_v6(const struct in6_addr *a)
{
	const uint8_t *b = a->s6_addr;

	if (IN6_IS_ADDR_LOOPBACK(a))
		return IP_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		struct in_addr v4;
		memcpy(&v4, b + 12, sizeof v4);
		return ip_class_v4(&v4);
	}
	/* fc00::/7; fe80::/9 covers link-local and the former site-local. */
	if (IN6_IS_ADDR_UNSPECIFIED(a) || (b[0] & 0xfe) == 0xfc ||
	    (b[0] == 0xfe && b[1] & 0x80))
		return IP_PRIVATE;
	return IP_PUBLIC;
}
