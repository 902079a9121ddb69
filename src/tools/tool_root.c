/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_root.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/permit_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How much of a path is shown in an error. */
#define SHOWN "%.300s"

/* How deep private folders are searched for the names of a file. */
#define PRIVATE_DEPTH 8

/* Folders that write makes are, as those of mkdir(1), subject to the umask. */
#define FOLDER_MODE 0777

/* ---- paths ---- */

/* Returns the real path of an open file, to be freed, or NULL. */
static char *real_path(int fd)
{
	char link[40], path[PATH_MAX];

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	return n > 0 && (size_t)n < sizeof path ? mem_strndup(path, (size_t)n)
						: NULL;
}

const char *tool_root_relative(const struct tool_root *r, const char *path)
{
	size_t n = strlen(r->path);

	if (strncmp(path, r->path, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0')) {
		path += n;
		path += strspn(path, "/");
	}
	return *path ? path : ".";
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool tool_root_is_private(const char *path)
{
	return permit_path_is_control(path) ||
	       strcasecmp(last_part(path), ".env") == 0;
}

/* ---- hard links ---- */

/* A search for a file among the private ones. */
struct search {
	const struct stat *file;
	struct buf path; /* of the present entry, relative to the root */
};

static bool is_in(struct search *s, int fd, int depth);

static bool is_entry(struct search *s, int at, const char *name, int depth)
{
	struct stat st;

	if (!tool_root_is_private(buf_cstr(&s->path)) ||
	    fstatat(at, name, &st, 0) != 0)
		return false;
	if (!S_ISDIR(st.st_mode))
		return st.st_dev == s->file->st_dev &&
		       st.st_ino == s->file->st_ino;
	return depth < PRIVATE_DEPTH &&
	       is_in(s, openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		   depth + 1);
}

/* Search an open folder, which is closed; -1 has nothing. */
static bool is_in(struct search *s, int fd, int depth)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	size_t len = s->path.len;
	bool is = false;

	if (!dir)
		return false;
	while (!is && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_printf(&s->path, "%s%s", len ? "/" : "", e->d_name);
		is = is_entry(s, dirfd(dir), e->d_name, depth);
		s->path.len = len;
	}
	(void)closedir(dir); /* nothing was written */
	return is;
}

bool tool_root_is_private_file(
    const struct tool_root *r, const struct stat *file)
{
	struct search s = {.file = file};

	/* Most files have one name, which was judged already. */
	if (!S_ISREG(file->st_mode) || file->st_nlink < 2)
		return false;
	bool is = is_in(
	    &s, openat(r->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
	buf_fini(&s.path);
	return is;
}

/* ---- errors ---- */

static int refuse(const char *path, struct err *err)
{
	return err_set(err, ERR_FORBIDDEN,
	    "'" SHOWN "' leads out of the project, where tools have no access",
	    path);
}

static int refuse_private(const char *path, struct err *err)
{
	return err_set(err, ERR_FORBIDDEN,
	    "'" SHOWN "' holds settings or secrets of the server, which tools "
	    "cannot access",
	    path);
}

static int fail(const char *noun, const char *path, int why, struct err *err)
{
	switch (why) {
	case EXDEV:
	case ELOOP:
		return refuse(path, err);
	case ENOENT:
		return err_set(err, ERR_NOT_FOUND,
		    "%s '" SHOWN "' does not exist", noun, path);
	case ENOTDIR:
		return err_set(err, ERR_BAD_REQUEST,
		    "%s '" SHOWN "' is not a directory", noun, path);
	case EACCES:
	case EPERM:
		return err_set(
		    err, ERR_FORBIDDEN, "Permission denied: '" SHOWN "'", path);
	default:
		return err_set(err, ERR_BAD_REQUEST, "%s '" SHOWN "': %s", noun,
		    path, strerror(why));
	}
}

/* ---- opening ---- */

/* The kernel asks to try again if folders are being moved meanwhile. */
static int open_below(int folder, const char *path, uint64_t flags)
{
	struct open_how how = {
	    .flags = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (int i = 0; i < 16; i++) {
		fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

/* What a link led to counts, not what it is called. */
static bool is_private(const struct tool_root *r, int fd)
{
	struct stat st;
	char *path = real_path(fd);
	bool answer = !path || fstat(fd, &st) != 0 ||
		      tool_root_is_private(tool_root_relative(r, path)) ||
		      tool_root_is_private_file(r, &st);

	free(path);
	return answer;
}

/* Returns the checked path relative to the root, or NULL. */
static const char *checked(
    const struct tool_root *r, const char *path, struct err *err)
{
	const char *name = tool_root_relative(r, path);

	if (*name == '/')
		(void)refuse(path, err);
	else if (tool_root_is_private(name))
		(void)refuse_private(path, err);
	else
		return name;
	return NULL;
}

static int open_path(const struct tool_root *r, const char *noun,
    const char *path, uint64_t flags, struct err *err)
{
	const char *name = checked(r, path, err);

	if (!name)
		return -1;
	int fd = open_below(r->fd, name, flags);
	if (fd < 0)
		return fail(noun, path, errno, err);
	if (!is_private(r, fd))
		return fd;
	(void)close(fd); /* nothing was written */
	return refuse_private(path, err);
}

int tool_root_file(const struct tool_root *r, const char *path, struct err *err)
{
	struct stat st;
	int fd = open_path(r, "File", path, O_RDONLY, err);

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	(void)close(fd); /* nothing was written */
	return err_set(err, ERR_BAD_REQUEST, "'" SHOWN "' is not a file", path);
}

int tool_root_folder(
    const struct tool_root *r, const char *path, struct err *err)
{
	return open_path(r, "Path", path, O_RDONLY | O_DIRECTORY, err);
}

/* ---- the folder of a file to be written ---- */

/* Returns the path of what holds this one; free() it. */
static char *above(const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 0 && path[n - 1] == '/')
		n--;
	return n ? mem_strndup(path, n) : mem_strdup(".");
}

static int open_folder(const struct tool_root *r, const char *path)
{
	return open_below(r->fd, path, O_RDONLY | O_DIRECTORY);
}

/* Open a folder, and make what is missing of it. Returns -1 with errno. */
static int make_folder(const struct tool_root *r, const char *path)
{
	int fd = open_folder(r, path);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	char *outer = above(path);
	int at = make_folder(r, outer);
	free(outer);
	if (at < 0)
		return -1;
	if (mkdirat(at, last_part(path), FOLDER_MODE) == 0 || errno == EEXIST)
		fd = open_folder(r, path);
	int why = errno;
	(void)close(at); /* nothing was written */
	errno = why;
	return fd;
}

static bool is_private_in(const struct tool_root *r, int fd, const char *name)
{
	struct buf path = {0};
	char *folder = real_path(fd);

	if (!folder)
		return true;
	buf_printf(&path, "%s/%s", folder, name);
	bool answer =
	    tool_root_is_private(tool_root_relative(r, buf_cstr(&path)));
	buf_fini(&path);
	free(folder);
	return answer;
}

int tool_root_parent(const struct tool_root *r, const char *path,
    bool makes_folders, const char **name, struct err *err)
{
	const char *whole = checked(r, path, err);

	if (!whole)
		return -1;
	*name = last_part(whole);
	if (!**name || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "'" SHOWN "' is not a file", path);
	char *folder = above(whole);
	int fd =
	    makes_folders ? make_folder(r, folder) : open_folder(r, folder);
	int why = errno;
	free(folder);
	if (fd < 0)
		return fail("File", path, why, err);
	if (!is_private_in(r, fd, *name))
		return fd;
	(void)close(fd); /* nothing was written */
	return refuse_private(path, err);
}

char *tool_root_name(const struct tool_root *r, int fd)
{
	char *path = real_path(fd);
	char *name = path ? mem_strdup(tool_root_relative(r, path)) : NULL;

	free(path);
	return name;
}

/* ---- the root ---- */

int tool_root_open(struct tool_root *r, const char *path, struct err *err)
{
	r->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->path = r->fd < 0 ? NULL : real_path(r->fd);
	if (r->path)
		return 0;
	(void)err_set(err, ERR_CONFIG, "%.300s: %s", path, strerror(errno));
	tool_root_close(r);
	return -1;
}

void tool_root_close(struct tool_root *r)
{
	if (r->fd >= 0)
		(void)close(r->fd); /* nothing was written */
	free(r->path);
	*r = (struct tool_root){.fd = -1};
}
