/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/rights.h"

static int n_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void test_pass(int *pair)
{
	char text[8] = "";
	int sent[2], got[RIGHTS_MAX];
	size_t n = RIGHTS_MAX;
	char byte = 0;

	ok(pipe(sent) == 0 && rights_send(pair[0], "two", 3, sent, 2, 0),
	    "two descriptors are sent with a message");
	ok(rights_receive(pair[1], text, sizeof text, got, &n, 0) == 3 &&
		n == 2 && memcmp(text, "two", 3) == 0,
	    "message and descriptors arrive");
	ok(is_cloexec(got[0]) && is_cloexec(got[1]),
	    "received descriptors are close-on-exec");
	ok(write(sent[1], "x", 1) == 1 && read(got[0], &byte, 1) == 1 &&
		byte == 'x',
	    "a received descriptor is a copy of the one that was sent");
	rights_close(got, n);
	rights_close(sent, 2);
	ok(got[0] == -1 && sent[1] == -1, "closed descriptors become -1");
}

static void test_room(int *pair)
{
	char text[8];
	int sent[3], got[RIGHTS_MAX];
	int before = n_open();
	size_t n;

	sent[0] = sent[1] = sent[2] = pair[0];
	for (size_t room = 0; room < 3; room++) {
		n = room;
		ok(rights_send(pair[0], "m", 1, sent, 3, 0) &&
			rights_receive(pair[1], text, 8, got, &n, 0) == 1 &&
			n == room,
		    "with room for %zu of three, as many come", room);
		rights_close(got, n);
		ok(n_open() == before,
		    "with room for %zu of three, the others are closed", room);
	}
}

static void test_none(int *pair)
{
	char text[8];
	int got[1];
	size_t n = 1;

	ok(rights_receive(pair[1], text, 8, got, &n, MSG_DONTWAIT) == -1 &&
		errno == EAGAIN && n == 0,
	    "an empty socket gives no descriptor");
	n = 1;
	ok(rights_send(pair[0], "m", 1, NULL, 0, 0) &&
		rights_receive(pair[1], text, 8, got, &n, 0) == 1 && n == 0,
	    "a message without descriptors arrives");
	(void)close(pair[0]);
	n = 1;
	ok(rights_receive(pair[1], text, 8, got, &n, 0) == 0 && n == 0,
	    "the end of file has no descriptor");
	ok(!rights_send(pair[1], "m", 1, NULL, 0, 0) && errno == EPIPE,
	    "a message to nobody fails without a signal");
}

int main(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return 1;
	test_pass(pair);
	test_room(pair);
	test_none(pair);
	(void)close(pair[1]);
	return done();
}
