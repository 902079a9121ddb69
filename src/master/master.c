/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/master.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "master/children.h"
#include "master/generations.h"
#include "master/handover.h"
#include "master/heir.h"
#include "master/leave.h"
#include "master/master_int.h"
#include "master/notify.h"
#include "master/orphans.h"
#include "master/signals.h"
#include "master/upgrade.h"
#include "master/watch.h"
#include "proc/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Slots are created for at least this many workers, so that a reload may raise
 * their number.
 */
#define SPARE_WORKERS 8

#define POLL_MS 200

/* A process that hangs is killed; it may still be there for this long. */
#define UNKILLED_MS 5000

/* ---- start ---- */

/* Returns a number that no other start of a server has. */
static uint64_t new_number(void)
{
	uint64_t number = 0;
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		fatal("master: no random number: %s", strerror(errno));
	return number | 1;
}

static void set_kind(struct master *m)
{
	m->heritage->magic = HERITAGE_MAGIC;
	m->heritage->version = HERITAGE_VERSION;
	m->heritage->has_window = m->setup->window_fd > 0;
}

/* Both have the kind: the children see the segment first (heritage_map()). */
static void lay_window(struct master *m)
{
	m->children.window_fd = m->setup->window_fd;
	if (heritage_lay_window(m->heritage, m->children.window_fd) != 0)
		fatal("master: shared memory: %s", strerror(errno));
	set_kind(m);
}

static void make_segment(struct master *m)
{
	uint64_t registry = m->setup->registry_bytes;
	uint64_t at = HERITAGE_REGISTRY_AT;
	size_t size;
	m->children.segment_fd = shm_create(m->setup->name, at + registry);
	m->heritage = m->children.segment_fd < 0
			  ? NULL
			  : shm_map(m->children.segment_fd, &size);
	if (!m->heritage)
		fatal("master: shared memory: %s", strerror(errno));
	set_kind(m);
	if (m->setup->window_fd > 0)
		lay_window(m);
	m->heritage->master_pid = getpid();
	m->heritage->msg_version = MSG_VERSION;
	m->heritage->files_version = m->setup->files_version;
	m->heritage->n_slots = m->children.n_slots;
	m->heritage->n_stats = STAT_COUNT;
	m->heritage->stat_digest = stat_digest(STAT_COUNT);
	atomic_store(&m->heritage->next_generation, 1);
	m->heritage->server = new_number();
	m->heritage->started_ms = clock_wall_ms();
	m->heritage->started_boot_ms = clock_boot_ms();
	m->heritage->registry_at = at;
	m->heritage->registry_bytes = registry;
	if (m->setup->prepare)
		m->setup->prepare(m->heritage);
	m->children.heritage = m->heritage;
}

static void make_lifeline(struct master *m)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		fatal("master: pipe: %s", strerror(errno));
	m->children.lifeline_read = ends[0];
	m->lifeline_write = ends[1];
}

static void watch_signals(struct master *m)
{
	sigset_t set;
	static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
	    SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD};
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)sigaddset(&set, signals[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a write fails, as on a full disk */
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		fatal("master: sigprocmask: %s", strerror(errno));
	/* They were ignored until now. */
	(void)signal(SIGUSR2, SIG_DFL);
	(void)signal(SIGTTIN, SIG_DFL);
	(void)signal(SIGTTOU, SIG_DFL);
	m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (m->signal_fd < 0)
		fatal("master: signalfd: %s", strerror(errno));
}

/*
 * Returns how many processes a generation may have: a reload may add one of a
 * kind that there was not, and raise the number of those that listen.
 */
static unsigned room_for(const struct master_setup *setup)
{
	unsigned n = 0;
	for (unsigned kind = 1; kind < setup->n_kinds; kind++) {
		unsigned want = setup->plan.want[kind];
		unsigned spare = setup->kinds[kind].flags & PROCESS_LISTENS
				     ? SPARE_WORKERS
				     : 1;
		n += want < spare ? spare : want;
	}
	return n;
}

static unsigned slots_for(const struct master_setup *setup)
{
	return 2 * room_for(setup) + 2;
}

static void prepare(struct master *m)
{
	m->children.program = m->setup->program;
	m->children.name = m->setup->name;
	m->children.kinds = m->setup->kinds;
	m->children.n_kinds = m->setup->n_kinds;
	m->children.listen_fd = m->setup->listen_fd;
	m->children.lock_fd = m->setup->lock_fd;
	if (m->setup->libexec_dir)
		orphans_inherit(&m->orphans, m->setup->libexec_dir);
	if (handover_is_due()) {
		heir_segment(m);
		generations_fit(m, &m->plan);
	} else {
		children_init(&m->children, slots_for(m->setup));
		make_segment(m);
		m->owns_listener = !m->setup->keeps_listener;
		m->heritage->keeps_listener = m->setup->keeps_listener;
		if (children_open_mailboxes(&m->children) != 0)
			fatal("master: mailboxes: %s", strerror(errno));
	}
	log_into(&m->heritage->log);
	make_lifeline(m);
	m->children.newest = generations_new(m);
	watch_signals(m);
}

/* ---- supervision ---- */

static void tell_ready(struct master *m)
{
	const char *address = m->setup->address;
	unsigned n = generations_listening(m);
	log_info(
	    "serving on %s with %u worker%s", address, n, n == 1 ? "" : "s");
	if (handover_is_due()) {
		heir_offer(m);
		return;
	}
	notify_state("READY=1\nMAINPID=%d\nSTATUS=serving on %s", (int)getpid(),
	    address);
	if (m->setup->on_ready)
		m->setup->on_ready(address);
	if (m->setup->ready_fd < 0)
		return;
	if (dprintf(m->setup->ready_fd, "%s\n", address) < 0)
		log_warn("master: cannot write to the ready descriptor");
	close(m->setup->ready_fd);
}

static void give_up_start(struct master *m, const char *why)
{
	m->exit_status = 1;
	m->phase = PHASE_ENDING;
	children_end(&m->children, MASTER_FAST_MS);
	m->setup->on_failed(why);
}

static void master_go_on(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	while (m->stage < PROCESS_STAGES && generations_are_complete(m))
		m->stage++;
	if (m->phase == PHASE_STARTING && handover_is_due() &&
	    generations_cannot_load(m)) {
		give_up_start(m, "the agent cannot be loaded");
		return;
	}
	if (m->phase == PHASE_SERVING && master_serving(m) &&
	    master_serving(m) != master_epoch(m) && generations_cannot_load(m))
		generations_give_up(m);
	generations_keep_up(m);
	if (m->phase == PHASE_STARTING && m->stage == PROCESS_STAGES &&
	    generations_are_complete(m)) {
		m->phase = PHASE_SERVING;
		generations_settle(m);
		tell_ready(m);
	}
	if (m->phase == PHASE_SERVING && master_serving(m) != master_epoch(m) &&
	    generations_are_complete(m)) {
		generations_settle(m);
		log_info("generation %u serves", master_epoch(m));
		notify_state("READY=1");
		generations_drain_old(m);
	}
}

/* If the first process of a server cannot start, another try will not help. */
static void check_first_start(
    struct master *m, const struct child *dead, unsigned slot)
{
	char text[320];
	const char *words = m->heritage->slots[slot].last_words;
	if (dead->is_ready || dead->is_leaving || m->phase != PHASE_STARTING)
		return;
	(void)snprintf(text, sizeof text,
	    "a process ended before it served%s%s",
	    *words ? ": " : "; the log says how", words);
	give_up_start(m, text);
}

static void master_reap(struct master *m)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child dead;
		struct msg died;
		if (upgrade_reap(m, pid, status))
			continue;
		if (!children_reap(&m->children, pid, status, &dead, &died))
			continue;
		orphans_expect(&m->orphans);
		children_mail_all(&m->children, &died);
		if (!dead.is_leaving && dead.is_ready)
			atomic_fetch_add(&m->heritage->restarts, 1);
		check_first_start(m, &dead, (unsigned)died.a);
	}
}

/* ---- the loop ---- */

static void hear_other_master(struct master *m)
{
	if (m->heir)
		upgrade_hear(m);
	else
		heir_hear(m);
}

static void wait_for_news(struct master *m)
{
	struct pollfd fds[2 + HERITAGE_SLOTS];
	unsigned slots[2 + HERITAGE_SLOTS], n = 2;
	fds[0] = (struct pollfd){.fd = m->signal_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = m->bridge, .events = POLLIN};
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		if (m->children.child[i].ready_fd < 0)
			continue;
		slots[n] = i;
		fds[n++] = (struct pollfd){
		    .fd = m->children.child[i].ready_fd, .events = POLLIN};
	}
	if (poll(fds, n, POLL_MS) < 0 && errno != EINTR)
		fatal("master: poll: %s", strerror(errno));
	if (fds[1].revents)
		hear_other_master(m);
	for (unsigned i = 2; i < n; i++)
		if (fds[i].revents)
			(void)children_hear_ready(&m->children, slots[i]);
	signals_take(m);
}

static void watch_children(struct master *m)
{
	unsigned n = watch_look(&m->watch, &m->children, m->plan.hang_ms);
	atomic_fetch_add(&m->heritage->hung, n);
	atomic_store(&m->heritage->watched_us, clock_steady_us());
}

/*
 * The service manager hears from us only while our processes do their work: it
 * is to restart a server that serves nobody and does not help itself. Those
 * that hang are killed and replaced first.
 */
static bool is_well(const struct master *m)
{
	int64_t limit_ms = m->plan.hang_ms ? m->plan.hang_ms + UNKILLED_MS
					   : notify_patience_ms() / 2;
	if (!watch_is_fresh(&m->watch, &m->children, limit_ms))
		return false;
	return m->phase != PHASE_SERVING || generations_accept(m);
}

static void tell_alive(struct master *m)
{
	if (!notify_patience_ms())
		return;
	bool was_well = !m->is_unwell;
	m->is_unwell = !is_well(m);
	if (!m->is_unwell)
		notify_alive();
	else if (was_well)
		log_warn("watchdog: no worker serves, or one hangs: the "
			 "service manager is not notified until that is over");
}

int master_run(const struct master_setup *setup)
{
	struct master m = {
	    .setup = setup,
	    .plan = setup->plan,
	    .stage = 1,
	    .bridge = -1,
	};
	log_name("master");
	prepare(&m);
	generations_keep_up(&m);
	do {
		wait_for_news(&m);
		master_reap(&m);
		master_go_on(&m);
		children_introduce(&m.children);
		children_kill_late(&m.children);
		watch_children(&m);
		upgrade_look(&m);
		if (m.must_sweep)
			m.must_sweep = children_sweep(&m.children);
		if (m.deaf_at_ms && clock_mono_ms() >= m.deaf_at_ms)
			leave_deaf(&m);
		if (setup->libexec_dir)
			orphans_end(&m.orphans, &m.children);
		tell_alive(&m);
	} while (!leave_further(&m));
	leave_deaf(&m);
	orphans_fini(&m.orphans);
	log_info("stopped");
	return m.exit_status;
}
