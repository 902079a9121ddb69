/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <fcntl.h>

#include "core/msg.h"
#include "proc/mailbox.h"

/* A burst that a busy reader must be able to leave lying. */
#define BURST 500

/* More than any mailbox holds. */
#define FLOOD 1000000

static void test_messages(void)
{
	struct mailbox_ends ends;
	char got[MAILBOX_MAX];

	if (!ok(mailbox_open(&ends) == 0, "a mailbox opens"))
		return;
	ok(fcntl(ends.reader, F_GETFD) & FD_CLOEXEC &&
		fcntl(ends.sender, F_GETFD) & FD_CLOEXEC,
	    "the ends of a mailbox are closed on exec");
	is_int((int64_t)mailbox_receive(ends.reader, got, sizeof got), 0,
	    "receiving from an empty mailbox does not wait");
	ok(mailbox_send(ends.sender, "one", 3) &&
		mailbox_send(ends.sender, "three", 5),
	    "messages can be sent");
	size_t n = mailbox_receive(ends.reader, got, sizeof got);
	is_mem(got, n, "one", 3, "messages are received one at a time");
	n = mailbox_receive(ends.reader, got, sizeof got);
	is_mem(got, n, "three", 5, "in order, each with its length");
	(void)close(ends.reader); /* nothing is left in it */
	ok(!mailbox_send(ends.sender, "x", 1),
	    "a message to nobody is dropped, without a signal");
	(void)close(ends.sender); /* as above */
}

static void test_descriptors(void)
{
	struct mailbox_ends ends;
	char got[MAILBOX_MAX];
	int pipe_ends[2], fds[MAILBOX_FDS];
	size_t n_fds;

	if (mailbox_open(&ends) != 0 || pipe(pipe_ends) != 0)
		return;
	ok(mailbox_send_fds(ends.sender, "pipe", 4, pipe_ends, 2) &&
		mailbox_send(ends.sender, "none", 4) &&
		mailbox_send_fds(ends.sender, "lost", 4, &pipe_ends[1], 1),
	    "messages may come with a descriptor");
	(void)close(pipe_ends[1]); /* the receiver has a copy */
	size_t n =
	    mailbox_receive_fds(ends.reader, got, sizeof got, fds, &n_fds);
	is_mem(got, n, "pipe", 4, "a message with descriptors is complete");
	is_int((long long)n_fds, 2, "two descriptors come with one message");
	ok(fcntl(fds[1], F_GETFD) & FD_CLOEXEC,
	    "a received descriptor is closed on exec");
	ok(write(fds[1], "x", 1) == 1 && read(pipe_ends[0], got, 1) == 1,
	    "a received descriptor is what was sent");
	(void)close(fds[0]);
	(void)close(fds[1]); /* nothing is left in it */
	n = mailbox_receive_fds(ends.reader, got, sizeof got, fds, &n_fds);
	ok(n == 4 && n_fds == 0, "a message without a descriptor has none");
	(void)mailbox_receive(ends.reader, got, sizeof got);
	is_int(read(pipe_ends[0], got, 1), 0,
	    "a descriptor that nobody asks for is closed");
	(void)close(pipe_ends[0]);
	(void)close(ends.reader);
	(void)close(ends.sender);
}

static int fill(int sender)
{
	struct msg m = {.version = MSG_VERSION, .type = MSG_GREW};
	int n = 0;

	for (; n < FLOOD; n++) {
		m.b = (uint64_t)n;
		if (!mailbox_send(sender, &m, sizeof m))
			break;
	}
	return n;
}

static void test_full(void)
{
	struct mailbox_ends ends;
	struct msg m;
	int n_got = 0;
	bool in_order = true;

	if (mailbox_open(&ends) != 0)
		return;
	int n_sent = fill(ends.sender);
	ok(n_sent >= BURST, "a burst of %d fits", BURST);
	ok(n_sent < FLOOD, "sending to a full mailbox fails");
	while (mailbox_receive(ends.reader, &m, sizeof m) == sizeof m)
		in_order = in_order && m.b == (uint64_t)n_got++;
	is_int(n_got, n_sent, "all messages that were sent are received");
	ok(in_order, "messages are received in order");
	ok(mailbox_send(ends.sender, &m, sizeof m),
	    "a mailbox has room when it was emptied");
	(void)close(ends.reader); /* only memory */
	(void)close(ends.sender); /* only memory */
}

/* The text of a message's type is for logs, whatever the type. */
static void test_names(void)
{
	is_str(msg_name(MSG_NONE), "NONE", "the empty message type is NONE");
	is_str(msg_name(MSG_GREW), "GREW", "a message has its table's name");
	is_str(msg_name(MSG_REOPEN), "REOPEN",
	    "the last message type has its name");
	is_str(msg_name(MSG_COUNT), "unknown",
	    "a message type from elsewhere is unknown");
	is_str(
	    msg_name(65535), "unknown", "the largest message type is unknown");
	ok(sizeof(struct msg) <= MAILBOX_MAX, "a message fits a mailbox");
}

int main(void)
{
	test_messages();
	test_descriptors();
	test_full();
	test_names();
	return done();
}
