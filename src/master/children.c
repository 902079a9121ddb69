/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/children.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/stat.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * If a process dies before it is ready, its kind is throttled for this long,
 * doubling each time (exponential backoff).
 */
#define THROTTLE_FIRST_MS 2000
#define THROTTLE_MOST_MS 60000

/* A process that is not serving after this long never will. */
#define START_MS 60000

#define N_FIXED_FDS 8

/* A process about to be started. */
struct birth {
	const struct generation *settings;
	unsigned kind;
	unsigned slot;
	uint32_t generation; /* of the slot */
	int ready_fd;
};

void children_init(struct children *c, unsigned n_slots)
{
	c->n_slots = n_slots < HERITAGE_SLOTS ? n_slots : HERITAGE_SLOTS;
	for (unsigned i = 0; i < c->n_slots; i++)
		c->child[i].ready_fd = -1;
}

int children_open_mailboxes(struct children *c)
{
	for (unsigned i = 0; i < c->n_slots; i++)
		if (mailbox_open(&c->mailboxes[i]) != 0)
			return -1;
	return 0;
}

/* Returns a slot that nobody else can get any more, or -1. */
static int claim_slot(struct children *c)
{
	for (unsigned i = 0; i < c->n_slots; i++) {
		uint32_t was = SLOT_FREE;
		if (atomic_compare_exchange_strong(
			&c->heritage->slots[i].state, &was, SLOT_STARTING))
			return (int)i;
	}
	return -1;
}

static unsigned plan_fds(
    const struct children *c, const struct birth *b, struct spawn_fd *fds)
{
	unsigned n = 0;
	fds[n++] = (struct spawn_fd){b->settings->conf_fd, HERITAGE_FD_CONF};
	fds[n++] = (struct spawn_fd){c->segment_fd, HERITAGE_FD_SEGMENT};
	if (c->window_fd > 0)
		fds[n++] = (struct spawn_fd){c->window_fd, HERITAGE_FD_WINDOW};
	fds[n++] = (struct spawn_fd){b->ready_fd, HERITAGE_FD_READY};
	fds[n++] = (struct spawn_fd){c->lifeline_read, HERITAGE_FD_LIFELINE};
	fds[n++] = (struct spawn_fd){c->lock_fd, HERITAGE_FD_LOCK};
	fds[n++] = (struct spawn_fd){
	    c->mailboxes[b->slot].reader, HERITAGE_FD_MAILBOX};
	/*
	 * A process that has the listener keeps it open, so only those that
	 * accept connections get it.
	 */
	if (c->kinds[b->kind].flags & PROCESS_LISTENS)
		fds[n++] = (struct spawn_fd){c->listen_fd, HERITAGE_FD_LISTEN};
	for (unsigned i = 0; i < c->n_slots; i++)
		fds[n++] = (struct spawn_fd){
		    c->mailboxes[i].sender, (int)(HERITAGE_FD_MAILBOXES + i)};
	return n;
}

static pid_t spawn(struct children *c, const struct birth *b)
{
	struct spawn_fd fds[N_FIXED_FDS + HERITAGE_SLOTS];
	char slot_text[16], generation_text[16];
	char name[32], child[] = "--child", slot_opt[] = "--slot";
	char generation_opt[] = "--generation", kind_text[16];
	(void)snprintf(name, sizeof name, "%s", c->name);
	(void)snprintf(slot_text, sizeof slot_text, "%u", b->slot);
	(void)snprintf(
	    generation_text, sizeof generation_text, "%u", b->generation);
	(void)snprintf(
	    kind_text, sizeof kind_text, "%s", c->kinds[b->kind].name);
	char *argv[] = {name, child, kind_text, slot_opt, slot_text,
	    generation_opt, generation_text, NULL};
	struct spawn_plan plan = {
	    .path = c->program,
	    .argv = argv,
	    .fds = fds,
	    .n_fds = plan_fds(c, b, fds),
	    .has_own_group = 1,
	};
	return spawn_start(&plan);
}

/* Discard messages meant for the previous process of the slot. */
static void empty_mailbox(struct children *c, unsigned slot)
{
	struct msg m;
	while (mailbox_receive(c->mailboxes[slot].reader, &m, sizeof m))
		;
}

static void throttle(
    const struct children *c, struct generation *g, unsigned kind)
{
	int64_t *delay = &g->delay_ms[kind];
	*delay = backoff(*delay, THROTTLE_FIRST_MS, THROTTLE_MOST_MS);
	g->not_before_ms[kind] = clock_mono_ms() + *delay;
	log_warn("kind=%s: throttled for %lld ms", c->kinds[kind].name,
	    (long long)*delay);
}

bool children_start(struct children *c, struct generation *g, unsigned kind)
{
	int ready[2];
	if (clock_mono_ms() < g->not_before_ms[kind])
		return false;
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0) {
		log_error("master: pipe: %s", strerror(errno));
		return false;
	}
	int slot = claim_slot(c);
	if (slot < 0) {
		close(ready[0]);
		close(ready[1]);
		return false;
	}
	struct heritage_slot *s = &c->heritage->slots[slot];
	/* Odd: the slot is in use. */
	uint32_t generation =
	    atomic_fetch_add(&c->heritage->next_generation, 2);
	empty_mailbox(c, (unsigned)slot);
	s->last_words[0] = 0;
	atomic_store(&s->load, 0);
	for (int i = 0; i < PULSE_LINES; i++)
		atomic_store(&s->pulses[i].state, PULSE_NONE);
	s->kind = kind;
	s->epoch = g->epoch;
	atomic_store(&s->born_ms, clock_wall_ms());
	atomic_store(&s->generation, generation);
	pid_t pid = spawn(
	    c, &(struct birth){g, kind, (unsigned)slot, generation, ready[1]});
	close(ready[1]);
	if (pid < 0) {
		log_error("kind=%s: cannot start %s: %s", c->kinds[kind].name,
		    c->program, strerror(errno));
		atomic_store(&s->generation, generation + 1);
		atomic_store(&s->state, SLOT_FREE);
		close(ready[0]);
		throttle(c, g, kind);
		return false;
	}
	atomic_store(&s->pid, pid);
	c->child[slot] = (struct child){
	    .pid = pid,
	    .kind = kind,
	    .epoch = g->epoch,
	    .ready_fd = ready[0],
	    .born_ms = clock_mono_ms(),
	};
	return true;
}

bool children_hear_ready(struct children *c, unsigned slot)
{
	struct child *child = &c->child[slot];
	char byte;
	ssize_t n = read(child->ready_fd, &byte, 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(child->ready_fd);
	child->ready_fd = -1;
	child->is_ready = n == 1;
	return child->is_ready;
}

static void log_death(const struct children *c, unsigned slot,
    const struct child *child, int status, uint32_t generation)
{
	char text[64];
	const char *words = c->heritage->slots[slot].last_words;
	bool is_clean =
	    child->is_leaving && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	(is_clean ? log_info : log_warn)(
	    "kind=%s slot=%u child=%d generation=%u: %s%s%.200s",
	    c->kinds[child->kind].name, slot, (int)child->pid, generation,
	    spawn_status(status, text, sizeof text),
	    *words ? ", last words: " : "", words);
}

/* A generation that failed must not delay the one that serves. */
static void note_death(struct children *c, const struct child *dead)
{
	struct generation *g =
	    dead->epoch == c->newest.epoch ? &c->newest : &c->serving;
	if (dead->epoch != g->epoch)
		return;
	if (dead->is_ready)
		g->delay_ms[dead->kind] = 0;
	else if (!dead->is_leaving)
		throttle(c, g, dead->kind);
}

/*
 * The process in a slot is gone; its successor may be throttled, and is another
 * process.
 */
static struct msg clear_slot(struct children *c, unsigned slot)
{
	struct heritage_slot *s = &c->heritage->slots[slot];
	uint32_t generation = atomic_load(&s->generation);
	atomic_fetch_add(&c->heritage->deaths, 1);
	if (generation & 1)
		atomic_store(&s->generation, generation + 1);
	atomic_store(&s->pid, 0);
	stat_clear_gauges(&c->heritage->stats[slot]);
	atomic_store(&s->state, SLOT_FREE);
	return (struct msg){.version = MSG_VERSION,
	    .type = MSG_DIED,
	    .a = slot,
	    .b = generation,
	    .c = (uint64_t)clock_mono_us()};
}

bool children_reap(struct children *c, pid_t pid, int status, struct child *out,
    struct msg *died)
{
	for (unsigned i = 0; i < c->n_slots; i++) {
		struct child *child = &c->child[i];
		struct heritage_slot *s = &c->heritage->slots[i];
		if (child->pid != pid)
			continue;
		/* It may have reported readiness just before it died. */
		if (child->ready_fd >= 0)
			(void)children_hear_ready(c, i);
		log_death(c, i, child, status, atomic_load(&s->generation));
		if (child->ready_fd >= 0)
			close(child->ready_fd);
		note_death(c, child);
		*out = *child;
		*child = (struct child){.ready_fd = -1};
		*died = clear_slot(c, i);
		return true;
	}
	return false;
}

unsigned children_count(
    const struct children *c, unsigned kind, uint32_t epoch, bool only_ready)
{
	unsigned n = 0;
	for (unsigned i = 0; i < c->n_slots; i++) {
		const struct child *child = &c->child[i];
		n += child->pid && child->kind == kind && !child->is_leaving &&
		     (!epoch || child->epoch == epoch) &&
		     (!only_ready || child->is_ready);
	}
	return n;
}

static void children_mail(
    struct children *c, unsigned slot, const struct msg *m)
{
	if (!mailbox_send(c->mailboxes[slot].sender, m, sizeof *m))
		log_warn("slot=%u: mailbox full, %s dropped", slot,
		    msg_name(m->type));
}

void children_mail_all(struct children *c, const struct msg *m)
{
	for (unsigned i = 0; i < c->n_slots; i++)
		if (atomic_load(&c->heritage->slots[i].pid))
			children_mail(c, i, m);
}

/* Whether a slot belongs to a process of another master. */
static bool is_foreign(const struct children *c, unsigned slot)
{
	return !c->child[slot].pid &&
	       atomic_load(&c->heritage->slots[slot].state) != SLOT_FREE;
}

bool children_sweep(struct children *c)
{
	bool is_done = true;
	for (unsigned i = 0; i < c->n_slots; i++) {
		pid_t pid = atomic_load(&c->heritage->slots[i].pid);
		if (!is_foreign(c, i))
			continue;
		if (pid && (kill(pid, 0) == 0 || errno != ESRCH)) {
			is_done = false;
			continue;
		}
		const struct msg died = clear_slot(c, i);
		children_mail_all(c, &died);
	}
	return !is_done;
}

static bool tell_meet(struct children *c, unsigned slot, unsigned other, int fd)
{
	const struct msg meet = {
	    .version = MSG_VERSION,
	    .type = MSG_MEET,
	    .a = other,
	    .b = atomic_load(&c->heritage->slots[other].generation),
	};
	return mailbox_send_fds(
	    c->mailboxes[slot].sender, &meet, sizeof meet, &fd, 1);
}

/* If only one end is accepted, its receiver finds the other one closed. */
static bool introduce(struct children *c, unsigned slot, unsigned other)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		log_error("master: socketpair: %s", strerror(errno));
		return false;
	}
	bool is_done = tell_meet(c, slot, other, fds[0]) &&
		       tell_meet(c, other, slot, fds[1]);
	close(fds[0]);
	close(fds[1]);
	return is_done;
}

static void introduce_all(struct children *c, unsigned slot)
{
	uint32_t generation = atomic_load(&c->heritage->slots[slot].generation);
	for (unsigned i = 0; i < c->n_slots; i++) {
		struct child *child = &c->child[i];
		if (child->pid && child->is_ready && !child->is_leaving &&
		    c->kinds[child->kind].flags & PROCESS_LISTENS &&
		    child->epoch == c->child[slot].epoch &&
		    child->met != generation && introduce(c, slot, i))
			child->met = generation;
	}
}

void children_introduce(struct children *c)
{
	for (unsigned i = 0; i < c->n_slots; i++) {
		const struct child *child = &c->child[i];
		if (child->pid && !child->is_leaving &&
		    c->kinds[child->kind].flags & PROCESS_MEETS)
			introduce_all(c, i);
	}
}

void children_drain(
    struct children *c, unsigned slot, bool all_leave, int64_t grace_ms)
{
	const struct msg drain = {
	    .version = MSG_VERSION, .type = MSG_DRAIN, .a = all_leave};
	c->child[slot].is_leaving = true;
	c->child[slot].leave_by_ms = clock_mono_ms() + grace_ms;
	children_mail(c, slot, &drain);
}

void children_end(struct children *c, int64_t grace_ms)
{
	for (unsigned i = 0; i < c->n_slots; i++) {
		struct child *child = &c->child[i];
		if (!child->pid)
			continue;
		child->is_leaving = true;
		child->leave_by_ms = clock_mono_ms() + grace_ms;
		(void)kill(child->pid, SIGTERM);
	}
}

/* Time that a test moves says nothing about how long a start took. */
static bool starts_too_long(const struct child *child)
{
	return !child->is_ready && !child->is_leaving && !clock_is_followed() &&
	       clock_mono_ms() - child->born_ms > START_MS;
}

void children_kill_late(struct children *c)
{
	for (unsigned i = 0; i < c->n_slots; i++) {
		struct child *child = &c->child[i];
		bool is_late =
		    child->leave_by_ms && clock_mono_ms() > child->leave_by_ms;
		if (!child->pid || (!is_late && !starts_too_long(child)))
			continue;
		log_warn("kind=%s slot=%u child=%d: %s, killed",
		    c->kinds[child->kind].name, i, (int)child->pid,
		    is_late ? "did not leave in time"
			    : "did not start in time");
		(void)kill(child->pid, SIGKILL);
		/* Kill only once; it takes a moment until it is reaped. */
		child->leave_by_ms = 0;
		child->born_ms = clock_mono_ms();
	}
}
