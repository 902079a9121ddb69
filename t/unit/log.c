/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/lines.h"
#include "base/log.h"

static char path[64];
static char moved[72];

/* All of a small file, valid until the next call. */
static const char *contents(const char *file)
{
	static char text[65536];
	int fd = open(file, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		(void)close(fd); /* only read */
	return text;
}

static bool matches(const char *text, const char *pattern)
{
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	bool found = !regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return found;
}

/* Empty the log, so that a test sees its own lines alone. */
static void forget_lines(void)
{
	if (truncate(path, 0) < 0)
		ok(false, "the log can be emptied");
}

static void test_line(void)
{
	char want[200];

	log_name("worker[2]");
	errno = EBADF;
	log_info("session=%d: %s", 7, "began");
	is_int(errno, EBADF, "logging leaves errno alone");
	(void)snprintf(want, sizeof(want),
	    "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
	    "\\.[0-9]{3}Z info worker\\[2\\] pid=%d: session=7: began\n$",
	    (int)getpid());
	ok(matches(contents(path), want), "a line has its parts");
	forget_lines();
}

static void test_levels(void)
{
	log_debug("d");
	log_info("i");
	log_warn("w");
	log_error("e");
	ok(matches(contents(path), "^[^ ]* info .*: i\n[^ ]* warn .*: w\n"
				   "[^ ]* error .*: e\n$"),
	    "debug is not written at first");
	forget_lines();
	log_threshold(LOG_ERROR);
	log_warn("w");
	log_error("e");
	ok(matches(contents(path), "^[^ ]* error .*: e\n$"),
	    "a threshold keeps lower levels out");
	forget_lines();
	log_threshold(LOG_DEBUG);
	log_debug("d");
	ok(matches(contents(path), "^[^ ]* debug .*: d\n$"),
	    "debug is written when asked for");
	forget_lines();
	log_threshold(LOG_INFO);
}

static void test_hostile_text(void)
{
	static char longest[10000];

	log_info("peer=%s", "a\r\nb\x1b[0m\x7f\t");
	ok(matches(contents(path),
	       ": peer=a\\\\x0d\\\\x0ab\\\\x1b\\[0m\\\\x7f\\\\x09\n$"),
	    "control characters are escaped");
	forget_lines();
	memset(longest, '\n', sizeof(longest) - 1);
	log_info("%s", longest);
	const char *text = contents(path);
	ok(strlen(text) < 20000 && matches(text, "\\\\x0a\\.\\.\\.\n$"),
	    "a long text is cut");
	forget_lines();
}

static void test_kept(void)
{
	lines_keep(true);
	log_info("i");
	is_str(contents(path), "", "a kept line is not in the log yet");
	log_warn("w");
	ok(matches(contents(path), "^[^\n]*: i\n[^\n]*: w\n$"),
	    "a warning is written at once, after the lines before it");
	log_info("last");
	lines_keep(false);
	forget_lines();
}

static void test_reopen(void)
{
	struct stat st;

	is_int(rename(path, moved), 0, "the log is moved away");
	log_info("before");
	ok(matches(contents(moved), "before\n$"), "lines follow the old file");
	is_int(log_reopen(), 0, "the log is opened again");
	log_info("after");
	ok(matches(contents(path), "^[^\n]*: after\n$"),
	    "lines then go to the new file");
	ok(!strstr(contents(moved), "after"),
	    "no line goes to the old file after the log was opened again");
	ok(!stat(path, &st) && !(st.st_mode & 027),
	    "a log cannot be read by others");
	errno = 0;
	ok(log_open("/nonexistent/log") == -1 && errno == ENOENT,
	    "a log that cannot be opened is told");
	forget_lines();
	log_info("still");
	ok(matches(contents(path), "still\n$"),
	    "a log that cannot be opened leaves the old one open");
	forget_lines();
}

static void be_fatal(void *arg)
{
	fatal("disk=%s: full", (const char *)arg);
}

static void be_wrong(void *arg)
{
	panic("turn=%s: believed open", (const char *)arg);
}

static int exit_status_of(void (*fn)(void *arg), void *arg)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void test_endings(void)
{
	static char name[] = "sda";
	int status = exit_status_of(be_fatal, name);

	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1,
	    "fatal() exits with status 1");
	ok(matches(contents(path), " error .*: disk=sda: full\n$"),
	    "fatal() logs the reason");
	forget_lines();
	expect_panic(be_wrong, name, "panic() aborts the process");
	ok(matches(contents(path), " error .*: turn=sda: believed open\n$"),
	    "panic() logs what was believed");
	forget_lines();
	char *words = mmap(
	    NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!ok(words != MAP_FAILED, "there is shared memory"))
		return;
	log_last_words(words, 8);
	(void)exit_status_of(be_fatal, name); /* as above */
	is_str(words, "disk=sd", "last words are left, cut to fit");
	log_last_words(NULL, 0);
	(void)munmap(words, 8); /* not used again */
}

int main(void)
{
	(void)snprintf(path, sizeof(path), "/tmp/co-log-%d", (int)getpid());
	(void)snprintf(moved, sizeof(moved), "%s.1", path);
	is_int(log_reopen(), 0, "reopening stderr does nothing");
	is_int(log_open(path), 0, "a log can be opened");
	test_line();
	test_levels();
	test_hostile_text();
	test_kept();
	test_reopen();
	test_endings();
	is_int(log_open(NULL), 0, "the log can go back to stderr");
	(void)unlink(path); /* temporary files */
	(void)unlink(moved);
	return done();
}
