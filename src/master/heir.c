/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/heir.h"

#include "base/log.h"
#include "core/msg.h"
#include "core/stat.h"
#include "master/children.h"
#include "master/handover.h"
#include "master/master_int.h"
#include "master/notify.h"
#include "proc/shm.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESTART "restart the server instead"

/*
 * Processes of both programs use the segment, so its layout must be the same
 * to the byte. Other fields than magic and version may only be read then.
 */
static void check_layout(
    struct heritage *h, size_t size, const struct master_setup *setup)
{
	size_t least = offsetof(struct heritage, master_pid);
	if (size < least || h->magic != HERITAGE_MAGIC ||
	    h->version != HERITAGE_VERSION)
		fatal("upgrade: the shared memory has version %u, and this "
		      "program needs %u: " RESTART,
		    size < least ? 0 : h->version, HERITAGE_VERSION);
	if (heritage_lay_window(h, HERITAGE_FD_WINDOW) != 0)
		fatal("upgrade: shared memory: %s", strerror(errno));
	if (h->msg_version != MSG_VERSION)
		fatal("upgrade: processes of the running program do not "
		      "understand those of this one: " RESTART);
	if (h->files_version != setup->files_version)
		fatal("upgrade: the files of the server have format %u, and "
		      "this program writes %u: " RESTART,
		    h->files_version, setup->files_version);
	if (size < sizeof *h || h->registry_bytes != setup->registry_bytes ||
	    h->registry_at != HERITAGE_REGISTRY_AT || h->n_stats > STAT_COUNT ||
	    h->stat_digest != stat_digest(h->n_stats))
		fatal("upgrade: the shared memory is divided otherwise than "
		      "this program needs it: " RESTART);
}

void heir_segment(struct master *m)
{
	size_t size;
	m->bridge = HANDOVER_FD_BRIDGE;
	m->children.segment_fd = HERITAGE_FD_SEGMENT;
	m->children.window_fd = HERITAGE_FD_WINDOW;
	m->heritage = shm_map(HERITAGE_FD_SEGMENT, &size);
	if (!m->heritage)
		fatal("upgrade: shared memory: %s", strerror(errno));
	check_layout(m->heritage, size, m->setup);
	m->children.heritage = m->heritage;
	if (!m->heritage->has_window)
		m->children.window_fd = 0;
	children_init(&m->children, m->heritage->n_slots);
	for (int i = 0; i < (int)m->children.n_slots; i++)
		m->children.mailboxes[i] = (struct mailbox_ends){
		    .reader = HANDOVER_FD_READERS + i,
		    .sender = HERITAGE_FD_MAILBOXES + i,
		};
}

static void become_master(struct master *m)
{
	handover_end();
	m->owns_listener = !m->heritage->keeps_listener;
	m->heritage->master_pid = getpid();
	log_info("upgrade: process %d is the master now", (int)getpid());
	notify_state("READY=1\nMAINPID=%d\nSTATUS=serving on %s", (int)getpid(),
	    m->setup->address);
	if (m->setup->on_ready)
		m->setup->on_ready(m->setup->address);
}

void heir_offer(struct master *m)
{
	if (m->bridge < 0 || !handover_send(m->bridge, HANDOVER_READY, ""))
		become_master(m); /* the old one is gone */
}

void heir_hear(struct master *m)
{
	char text[HANDOVER_MAX];
	ssize_t n = recv(m->bridge, text, sizeof text, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* The old master has ended, well or not. */
		close(m->bridge);
		m->bridge = -1;
		m->must_sweep = true;
	}
	if (handover_is_due() && m->phase == PHASE_SERVING)
		become_master(m);
}
