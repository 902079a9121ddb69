/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/connect.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/tcp.h"
#include "proc/crew.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long sent bytes may stay unacknowledged. */
#define UNACKNOWLEDGED_MS 30000

struct connect_call {
	struct crew_job job; /* first member */
	connect_fn *fn;	     /* NULL: forgotten; loop's thread only */
	void *arg;
	char *host;
	char port[8];
	int64_t timeout_ms;
	int fd; /* -1: none */
	char why[200];
};

/* ---- on a thread ---- */

/* Whether the connection was made in time; otherwise errno says why not. */
static bool connect_wait(int fd, int64_t timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0, n;
	socklen_t len = sizeof error;

	while ((n = poll(&p, 1, (int)timeout_ms)) < 0 && errno == EINTR)
		continue;
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return false;
	errno = error;
	return error == 0;
}

static int connect_to(const struct addrinfo *a, int64_t timeout_ms)
{
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

	if (fd < 0)
		return -1;
	tcp_tune(fd, UNACKNOWLEDGED_MS);
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && connect_wait(fd, timeout_ms)))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void run(struct crew_job *job)
{
	struct connect_call *c = (struct connect_call *)(void *)job;
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	char text[128];
	int rc = getaddrinfo(c->host, c->port, &hints, &list);

	if (rc != 0) {
		(void)snprintf(c->why, sizeof c->why, "cannot be found: %s",
		    gai_strerror(rc));
		return;
	}
	for (const struct addrinfo *a = list; a && c->fd < 0; a = a->ai_next)
		c->fd = connect_to(a, c->timeout_ms);
	if (c->fd < 0)
		(void)snprintf(c->why, sizeof c->why, "cannot be reached: %s",
		    strerror_r(errno, text, sizeof text));
	freeaddrinfo(list);
}

/* ---- on the loop ---- */

static void connect_free(struct connect_call *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->host);
	free(c);
}

static void connect_done(struct crew_job *job)
{
	struct connect_call *c = (struct connect_call *)(void *)job;
	int fd = c->fd;

	if (c->fn) {
		c->fd = -1; /* its receiver owns it */
		c->fn(c->arg, fd, c->why);
	}
	connect_free(c);
}

struct connect_call *connect_start(struct crew *crew, const char *host,
    uint16_t port, int64_t timeout_ms, connect_fn *fn, void *arg)
{
	struct connect_call *c = mem_zero(sizeof *c);

	c->job.run = run;
	c->job.done = connect_done;
	c->fn = fn;
	c->arg = arg;
	c->host = mem_strdup(host);
	(void)snprintf(c->port, sizeof c->port, "%u", port);
	c->timeout_ms = timeout_ms;
	c->fd = -1;
	if (crew_run(crew, &c->job))
		return c;
	connect_free(c);
	return NULL;
}

void connect_forget(struct connect_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}
