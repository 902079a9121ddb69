/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/upgrade.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "master/children.h"
#include "master/generations.h"
#include "master/handover.h"
#include "master/master_int.h"
#include "master/notify.h"
#include "master/orphans.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A new master that does not serve after this long never will; its own limit on
 * the start of a process is shorter.
 */
#define SERVE_WITHIN_MS 120000

#define N_FIXED_FDS 7
#define TAKEOVER "--takeover"

/* ---- the start ---- */

/* Returns NULL if an upgrade may begin. */
static const char *why_not(const struct master *m)
{
	if (!m->setup->argv)
		return "this program cannot hand over; restart it";
	if (m->heir)
		return "another upgrade is under way";
	if (m->bridge >= 0)
		return "workers of the last upgrade still drain";
	if (m->phase != PHASE_SERVING || master_serving(m) != master_epoch(m))
		return "the server is starting, reloading or stopping";
	if (getpid() == 1)
		return "this is process 1 of a container, which ends with it; "
		       "start a new container";
	return NULL;
}

static unsigned plan_fds(
    const struct children *c, int bridge, int pid_fd, struct spawn_fd *fds)
{
	unsigned n = 0;
	fds[n++] = (struct spawn_fd){c->serving.conf_fd, HERITAGE_FD_CONF};
	fds[n++] = (struct spawn_fd){c->segment_fd, HERITAGE_FD_SEGMENT};
	if (c->window_fd > 0)
		fds[n++] = (struct spawn_fd){c->window_fd, HERITAGE_FD_WINDOW};
	fds[n++] = (struct spawn_fd){bridge, HANDOVER_FD_BRIDGE};
	fds[n++] = (struct spawn_fd){c->listen_fd, HERITAGE_FD_LISTEN};
	fds[n++] = (struct spawn_fd){c->lock_fd, HERITAGE_FD_LOCK};
	if (pid_fd >= 0)
		fds[n++] = (struct spawn_fd){pid_fd, HANDOVER_FD_PID};
	for (int i = 0; i < (int)c->n_slots; i++) {
		const struct mailbox_ends *box = &c->mailboxes[i];
		fds[n++] =
		    (struct spawn_fd){box->sender, HERITAGE_FD_MAILBOXES + i};
		fds[n++] =
		    (struct spawn_fd){box->reader, HANDOVER_FD_READERS + i};
	}
	return n;
}

/* Returns our command line with TAKEOVER behind the name; the caller frees. */
static char **new_argv(char *const *argv)
{
	static char takeover[] = TAKEOVER;
	size_t n = 0, to = 0;
	while (argv[n])
		n++;
	char **out = mem_zero((n + 2) * sizeof *out);
	out[to++] = argv[0];
	out[to++] = takeover;
	for (size_t i = 1; i < n; i++)
		if (strcmp(argv[i], TAKEOVER) != 0)
			out[to++] = argv[i];
	return out;
}

static pid_t start_heir(struct master *m, int bridge, int pid_fd)
{
	struct spawn_fd fds[N_FIXED_FDS + 2 * HERITAGE_SLOTS];
	char **argv = new_argv(m->setup->argv);
	struct spawn_plan plan = {
	    .path = m->setup->program,
	    .argv = argv,
	    .cwd = m->setup->start_dir,
	    .fds = fds,
	    .n_fds = plan_fds(&m->children, bridge, pid_fd, fds),
	};
	pid_t pid = spawn_start(&plan);
	int why = errno;
	free(argv);
	errno = why;
	return pid;
}

static void failed(struct master *m, const char *why)
{
	(void)m->setup->on_upgrade(MASTER_UPGRADE_FAILED);
	log_error("upgrade: %s did not take over (%s); still serving with the "
		  "old program",
	    m->setup->program, why);
	notify_state("READY=1");
}

void upgrade_begin(struct master *m)
{
	int ends[2];
	const char *why = why_not(m);
	if (why) {
		log_warn("upgrade: refused: %s", why);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		log_error("upgrade: socketpair: %s", strerror(errno));
		return;
	}
	notify_state(
	    "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	int pid_fd = m->setup->on_upgrade(MASTER_UPGRADE_BEGINS);
	pid_t pid = start_heir(m, ends[1], pid_fd);
	int error = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		failed(m, strerror(error));
		return;
	}
	m->heir = m->orphans.heir = pid;
	m->heir_words[0] = 0;
	m->heir_by_ms = clock_mono_ms() + SERVE_WITHIN_MS;
	m->bridge = ends[0];
	log_info(
	    "upgrade: started %s as process %d", m->setup->program, (int)pid);
}

/* ---- its news ---- */

/* The new master serves: only our turns remain to be finished. */
static void hand_over(struct master *m)
{
	log_info("upgrade: process %d serves; this one ends when its %s have "
		 "ended",
	    (int)m->heir, m->setup->work);
	notify_state("MAINPID=%d", (int)m->heir);
	notify_hold(true);
	m->heir_by_ms = 0;
	m->phase = PHASE_HANDED;
	m->owns_listener = false;
	(void)handover_send(m->bridge, HANDOVER_MASTER, "");
	(void)m->setup->on_upgrade(MASTER_UPGRADE_DONE);
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && !c->is_leaving)
			children_drain(
			    &m->children, i, false, master_drain_ms(m));
	}
}

static void close_bridge(struct master *m)
{
	if (m->bridge >= 0)
		close(m->bridge);
	m->bridge = -1;
}

void upgrade_hear(struct master *m)
{
	char text[HANDOVER_MAX];
	ssize_t n = recv(m->bridge, text, sizeof text - 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_bridge(m); /* its end will be reaped */
		return;
	}
	text[n] = 0;
	if (text[0] == HANDOVER_READY && m->phase == PHASE_SERVING)
		hand_over(m);
	else if (text[0] == HANDOVER_FAILED)
		memcpy(m->heir_words, text + 1, (size_t)n);
}

/*
 * All our processes drain already, so a new generation of ours serves. It
 * executes the program on disk.
 */
static void serve_again(struct master *m)
{
	struct children *c = &m->children;
	notify_hold(false);
	notify_state("MAINPID=%d", (int)getpid());
	(void)m->setup->on_upgrade(MASTER_UPGRADE_LOST);
	m->phase = PHASE_SERVING;
	m->owns_listener = !m->heritage->keeps_listener;
	m->heritage->master_pid = getpid();
	m->plan = m->serving_plan;
	m->plan.conf_fd = c->serving.conf_fd;
	c->serving = (struct generation){0};
	c->newest = generations_new(m);
}

bool upgrade_reap(struct master *m, pid_t pid, int status)
{
	char text[64];
	if (!m->heir || pid != m->heir)
		return false;
	if (m->bridge >= 0)
		upgrade_hear(m); /* its last words may still be there */
	close_bridge(m);
	m->heir = m->orphans.heir = 0;
	m->must_sweep = true;
	orphans_expect(&m->orphans);
	(void)spawn_status(status, text, sizeof text);
	if (m->phase == PHASE_SERVING) {
		failed(m, m->heir_words[0] ? m->heir_words : text);
	} else if (m->phase == PHASE_HANDED) {
		serve_again(m);
		log_error("upgrade: the new master ended (%s) while this one "
			  "drained; this one serves again",
		    text);
	}
	return true;
}

void upgrade_cancel(struct master *m, int signo)
{
	if (m->heir && m->phase != PHASE_HANDED)
		(void)kill(m->heir, signo);
}

void upgrade_look(struct master *m)
{
	if (!m->heir || !m->heir_by_ms || clock_mono_ms() < m->heir_by_ms)
		return;
	log_warn(
	    "upgrade: process %d does not serve in time, killed", (int)m->heir);
	(void)kill(m->heir, SIGKILL);
	m->heir_by_ms = 0;
}
