/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/signals.h"

#include "base/log.h"
#include "core/msg.h"
#include "master/children.h"
#include "master/generations.h"
#include "master/leave.h"
#include "master/master_int.h"
#include "master/upgrade.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void reopen_logs(struct master *m)
{
	struct msg reopen = {.version = MSG_VERSION, .type = MSG_REOPEN};
	if (log_reopen() != 0)
		log_warn("log: cannot be reopened");
	children_mail_all(&m->children, &reopen);
	log_info("logs reopened");
}

/*
 * The kernel sends WINCH to all processes of a terminal when its window changes
 * its size; then it is not an order.
 */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	log_info("WINCH: ignored, since this server has a terminal");
	return true;
}

static void take_signal(struct master *m, int signo)
{
	switch (signo) {
	case SIGTERM:
		leave_gracefully(m);
		break;
	case SIGINT:
		/*
		 * A second request means that the operator does not want to
		 * wait.
		 */
		(m->phase == PHASE_LEAVING ? leave_at_once : leave_gracefully)(
		    m);
		break;
	case SIGQUIT:
		leave_at_once(m);
		break;
	case SIGHUP:
		generations_reload(m);
		break;
	case SIGUSR1:
		reopen_logs(m);
		break;
	case SIGUSR2:
		upgrade_begin(m);
		break;
	case SIGTTIN:
		generations_add(m);
		break;
	case SIGTTOU:
		generations_remove(m);
		break;
	case SIGWINCH:
		if (!has_terminal())
			generations_idle(m);
		break;
	default:
		break;
	}
}

void signals_take(struct master *m)
{
	struct signalfd_siginfo info;
	while (read(m->signal_fd, &info, sizeof info) == sizeof info)
		take_signal(m, (int)info.ssi_signo);
}
