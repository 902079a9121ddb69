/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/activation.h"

#include "base/log.h"
#include "master/listen.h"
#include "master/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD 3

/* The name of a descriptor that we stored ourselves. */
#define OUR_NAME "co-listener"

static int passed_fd = -1;
static bool is_ours; /* we stored it in an earlier life */
static bool is_kept;

static long number_of(const char *variable)
{
	const char *text = getenv(variable);
	return text ? strtol(text, NULL, 10) : 0;
}

static bool is_listener(int fd)
{
	int type = 0, accepts = 0;
	socklen_t len = sizeof type;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 &&
	       accepts;
}

static void forget_variables(void)
{
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDNAMES");
}

void activation_claim(void)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long n = number_of("LISTEN_FDS");
	if (n <= 0 || number_of("LISTEN_PID") != getpid()) {
		forget_variables();
		return;
	}
	if (n > 1)
		fatal("the service manager passed %ld descriptors (%s), and "
		      "one is supported: use one ListenStream= for each server",
		    n, names ? names : "without names");
	if (!is_listener(FIRST_FD))
		fatal("the service manager passed a descriptor (%s) that is no "
		      "listening stream socket: use ListenStream= and "
		      "Accept=no",
		    names ? names : "without a name");
	is_ours = names && strcmp(names, OUR_NAME) == 0;
	forget_variables();
	/* The number may be that of a descriptor for children. */
	passed_fd = fcntl(FIRST_FD, F_DUPFD_CLOEXEC, FIRST_FD + 1);
	if (passed_fd < 0 || fcntl(passed_fd, F_SETFL, O_NONBLOCK) != 0)
		fatal(
		    "the listener of the service manager: %s", strerror(errno));
	close(FIRST_FD);
}

int activation_listen(const char *where, int64_t port, char *name, size_t size)
{
	int fd = passed_fd;
	if (fd < 0)
		return -1;
	listen_describe(fd, name, size);
	passed_fd = -1;
	if (!is_ours || listen_is_at(fd, where, port)) {
		is_kept = true;
		log_info(
		    "listening on %s, passed by the service manager", name);
		return fd;
	}
	log_info(
	    "the listener on %s is given up: bind or port have changed", name);
	notify_state("FDSTOREREMOVE=1\nFDNAME=" OUR_NAME);
	close(fd);
	return -1;
}

void activation_store(int listen_fd)
{
	if (is_kept)
		log_info("the listener was passed by the service manager");
	else
		is_kept = number_of("FDSTORE") > 0 &&
			  notify_store(OUR_NAME, listen_fd);
}

bool activation_is_kept(void)
{
	return is_kept;
}
