/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/sender.h"

#include "base/clock.h"
#include "mux/lock.h"
#include "mux/turns.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static struct outbox outbox;
static int sock, wake_fd;
static bool is_dozing; /* the reader of the socket */
static bool is_full;   /* the socket: the reader waits until it is not */
static int64_t sent_us;
static uint64_t ended;

void sender_open(int socket, int wake)
{
	sock = socket;
	wake_fd = wake;
}

static void wake(void)
{
	const uint64_t one = 1;

	if (!is_dozing)
		return;
	is_dozing = false;
	/* Cannot fail: the counter is far from its end. */
	(void)!write(wake_fd, &one, sizeof one);
}

enum outbox_end sender_send(size_t *n)
{
	size_t before = outbox.len;
	enum outbox_end end = outbox_send(&outbox, sock);

	is_full = end != OUTBOX_SENT;
	*n = before - outbox.len;
	if (*n > 0)
		sent_us = clock_steady_us();
	if (*n > 0 && outbox.len < SENDER_BYTES_MAX)
		lock_wake_all();
	return end;
}

/* Something was added: send it now, or let the reader of the socket do it. */
static void hurry(bool is_last)
{
	bool is_due = clock_steady_us() - sent_us >= SENDER_PAUSE_US;
	size_t n;

	if (is_last && !turns_waiting() && !is_full)
		(void)sender_send(&n);
	else if (is_dozing && is_due)
		(void)sender_send(&n);
	if (outbox.len > 0)
		wake();
}

/* ---- credit ---- */

static void add(struct turn *t, const char *json, size_t len)
{
	outbox_add(&outbox, t->number, json, len);
	t->credit -= (int64_t)outbox_frame_bytes(t->number, len);
}

static void end_turn(struct turn *t)
{
	turns_end(t);
	ended++;
}

static bool has_room(const struct turn *t, bool is_last)
{
	if (t->is_closed && is_last)
		return true; /* who has left gives no credit */
	return t->credit > 0 && !t->backlog.first &&
	       outbox.len < SENDER_BYTES_MAX;
}

static enum sender_result keep(
    struct turn *t, const char *json, size_t len, bool is_last)
{
	if (!is_last && t->backlog.bytes + len > SENDER_BACKLOG_MAX)
		return SENDER_TOO_MUCH;
	turns_push(&t->backlog, turns_line(t->number, json, len));
	t->is_ending = is_last;
	return SENDER_DONE;
}

static enum sender_result write_turn(
    struct turn *t, const char *json, size_t len, unsigned how)
{
	bool is_last = how & SENDER_LAST;

	if (t->is_closed && !is_last)
		return SENDER_DONE;
	if (!has_room(t, is_last) && !(how & SENDER_ALONE))
		return how & SENDER_KEEP ? keep(t, json, len, is_last)
					 : SENDER_NO_ROOM;
	add(t, json, len);
	if (is_last)
		end_turn(t);
	hurry(is_last);
	return SENDER_DONE;
}

enum sender_result sender_write(
    uint64_t turn, const char *json, size_t len, unsigned how)
{
	if (turn == 0) {
		outbox_add(&outbox, 0, json, len);
		hurry(true);
		return SENDER_DONE;
	}
	for (;;) {
		struct turn *t = turns_find(turn);
		if (!t || t->is_ending)
			return SENDER_OVER;
		enum sender_result r = write_turn(t, json, len, how);
		if (r != SENDER_NO_ROOM || !(how & SENDER_WAIT))
			return r;
		lock_wait();
	}
}

/* Send what was kept back, as far as the credit goes. */
static void release(struct turn *t)
{
	while (t->backlog.first && (t->credit > 0 || t->is_closed)) {
		struct line *line = turns_pop(&t->backlog);
		bool is_last = t->is_ending && !t->backlog.first;
		if (is_last || !t->is_closed)
			add(t, line->text, line->len);
		free(line);
		if (is_last) {
			end_turn(t);
			return;
		}
	}
}

void sender_credit(struct turn *t, int64_t bytes)
{
	t->credit += bytes;
	release(t);
	lock_wake_all();
}

void sender_close(struct turn *t)
{
	t->is_closed = true;
	release(t);
	lock_wake_all();
}

uint64_t sender_ended(void)
{
	return ended;
}

/* ---- for the thread that reads the socket ---- */

bool sender_doze(void)
{
	is_dozing = outbox.len == 0;
	return is_dozing;
}

void sender_rise(void)
{
	is_dozing = false;
}

bool sender_finish(int ms)
{
	struct pollfd p = {.fd = sock, .events = POLLOUT};
	int64_t until = clock_steady_us() + (int64_t)ms * 1000;
	size_t n;

	for (;;) {
		enum outbox_end end = sender_send(&n);
		int64_t left = until - clock_steady_us();
		if (end != OUTBOX_FULL || left <= 0)
			return end == OUTBOX_SENT;
		(void)poll(&p, 1, (int)(left / 1000) + 1);
	}
}
