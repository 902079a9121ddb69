/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/activity.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file_mode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROTATE_BYTES (10 * 1024 * 1024)
#define MAX_LINE 4096

/* No more than this is buffered. */
#define MAX_LINES (256 * 1024)

struct activity {
	char *path;
	int fd;
	struct buf lines; /* buffered lines */
};

static bool is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void activity_reopen(struct activity *a)
{
	if (a->fd >= 0)
		close(a->fd);
	/* Agents that run as another user write to it as well. */
	char *folder =
	    mem_strndup(a->path, (size_t)(strrchr(a->path, '/') - a->path));
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	a->fd = open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    file_mode_in(dir, 0600));
	if (dir >= 0)
		close(dir);
	free(folder);
	if (a->fd < 0)
		log_warn("agent log=%s: cannot be opened", a->path);
}

char *activity_path(const char *co_dir, const char *name)
{
	struct buf path = {0};
	buf_printf(&path, "%s/logs/", co_dir);
	for (const char *p = name; *p; p++)
		buf_char(
		    &path, is_safe(*p) && !(p == name && *p == '.') ? *p : '_');
	buf_str(&path, ".log");
	return buf_steal(&path, NULL);
}

struct activity *activity_open(const char *co_dir, const char *name)
{
	struct activity *a = mem_zero(sizeof *a);
	a->path = activity_path(co_dir, name);
	a->fd = -1;
	activity_reopen(a);
	return a;
}

/* Characters that a terminal or a line reader would not take as text. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029;
}

/* Replaces signs that agents like to use, for tools that know only ASCII. */
static const char *ascii_of(uint32_t c)
{
	switch (c) {
	case 0x2713:
		return "[OK]";
	case 0x2717:
		return "[ERROR]";
	case 0x2192:
		return "->";
	case 0x2190:
		return "<-";
	default:
		return NULL;
	}
}

static void append_char(struct buf *b, uint32_t c, const char *bytes, size_t n)
{
	const char *ascii = ascii_of(c);
	if (ascii)
		buf_str(b, ascii);
	else if (is_control(c) && c < 0x80)
		buf_printf(b, "\\x%02x", (unsigned)c);
	else if (is_control(c))
		buf_printf(b, "\\u%04x", (unsigned)c);
	else
		buf_append(b, bytes, n);
}

static void append_escaped(struct buf *b, const char *text, size_t len)
{
	size_t from = b->len;
	for (size_t i = 0, n; i < len && b->len - from < MAX_LINE; i += n) {
		n = utf8_len(text + i, len - i);
		if (n)
			append_char(b, utf8_get(text + i, n), text + i, n);
		else
			buf_printf(b, "\\x%02x", (unsigned char)text[i]);
		n += !n;
	}
}

/*
 * One of the processes that have the full file open moves it; the others notice
 * that the path no longer leads to their file.
 */
static void rotate(struct activity *a)
{
	struct stat mine, now;
	if (fstat(a->fd, &mine) != 0 || mine.st_size < ROTATE_BYTES ||
	    flock(a->fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (stat(a->path, &now) == 0 && now.st_ino == mine.st_ino) {
		struct buf old = {0};
		buf_printf(&old, "%s.1", a->path);
		(void)rename(a->path, buf_cstr(&old));
		buf_fini(&old);
	}
	activity_reopen(a); /* closing the old file also releases its lock */
}

void activity_start(struct activity *a)
{
	static const char rule[] = "========================================"
				   "====================";
	char when[32];
	struct tm tm;
	time_t now = (time_t)(clock_wall_ms() / 1000);
	if (!localtime_r(&now, &tm) ||
	    !strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm))
		when[0] = 0;
	buf_printf(
	    &a->lines, "\n%s\nSession started: %s\n%s\n", rule, when, rule);
	activity_flush(a);
}

void activity_line(
    struct activity *a, const char *session_id, const char *text, size_t len)
{
	struct tm tm;
	time_t now = (time_t)(clock_wall_ms() / 1000);
	if (a->fd < 0)
		return;
	(void)localtime_r(&now, &tm);
	buf_printf(&a->lines, "[%02d:%02d:%02d] session=", tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	append_escaped(&a->lines, session_id, strlen(session_id));
	buf_char(&a->lines, ' ');
	append_escaped(&a->lines, text, len);
	buf_char(&a->lines, '\n');
	if (a->lines.len > MAX_LINES)
		activity_flush(a);
}

void activity_flush(struct activity *a)
{
	if (!a->lines.len)
		return;
	ssize_t n = write(a->fd, a->lines.data, a->lines.len);
	(void)n; /* a full disk must not stop the turn */
	buf_reset(&a->lines);
	rotate(a);
}

void activity_close(struct activity **a)
{
	if (!*a)
		return;
	activity_flush(*a);
	buf_fini(&(*a)->lines);
	if ((*a)->fd >= 0)
		close((*a)->fd);
	free((*a)->path);
	free(*a);
	*a = NULL;
}
