/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_TAP_H
#define T_UNIT_TAP_H

/*
 * Test Anything Protocol for unit tests: include in the one file that has
 * main(), say what is ok, and end with "return done();". Names are printf
 * formats and sentences about behaviour. Each check returns whether it passed.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int tap_planned, tap_run, tap_failed;

/* Check a condition. */
#define ok(...) tap_ok(__FILE__, __LINE__, __VA_ARGS__)

/* Check that two C strings are the same; NULL is only the same as NULL. */
#define is_str(...) tap_is_str(__FILE__, __LINE__, __VA_ARGS__)

/* Check that two integers are the same. */
#define is_int(...) tap_is_int(__FILE__, __LINE__, __VA_ARGS__)

/* Check that got, got_len holds the same bytes as want, want_len. */
#define is_mem(...) tap_is_mem(__FILE__, __LINE__, __VA_ARGS__)

/* Check that fn(arg) ends in panic(); it runs in a child. */
#define expect_panic(...) tap_expect_panic(__FILE__, __LINE__, __VA_ARGS__)

static inline bool __attribute__((format(printf, 4, 0)))
tap_report(const char *file, int line, bool passed, const char *fmt, va_list ap)
{
	printf("%sok %d - ", passed ? "" : "not ", ++tap_run);
	vprintf(fmt, ap);
	putchar('\n');
	if (!passed) {
		tap_failed++;
		printf("# at %s line %d\n", file, line);
	}
	(void)fflush(stdout); /* a child must not print it again */
	return passed;
}

static inline bool __attribute__((format(printf, 4, 5)))
tap_ok(const char *file, int line, bool passed, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_report(file, line, passed, fmt, ap);
	va_end(ap);
	return passed;
}

static inline bool __attribute__((format(printf, 5, 6)))
tap_is_str(const char *file, int line, const char *got, const char *want,
    const char *fmt, ...)
{
	bool same = got && want ? !strcmp(got, want) : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_report(file, line, same, fmt, ap);
	va_end(ap);
	if (!same)
		printf("#  got: %s\n# want: %s\n", got ? got : "NULL",
		    want ? want : "NULL");
	return same;
}

static inline bool __attribute__((format(printf, 5, 6))) tap_is_int(
    const char *file, int line, int64_t got, int64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_report(file, line, got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#  got: %lld\n# want: %lld\n", (long long)got,
		    (long long)want);
	return got == want;
}

static inline bool __attribute__((format(printf, 7, 8)))
tap_is_mem(const char *file, int line, const void *got, size_t got_len,
    const void *want, size_t want_len, const char *fmt, ...)
{
	bool same =
	    got_len == want_len && (!got_len || !memcmp(got, want, got_len));
	va_list ap;

	va_start(ap, fmt);
	tap_report(file, line, same, fmt, ap);
	va_end(ap);
	if (!same)
		printf("#  got %zu bytes: %.*s\n# want %zu bytes: %.*s\n",
		    got_len, (int)got_len, got ? (const char *)got : "",
		    want_len, (int)want_len, want ? (const char *)want : "");
	return same;
}

static inline bool __attribute__((format(printf, 5, 6)))
tap_expect_panic(const char *file, int line, void (*fn)(void *arg), void *arg,
    const char *fmt, ...)
{
	int status = 0;
	va_list ap;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit no_core = {0};
		(void)setrlimit(RLIMIT_CORE, &no_core); /* else litter */
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		fn(arg);
		_exit(0);
	}
	bool died = pid > 0 && waitpid(pid, &status, 0) == pid &&
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	va_start(ap, fmt);
	tap_report(file, line, died, fmt, ap);
	va_end(ap);
	return died;
}

/* Say how many checks there will be, so that a missing one is noticed. */
static inline void plan(int n)
{
	tap_planned = n;
	printf("1..%d\n", n);
}

/* Report a check that cannot be made here, and why. */
static inline void __attribute__((format(printf, 1, 2)))
skip(const char *fmt, ...)
{
	va_list ap;

	printf("ok %d # SKIP ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	(void)fflush(stdout); /* as in tap_report() */
}

/* End the test: what main() returns. */
static inline int done(void)
{
	if (!tap_planned)
		printf("1..%d\n", tap_run);
	else if (tap_planned != tap_run)
		tap_failed++;
	return tap_failed ? 1 : 0;
}

#endif
