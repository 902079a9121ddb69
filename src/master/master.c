/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/master.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/heritage.h"
#include "master/children.h"
#include "master/notify.h"
#include "master/orphans.h"
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

/* Workers get drain_timeout to leave; they are killed this much later. */
#define KILL_AFTER_MS 5000

/* How long children get to leave in a fast stop. */
#define FAST_MS 1000

/* How long workers get to accept the connections in the backlog and close. */
#define DEAF_AFTER_MS 500

#define POLL_MS 200

enum phase {
	PHASE_STARTING, /* stage by stage */
	PHASE_SERVING,
	PHASE_LEAVING, /* stage by stage, the last one first */
	PHASE_ENDING,  /* all at once */
};

struct master {
	const struct master_setup *setup;
	struct master_plan plan; /* of the newest generation */
	struct master_plan serving_plan;
	uint32_t last_epoch; /* that any generation had */
	struct children children;
	struct orphans orphans;
	struct heritage *heritage;
	struct watch watch;
	enum phase phase;
	unsigned stage; /* of core/processes.tbl: the current one */
	int signal_fd;
	int lifeline_write;
	int64_t deaf_at_ms; /* when to shut down the listener; 0: not set */
	int exit_status;
};

/* ---- start ---- */

/* Returns a number that no other start of a server has. */
static uint64_t new_number(void)
{
	uint64_t number = 0;
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		fatal("master: no random number: %s", strerror(errno));
	return number | 1;
}

static void make_segment(struct master *m)
{
	uint64_t registry = m->setup->registry_bytes;
	uint64_t at = (sizeof(struct heritage) + 4095) & ~(uint64_t)4095;
	size_t size;
	m->children.segment_fd = shm_create(m->setup->name, at + registry);
	m->heritage = m->children.segment_fd < 0
			  ? NULL
			  : shm_map(m->children.segment_fd, &size);
	if (!m->heritage)
		fatal("master: shared memory: %s", strerror(errno));
	m->heritage->magic = HERITAGE_MAGIC;
	m->heritage->version = HERITAGE_VERSION;
	m->heritage->master_pid = getpid();
	m->heritage->server = new_number();
	m->heritage->started_ms = clock_wall_ms();
	m->heritage->started_boot_ms = clock_boot_ms();
	m->heritage->registry_at = at;
	m->heritage->registry_bytes = registry;
	if (m->setup->prepare)
		m->setup->prepare(m->heritage);
	atomic_store(&m->heritage->epoch, 1);
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
	static const int signals[] = {
	    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD};
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)sigaddset(&set, signals[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a write fails, as on a full disk */
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		fatal("master: sigprocmask: %s", strerror(errno));
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

/* Reduce the number of processes that listen until there is a slot for each. */
static void fit_into_slots(struct master *m, struct master_plan *plan)
{
	unsigned most = m->children.n_slots / 2 - 1, n = 0, cut;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		n += plan->want[kind];
	for (unsigned kind = 1; kind < m->setup->n_kinds && n > most; kind++) {
		if (!(m->setup->kinds[kind].flags & PROCESS_LISTENS))
			continue;
		cut = n - most < plan->want[kind] ? n - most
						  : plan->want[kind] - 1;
		plan->want[kind] -= cut;
		n -= cut;
		log_warn("reload: there are %u processes of kind %s, not %u, "
			 "until a restart: all slots are taken",
		    plan->want[kind], m->setup->kinds[kind].name,
		    plan->want[kind] + cut);
	}
}

static uint32_t epoch(const struct master *m)
{
	return atomic_load(&m->heritage->epoch);
}

static uint32_t serving(const struct master *m)
{
	return m->children.serving.epoch;
}

static struct generation new_generation(const struct master *m)
{
	struct generation g = {
	    .epoch = epoch(m),
	    .conf_fd = m->plan.conf_fd,
	};
	memcpy(g.want, m->plan.want, sizeof g.want);
	return g;
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
	make_segment(m);
	make_lifeline(m);
	m->last_epoch = epoch(m);
	m->children.newest = new_generation(m);
	if (children_init(&m->children, slots_for(m->setup)) != 0)
		fatal("master: mailboxes: %s", strerror(errno));
	watch_signals(m);
}

/* ---- supervision ---- */

static void fill_kind(struct master *m, struct generation *g, unsigned kind)
{
	while (
	    children_count(&m->children, kind, g->epoch, false) < g->want[kind])
		if (!children_start(&m->children, g, kind))
			return;
}

/* Start the processes that a generation lacks, in the order of the stages. */
static void fill(struct master *m, struct generation *g, unsigned last_stage)
{
	for (unsigned stage = 1; stage <= last_stage; stage++)
		for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
			if (m->setup->kinds[kind].stage == stage)
				fill_kind(m, g, kind);
}

/* Start the processes that the current phase requires. */
static void keep_up(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	struct generation *newest = &m->children.newest;
	struct generation *old = &m->children.serving;
	fill(m, newest, m->stage);
	/*
	 * The newest generation may never serve, so keep the old one complete.
	 */
	if (old->epoch && old->epoch != newest->epoch)
		fill(m, old, PROCESS_STAGES);
}

/* Returns how many processes of the newest generation accept clients. */
static unsigned count_listening(const struct master *m)
{
	unsigned n = 0;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (m->setup->kinds[kind].flags & PROCESS_LISTENS)
			n += m->plan.want[kind];
	return n;
}

static void tell_ready(struct master *m)
{
	const char *address = m->setup->address;
	unsigned n = count_listening(m);
	log_info(
	    "serving on %s with %u worker%s", address, n, n == 1 ? "" : "s");
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

static int64_t drain_ms(const struct master *m)
{
	return m->plan.drain_ms + KILL_AFTER_MS;
}

/* Drain the processes of all generations but the serving and the newest one. */
static void drain_old(struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && !c->is_leaving && c->epoch != epoch(m) &&
		    c->epoch != serving(m))
			children_drain(&m->children, i, false, drain_ms(m));
	}
}

/* From now on only the newest generation stays. */
static void settle_on_newest(struct master *m)
{
	struct children *c = &m->children;
	if (serving(m))
		close(c->serving.conf_fd);
	c->serving = c->newest;
	m->serving_plan = m->plan;
}

/*
 * Whether a process of the newest generation tells that its agent cannot be
 * loaded. It tries again by itself, but a reload either succeeds or changes
 * nothing: an operator would not expect it to happen some time later.
 */
static bool cannot_load(const struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && c->epoch == epoch(m) && !c->is_ready &&
		    atomic_load(&m->heritage->slots[i].load) == AGENT_BROKEN)
			return true;
	}
	return false;
}

/* The newest generation leaves, and the serving one is the newest again. */
static void give_up_newest(struct master *m)
{
	struct children *c = &m->children;
	log_error("reload: the agent cannot be loaded; still serving with the "
		  "old settings");
	close(c->newest.conf_fd);
	c->newest = c->serving;
	m->plan = m->serving_plan;
	atomic_store(&m->heritage->epoch, serving(m));
	drain_old(m);
	notify_state("READY=1");
}

/* Whether all processes of the newest generation serve, up to this stage. */
static bool is_complete(const struct master *m)
{
	const struct generation *g = &m->children.newest;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (m->setup->kinds[kind].stage <= m->stage &&
		    children_count(&m->children, kind, g->epoch, true) <
			g->want[kind])
			return false;
	return true;
}

static void master_go_on(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	while (m->stage < PROCESS_STAGES && is_complete(m))
		m->stage++;
	if (m->phase == PHASE_SERVING && serving(m) != epoch(m) &&
	    cannot_load(m))
		give_up_newest(m);
	keep_up(m);
	if (m->phase == PHASE_STARTING && m->stage == PROCESS_STAGES &&
	    is_complete(m)) {
		m->phase = PHASE_SERVING;
		settle_on_newest(m);
		tell_ready(m);
	}
	if (m->phase == PHASE_SERVING && serving(m) != epoch(m) &&
	    is_complete(m)) {
		settle_on_newest(m);
		log_info("generation %u serves", epoch(m));
		notify_state("READY=1");
		drain_old(m);
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
	m->exit_status = 1;
	m->phase = PHASE_ENDING;
	children_end(&m->children, FAST_MS);
	(void)snprintf(text, sizeof text,
	    "a process ended before it served%s%s",
	    *words ? ": " : "; the log says how", words);
	m->setup->on_failed(text);
}

static void master_reap(struct master *m)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child dead;
		struct msg died;
		if (!children_reap(&m->children, pid, status, &dead, &died))
			continue;
		orphans_expect(&m->orphans);
		children_mail_all(&m->children, &died);
		if (!dead.is_leaving && dead.is_ready)
			atomic_fetch_add(&m->heritage->restarts, 1);
		check_first_start(m, &dead, (unsigned)died.a);
	}
}

/* ---- signals ---- */

static void drain_stage(struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		const struct process *p = &m->setup->kinds[c->kind];
		if (c->pid && p->stage == m->stage)
			children_drain(&m->children, i, true,
			    p->flags & PROCESS_DRAINS ? drain_ms(m)
						      : KILL_AFTER_MS);
	}
}

/*
 * Shut the listener down, so that no client connects and waits in vain: neither
 * in our backlog nor in that of a worker that does not respond.
 */
static void stop_listening(struct master *m)
{
	if (m->children.listen_fd < 0)
		return;
	if (m->setup->on_deaf)
		m->setup->on_deaf();
	(void)shutdown(m->children.listen_fd, SHUT_RDWR);
	close(m->children.listen_fd);
	m->children.listen_fd = -1;
	m->deaf_at_ms = 0;
}

static void master_leave(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	log_info("draining: %s have %lld s to finish", m->setup->work,
	    (long long)m->plan.drain_ms / 1000);
	notify_state("STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
	    (long long)(m->plan.drain_ms + 2 * KILL_AFTER_MS) * 1000);
	m->phase = PHASE_LEAVING;
	m->stage = PROCESS_STAGES;
	m->deaf_at_ms = clock_mono_ms() + DEAF_AFTER_MS;
	drain_stage(m);
}

static void leave_fast(struct master *m)
{
	log_info("stopping at once");
	notify_state("STOPPING=1");
	m->phase = PHASE_ENDING;
	stop_listening(m);
	children_end(&m->children, FAST_MS);
}

static void reload(struct master *m)
{
	struct master_plan fresh = {.conf_fd = -1};
	struct err err;
	if (m->phase != PHASE_SERVING) {
		log_warn("reload: ignored while starting or stopping");
		return;
	}
	notify_state(
	    "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	if (m->setup->reload(&fresh, &err) != 0) {
		log_error("reload: %s; still serving with the old settings",
		    err.text);
		notify_state("READY=1");
		return;
	}
	fit_into_slots(m, &fresh);
	m->plan = fresh;
	if (serving(m) != epoch(m))
		close(m->children.newest.conf_fd);
	atomic_store(&m->heritage->epoch, ++m->last_epoch);
	m->children.newest = new_generation(m);
	drain_old(m); /* such as a generation that never came to serve */
	log_info("reload: starting generation %u", epoch(m));
}

static void reopen_logs(struct master *m)
{
	struct msg reopen = {.version = MSG_VERSION, .type = MSG_REOPEN};
	if (log_reopen() != 0)
		log_warn("log: cannot be reopened");
	children_mail_all(&m->children, &reopen);
	log_info("logs reopened");
}

static void take_signal(struct master *m, int signo)
{
	switch (signo) {
	case SIGTERM:
		master_leave(m);
		break;
	case SIGINT:
		/*
		 * A second request means that the operator does not want to
		 * wait.
		 */
		(m->phase == PHASE_LEAVING ? leave_fast : master_leave)(m);
		break;
	case SIGQUIT:
		leave_fast(m);
		break;
	case SIGHUP:
		reload(m);
		break;
	case SIGUSR1:
		reopen_logs(m);
		break;
	default:
		break;
	}
}

static void take_signals(struct master *m)
{
	struct signalfd_siginfo info;
	while (read(m->signal_fd, &info, sizeof info) == sizeof info)
		take_signal(m, (int)info.ssi_signo);
}

/* ---- the loop ---- */

static void wait_for_news(struct master *m)
{
	struct pollfd fds[1 + HERITAGE_SLOTS];
	unsigned slots[1 + HERITAGE_SLOTS], n = 1;
	fds[0] = (struct pollfd){.fd = m->signal_fd, .events = POLLIN};
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		if (m->children.child[i].ready_fd < 0)
			continue;
		slots[n] = i;
		fds[n++] = (struct pollfd){
		    .fd = m->children.child[i].ready_fd, .events = POLLIN};
	}
	if (poll(fds, n, POLL_MS) < 0 && errno != EINTR)
		fatal("master: poll: %s", strerror(errno));
	for (unsigned i = 1; i < n; i++)
		if (fds[i].revents)
			(void)children_hear_ready(&m->children, slots[i]);
	take_signals(m);
}

/* Whether there are processes of this stage or a higher one. */
static bool master_is_alive(const struct master *m, unsigned stage)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && m->setup->kinds[c->kind].stage >= stage)
			return true;
	}
	return false;
}

static void watch_children(struct master *m)
{
	unsigned n = watch_look(&m->watch, &m->children, m->plan.hang_ms);
	atomic_fetch_add(&m->heritage->hung, n);
	atomic_store(&m->heritage->watched_us, clock_steady_us());
}

/* Continue leaving. Returns whether the master may exit. */
static bool leave_further(struct master *m)
{
	while (m->phase == PHASE_LEAVING && m->stage > 1 &&
	       !master_is_alive(m, m->stage)) {
		m->stage--;
		drain_stage(m);
	}
	return m->phase >= PHASE_LEAVING && !master_is_alive(m, 1);
}

int master_run(const struct master_setup *setup)
{
	struct master m = {.setup = setup, .plan = setup->plan, .stage = 1};
	log_name("master");
	prepare(&m);
	keep_up(&m);
	do {
		wait_for_news(&m);
		master_reap(&m);
		master_go_on(&m);
		children_introduce(&m.children);
		children_kill_late(&m.children);
		watch_children(&m);
		if (m.deaf_at_ms && clock_mono_ms() >= m.deaf_at_ms)
			stop_listening(&m);
		if (setup->libexec_dir)
			orphans_end(&m.orphans, &m.children);
		notify_alive();
	} while (!leave_further(&m));
	stop_listening(&m);
	orphans_fini(&m.orphans);
	log_info("stopped");
	return m.exit_status;
}
