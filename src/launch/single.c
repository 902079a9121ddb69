/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/single.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "launch/user.h"
#include "proc/lockfile.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* How long the processes of a dead server get to leave by themselves. */
#define LEAVE_MS 3000

/* How long they get to be gone after they were killed. */
#define GIVE_UP_MS 10000
#define LOOK_MS 50

/* What is served, and what to do if another server does. */
struct single {
	const char *what;
	const char *hint;
};

/* Whether the first process of the server that holds the lock is alive. */
static bool has_master(const struct lockfile_holder *h, unsigned n)
{
	return n && h[0].place == 0;
}

static void name_holders(
    struct buf *out, const struct lockfile_holder *h, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(
		    out, "%s%s %d", i ? ", " : "", h[i].kind, (int)h[i].pid);
}

/* A process that did not leave when its master died is frozen or hangs. */
static void kill_left(const struct lockfile_holder *h, unsigned n, uid_t uid)
{
	for (unsigned i = 0; i < n; i++)
		if (lockfile_kill(&h[i], uid))
			log_warn("%s %d of a dead server did not exit: killed",
			    h[i].kind, (int)h[i].pid);
		else if (errno != ESRCH)
			log_error("%s %d of a dead server cannot be killed: %s",
			    h[i].kind, (int)h[i].pid, strerror(errno));
}

/* Report it, and end the process. */
static void refuse(
    const struct single *s, const struct lockfile_holder *h, unsigned n)
{
	struct buf names = {0};
	name_holders(&names, h, n);
	fatal("another %s serves %s already: %s: stop it, or %s",
	    program_invocation_short_name, s->what,
	    n ? buf_cstr(&names) : "its processes are not known", s->hint);
}

/* Wait until the processes of a dead server are gone. */
static void wait_for_lock(const struct single *s, int fd, uid_t uid)
{
	static struct lockfile_holder h[LOCKFILE_PLACES];
	int64_t began = clock_steady_us();
	bool has_killed = false;
	while (lockfile_take(fd) != 0) {
		unsigned n = lockfile_holders(fd, h, LOCKFILE_PLACES);
		int64_t waited = (clock_steady_us() - began) / 1000;
		if (has_master(h, n) || waited > GIVE_UP_MS)
			refuse(s, h, n);
		if (!has_killed && waited > LEAVE_MS) {
			kill_left(h, n, uid);
			has_killed = true;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int single_lock(const char *path, const char *what, const char *hint,
    const struct passwd *user)
{
	struct single s = {what, hint};
	user_act_as(user);
	int fd = lockfile_open(path);
	if (fd < 0)
		fatal("%s: %s", path, strerror(errno));
	user_act_as_root(user);
	wait_for_lock(&s, fd, user ? user->pw_uid : geteuid());
	if (!lockfile_sign(fd, 0, "master"))
		fatal("%s: %s", path, strerror(errno));
	return fd;
}
