/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/leave.h"

#include "base/clock.h"
#include "base/log.h"
#include "master/children.h"
#include "master/master_int.h"
#include "master/notify.h"
#include "master/upgrade.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long workers get to accept the connections in the backlog and close. */
#define DEAF_AFTER_MS 500

static void drain_stage(struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		const struct process *p = &m->setup->kinds[c->kind];
		if (c->pid && p->stage == m->stage)
			children_drain(&m->children, i, true,
			    p->flags & PROCESS_DRAINS ? master_drain_ms(m)
						      : MASTER_KILL_AFTER_MS);
	}
}

void leave_deaf(struct master *m)
{
	if (m->children.listen_fd < 0)
		return;
	if (m->owns_listener && m->setup->on_deaf)
		m->setup->on_deaf();
	if (m->owns_listener)
		(void)shutdown(m->children.listen_fd, SHUT_RDWR);
	close(m->children.listen_fd);
	m->children.listen_fd = -1;
	m->deaf_at_ms = 0;
}

void leave_gracefully(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	log_info("draining: %s have %lld s to finish", m->setup->work,
	    (long long)m->plan.drain_ms / 1000);
	notify_state("STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
	    (long long)(m->plan.drain_ms + 2 * MASTER_KILL_AFTER_MS) * 1000);
	upgrade_cancel(m, SIGTERM);
	m->phase = PHASE_LEAVING;
	m->stage = PROCESS_STAGES;
	m->deaf_at_ms = clock_mono_ms() + DEAF_AFTER_MS;
	drain_stage(m);
}

void leave_at_once(struct master *m)
{
	log_info("stopping at once");
	notify_state("STOPPING=1");
	upgrade_cancel(m, SIGQUIT);
	m->phase = PHASE_ENDING;
	leave_deaf(m);
	children_end(&m->children, MASTER_FAST_MS);
}

/* Whether there are processes of this stage or a higher one. */
static bool is_alive(const struct master *m, unsigned stage)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && m->setup->kinds[c->kind].stage >= stage)
			return true;
	}
	return false;
}

bool leave_further(struct master *m)
{
	while (m->phase == PHASE_LEAVING && m->stage > 1 &&
	       !is_alive(m, m->stage)) {
		m->stage--;
		drain_stage(m);
	}
	/* A new master must not outlive us unless it has taken over. */
	bool waits = m->heir && m->phase != PHASE_HANDED;
	return m->phase >= PHASE_LEAVING && !is_alive(m, 1) && !waits;
}
