/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_user.h"

#include "base/log.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_GROUPS (sizeof((struct tool_user *)0)->groups / sizeof(gid_t))

void tool_user_find(struct tool_user *u, const char *name)
{
	int n = MAX_GROUPS;

	*u = (struct tool_user){.is_other = *name != '\0'};
	if (!u->is_other)
		return;
	const struct passwd *user = getpwnam(name);
	if (!user)
		fatal("agent_user: there is no user %s", name);
	u->uid = user->pw_uid;
	u->gid = user->pw_gid;
	if (getgrouplist(name, user->pw_gid, u->groups, &n) < 0)
		n = MAX_GROUPS; /* the user is in more */
	u->n_groups = (size_t)n;
}

/*
 * The C library would set the groups of all threads, so we call the kernel.
 * setfsuid() reports no errors, but a second call tells the present id.
 */
bool tool_user_become(const struct tool_user *u)
{
	if (!u->is_other)
		return true;
	if (syscall(SYS_setgroups, u->n_groups, u->groups) != 0)
		return false;
	(void)setfsgid(u->gid);
	(void)setfsuid(u->uid);
	errno = EPERM;
	return (gid_t)setfsgid(u->gid) == u->gid &&
	       (uid_t)setfsuid(u->uid) == u->uid;
}
