/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "core/err.h"
#include "files/copy_tree.h"
#include "t/unit/scratch.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;
static struct copy_count count;

static void make(const char *name, const char *text)
{
	char *path = scratch_path("%s", name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	free(path);
}

static void make_folder(const char *name)
{
	char *path = scratch_path("%s", name);
	if (mkdir(path, 0750) != 0)
		abort();
	free(path);
}

/* Whether there is something, which is no link, with this mode. */
static bool has_mode(const char *name, mode_t mode)
{
	struct stat st;
	char *path = scratch_path("%s", name);
	bool ok = lstat(path, &st) == 0 && st.st_mode == mode;
	free(path);
	return ok;
}

static int copy(const char *from, const char *to, const char *const *skip)
{
	char *source = scratch_path("%s", from),
	     *target = scratch_path("%s", to);
	count = (struct copy_count){0};
	int rc = copy_tree(source, target, skip, &count, &err);
	free(source);
	free(target);
	return rc;
}

static void test_kinds(void)
{
	static const char *const skip[] = {"logs", NULL};
	make_folder("a");
	make_folder("a/logs");
	make_folder("a/sub");
	make_folder("a/sub/logs");
	make("a/file", "text");
	make("a/logs/log", "lines");
	make("a/sub/logs/log", "more");
	char *fifo = scratch_path("a/pipe"), *link = scratch_path("a/link");
	if (mkfifo(fifo, 0600) != 0 || symlink("/etc/passwd", link) != 0)
		abort();
	make_folder("b");
	ok(copy("a", "b", skip) == 0, "a folder is copied");
	ok(count.files == 3 && count.bytes == 8,
	    "files and links are counted, and the bytes of files");
	ok(has_mode("b/file", S_IFREG | 0644),
	    "the copy of a file has its mode");
	ok(has_mode("b/sub", S_IFDIR | 0750),
	    "the copy of a folder has its mode");
	ok(has_mode("b/link", S_IFLNK | 0777), "a link is copied as a link");
	ok(!has_mode("b/pipe", S_IFIFO | 0600), "a pipe is left out");
	ok(has_mode("b/sub/logs/log", S_IFREG | 0644) &&
		!has_mode("b/logs", S_IFDIR | 0750),
	    "names to skip are those of the first level");
	ok(copy("a", "b", skip) != 0 && strstr(err.text, "File exists"),
	    "what exists is not overwritten");
	free(fifo);
	free(link);
}

static void test_depth(void)
{
	char name[128] = "deep";
	make_folder("deep");
	for (int i = 0; i < 40; i++) {
		strcat(name, "/d");
		make_folder(name);
	}
	make_folder("copy");
	ok(copy("deep", "copy", NULL) != 0,
	    "folders that are too deep are refused");
	ok(copy("missing", "copy", NULL) != 0 && strstr(err.text, "missing"),
	    "a folder that is missing is named");
}

int main(void)
{
	umask(022);
	test_kinds();
	test_depth();
	return done();
}
