/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "child/inherit.h"

#include "base/clock.h"
#include "base/lines.h"
#include "base/log.h"
#include "core/pulse.h"
#include "core/stat.h"
#include "proc/lockfile.h"
#include "proc/mailbox.h"
#include "proc/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The interval between two beats of the loop. */
#define BEAT_MS 250

/* Hand over the descriptors of a message; those that nobody takes are closed. */
static void give_fds(
    struct inherited *in, const struct msg *m, const int *fds, size_t n_fds)
{
	if (m->type == MSG_MEET && n_fds == 1 && in->on_meet) {
		in->on_meet(fds[0], in->arg);
		return;
	}
	if (m->type == MSG_MOVED && in->on_fds) {
		in->on_fds(m, fds, n_fds, in->arg);
		return;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

static void on_mail(void *arg)
{
	struct inherited *in = arg;
	struct msg m;
	int fds[MAILBOX_FDS];
	size_t n_fds;
	while (mailbox_receive_fds(HERITAGE_FD_MAILBOX, &m, sizeof m, fds,
		   &n_fds) == sizeof m) {
		bool is_ours = m.version == MSG_VERSION;
		if (!is_ours)
			m.type = MSG_NONE;
		if (n_fds)
			give_fds(in, &m, fds, n_fds);
		if (!is_ours)
			continue;
		if (m.type == MSG_DRAIN)
			in->on_leave(
			    m.a ? LEAVE_WITH_ALL : LEAVE_TO_OTHERS, in->arg);
		else if (m.type == MSG_REOPEN && log_reopen() != 0)
			log_warn("log: cannot be reopened");
		in->on_msg(&m, in->arg);
	}
}

/* End of file: the master is gone, and nobody would replace us. */
static void on_lifeline(void *arg)
{
	struct inherited *in = arg;
	char byte;
	if (read(HERITAGE_FD_LIFELINE, &byte, 1) == 0)
		in->on_leave(LEAVE_AT_ONCE, in->arg);
}

static void on_signal(int signo, void *arg)
{
	struct inherited *in = arg;
	(void)signo;
	in->on_leave(LEAVE_AT_ONCE, in->arg);
}

static void map_segment(struct inherited *in)
{
	size_t size;
	in->heritage = shm_map(HERITAGE_FD_SEGMENT, &size);
	if (!in->heritage || size < sizeof *in->heritage ||
	    in->heritage->magic != HERITAGE_MAGIC ||
	    in->heritage->version != HERITAGE_VERSION ||
	    heritage_lay_window(in->heritage, HERITAGE_FD_WINDOW) != 0)
		fatal("heritage: the shared segment is not ours");
	struct heritage_slot *slot = &in->heritage->slots[in->slot];
	log_into(&in->heritage->log);
	log_last_words(slot->last_words, sizeof slot->last_words);
	stat_clear_gauges(&in->heritage->stats[in->slot]);
	stat_use(&in->heritage->stats[in->slot]);
	clock_hold(&in->heritage->line_ms);
}

/* The lock is for us; programs that we start must not inherit it. */
static void sign_lock(const struct inherited *in)
{
	if (fcntl(HERITAGE_FD_LOCK, F_SETFD, FD_CLOEXEC) != 0 ||
	    !lockfile_sign(HERITAGE_FD_LOCK, in->slot + 1, in->name))
		log_warn("the lock of the project: %s", strerror(errno));
}

static void open_files(const char *log_file, const char *test_clock)
{
	if (log_open(*log_file ? log_file : NULL) != 0)
		fatal("log: cannot open %s", log_file);
	if (*test_clock && !clock_follow(test_clock))
		fatal("clock: cannot map %s", test_clock);
}

void inherit_begin(
    struct inherited *in, const char *name, unsigned slot, unsigned generation)
{
	char log_as[64];
	(void)snprintf(log_as, sizeof log_as, "%s[%u]", name, slot);
	log_name(log_as);
	in->name = name;
	in->slot = slot;
	in->generation = generation;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a write fails, as on a full disk */
}

void inherit_all(
    struct inherited *in, const char *log_file, const char *test_clock)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	open_files(log_file, test_clock);
	map_segment(in);
	sign_lock(in);
	in->loop = loop_new();
	in->mailbox =
	    loop_watch_open(in->loop, HERITAGE_FD_MAILBOX, on_mail, in);
	in->lifeline =
	    loop_watch_open(in->loop, HERITAGE_FD_LIFELINE, on_lifeline, in);
	loop_signals(in->loop, signals, on_signal, in);
}

static void on_beat(void *arg)
{
	struct inherited *in = arg;
	pulse_beat();
	loop_timer_set(in->loop, &in->beat, BEAT_MS);
}

static void start_pulse(struct inherited *in, struct pulse *p)
{
	pulse_use(p);
	(void)pulse_set(PULSE_BUSY);
	loop_timer_init(&in->beat, on_beat, in);
	loop_timer_set(in->loop, &in->beat, BEAT_MS);
}

void inherit_ready(struct inherited *in)
{
	struct heritage_slot *slot = &in->heritage->slots[in->slot];
	start_pulse(in, &slot->pulses[PULSE_LOOP]);
	atomic_store(&slot->state, SLOT_SERVING);
	if (write(HERITAGE_FD_READY, "1", 1) != 1)
		fatal("heritage: cannot notify the master");
	close(HERITAGE_FD_READY);
}

void inherit_run(struct inherited *in)
{
	lines_keep(true);
	loop_run(in->loop);
	lines_keep(false);
	(void)pulse_set(PULSE_NONE);
}
