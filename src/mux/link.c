/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/link.h"

#include "base/clock.h"
#include "mux/crash.h"
#include "mux/hands.h"
#include "mux/lock.h"
#include "mux/recycle.h"
#include "mux/sender.h"
#include "mux/turns.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES ((size_t)65536)

/* A larger inbox is freed when the frame that it grew for was taken. */
#define KEPT_BYTES ((size_t)1 << 20)

/* How long a crash may take to be told, and the lock to be had before. */
#define CRASH_MS 800
#define CRASH_LOCK_MS 100

/* How long the end may take when the server has closed the socket. */
#define END_MS 1500

static int sock = -1, wake_fd = -1;
static bool is_cut, is_draining;
static uint64_t highest; /* turn that has begun */
static sem_t news;
static struct {
	char *data;
	size_t len, size;
} inbox;

bool link_is_cut(void)
{
	return is_cut;
}

void link_await_news(void)
{
	(void)sem_wait(&news); /* a signal ends it as well */
}

void link_tell_news(void)
{
	(void)sem_post(&news);
}

bool link_is_drained(void)
{
	return is_draining && !turns_running() && !turns_waiting();
}

void link_note_end(void)
{
	recycle_count();
	if (link_is_drained())
		link_tell_news();
}

/* ---- frames ---- */

/* Whether JSON is of this type, which the server writes first. */
static bool is_type(const char *json, size_t len, const char *type)
{
	static const char start[] = "{\"type\":\"";
	size_t n = strlen(type);

	return len > sizeof start - 1 + n &&
	       memcmp(json, start, sizeof start - 1) == 0 &&
	       memcmp(json + sizeof start - 1, type, n) == 0 &&
	       json[sizeof start - 1 + n] == '"';
}

static int64_t credit_of(const char *json, size_t len)
{
	static const char name[] = "\"bytes\":";
	const char *at = memmem(json, len, name, sizeof name - 1);

	return at ? strtoll(at + sizeof name - 1, NULL, 10) : 0;
}

static void fail(const char *why) __attribute__((noreturn));

/* End without waiting for the interpreter, which may be busy for long. */
static void fail(const char *why)
{
	(void)!write(STDERR_FILENO, why, strlen(why));
	_exit(1);
}

void link_return_turns(void)
{
	static const char json[] = "{\"type\":\"RETURN\"}";
	struct turn *t;
	struct line *line;

	while (hands_are_short() && (line = turns_take(&t)) != NULL) {
		(void)sender_write(line->turn, json, sizeof json - 1,
		    SENDER_LAST | SENDER_ALONE);
		free(line);
		link_note_end();
	}
}

static void begin(uint64_t turn, const char *json, size_t len)
{
	if (turn != highest + 1)
		fail("something else has read frames of the server\n");
	highest = turn;
	turns_begin(turns_line(turn, json, len));
	hands_call();
	link_return_turns();
}

static void later(struct turn *t, const char *json, size_t len)
{
	uint64_t ended = sender_ended();

	if (is_type(json, len, "CREDIT")) {
		sender_credit(t, credit_of(json, len));
	} else {
		turns_later(t, turns_line(t->number, json, len));
		if (is_type(json, len, "CLOSE"))
			sender_close(t);
		if (turns_have_news())
			link_tell_news();
	}
	if (sender_ended() != ended)
		link_note_end();
}

static void take_own_frame(const char *json, size_t len)
{
	static const char pong[] = "{\"type\":\"PONG\"}";

	if (is_type(json, len, "PING")) {
		(void)sender_write(0, pong, sizeof pong - 1, 0);
	} else if (is_type(json, len, "DRAIN")) {
		is_draining = true;
		if (link_is_drained())
			link_tell_news();
	}
}

static void take_frame(uint64_t turn, const char *json, size_t len)
{
	struct turn *t;

	if (turn == 0) {
		take_own_frame(json, len);
	} else if ((t = turns_find(turn)) != NULL) {
		later(t, json, len);
	} else if (turn > highest) {
		begin(turn, json, len);
	} /* else it has ended */
}

/*
 * The server is gone. It also closes the socket when the last turn has ended
 * after DRAIN: then the interpreter is doing what is to be done at the end.
 */
static void follow(void) __attribute__((noreturn));

static void follow(void)
{
	const struct timespec end = {END_MS / 1000, END_MS % 1000 * 1000000};

	lock_enter();
	bool is_drained = link_is_drained();
	lock_leave();
	if (is_drained)
		(void)nanosleep(&end, NULL);
	_exit(0);
}

static void take_line(const char *line, size_t len)
{
	uint64_t turn = 0;
	size_t i = 0;

	while (i < len && line[i] >= '0' && line[i] <= '9')
		turn = turn * 10 + (uint64_t)(line[i++] - '0');
	if (i == 0 || i >= len || line[i] != ' ')
		fail("the server sent what is no frame\n");
	take_frame(turn, line + i + 1, len - i - 1);
}

/* Only the last n_new bytes can have a newline. */
static void take_lines(size_t n_new)
{
	char *at = inbox.data, *end = inbox.data + inbox.len;
	char *from = end - n_new, *newline;

	lock_enter();
	while ((newline = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		take_line(at, (size_t)(newline - at));
		from = at = newline + 1;
	}
	lock_leave();
	inbox.len = (size_t)(end - at);
	memmove(inbox.data, at, inbox.len);
	if (inbox.len || inbox.size <= KEPT_BYTES)
		return;
	free(inbox.data);
	inbox.data = NULL;
	inbox.size = 0;
}

/* Until nothing is left to read. */
static void receive(void)
{
	for (;;) {
		if (inbox.size - inbox.len < READ_BYTES) {
			size_t size = inbox.size ? inbox.size * 2 : READ_BYTES;
			char *data = realloc(inbox.data, size);
			if (!data)
				abort(); /* out of memory ends the process */
			inbox.data = data;
			inbox.size = size;
		}
		size_t room = inbox.size - inbox.len;
		ssize_t n =
		    recv(sock, inbox.data + inbox.len, room, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != ECONNRESET)
			fail(
			    "the agent has closed the socket of its process\n");
		if (n <= 0)
			follow();
		inbox.len += (size_t)n;
		take_lines((size_t)n);
		if ((size_t)n < room)
			return;
	}
}

/* ---- the thread ---- */

/* A thread waits in a handler, perhaps with the lock. */
static void tell_crash(uint64_t turn, int signal)
{
	char json[200];
	int n = snprintf(json, sizeof json,
	    "{\"type\":\"LOST\",\"reason\":\"killed\",\"message\":"
	    "\"signal %d (%s)\"}",
	    signal, sigdescr_np(signal));

	if (lock_enter_within(CRASH_LOCK_MS)) {
		if (turn)
			(void)sender_write(turn, json, (size_t)n, SENDER_ALONE);
		(void)sender_finish(CRASH_MS);
	}
	crash_told();
	for (;;)
		(void)pause(); /* with the lock: nothing follows */
}

static void check_crash(void)
{
	uint64_t turn;
	int signal;

	if (crash_happened(&turn, &signal))
		tell_crash(turn, signal);
}

/* Send; returns how long to sleep then, in us, or -1 for ever. */
static int64_t send_frames(bool *is_full)
{
	size_t n;

	lock_enter();
	sender_rise();
	enum outbox_end end = sender_send(&n);
	*is_full = end == OUTBOX_FULL;
	int64_t us = -1;
	if (end == OUTBOX_GONE) {
		lock_leave();
		follow();
	}
	if (n > 0 && end == OUTBOX_SENT)
		us = SENDER_PAUSE_US;
	else if (end == OUTBOX_SENT)
		(void)sender_doze();
	if (us < 0 && recycle_is_needed())
		us = recycle_pause_ms() * 1000;
	lock_leave();
	return us;
}

static void *run(void *arg)
{
	int64_t checked_us = 0;

	(void)arg;
	(void)prctl(PR_SET_NAME, "co-mux");
	crash_teller();
	for (;;) {
		bool is_full;
		int64_t us = send_frames(&is_full);
		struct timespec wait = {us / 1000000, us % 1000000 * 1000};
		struct pollfd p[] = {
		    {.fd = sock, .events = is_full ? POLLIN | POLLOUT : POLLIN},
		    {.fd = wake_fd, .events = POLLIN},
		};
		uint64_t count;
		if (ppoll(p, 2, us < 0 ? NULL : &wait, NULL) < 0 &&
		    errno != EINTR)
			fail("poll failed\n");
		if (p[1].revents)
			(void)!read(wake_fd, &count, sizeof count);
		check_crash();
		if (p[0].revents & ~POLLOUT)
			receive();
		int64_t now = clock_steady_us();
		if (now - checked_us < recycle_pause_ms() * 1000)
			continue;
		checked_us = now;
		lock_enter();
		if (recycle_is_needed())
			recycle_check();
		lock_leave();
	}
	return NULL;
}

/* In a fork: this thread is the only one, and the lock may be held. */
static void cut(void)
{
	if (is_cut || sock < 0)
		return;
	is_cut = true;
	(void)close(sock);
	(void)close(wake_fd);
}

int link_open(int socket)
{
	pthread_t thread;
	sigset_t all, before;

	sock = socket;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0 || sem_init(&news, 0, 0) != 0)
		return -1;
	sender_open(sock, wake_fd);
	crash_open(wake_fd);
	errno = pthread_atfork(NULL, NULL, cut);
	if (errno)
		return -1;
	/* Signals are for the threads of the interpreter. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&thread, NULL, run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errno ? -1 : 0;
}
