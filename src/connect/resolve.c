/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/resolve.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The thread and the owner share it; who lets go last frees it. */
struct resolve {
	char *host;
	char port[8];
	int done; /* eventfd */
	atomic_int n_refs;
	struct addrinfo *list;
	int rc;
};

static void unref(struct resolve *r)
{
	if (atomic_fetch_sub(&r->n_refs, 1) > 1)
		return;
	if (r->list)
		freeaddrinfo(r->list);
	close(r->done);
	free(r->host);
	free(r);
}

static void look_up(struct resolve *r, int flags)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};

	r->rc = getaddrinfo(r->host, r->port, &hints, &r->list);
	if (r->rc != 0)
		r->list = NULL;
}

static void tell(struct resolve *r)
{
	/* Cannot fail: it is written once. */
	(void)eventfd_write(r->done, 1);
}

static void *run(void *arg)
{
	struct resolve *r = arg;

	look_up(r, 0);
	tell(r);
	unref(r);
	return NULL;
}

/* The thread gets no signals of the application. */
static int start_thread(struct resolve *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_fetch_add(&r->n_refs, 1);
	int rc = pthread_create(&thread, &attr, run, r);
	if (rc != 0)
		atomic_fetch_sub(&r->n_refs, 1);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc;
}

struct resolve *resolve_start(const char *host, uint16_t port)
{
	struct resolve *r = mem_zero(sizeof *r);

	r->host = mem_strdup(host);
	(void)snprintf(r->port, sizeof r->port, "%u", port);
	atomic_init(&r->n_refs, 1);
	r->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->done < 0)
		fatal("connect: eventfd: %s", strerror(errno));
	look_up(r, AI_NUMERICHOST);
	if (r->rc != 0 && start_thread(r) == 0)
		return r;
	if (r->rc != 0)
		r->rc = EAI_AGAIN;
	tell(r);
	return r;
}

int resolve_fd(const struct resolve *r)
{
	return r->done;
}

bool resolve_take(
    struct resolve *r, struct addrinfo **list, char *why, size_t size)
{
	eventfd_t n;

	if (eventfd_read(r->done, &n) != 0)
		return false;
	*list = r->list;
	r->list = NULL;
	if (!*list)
		(void)snprintf(
		    why, size, "cannot be found: %s", gai_strerror(r->rc));
	return true;
}

void resolve_free(struct resolve **r)
{
	if (*r)
		unref(*r);
	*r = NULL;
}
