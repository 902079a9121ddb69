/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/err.h"
#include "files/result_line.h"
#include "files/results.h"
#include "t/unit/scratch.h"

static char *path;
static struct results *file;
static struct err err;

static void begin(const char *text)
{
	path = scratch_path("results.jsonl");
	if (text)
		scratch_write(path, text, strlen(text));
	file = results_new(path);
}

static void end(void)
{
	results_free(&file);
	(void)unlink(path);
	free(path);
}

static void holds(const char *want, const char *name)
{
	size_t len;
	char *text = scratch_read(path, &len);
	is_str(text, want, "%s", name);
	free(text);
}

static int append(const char *text)
{
	struct buf lines = {0};
	buf_str(&lines, text);
	int rc = results_append(file, &lines, &err);
	buf_fini(&lines);
	return rc;
}

#define A "{\"session_id\":\"a\",\"status\":\"done\",\"created\":2}\n"
#define B                                                             \
	"{\"session_id\":\"b\",\"status\":\"running\",\"created\":1," \
	"\"expires\":3}\n"
#define A2 "{\"session_id\":\"a\",\"status\":\"failed\",\"created\":3}\n"
#define OLD "{\"session_id\":\"o\",\"status\":\"done\",\"expires\":5}\n"

static void test_append(void)
{
	struct stat st;
	begin(NULL);
	is_int(results_lock(file, &err), 0, "a file that is not there is made");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "a new results file is private");
	is_int(append(A), 0, "a line is appended");
	is_int(append(B), 0, "a second line is appended");
	is_int((long)results_size(file), (long)strlen(A B),
	    "results_size() gives the size after the lines");
	results_unlock(file);
	holds(A B, "appended lines stand in order");
	end();
}

static void test_mend(void)
{
	static const struct {
		const char *name, *before, *after;
	} cases[] = {
	    {"a torn line goes", A "{\"session_id\":\"b\",\"sta", A},
	    {"a lone torn line goes", "{\"sess", ""},
	    {"a record that lacks its newline gets it",
		A "{\"session_id\":\"b\",\"status\":\"done\"}",
		A "{\"session_id\":\"b\",\"status\":\"done\"}\n"},
	    {"a whole file stays as it was", A B, A B},
	    {"an empty file stays empty", "", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(cases[i].before);
		(void)results_lock(file, &err);
		results_unlock(file);
		holds(cases[i].after, cases[i].name);
		end();
	}
}

static void test_lock(void)
{
	begin(A);
	char *name = scratch_path("results.jsonl.lock");
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		abort();
	is_int(results_lock(file, &err), 1,
	    "a second process does not get the lock");
	(void)close(fd);
	is_int(results_lock(file, &err), 0,
	    "a second process gets the lock when it is free");
	free(name);
	end();
	begin(NULL);
	free(path);
	results_free(&file);
	path = scratch_path("no-folder/x");
	file = results_new(path);
	is_int(results_lock(file, &err), -1,
	    "a results file in a folder that does not exist is an error");
	ok(strstr(err.text, "no-folder/x"),
	    "the error of a missing folder names the file: %s", err.text);
	end();
}

static void test_marks(void)
{
	struct result_line line = {.talk = {NULL, 0}};
	begin(A B "not json\n\n" A2);
	is_int(results_open(file, &err), 0, "a file may only be read");
	struct map *marks = results_marks(file, NULL, NULL, &err);
	is_int((long)map_count(marks), 2, "each session is marked once");
	const struct result_mark *a = map_get(marks, "a", 1);
	ok(a && a->status == RECORD_FAILED && a->created_ms == 3000 &&
		!a->expires_ms,
	    "a session is marked by its last line");
	ok(a && results_read(file, a, &line, &err) == 0 &&
		line.record.status == RECORD_FAILED,
	    "a marked line can be read again");
	result_line_fini(&line);
	results_marks_free(&marks);
	end();
}

static void compact(void)
{
	struct map *marks = results_marks(file, NULL, NULL, &err);
	is_int(
	    results_compact(file, marks, &err), 0, "the file can be compacted");
	results_marks_free(&marks);
}

static void test_compact(void)
{
	begin(A B OLD "rubbish\n" A2);
	(void)results_lock(file, &err);
	compact();
	holds(B A2, "newest lines stay, oldest first; what runs never expires");
	is_int(append(A), 0, "a line is appended after compaction");
	results_unlock(file);
	holds(B A2 A, "a line appended after compaction stands last");
	end();
}

static void test_late(void)
{
	begin(A B A2);
	(void)results_lock(file, &err);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || write(fd, OLD, strlen(OLD)) < 0)
		abort();
	(void)close(fd);
	compact();
	holds(A B A2 OLD, "a line added without the lock is not lost");
	end();
}

/* A line of so many bytes. */
static void add_long(struct buf *out, size_t len)
{
	size_t from = out->len;
	buf_str(
	    out, "{\"session_id\":\"long\",\"status\":\"done\",\"prompt\":\"");
	while (out->len - from < len - 3)
		buf_char(out, 'x');
	buf_str(out, "\"}\n");
}

static void test_long(void)
{
	struct buf text = {0};
	add_long(&text, 3 * 1024 * 1024);
	buf_str(&text, A);
	begin(buf_cstr(&text));
	(void)results_lock(file, &err);
	struct map *marks = results_marks(file, NULL, NULL, &err);
	const struct result_mark *mark = map_get(marks, "long", 4);
	ok(mark && mark->len == 3 * 1024 * 1024, "a long line is one line");
	mark = map_get(marks, "a", 1);
	ok(mark && mark->at == 3 * 1024 * 1024,
	    "the line after a long one is found at its place");
	results_marks_free(&marks);
	buf_fini(&text);
	end();
}

int main(void)
{
	test_append();
	test_mend();
	test_lock();
	test_marks();
	test_compact();
	test_late();
	test_long();
	return done();
}
