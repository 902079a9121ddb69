/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The library closes a connection right after an error reply of its own. A
 * client that is still sending its body would then get a reset, and might never
 * see the reply. So a duplicate of the descriptor stays open for a while, and
 * incoming data is read and discarded.
 */
#include "net/http_int.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

/*
 * How long a connection lingers, and how many may linger at once in a process;
 * others are closed without.
 */
#define LINGER_MS 5000
#define LINGER_MOST 64

/* The number of reads in one turn of the loop. */
#define READS_PER_TURN 16

struct lingerer {
	struct http *http;
	struct list link;
	struct loop_watch *watch; /* owns fd */
	struct loop_timer end;
	int fd;
};

static void end(void *arg)
{
	struct lingerer *g = arg;
	list_remove(&g->link);
	g->http->n_lingering--;
	loop_timer_stop(g->http->loop, &g->end);
	loop_watch_close(&g->watch);
	free(g);
}

static void http_linger_on_readable(void *arg)
{
	struct lingerer *g = arg;
	static char bytes[65536];
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = recv(g->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n > 0)
			continue;
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			end(g);
		return;
	}
}

void http_linger(struct http *h, h2o_socket_t *sock)
{
	if (h->is_draining || h->n_lingering >= LINGER_MOST)
		return;
	int fd = fcntl(h2o_socket_get_fd(sock), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* The reply is short and already with the kernel. */
	(void)shutdown(fd, SHUT_WR);
	struct lingerer *g = mem_zero(sizeof *g);
	g->http = h;
	g->fd = fd;
	g->watch = loop_watch_open(h->loop, fd, http_linger_on_readable, g);
	loop_timer_init(&g->end, end, g);
	loop_timer_set(h->loop, &g->end, LINGER_MS);
	list_append(&h->lingering, &g->link);
	h->n_lingering++;
}

void http_linger_end(struct http *h)
{
	list_each_safe(it, &h->lingering)
	{
		end(list_entry(it, struct lingerer, link));
	}
}
