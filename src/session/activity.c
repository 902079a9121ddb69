/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/activity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define ROTATE_BYTES (10 * 1024 * 1024)
#define MAX_LINE 4096

/* More than this is not kept for later. */
#define MAX_LINES (256 * 1024)

struct activity {
	char *path;
	int fd;
	struct buf lines; /* not written yet */
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
	a->fd = open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (a->fd < 0)
		log_warn("agent log=%s: cannot be opened", a->path);
}

struct activity *activity_open(const char *co_dir, const char *name)
{
	struct activity *a = mem_zero(sizeof *a);
	struct buf path = {0};
	buf_printf(&path, "%s/logs/", co_dir);
	for (const char *p = name; *p; p++)
		buf_char(
		    &path, is_safe(*p) && !(p == name && *p == '.') ? *p : '_');
	buf_str(&path, ".log");
	a->path = buf_steal(&path, NULL);
	a->fd = -1;
	activity_reopen(a);
	return a;
}

static void append_escaped(struct buf *b, const char *text, size_t len)
{
	size_t from = b->len;
	for (size_t i = 0; i < len && b->len - from < MAX_LINE; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_char(b, (char)c);
	}
}

/*
 * Another worker may have rotated already:
 * only the one that holds the big file does.
 */
static void rotate(struct activity *a)
{
	struct stat mine, now;
	if (fstat(a->fd, &mine) != 0 || mine.st_size < ROTATE_BYTES)
		return;
	if (stat(a->path, &now) == 0 && now.st_ino == mine.st_ino) {
		struct buf old = {0};
		buf_printf(&old, "%s.1", a->path);
		(void)rename(a->path, buf_cstr(&old));
		buf_fini(&old);
	}
	activity_reopen(a);
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
