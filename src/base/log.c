/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/log.h"

#include "base/clock.h"
#include "base/lines.h"
#include "base/log_ring.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The maximum length of a line's text before escaping; the rest is cut. */
#define TEXT_MAX 4096

/* Room for what precedes the text of a line. */
#define PREFIX_MAX 128

static int log_fd = STDERR_FILENO;
static char *log_path;
static char speaker[32] = "co-hostd";
static enum log_level lowest = LOG_INFO;
static bool is_json;
static char *last_words;
static _Atomic unsigned n_warnings;
static void (*on_fatal)(const char *text);
static size_t last_words_size;
static struct log_ring *ring;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

const char *log_level_word(enum log_level level)
{
	return level_names[level];
}

/* Returns a second as text, valid until the thread's next call. */
static const char *text_of(time_t second)
{
	static _Thread_local time_t last = -1;
	static _Thread_local char text[32];
	struct tm tm;

	if (second == last)
		return text;
	if (!gmtime_r(&second, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
		text[0] = '\0';
	last = second;
	return text;
}

static char *put_digits(char *out, unsigned n, int least)
{
	char digits[10];
	int len = 0;

	for (; n || len < least; n /= 10)
		digits[len++] = (char)('0' + n % 10);
	while (len)
		*out++ = digits[--len];
	return out;
}

/* Busy servers write many lines, and printf() would take most of their time. */
static size_t put_prefix(char out[PREFIX_MAX], enum log_level level)
{
	int64_t now_ms = clock_wall_ms();
	char *p = stpcpy(out, text_of((time_t)(now_ms / 1000)));

	*p++ = '.';
	p = stpcpy(put_digits(p, (unsigned)(now_ms % 1000), 3), "Z ");
	p = stpcpy(stpcpy(p, level_names[level]), " ");
	p = put_digits(
	    stpcpy(stpcpy(p, speaker), " pid="), (unsigned)getpid(), 1);
	return (size_t)(stpcpy(p, ": ") - out);
}

/* Copy text so that it stays on one line; out has room for 4 bytes per byte. */
static size_t log_put_text(char *out, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= 0x20 && c != 0x7f) {
			*p++ = *text;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = digits[c >> 4];
		*p++ = digits[c & 15];
	}
	return (size_t)(p - out);
}

/* The same as JSON; out has room for 6 bytes per byte. */
static char *put_json_text(char *out, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];
		n = utf8_len(text + i, len - i);
		if (!n) {
			out = stpcpy(out, "\\ufffd");
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			out = stpcpy(out, "\\u00");
			*out++ = digits[c >> 4];
			*out++ = digits[c & 15];
		} else {
			if (c == '"' || c == '\\')
				*out++ = '\\';
			memcpy(out, text + i, n);
			out += n;
		}
	}
	return out;
}

static size_t put_json_line(char *out, enum log_level level, const char *text)
{
	int64_t now_ms = clock_wall_ms();
	char *p = stpcpy(
	    stpcpy(out, "{\"time\":\""), text_of((time_t)(now_ms / 1000)));

	*p++ = '.';
	p = stpcpy(
	    put_digits(p, (unsigned)(now_ms % 1000), 3), "Z\",\"level\":\"");
	p = stpcpy(stpcpy(p, level_names[level]), "\",\"process\":\"");
	p = stpcpy(stpcpy(p, speaker), "\",\"pid\":");
	p = stpcpy(put_digits(p, (unsigned)getpid(), 1), ",\"text\":\"");
	return (size_t)(stpcpy(put_json_text(p, text), "\"}") - out);
}

/* Lines that cannot be written are lost; there is nowhere to report it. */
static void write_bytes(const char *bytes, size_t len)
{
	while (write(log_fd, bytes, len) < 0 && errno == EINTR)
		;
}

/* This must not allocate: the line may report that memory has run out. */
static void write_line(enum log_level level, const char *text)
{
	static struct lines lines = {.write = write_bytes};
	char line[PREFIX_MAX + 6 * TEXT_MAX];
	size_t n;

	if (is_json) {
		n = put_json_line(line, level, text);
	} else {
		n = put_prefix(line, level);
		n += log_put_text(line + n, text);
	}
	line[n++] = '\n';
	lines_add(&lines, line, n);
	if (level >= LOG_WARN)
		lines_flush();
	if (ring)
		log_ring_add(ring, level, clock_wall_ms(), speaker, text);
}

static void format(char text[TEXT_MAX], const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void format(char text[TEXT_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(text, TEXT_MAX, fmt, ap);

	if (n < 0)
		(void)snprintf(
		    text, TEXT_MAX, "%s", fmt); /* better than nothing */
	else if (n >= TEXT_MAX)
		memcpy(text + TEXT_MAX - 4, "...", 4);
}

static void log_at(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void log_at(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	int saved = errno;

	if (level < lowest)
		return;
	format(text, fmt, ap);
	write_line(level, text);
	errno = saved;
}

/*
 * What fatal() and panic() share: write the line, and leave the text for the
 * master.
 */
static void say_last_words(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

static void say_last_words(const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	int saved = errno;

	format(text, fmt, ap);
	if (last_words)
		(void)snprintf(last_words, last_words_size, "%s", text);
	write_line(LOG_ERROR, text);
	errno = saved;
	void (*tell)(const char *) = on_fatal;
	on_fatal = NULL; /* it may fail itself */
	if (tell)
		tell(text);
}

static int open_log_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void log_use(int fd, const char *path)
{
	int old = log_fd;
	lines_flush();
	log_fd = fd;
	if (old != STDERR_FILENO)
		(void)close(old); /* appended lines are already written */
	free(log_path);
	log_path = path ? strdup(path) : NULL;
	/* Not mem_strdup(): base/mem.h reports through this file. */
	if (path && !log_path)
		fatal("memory: cannot copy the path of the log");
}

int log_open(const char *path)
{
	int fd = path ? open_log_file(path) : STDERR_FILENO;
	if (fd < 0)
		return -1;
	log_use(fd, path);
	return 0;
}

int log_reopen(void)
{
	if (!log_path)
		return 0;
	lines_flush();
	int fd = open_log_file(log_path);
	if (fd < 0)
		return -1;

	/*
	 * Put the new file under the old descriptor: threads may be writing to
	 * it.
	 */
	int done = dup3(fd, log_fd, O_CLOEXEC);
	int saved = errno;
	(void)close(fd); /* log_fd refers to the file now, or dup3 failed */
	errno = saved;
	return done < 0 ? -1 : 0;
}

void log_name(const char *name)
{
	(void)snprintf(speaker, sizeof speaker, "%s", name); /* may be cut */
}

void log_json(bool is_it)
{
	is_json = is_it;
}

void log_threshold(enum log_level level)
{
	lowest = level;
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_DEBUG, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_INFO, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_WARN, fmt, ap);
	va_end(ap);
	n_warnings++;
}

unsigned log_n_warnings(void)
{
	return n_warnings;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_ERROR, fmt, ap);
	va_end(ap);
}

void fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_last_words(fmt, ap);
	va_end(ap);
	_exit(1);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_last_words(fmt, ap);
	va_end(ap);
	abort();
}

void log_on_fatal(void (*fn)(const char *text))
{
	on_fatal = fn;
}

void log_into(struct log_ring *to)
{
	ring = to;
}

void log_last_words(char *where, size_t n)
{
	last_words = n ? where : NULL;
	last_words_size = n;
}
