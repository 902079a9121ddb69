/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/private.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Folders in folders; .co has three. */
#define DEPTH_MAX 16

#define OPEN_BITS (S_IRWXG | S_IRWXO)

/* ---- the default ACL: all for the owner, nothing for others ---- */

#define N_ENTRIES 3

struct acl {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entries[N_ENTRIES];
};

/* libacl would read this from a text, and cost a library. */
static const struct acl owner_alone = {
    .head = {.a_version = POSIX_ACL_XATTR_VERSION},
    .entries =
	{
	    {ACL_USER_OBJ, ACL_READ | ACL_WRITE | ACL_EXECUTE,
		ACL_UNDEFINED_ID},
	    {ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID},
	    {ACL_OTHER, 0, ACL_UNDEFINED_ID},
	},
};

static const char acl_name[] = "system.posix_acl_default";

/* Whether the folder had it already. */
static bool has_acl(int dir)
{
	char found[256];
	ssize_t n = fgetxattr(dir, acl_name, found, sizeof found);

	return n == (ssize_t)sizeof owner_alone &&
	       memcmp(found, &owner_alone, sizeof owner_alone) == 0;
}

/* ---- the walk ---- */

/* Whether it was open to others; fd is a file or folder of ours. */
static bool close_to_others(int fd, const struct stat *st)
{
	return st->st_mode & OPEN_BITS &&
	       fchmod(fd, st->st_mode & 07777 & ~(mode_t)OPEN_BITS) == 0;
}

static size_t walk(int dir, int depth);

/* Takes fd. */
static size_t visit(int fd, int depth)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		(void)close(fd); /* nothing was written */
		return 0;
	}
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		n = close_to_others(fd, &st);
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		return n + walk(fd, depth);
	(void)close(fd); /* nothing was written */
	return n;
}

/*
 * Takes the folder. What is below one that had the ACL already was closed when
 * it got it, or made private: there may be a million uploads.
 */
static size_t walk(int folder, int depth)
{
	size_t n = 0;
	bool is_known = depth > 0 && has_acl(folder);

	/* That there are no ACLs here is usual for some file systems. */
	(void)fsetxattr(folder, acl_name, &owner_alone, sizeof owner_alone, 0);
	DIR *dir = is_known ? NULL : fdopendir(folder);
	if (!dir) {
		(void)close(folder); /* nothing was written */
		return 0;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		bool is_dots =
		    strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		bool is_file = e->d_type == DT_REG || e->d_type == DT_DIR ||
			       e->d_type == DT_UNKNOWN;
		int fd =
		    is_dots || !is_file
			? -1
			: openat(dirfd(dir), e->d_name,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			n += visit(fd, depth + 1);
	}
	(void)closedir(dir); /* nothing was written */
	return n;
}

size_t private_make(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : visit(fd, 0);
}
