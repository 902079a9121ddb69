/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/log_ring.h"

#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct log_ring_line) == 512, "a line fits its share");

static uint16_t put_cut(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size);
	memcpy(out, text, len);
	if (len < size)
		out[len] = '\0';
	return (uint16_t)len;
}

void log_ring_add(struct log_ring *r, enum log_level level, int64_t time_ms,
    const char *speaker, const char *text)
{
	uint64_t number = atomic_fetch_add(&r->newest, 1) + 1;
	struct log_ring_line *line = &r->lines[number % LOG_RING_LINES];
	atomic_store(&line->number, 0);
	atomic_thread_fence(memory_order_release);
	line->time_ms = time_ms;
	line->pid = (int32_t)getpid();
	line->level = (uint16_t)level;
	(void)put_cut(line->speaker, sizeof line->speaker - 1, speaker);
	line->speaker[sizeof line->speaker - 1] = '\0';
	line->len = put_cut(line->text, sizeof line->text, text);
	atomic_store(&line->number, number);
}

/* Returns false if the line is not complete, or another one by now. */
static bool copy_line(
    struct log_ring_line *out, const struct log_ring *r, uint64_t number)
{
	const struct log_ring_line *line = &r->lines[number % LOG_RING_LINES];
	if (atomic_load(&line->number) != number)
		return false;
	memcpy(out, line, sizeof *out);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load(&line->number) != number ||
	    out->len > sizeof out->text || out->level > LOG_ERROR)
		return false;
	out->speaker[sizeof out->speaker - 1] = '\0';
	return true;
}

uint64_t log_ring_read(const struct log_ring *r, uint64_t after,
    bool (*fn)(const struct log_ring_line *line, void *arg), void *arg)
{
	uint64_t newest = atomic_load(&r->newest);
	struct log_ring_line line;
	if (newest > LOG_RING_LINES && after < newest - LOG_RING_LINES)
		after = newest - LOG_RING_LINES;
	while (after < newest) {
		after++;
		if (copy_line(&line, r, after) && !fn(&line, arg))
			break;
	}
	return after;
}
