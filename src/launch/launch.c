/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/launch.h"

#include "base/log.h"
#include "core/err.h"
#include "launch/activation.h"
#include "launch/failure.h"
#include "launch/place.h"
#include "launch/user.h"
#include "master/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void launch_hold_signals(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	(void)signal(SIGUSR2, SIG_IGN);
	(void)signal(SIGTTIN, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
}

void launch_find_program(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	if (n < 0)
		fatal("cannot determine our executable: %s", strerror(errno));
	out[n] = 0;
}

void launch_raise_limits(uint64_t least)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("the limit on open files stays as it is: %s",
		    strerror(errno));
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < least)
		fatal("the limit on open files is %llu, and %llu are needed: "
		      "raise it (ulimit -n, or LimitNOFILE= of systemd)",
		    (unsigned long long)r.rlim_cur, (unsigned long long)least);
}

int launch_listen(const char *where, int64_t port, const struct passwd *user,
    char *name, size_t size)
{
	struct err err;
	const char *path =
	    user && strncmp(where, "unix:", 5) == 0 ? where + 5 : NULL;
	int passed = activation_listen(where, port, name, size);
	if (passed >= 0)
		return passed;
	bool is_users = path && place_is_users(path, user);
	if (path && !is_users && !place_is_roots(path))
		fatal("bind: %s: user %s may not create a socket there, and "
		      "root does not do so where users other than root can "
		      "change the path",
		    path, user->pw_name);
	user_act_as(is_users ? user : NULL);
	int fd = listen_open(where, port, name, size, &err);
	user_act_as_root(is_users ? user : NULL);
	if (fd < 0)
		fatal("%s", err.text);
	if (path && !is_users && lchown(path, user->pw_uid, user->pw_gid) != 0)
		log_warn("%s remains owned by root", where);
	return fd;
}

void launch_open_log(const char *path, const struct passwd *user)
{
	if (!*path)
		return;
	struct err err;
	int fd = place_open(
	    "log", path, O_WRONLY | O_APPEND | O_CREAT, 0640, user, &err);
	if (fd < 0)
		fatal("%s", err.text);
	log_use(fd, path);
	failure_has_log();
}

void launch_warn_kept(const char *key, void *arg)
{
	(void)arg;
	log_warn("reload: %s cannot change while running; the old value stays "
		 "until a restart",
	    key);
}
