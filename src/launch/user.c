/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/user.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "core/err.h"
#include "proc/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The C library has room for one user only, and we handle two. */
static void copy_user(struct passwd *to, const struct passwd *user)
{
	free(to->pw_name);
	free(to->pw_dir);
	*to = (struct passwd){
	    .pw_name = mem_strdup(user->pw_name),
	    .pw_dir = mem_strdup(user->pw_dir),
	    .pw_uid = user->pw_uid,
	    .pw_gid = user->pw_gid,
	};
}

const struct passwd *user_find(const char *name)
{
	static struct passwd copy;
	if (!*name || getuid() != 0)
		return NULL;
	const struct passwd *user = getpwnam(name);
	if (!user)
		fatal("option --user: there is no user %s", name);
	copy_user(&copy, user);
	return &copy;
}

void user_mend_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *who = getuid() ? getpwuid(0) : NULL;
	if (!who || (home && strcmp(home, who->pw_dir) != 0))
		return;
	who = getpwuid(getuid());
	if (who)
		(void)setenv("HOME", who->pw_dir, 1);
}

static void cannot_become(const struct passwd *user)
{
	fatal("cannot become user %s: %s", user->pw_name, strerror(errno));
}

void user_act_as(const struct passwd *user)
{
	if (user &&
	    (initgroups(user->pw_name, user->pw_gid) != 0 ||
		setegid(user->pw_gid) != 0 || seteuid(user->pw_uid) != 0))
		cannot_become(user);
}

void user_act_as_root(const struct passwd *user)
{
	if (user && (seteuid(0) != 0 || setegid(getgid()) != 0))
		fatal("cannot become root again: %s", strerror(errno));
}

void user_become(const struct passwd *user, bool hands_on)
{
	if (!user)
		return;
	if ((hands_on && !caps_keep()) ||
	    initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0 ||
	    (hands_on && !caps_hand_on()))
		cannot_become(user);
	(void)setenv("HOME", user->pw_dir, 1);
	(void)setenv("USER", user->pw_name, 1);
}

/* ---- the user of agents ---- */

/* Whether an agent run as this user can reach its files. */
static bool can_enter(const struct passwd *user, const char *dir)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0) {
		user_become(user, false);
		_exit(access(dir, R_OK | X_OK) == 0 ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

const struct passwd *user_of_agents(const char *name, const char *project_dir)
{
	static struct passwd copy;
	if (!*name)
		return NULL;
	const struct passwd *user = getpwnam(name);
	if (!user)
		fatal("agent_user: there is no user %s", name);
	copy_user(&copy, user);
	if (!caps_are_there())
		fatal("agent_user: only root, or a server with CAP_SETUID, "
		      "CAP_SETGID and CAP_KILL, runs agents as another user");
	if (!can_enter(&copy, project_dir))
		fatal("agent_user: %s may not read %s: open the folder to that "
		      "user, and all folders above it",
		    copy.pw_name, project_dir);
	return &copy;
}

/* ---- asking as the user ---- */

/* What the child writes first. */
struct answer {
	int rc;
	struct err err;
};

static void answer_as(
    const struct passwd *user, user_question *ask, const void *arg, int fd)
{
	struct answer a = {.rc = -1};
	struct buf words = {0};
	user_become(user, false);
	a.rc = ask(arg, &words, &a.err);
	bool is_told =
	    write_all(fd, &a, sizeof a) && write_all(fd, words.data, words.len);
	_exit(is_told ? 0 : 1);
}

static void user_read_all(int fd, struct buf *out)
{
	ssize_t n;
	do {
		char *to = buf_reserve(out, 4096);
		n = read(fd, to, 4096);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
}

int user_ask(const struct passwd *user, user_question *ask, const void *arg,
    struct buf *out, struct err *err)
{
	struct buf said = {0};
	struct answer a = {.rc = -1};
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_CONFIG, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		answer_as(user, ask, arg, fds[1]);
	(void)close(fds[1]);
	if (pid > 0) {
		user_read_all(fds[0], &said);
		(void)waitpid(pid, NULL, 0);
	}
	(void)close(fds[0]);
	if (said.len < sizeof a) {
		(void)err_set(&a.err, ERR_CONFIG,
		    "the agent could not be asked as user %s", user->pw_name);
	} else {
		memcpy(&a, said.data, sizeof a);
		buf_append(out, said.data + sizeof a, said.len - sizeof a);
	}
	*err = a.err;
	buf_fini(&said);
	return a.rc;
}
