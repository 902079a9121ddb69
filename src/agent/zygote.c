/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/zygote.h"

#include "agent/loading.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/line_queue.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "proc/rights.h"
#include "runner/runner.h"
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The maximum number of unacknowledged packets: the rest waits. */
#define WINDOW 16

/* The maximum number of turns that wait for it to load. */
#define WAITING_MAX 4096

/* The longest line, which contains the system prompt. */
#define LINE_MAX_BYTES (4u << 20)

/*
 * A zygote that lived this long did not die of the same cause as the one
 * before.
 */
#define HEALTHY_MS 60000

/* The descriptors of a waiting turn. */
struct waiting {
	struct list link;
	int fds[SOURCE_FDS];
};

struct zygote {
	struct source base; /* the source of turns */
	struct source own;  /* that of the zygote, with a socket as its input */
	struct zygote_setup setup;
	struct runner_place place;
	struct runner *runner; /* NULL between two of them */
	int socket;
	struct line_queue lines;
	struct loop_timer timer; /* until the next start */
	int64_t pause_ms;
	int64_t started_ms;
	size_t n_waiting; /* in both lists */
	struct list waiting;
	struct list sent; /* unacknowledged, the oldest first */
	size_t n_sent;
	struct loading_past past;
	struct loading loading;
	bool is_loaded; /* the present one */
	bool is_broken; /* the previous one could not load the agent */
	bool is_second; /* the previous one was killed while it loaded */
};

/* ---- waiting turns ---- */

static void drop(struct zygote *z, struct waiting *w)
{
	rights_close(w->fds, SOURCE_FDS);
	list_remove(&w->link);
	z->n_waiting--;
	free(w);
}

/* Each turn sees the end of its descriptors, and fails. */
static void drop_all(struct zygote *z, struct list *which)
{
	list_each_safe(link, which)
	    drop(z, list_entry(link, struct waiting, link));
}

/*
 * What cannot be sent waits for the next acknowledgement, or for a new zygote.
 */
static void pump(struct zygote *z)
{
	list_each_safe(link, &z->waiting)
	{
		struct waiting *w = list_entry(link, struct waiting, link);
		if (!z->runner || z->n_sent >= WINDOW ||
		    !rights_send(
			z->socket, "turn", 4, w->fds, SOURCE_FDS, MSG_DONTWAIT))
			return;
		list_remove(&w->link);
		list_append(&z->sent, &w->link);
		z->n_sent++;
	}
}

/* The zygote owns the turn from now on: it is not given to another one. */
static void confirm(struct zygote *z)
{
	if (!z->n_sent)
		return;
	z->n_sent--;
	drop(z, list_entry(z->sent.next, struct waiting, link));
	pump(z);
}

/*
 * Turns without an acknowledgement have not begun: the next zygote gets them.
 */
static void take_back(struct zygote *z)
{
	list_each_safe(link, &z->waiting)
	{
		list_remove(link);
		list_append(&z->sent, link);
	}
	list_each_safe(link, &z->sent)
	{
		list_remove(link);
		list_append(&z->waiting, link);
	}
	z->n_sent = 0;
}

static bool copy_fds(int *to, const int *from)
{
	for (size_t i = 0; i < SOURCE_FDS; i++) {
		to[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 0);
		if (to[i] < 0) {
			rights_close(to, i);
			return false;
		}
	}
	return true;
}

static pid_t start_turn(struct source *base, const int *fds, struct err *err)
{
	struct zygote *z = (struct zygote *)(void *)base;

	if (z->is_broken && !z->is_loaded)
		return err_set(
		    err, ERR_AGENT, "the agent cannot be loaded: see the log");
	if (z->n_waiting >= WAITING_MAX)
		return err_set(err, ERR_AGENT,
		    "%d turns wait for the agent to be loaded", WAITING_MAX);
	struct waiting *w = mem_zero(sizeof *w);
	if (!copy_fds(w->fds, fds)) {
		(void)err_set(err, ERR_AGENT, "cannot copy descriptors: %s",
		    strerror(errno));
		free(w);
		return -1;
	}
	list_append(&z->waiting, &w->link);
	z->n_waiting++;
	pump(z);
	return 0;
}

/* ---- lines of the zygote ---- */

static void take_line(struct zygote *z, const char *text, size_t len)
{
	static const char ready[] = "READY ";
	const size_t n = sizeof ready - 1;

	if (len == 1 && *text == '+') {
		confirm(z);
		return;
	}
	if (len < n || memcmp(text, ready, n) != 0)
		return; /* an unknown line */
	if (!z->is_loaded) {
		(void)loading_succeeded(&z->loading); /* READY is logged */
		loading_fini(&z->loading);
	}
	z->is_loaded = true;
	z->is_broken = z->is_second = false;
	z->setup.on_ready(z->setup.arg, text + n, len - n);
}

static void zygote_on_output(void *arg, const char *data, size_t len)
{
	struct zygote *z = arg;
	const char *text;
	size_t n;
	enum line_state state;

	line_lend(&z->lines, data, len);
	while ((state = line_next(&z->lines, &text, &n)) == LINE_WHOLE)
		take_line(z, text, n);
	line_keep(&z->lines);
	if (state == LINE_TOO_LONG) {
		line_fini(&z->lines);
		line_init(&z->lines, LINE_MAX_BYTES);
	}
}

static void zygote_on_complaint(void *arg, const char *text, size_t len)
{
	struct zygote *z = arg;

	if (!z->is_loaded)
		loading_hear(&z->loading, text, len);
	else
		log_info("agent: %.*s", (int)len, text);
}

/* ---- life cycle ---- */

static void zygote_end(struct zygote *z)
{
	if (z->socket >= 0)
		(void)close(z->socket); /* nothing was left to be written */
	z->socket = -1;
	take_back(z);
	line_fini(&z->lines);
	line_init(&z->lines, LINE_MAX_BYTES);
}

static void zygote_start(void *arg);

static void start_later(struct zygote *z)
{
	if (clock_mono_ms() - z->started_ms > HEALTHY_MS)
		z->pause_ms = 0;
	z->pause_ms =
	    backoff(z->pause_ms, ZYGOTE_PAUSE_MS, ZYGOTE_PAUSE_MAX_MS);
	loop_timer_set(z->place.loop, &z->timer, z->pause_ms);
}

/* Turns that are its threads or forks end with it. */
static void on_over_memory(void *arg)
{
	struct zygote *z = arg;

	log_warn("agent: its process exceeds agent_memory");
	z->base.is_over_memory = true;
}

static void failed(struct zygote *z, const char *how)
{
	if (loading_failed(&z->loading, how))
		log_warn("agent: cannot be loaded: %s; it is tried again, at "
			 "intervals of up to %d s while this goes on, which is "
			 "not logged each time",
		    how, ZYGOTE_PAUSE_MAX_MS / 1000);
	loading_fini(&z->loading);
	z->is_broken = true;
	drop_all(z, &z->waiting);
	start_later(z);
}

/*
 * Something other than the program ended it while it loaded, such as the kernel
 * when memory ran out; turns wait for another attempt.
 */
static void try_again(struct zygote *z, const char *how)
{
	loading_show(&z->loading);
	loading_fini(&z->loading);
	log_warn("agent: its process ended while it loaded: %s; another one "
		 "starts",
	    how);
	z->is_second = true;
	zygote_start(z);
}

static void zygote_on_end(void *arg, const struct runner_end *end)
{
	struct zygote *z = arg;
	char how[64];
	enum err_reason reason = runner_reason(end, how, sizeof how);

	runner_kill(&z->runner);
	zygote_end(z);
	if (z->is_loaded) {
		z->is_loaded = false;
		start_later(z);
		log_warn("agent: its process ended: %s; the next one starts in "
			 "%lld ms",
		    how, (long long)z->pause_ms);
	} else if (!z->is_second && reason != REASON_EXITED) {
		try_again(z, how);
	} else {
		failed(z, how);
	}
}

static const struct runner_handlers handlers = {
    .on_output = zygote_on_output,
    .on_complaint = zygote_on_complaint,
    .on_over_memory = on_over_memory,
    .on_end = zygote_on_end,
};

static pid_t start_own(struct source *own, const int *fds, struct err *err)
{
	struct zygote *z = list_entry(own, struct zygote, own);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_AGENT, "cannot open a socket: %s",
		    strerror(errno));
	const int with_socket[SOURCE_FDS] = {
	    pair[1], fds[SOURCE_OUT], fds[SOURCE_ERR], fds[SOURCE_CONTROL]};
	pid_t pid = z->setup.source->start(z->setup.source, with_socket, err);
	(void)close(pair[1]); /* the zygote's end */
	if (pid < 0)
		(void)close(pair[0]);
	else
		z->socket = pair[0];
	return pid;
}

static void zygote_start(void *arg)
{
	struct zygote *z = arg;
	struct err err;

	z->started_ms = clock_mono_ms();
	z->base.is_over_memory = false;
	loading_begin(&z->loading, &z->past);
	z->runner = runner_start(&z->place, &handlers, z, &err);
	if (!z->runner) {
		failed(z, err.text);
		return;
	}
	runner_claim(z->runner, &handlers, z);
	pump(z);
}

struct zygote *zygote_open(const struct zygote_setup *setup)
{
	struct zygote *z = mem_zero(sizeof *z);

	z->base.start = start_turn;
	z->own.start = start_own;
	z->setup = *setup;
	z->past.role = "agent";
	z->place.loop = setup->loop;
	z->place.crew = setup->crew;
	z->place.source = &z->own;
	z->socket = -1;
	list_init(&z->place.all);
	list_init(&z->waiting);
	list_init(&z->sent);
	line_init(&z->lines, LINE_MAX_BYTES);
	loop_timer_init(&z->timer, zygote_start, z);
	zygote_start(z);
	return z;
}

struct source *zygote_source(struct zygote *z)
{
	return &z->base;
}

enum agent_load zygote_load(const struct zygote *z)
{
	if (z->is_loaded)
		return AGENT_LOADED;
	return z->is_broken ? AGENT_BROKEN : AGENT_LOADING;
}

void zygote_close(struct zygote **zygote)
{
	struct zygote *z = *zygote;

	if (!z)
		return;
	loop_timer_stop(z->place.loop, &z->timer);
	runner_kill(&z->runner);
	runner_clear(&z->place);
	zygote_end(z);
	drop_all(z, &z->waiting);
	line_fini(&z->lines);
	loading_fini(&z->loading);
	loading_forget(&z->past);
	free(z);
	*zygote = NULL;
}
