/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/sender.h"
#include "mux/lock.h"
#include "mux/turns.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int pair[2], wake;
static char blob[TURNS_WINDOW];

static struct turn *begin(uint64_t number)
{
	struct turn *t = NULL;

	turns_begin(turns_line(number, "{}", 2));
	free(turns_take(&t));
	return t;
}

/* What has come by now, of which only the start is kept. */
static const char *received(size_t *bytes)
{
	static char start[200];
	char part[65536];
	ssize_t n;

	*bytes = 0;
	*start = 0;
	while ((n = recv(pair[1], part, sizeof part, MSG_DONTWAIT)) > 0) {
		if (*bytes == 0)
			(void)snprintf(start, sizeof start, "%.*s",
			    n < 150 ? (int)n : 150, part);
		*bytes += (size_t)n;
	}
	return start;
}

static size_t pump(void)
{
	size_t n, all = 0, bytes;

	do {
		(void)sender_send(&n);
		(void)received(&bytes);
		all += bytes;
	} while (bytes);
	return all;
}

/* Write two frames with so little time between that the second one waits. */
static bool write_two(const char **first)
{
	size_t bytes;

	for (int tries = 0; tries < 1000; tries++) {
		usleep(2 * SENDER_PAUSE_US);
		(void)sender_doze();
		(void)sender_write(1, "{\"a\":1}", 7, 0);
		*first = received(&bytes);
		if (bytes != 10)
			return false;
		(void)sender_write(1, "{\"a\":2}", 7, 0);
		if (recv(pair[1], &bytes, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
			return true;
		(void)received(&bytes); /* another process came between */
	}
	return false;
}

static void check_sending(void)
{
	const char *first;
	size_t n, bytes;
	uint64_t woken = 0;

	begin(1);
	ok(write_two(&first),
	    "a frame soon after another is left to the reader of the socket");
	is_str(first, "1 {\"a\":1}\n",
	    "the first frame after a pause is sent at once");
	ok(read(wake, &woken, sizeof woken) == sizeof woken,
	    "the reader of the socket is woken for a frame");
	(void)sender_write(1, "{\"a\":3}", 7, 0);
	ok(read(wake, &woken, sizeof woken) < 0,
	    "the reader of the socket is woken once");
	(void)sender_send(&n);
	is_str(received(&bytes), "1 {\"a\":2}\n1 {\"a\":3}\n",
	    "frames that waited are sent together");
	ok(sender_doze(), "the reader may doze when nothing is left");
	is_int(sender_write(1, "{\"b\":1}", 7, SENDER_LAST), SENDER_DONE,
	    "a turn may write its last frame");
	is_str(received(&bytes), "1 {\"b\":1}\n",
	    "a last frame is sent at once when no turn waits");
	is_int((intmax_t)sender_ended(), 1, "a last frame ends the turn");
	is_int(sender_write(1, "{}", 2, 0), SENDER_OVER,
	    "a turn that has ended cannot write");
	is_int(sender_write(0, "{}", 2, 0), SENDER_DONE,
	    "the process may always write");
	(void)pump();
}

static void check_credit(void)
{
	struct turn *t = begin(2);

	is_int(sender_write(2, blob, sizeof blob - 100, 0), SENDER_DONE,
	    "a turn may use up nearly all of its credit");
	is_int(sender_write(2, blob, sizeof blob, 0), SENDER_DONE,
	    "a frame may be larger than the credit that is left");
	is_int(sender_write(2, "{}", 2, 0), SENDER_NO_ROOM,
	    "a turn without credit may not write");
	is_int(sender_write(2, "{}", 2, SENDER_LAST), SENDER_NO_ROOM,
	    "a last frame needs credit");
	(void)begin(3);
	is_int(sender_write(3, "{}", 2, SENDER_LAST), SENDER_DONE,
	    "another turn has its own credit");
	sender_credit(t, TURNS_WINDOW);
	is_int(sender_write(2, "{}", 2, 0), SENDER_DONE,
	    "a turn that gets credit may write");

	t->credit = 0;
	is_int(sender_write(2, "{\"k\":1}", 7, SENDER_KEEP), SENDER_DONE,
	    "a turn that must not wait has its frame kept back");
	is_int(sender_write(2, "{\"k\":2}", 7, SENDER_KEEP | SENDER_LAST),
	    SENDER_DONE, "a last frame is kept back after the one before");
	is_int(sender_write(2, "{}", 2, SENDER_KEEP), SENDER_OVER,
	    "a turn cannot write after a last frame that was kept back");
	(void)pump();
	size_t n, bytes;
	sender_credit(t, 1000);
	(void)sender_send(&n);
	is_str(received(&bytes), "2 {\"k\":1}\n2 {\"k\":2}\n",
	    "frames that were kept back follow when there is credit");
	ok(!turns_find(2), "a last frame that was kept back ends its turn");

	t = begin(4);
	t->credit = 0;
	enum sender_result r = SENDER_DONE;
	size_t kept = 0;
	while ((r = sender_write(4, blob, sizeof blob, SENDER_KEEP)) ==
	       SENDER_DONE)
		kept += sizeof blob;
	is_int(r, SENDER_TOO_MUCH, "what can be kept back has a limit");
	is_int((intmax_t)kept, (intmax_t)SENDER_BACKLOG_MAX,
	    "a turn has as much kept back as the limit says");
	is_int(sender_write(4, "{}", 2, SENDER_KEEP | SENDER_LAST), SENDER_DONE,
	    "a last frame is kept back beyond the limit");
	sender_close(t);
	(void)sender_send(&n);
	is_str(received(&bytes), "4 {}\n",
	    "of a turn that is closed, only the last frame is sent");

	t = begin(5);
	t->credit = -1;
	sender_close(t);
	is_int(sender_write(5, blob, sizeof blob, 0), SENDER_DONE,
	    "a closed turn may write without credit");
	(void)sender_send(&n);
	is_int((intmax_t)n, 0, "what a closed turn writes is dropped");
	is_int(sender_write(5, "{}", 2, SENDER_LAST), SENDER_DONE,
	    "the last frame of a closed turn needs no credit");
	(void)pump();
}

static void *write_later(void *arg)
{
	static enum sender_result r;

	(void)arg;
	lock_enter();
	r = sender_write(6, "{\"w\":1}", 7, SENDER_WAIT);
	lock_leave();
	return &r;
}

static void check_waiting(void)
{
	struct turn *t = begin(6);
	pthread_t thread;
	void *r;

	t->credit = 0;
	if (pthread_create(&thread, NULL, write_later, NULL) != 0)
		abort();
	lock_enter();
	sender_credit(t, 100);
	lock_leave();
	(void)pthread_join(thread, &r);
	is_int(*(enum sender_result *)r, SENDER_DONE,
	    "a writer that waits goes on with the credit");

	size_t n = 0;
	for (; n < 100; n++) {
		t->credit = TURNS_WINDOW;
		if (sender_write(6, blob, sizeof blob - 100, 0) != SENDER_DONE)
			break;
	}
	is_int((intmax_t)((n - 1) * (sizeof blob - 100) / SENDER_BYTES_MAX), 0,
	    "a turn with credit waits while too much is on its way");
	if (pthread_create(&thread, NULL, write_later, NULL) != 0)
		abort();
	lock_enter();
	ok(pump() > 0, "what is on its way goes out when the server reads");
	lock_leave();
	(void)pthread_join(thread, &r);
	is_int(*(enum sender_result *)r, SENDER_DONE,
	    "a writer that waits goes on when there is room");
	lock_enter();
	ok(!sender_finish(50) || pump(), "the last words have limited time");
	lock_leave();
}

int main(void)
{
	memset(blob, 'x', sizeof blob);
	wake = eventfd(0, EFD_NONBLOCK);
	if (wake < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
	sender_open(pair[0], wake);
	check_sending();
	check_credit();
	check_waiting();
	return done();
}
