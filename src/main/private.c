/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/private.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The maximum depth of folders; .co has three levels. */
#define DEPTH_MAX 16

#define OPEN_BITS (S_IRWXG | S_IRWXO)
#define RWX (ACL_READ | ACL_WRITE | ACL_EXECUTE)

static const char access_name[] = "system.posix_acl_access";
static const char default_name[] = "system.posix_acl_default";

/* What a guest may do in the folders of .co. */
static const struct {
	const char *folder;
	unsigned short rights;
} doors[] = {
    {"uploads", ACL_READ | ACL_EXECUTE},
    {"logs", RWX},
    {"evals", RWX},
};

/* The access rule of a folder and everything below it. */
struct rule {
	uid_t owner;
	uid_t guest;
	unsigned short rights;	/* of the guest; 0: there is none */
	unsigned short passage; /* likewise, on the folder itself */
};

/* ---- ACLs ---- */

#define MAX_ENTRIES 6

/* libacl would parse it from a text, and would be one more dependency. */
struct acl {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entries[MAX_ENTRIES];
};

#define EMPTY                                                   \
	{                                                       \
		.head = {.a_version = POSIX_ACL_XATTR_VERSION } \
	}

static void private_add(struct acl *a, size_t *n, unsigned short tag,
    unsigned short rights, unsigned id)
{
	a->entries[(*n)++] = (struct posix_acl_xattr_entry){tag, rights, id};
}

/* Everything for the owner, nothing for others. Returns its size in bytes. */
static size_t access_acl(
    struct acl *a, unsigned short owner, uid_t guest, unsigned short rights)
{
	size_t n = 0;

	private_add(a, &n, ACL_USER_OBJ, owner, ACL_UNDEFINED_ID);
	private_add(a, &n, ACL_USER, rights, guest);
	private_add(a, &n, ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID);
	private_add(a, &n, ACL_MASK, rights, ACL_UNDEFINED_ID);
	private_add(a, &n, ACL_OTHER, 0, ACL_UNDEFINED_ID);
	return sizeof a->head + n * sizeof *a->entries;
}

/*
 * The same for files to be created. What the guest creates belongs to the
 * owner, too. Users are in numeric order.
 */
static size_t default_acl(struct acl *a, const struct rule *r)
{
	size_t n = 0;
	bool is_first = r->owner < r->guest;

	private_add(a, &n, ACL_USER_OBJ, RWX, ACL_UNDEFINED_ID);
	if (r->rights) {
		private_add(a, &n, ACL_USER, is_first ? RWX : r->rights,
		    is_first ? r->owner : r->guest);
		private_add(a, &n, ACL_USER, is_first ? r->rights : RWX,
		    is_first ? r->guest : r->owner);
	}
	private_add(a, &n, ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID);
	if (r->rights)
		private_add(a, &n, ACL_MASK, RWX, ACL_UNDEFINED_ID);
	private_add(a, &n, ACL_OTHER, 0, ACL_UNDEFINED_ID);
	return sizeof a->head + n * sizeof *a->entries;
}

/* Returns whether the folder had it already. */
static bool set_default(int folder, const struct rule *r)
{
	struct acl wanted = EMPTY, found;
	size_t size = default_acl(&wanted, r);
	ssize_t n = fgetxattr(folder, default_name, &found, sizeof found);

	if (n == (ssize_t)size && memcmp(&found, &wanted, size) == 0)
		return true;
	/* Some file systems do not support ACLs. */
	(void)fsetxattr(folder, default_name, &wanted, size, 0);
	return false;
}

/* ---- one file or folder of ours ---- */

static void let_in(int fd, const struct stat *st, const struct rule *r)
{
	struct acl a = EMPTY;
	unsigned short owner = (st->st_mode & S_IRWXU) >> 6;
	unsigned short rights =
	    S_ISDIR(st->st_mode) ? r->passage : r->rights & owner;

	(void)fsetxattr(
	    fd, access_name, &a, access_acl(&a, owner, r->guest, rights), 0);
}

/* Remove the access of others. Returns whether they had any. */
static bool close_to_others(int fd, const struct stat *st)
{
	return st->st_mode & OPEN_BITS &&
	       fchmod(fd, st->st_mode & 07777 & ~(mode_t)OPEN_BITS) == 0;
}

static size_t set_rights(int fd, const struct stat *st, const struct rule *r)
{
	bool is_open = st->st_mode & S_IRWXO;

	if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return 0;
	if (!r->passage)
		return close_to_others(fd, st);
	let_in(fd, st, r);
	return is_open;
}

/* ---- the walk ---- */

static size_t private_walk(int dir, const struct rule *r, int depth);

/* Takes ownership of fd. */
static size_t visit(int fd, const struct rule *r, int depth)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) == 0 && st.st_uid == r->owner) {
		n = set_rights(fd, &st, r);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			return n + private_walk(fd, r, depth);
	}
	(void)close(fd); /* nothing was written */
	return n;
}

/* Returns the rule for an entry of .co itself. */
static struct rule rule_of(const struct rule *r, const char *name)
{
	struct rule below = {.owner = r->owner, .guest = r->guest};

	for (size_t i = 0; r->passage && i < sizeof doors / sizeof *doors; i++)
		if (strcmp(name, doors[i].folder) == 0)
			below.rights = below.passage = doors[i].rights;
	return below;
}

static int open_in(DIR *dir, const struct dirent *e)
{
	bool is_file = e->d_type == DT_REG || e->d_type == DT_DIR ||
		       e->d_type == DT_UNKNOWN;

	if (!is_file || strcmp(e->d_name, ".") == 0 ||
	    strcmp(e->d_name, "..") == 0)
		return -1;
	return openat(dirfd(dir), e->d_name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/*
 * Takes ownership of the folder. If it has the ACL already, its contents were
 * closed when it got it, or created private: skip them, there may be a million
 * uploads.
 */
static size_t private_walk(int folder, const struct rule *r, int depth)
{
	size_t n = 0;
	bool is_known = set_default(folder, r) && depth > 0;
	DIR *dir = is_known ? NULL : fdopendir(folder);

	if (!dir) {
		(void)close(folder); /* nothing was written */
		return 0;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		int fd = open_in(dir, e);
		struct rule below = depth == 0 ? rule_of(r, e->d_name) : *r;
		if (fd >= 0)
			n += visit(fd, &below, depth + 1);
	}
	(void)closedir(dir); /* nothing was written */
	return n;
}

size_t private_make(const char *folder, const struct passwd *guest)
{
	struct rule rule = {.owner = geteuid()};
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (guest && guest->pw_uid != rule.owner) {
		rule.guest = guest->pw_uid;
		rule.passage = ACL_EXECUTE;
	}
	return fd < 0 ? 0 : visit(fd, &rule, 0);
}

bool private_admits(const char *folder, const struct passwd *guest)
{
	struct acl found;
	ssize_t n = getxattr(folder, access_name, &found, sizeof found);

	for (size_t i = 0;
	     sizeof found.head + (i + 1) * sizeof *found.entries <=
	     (size_t)(n < 0 ? 0 : n);
	     i++)
		if (found.entries[i].e_tag == ACL_USER &&
		    found.entries[i].e_id == guest->pw_uid)
			return true;
	return false;
}
