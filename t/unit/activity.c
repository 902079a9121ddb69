/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <regex.h>

#include "base/log.h"
#include "files/activity.h"
#include "t/unit/scratch.h"

#define ROTATE_BYTES (10 * 1024 * 1024)

static char *co_dir, *log_path, *old_path;
static struct activity *activity;

static void begin(const char *folder)
{
	co_dir = scratch_path("%s", folder);
	char *logs = scratch_path("%s/logs", folder);
	(void)mkdir(co_dir, 0700);
	(void)mkdir(logs, 0700);
	free(logs);
	log_path = scratch_path("%s/logs/agent.log", folder);
	old_path = scratch_path("%s/logs/agent.log.1", folder);
	activity = activity_open(co_dir, "agent");
}

static void end(void)
{
	activity_close(&activity);
	free(co_dir);
	free(log_path);
	free(old_path);
}

static void say(const char *text)
{
	activity_line(activity, "s-1", text, strlen(text));
	activity_flush(activity);
}

static bool file_matches(const char *path, const char *pattern)
{
	size_t len;
	char *text = scratch_read(path, &len);
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		abort();
	bool found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	free(text);
	return found;
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

#define STAMP "\\[[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\] session="

static void test_lines(void)
{
	struct stat st;

	begin("lines");
	say("began");
	say("ended");
	ok(file_matches(log_path, "^" STAMP "s-1 began\n" STAMP "s-1 ended\n$"),
	    "a line has its time, its session and its text");
	ok(stat(log_path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "the log is for its owner alone");
	struct activity *other = activity_open(co_dir, "agent");
	activity_line(other, "s-2", "too", 3);
	activity_flush(other);
	activity_close(&other);
	ok(file_matches(log_path, "s-1 ended\n.*s-2 too\n$"),
	    "workers share the file");
	ok(!other, "closing the log clears the pointer");
	activity_close(&other);
	end();
}

static void test_forged(void)
{
	static const char text[] = "a\n[00:00:00] session=evil b\x1b[0m\r\x7f";
	static char big[100000];

	begin("forged");
	say(text);
	ok(file_matches(log_path,
	       "^[^\n]*s-1 a\\\\x0a\\[00:00:00\\] "
	       "session=evil b\\\\x1b\\[0m\\\\x0d\\\\x7f\n$"),
	    "no text forges a line or a colour");
	activity_line(activity, "x\ny", "", 0);
	activity_flush(activity);
	ok(file_matches(log_path, "session=x\\\\x0ay \n$"),
	    "the name of a session forges no line");
	say("\xc2\x9b"
	    "2J \xe2\x80\xa8 \xff");
	ok(file_matches(log_path, "s-1 \\\\u009b2J \\\\u2028 \\\\xff\n$"),
	    "control characters of eight bits and bytes that are no UTF-8 are "
	    "escaped");
	say("\xe2\x9c\x93 a \xe2\x86\x92 b \xe2\x86\x90 c \xe2\x9c\x97 "
	    "\xc3\xa9");
	ok(file_matches(
	       log_path, "s-1 \\[OK\\] a -> b <- c \\[ERROR\\] \xc3\xa9\n$"),
	    "signs become ASCII, letters stay");
	memset(big, 'a', sizeof(big));
	activity_line(activity, "s", big, sizeof(big));
	activity_flush(activity);
	ok(size_of(log_path) < 5000, "a long text is cut");
	ok(file_matches(log_path, "aaa\n$"),
	    "a long text that was cut ends its line");
	end();
}

static void test_head(void)
{
	begin("head");
	activity_start(activity);
	say("first");
	ok(file_matches(log_path,
	       "^\n={60}\nSession started: 20[0-9]{2}-[01][0-9]-[0-3][0-9] "
	       "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\n={60}\n" STAMP
	       "s-1 first\n$"),
	    "a start has a head");
	char *path = activity_path(co_dir, "agent");
	is_str(path, log_path, "activity_path() names the log");
	free(path);
	end();
}

static void test_names(void)
{
	static const struct {
		const char *name, *file;
	} cases[] = {
	    {"My Agent", "My_Agent.log"},
	    {"../../etc/x", "_._.._etc_x.log"},
	    {".hidden", "_hidden.log"},
	    {"a.b-c_9", "a.b-c_9.log"},
	    {"\xc3\xa9", "__.log"},
	};

	begin("names");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = scratch_path("names/logs/%s", cases[i].file);
		struct activity *a = activity_open(co_dir, cases[i].name);
		activity_close(&a);
		is_int(size_of(path), 0, "the log of %s is %s", cases[i].name,
		    cases[i].file);
		free(path);
	}
	end();
}

static void test_rotation(void)
{
	begin("rotation");
	struct activity *other = activity_open(co_dir, "agent");
	if (truncate(log_path, ROTATE_BYTES - 10) != 0)
		abort();
	say("the last of the old");
	ok(size_of(old_path) > ROTATE_BYTES, "a large log becomes .log.1");
	is_int(
	    size_of(log_path), 0, "a new log begins when a large one is moved");
	activity_line(other, "s-2", "late", 4);
	activity_flush(other);
	ok(file_matches(log_path, "^$"),
	    "another worker still ends its line in the old");
	activity_line(other, "s-2", "new", 3);
	activity_flush(other);
	ok(file_matches(log_path, "^" STAMP "s-2 new\n$"),
	    "another worker goes on in the new log");
	ok(size_of(old_path) > ROTATE_BYTES,
	    "a log that was rotated by another worker is not rotated again");
	activity_close(&other);
	end();
}

static void test_reopen(void)
{
	begin("reopen");
	say("before");
	(void)rename(log_path, old_path);
	activity_reopen(activity);
	say("after");
	ok(file_matches(log_path, "^[^\n]*after\n$"),
	    "after rotation by others lines go to the new file");
	end();
}

static void test_no_folder(void)
{
	char *nowhere = scratch_path("nowhere");

	struct activity *a = activity_open(nowhere, "agent");
	ok(a != NULL, "a log that cannot be opened does not stop the work");
	activity_line(a, "s", "lost", 4);
	activity_flush(a);
	char *logs = scratch_path("nowhere/logs");
	(void)mkdir(nowhere, 0700);
	(void)mkdir(logs, 0700);
	activity_reopen(a);
	activity_line(a, "s", "found", 5);
	activity_flush(a);
	char *path = scratch_path("nowhere/logs/agent.log");
	ok(file_matches(path, "found\n$"),
	    "a log that could not be opened is opened later");
	activity_close(&a);
	free(path);
	free(logs);
	free(nowhere);
}

int main(void)
{
	char *log = scratch_path("log");

	(void)log_open(log);
	free(log);
	test_lines();
	test_forged();
	test_head();
	test_names();
	test_rotation();
	test_reopen();
	test_no_folder();
	return done();
}
