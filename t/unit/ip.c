/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/ip.h"

#include <arpa/inet.h>

#include "t/unit/tap.h"
#include "limits/network.h"

int main(void)
{
	static const char *const words[] = {
	    [IP_LOOPBACK] = "of this machine",
	    [IP_PRIVATE] = "private",
	    [IP_PUBLIC] = "public",
	};
	static const struct {
		const char *text;
		enum ip_class class;
	} cases[] = {
	    {"127.0.0.1", IP_LOOPBACK},
	    {"127.255.255.255", IP_LOOPBACK},
	    {"128.0.0.0", IP_PUBLIC},
	    {"0.0.0.0", IP_PRIVATE},
	    {"1.0.0.0", IP_PUBLIC},
	    {"9.255.255.255", IP_PUBLIC},
	    {"10.0.0.0", IP_PRIVATE},
	    {"11.0.0.0", IP_PUBLIC},
	    {"100.63.255.255", IP_PUBLIC},
	    {"100.64.0.0", IP_PRIVATE},
	    {"100.127.255.255", IP_PRIVATE},
	    {"100.128.0.0", IP_PUBLIC},
	    {"169.254.0.1", IP_PRIVATE},
	    {"169.255.0.0", IP_PUBLIC},
	    {"172.15.255.255", IP_PUBLIC},
	    {"172.16.0.0", IP_PRIVATE},
	    {"172.31.255.255", IP_PRIVATE},
	    {"172.32.0.0", IP_PUBLIC},
	    {"192.168.0.0", IP_PRIVATE},
	    {"192.169.0.0", IP_PUBLIC},
	    {"255.255.255.255", IP_PUBLIC},
	    {"::1", IP_LOOPBACK},
	    {"::", IP_PRIVATE},
	    {"::2", IP_PUBLIC},
	    {"::ffff:127.0.0.1", IP_LOOPBACK},
	    {"::ffff:10.0.0.1", IP_PRIVATE},
	    {"::ffff:8.8.8.8", IP_PUBLIC},
	    {"fbff::1", IP_PUBLIC},
	    {"fc00::1", IP_PRIVATE},
	    {"fdff::1", IP_PRIVATE},
	    {"fe00::1", IP_PUBLIC},
	    {"fe80::1", IP_PRIVATE},
	    {"fec0::1", IP_PRIVATE},
	    {"ff02::1", IP_PUBLIC},
	    {"2001:db8::1", IP_PUBLIC},
	    {"unix", IP_LOOPBACK},
	    {"unknown", IP_PUBLIC},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int(network_class(cases[i].text), cases[i].class, "%s is %s",
		    cases[i].text, words[cases[i].class]);
	return done();
}
