/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/dock.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/write_all.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "net/loop.h"
#include "proc/mailbox.h"
#include "proc/shm.h"
#include "relay/relay_stat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How long and how often a full mailbox is tried. */
#define WAIT_MS 2000
#define RETRY_MS 10

/* The parts of a load in its memory file, in this order, after their lengths. */
enum { FIRST, INPUT, OUTPUT, PEER, PLACE, PARTS };

struct head {
	uint64_t len[PARTS];
	uint64_t peer_is_loopback;
};

/* No part is larger than a frame and what belongs to it. */
#define PART_BYTES ((uint64_t)512 * 1024 * 1024)

/* A client that waits for room in a mailbox. */
struct departure {
	struct list link;
	struct msg msg;
	int sender;
	int fds[MAILBOX_FDS]; /* the socket, and the memory file */
	int64_t give_up_ms;
};

struct dock {
	struct loop *loop;
	struct list waiting;
	struct loop_timer retry;
};

void dock_load_fini(struct dock_load *load)
{
	ws_parcel_fini(&load->parcel);
	buf_fini(&load->first);
}

/* ---- packing ---- */

/* Returns a memory file with the bytes of a load, or -1. */
static int pack(const struct dock_load *load)
{
	const struct ws_parcel *p = &load->parcel;
	const struct span parts[PARTS] = {
	    [FIRST] = {load->first.data, load->first.len},
	    [INPUT] = {p->input.data, p->input.len},
	    [OUTPUT] = {p->output.data, p->output.len},
	    [PEER] = {p->peer, strlen(p->peer)},
	    [PLACE] = {p->place, strlen(p->place)},
	};
	struct head head = {.peer_is_loopback = p->peer_is_loopback};
	int fd = shm_create("co-relayd-client", 0);
	for (int i = 0; i < PARTS; i++)
		head.len[i] = parts[i].len;
	bool ok = fd >= 0 && write_all(fd, &head, sizeof head);
	for (int i = 0; ok && i < PARTS; i++)
		ok = write_all(fd, parts[i].text, parts[i].len);
	if (!ok && fd >= 0)
		close(fd);
	return ok ? fd : -1;
}

static void take_part(struct buf *out, const char **at, uint64_t len)
{
	buf_append(out, *at, (size_t)len);
	*at += len;
}

static char *take_text(const char **at, uint64_t len)
{
	char *text = mem_strndup(*at, (size_t)len);
	*at += len;
	return text;
}

static bool is_sound(const struct head *head, size_t size)
{
	uint64_t sum = sizeof *head;
	for (int i = 0; i < PARTS; i++) {
		if (head->len[i] > PART_BYTES)
			return false;
		sum += head->len[i];
	}
	return sum == size;
}

static bool unpack(struct dock_load *load, const char *bytes, size_t size)
{
	const struct head *head = (const void *)bytes;
	const char *at = bytes + sizeof *head;
	if (size < sizeof *head || !is_sound(head, size))
		return false;
	take_part(&load->first, &at, head->len[FIRST]);
	take_part(&load->parcel.input, &at, head->len[INPUT]);
	take_part(&load->parcel.output, &at, head->len[OUTPUT]);
	load->parcel.peer = take_text(&at, head->len[PEER]);
	load->parcel.place = take_text(&at, head->len[PLACE]);
	load->parcel.peer_is_loopback = head->peer_is_loopback;
	return true;
}

/* ---- departures ---- */

static void depart_end(struct departure *d, bool is_sent)
{
	for (int i = 0; i < MAILBOX_FDS; i++)
		close(d->fds[i]);
	list_remove(&d->link);
	if (is_sent)
		relay_stat_add(moved, 1);
	else
		relay_stat_add(move_failed, 1);
	free(d);
}

static void dock_on_retry(void *arg)
{
	struct dock *d = arg;
	list_each_safe(it, &d->waiting)
	{
		struct departure *go = list_entry(it, struct departure, link);
		bool is_sent = mailbox_send_fds(
		    go->sender, &go->msg, sizeof go->msg, go->fds, MAILBOX_FDS);
		if (is_sent || clock_mono_ms() >= go->give_up_ms)
			depart_end(go, is_sent);
	}
	if (!list_is_empty(&d->waiting))
		loop_timer_set(d->loop, &d->retry, RETRY_MS);
}

struct dock *dock_new(struct loop *l)
{
	struct dock *d = mem_zero(sizeof *d);
	d->loop = l;
	list_init(&d->waiting);
	loop_timer_init(&d->retry, dock_on_retry, d);
	return d;
}

void dock_free(struct dock **dp)
{
	struct dock *d = *dp;
	*dp = NULL;
	loop_timer_stop(d->loop, &d->retry);
	list_each_safe(it, &d->waiting)
	{
		depart_end(list_entry(it, struct departure, link), false);
	}
	free(d);
}

void dock_send(struct dock *d, unsigned slot, struct dock_load *load)
{
	int file = pack(load);
	if (file < 0) {
		log_error("client not handed over: %s", strerror(errno));
		relay_stat_add(move_failed, 1);
		dock_load_fini(load);
		return;
	}
	struct departure *go = mem_zero(sizeof *go);
	go->msg = (struct msg){
	    .version = MSG_VERSION, .type = MSG_MOVED, .a = load->moves};
	go->sender = (int)(HERITAGE_FD_MAILBOXES + slot);
	go->fds[0] = load->parcel.fd;
	go->fds[1] = file;
	go->give_up_ms = clock_mono_ms() + WAIT_MS;
	load->parcel.fd = -1;
	dock_load_fini(load);
	/* Those that wait for the same mailbox come first. */
	bool must_wait = !list_is_empty(&d->waiting);
	list_append(&d->waiting, &go->link);
	if (!must_wait)
		dock_on_retry(d);
}

/* ---- arrivals ---- */

static bool read_file(struct dock_load *load, int fd)
{
	size_t size = 0;
	char *bytes = shm_map(fd, &size);
	if (!bytes)
		return false;
	bool ok = unpack(load, bytes, size);
	(void)munmap(bytes, size);
	return ok;
}

bool dock_receive(
    struct dock_load *load, const struct msg *m, const int *fds, size_t n_fds)
{
	*load = (struct dock_load){.parcel.fd = n_fds ? fds[0] : -1};
	load->moves = (unsigned)m->a;
	bool ok = n_fds == MAILBOX_FDS && read_file(load, fds[1]);
	if (n_fds == MAILBOX_FDS)
		close(fds[1]);
	if (!ok)
		dock_load_fini(load);
	return ok;
}
