/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/listen.h"

#include "core/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096
#define SOCKET_TYPE (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static const char *unix_path(const char *where)
{
	return strncmp(where, "unix:", 5) == 0 ? where + 5 : NULL;
}

static int system_error(struct err *err, const char *what, const char *name)
{
	int why = errno;
	return err_set(
	    err, ERR_CONFIG, "cannot %s %s: %s", what, name, strerror(why));
}

/*
 * Returns the file type of path, 0 if it does not exist. Does not follow links.
 */
static mode_t kind_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/*
 * Remove a socket file whose server has died. Leave one that is in use, and
 * anything that is not a socket: we did not create it.
 */
static int clear_stale(
    const struct sockaddr_un *a, const char *path, struct err *err)
{
	mode_t kind = kind_of(path);
	if (!kind)
		return 0;
	if (kind != S_IFSOCK)
		return err_set(err, ERR_CONFIG,
		    "bind: %s is there and is no socket: name another path, "
		    "or take it away",
		    path);
	int fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (fd < 0)
		return system_error(err, "look at", path);
	int rc = connect(fd, (const struct sockaddr *)a, sizeof *a);
	int why = rc == 0 ? 0 : errno;
	close(fd);
	if (why == ECONNREFUSED)
		(void)unlink(path);
	if (rc == 0 || why == EAGAIN)
		return err_set(err, ERR_CONFIG,
		    "bind: %s is in use by another server", path);
	return 0;
}

static int open_unix(const char *path, struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof a.sun_path)
		return err_set(err, ERR_CONFIG,
		    "bind: a unix: path must have 1 to %zu characters",
		    sizeof a.sun_path - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (clear_stale(&a, path, err) != 0)
		return -1;
	int fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (fd < 0)
		return system_error(err, "open", path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    chmod(path, 0660) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	(void)system_error(err, "listen on", path);
	close(fd);
	return -1;
}

static int make_address(const char *bind_to, int64_t port,
    struct sockaddr_storage *a, socklen_t *len, struct err *err)
{
	struct sockaddr_in *v4 = (void *)a;
	struct sockaddr_in6 *v6 = (void *)a;
	char text[64];
	const char *given = bind_to;
	size_t n = strlen(bind_to);
	memset(a, 0, sizeof *a);
	if (*bind_to == '[' && n > 2 && n < sizeof text &&
	    bind_to[n - 1] == ']') {
		memcpy(text, bind_to + 1, n - 2);
		text[n - 2] = 0;
		bind_to = text;
	}
	if (inet_pton(AF_INET, bind_to, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*len = sizeof *v4;
		return 0;
	}
	if (inet_pton(AF_INET6, bind_to, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*len = sizeof *v6;
		return 0;
	}
	return err_set(err, ERR_CONFIG,
	    "bind: \"%.100s\" must be an IPv4 or IPv6 address or unix:PATH",
	    given);
}

void listen_describe(int fd, char *name, size_t size)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *v4 = (void *)&a;
	struct sockaddr_in6 *v6 = (void *)&a;
	struct sockaddr_un *un = (void *)&a;
	socklen_t len = sizeof a - 1; /* a path need not end in 0 */
	char text[INET6_ADDRSTRLEN] = "";
	*name = 0;
	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return;
	if (a.ss_family == AF_UNIX) {
		(void)snprintf(name, size, "unix:%s", un->sun_path);
	} else if (a.ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
		(void)snprintf(name, size, "%s:%u", text, ntohs(v4->sin_port));
	} else {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
		(void)snprintf(
		    name, size, "[%s]:%u", text, ntohs(v6->sin6_port));
	}
}

bool listen_is_at(int fd, const char *where, int64_t port)
{
	struct sockaddr_storage a = {0}, want = {0};
	struct sockaddr_in *v4 = (void *)&a;
	struct sockaddr_in6 *v6 = (void *)&a;
	char name[300];
	struct err err;
	socklen_t len = sizeof a, want_len = 0;
	listen_describe(fd, name, sizeof name);
	if (unix_path(where) || strncmp(name, "unix:", 5) == 0)
		return strcmp(name, where) == 0;
	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0 ||
	    make_address(where, port, &want, &want_len, &err) != 0)
		return false;
	/* Any port will do for port 0. */
	if (port == 0 && a.ss_family == AF_INET)
		v4->sin_port = 0;
	else if (port == 0)
		v6->sin6_port = 0;
	return len == want_len && memcmp(&a, &want, len) == 0;
}

/* The port is the most frequent cause of a failed first start. */
static int port_error(struct err *err, const char *where)
{
	if (errno == EADDRNOTAVAIL)
		return err_set(err, ERR_CONFIG,
		    "cannot listen on %s: not an address of this machine",
		    where);
	if (errno != EADDRINUSE)
		return system_error(err, "listen on", where);
	return err_set(err, ERR_CONFIG,
	    "cannot listen on %s: %s: choose another port (-p), or stop the "
	    "server that has this one",
	    where, strerror(EADDRINUSE));
}

static int open_tcp(const char *bind_to, int64_t port, struct err *err)
{
	struct sockaddr_storage a;
	socklen_t len = 0;
	int on = 1;
	char where[300];
	(void)snprintf(where, sizeof where, "%s port %d", bind_to, (int)port);
	if (make_address(bind_to, port, &a, &len, err) != 0)
		return -1;
	int fd = socket(a.ss_family, SOCKET_TYPE, 0);
	if (fd < 0)
		return system_error(err, "open", where);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, (struct sockaddr *)&a, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	(void)port_error(err, where);
	close(fd);
	return -1;
}

int listen_open(
    const char *where, int64_t port, char *name, size_t size, struct err *err)
{
	const char *path = unix_path(where);
	int fd = path ? open_unix(path, err) : open_tcp(where, port, err);
	if (fd < 0)
		return -1;
	if (path)
		(void)snprintf(name, size, "%s", where);
	else
		listen_describe(fd, name, size);
	return fd;
}

void listen_remove(const char *where)
{
	const char *path = unix_path(where);
	if (path && kind_of(path) == S_IFSOCK)
		(void)unlink(path);
}
