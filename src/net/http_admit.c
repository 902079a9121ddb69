/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Whether a connection that was accepted may stay. */
#include "net/http_int.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY                                                   \
	"{\"error\": \"too many connections from one address " \
	"(limit_peer_connections); close some first\"}\n"

/*
 * Best effort: a client whose request is already here may see a reset instead.
 * Reading on for every refused connection is what the limit is to prevent.
 */
static const char refusal[] = "HTTP/1.1 429 Too Many Requests\r\n"
			      "content-type: application/json\r\n"
			      "retry-after: 1\r\n"
			      "connection: close\r\n"
			      "content-length: 94\r\n"
			      "\r\n" BODY;

_Static_assert(sizeof BODY - 1 == 94, "content-length is right");

/* A trusted proxy brings the clients of many addresses. */
static bool is_limited(const struct http *h, const struct http_addr *a)
{
	return h->setup.admit &&
	       (a->family == AF_INET || a->family == AF_INET6) &&
	       !http_proxy_is_trusted(&h->proxies, a);
}

bool http_admit(
    struct http *h, int fd, const struct http_addr *peer, uint32_t *hold)
{
	char text[HTTP_ADDR_TEXT];
	*hold = 0;
	if (!is_limited(h, peer) ||
	    !inet_ntop(peer->family, peer->bytes, text, sizeof text) ||
	    h->setup.admit(
		h->setup.admit_arg, text, http_addr_is_loopback(peer), hold))
		return true;
	(void)send(
	    fd, refusal, sizeof refusal - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	return false;
}

void http_admit_end(struct http *h, uint32_t *hold)
{
	if (*hold)
		h->setup.release(h->setup.admit_arg, hold);
	*hold = 0;
}
