/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The ring of what agents write by themselves: order, pieces that wrap around
 * its end, and pieces that a reader comes too late for.
 */
#include "dialin/dialin_monitor.h"

#include "core/heritage.h"
#include "proc/shm.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct dialin_monitor *ring;

static void make_ring(void)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64, size;
	int fd = shm_create("monitor-test", at + dialin_monitor_bytes());
	struct heritage *h = fd < 0 ? NULL : shm_map(fd, &size);
	if (!h)
		abort();
	(void)close(fd); /* the map stays */
	h->monitor_at = at;
	dialin_monitor_make(h);
	dialin_monitor_make(h); /* the second does nothing */
	ring = dialin_monitor_of(h);
}

static void add(const char *text, size_t len, int64_t sequence)
{
	const struct dialin_piece p = {
	    .id = "mock-1",
	    .user = "ann",
	    .org = "",
	    .text = {text, len},
	    .sequence = sequence,
	    .is_stderr = sequence % 2,
	    .is_private = sequence % 3 == 0,
	};
	dialin_monitor_add(ring, &p);
}

/* What a reader has seen. */
struct seen {
	unsigned n;
	uint64_t n_missed;
	int64_t first, last;
	bool is_odd;
};

static void on_piece(const struct dialin_piece *p, uint64_t n_missed, void *arg)
{
	struct seen *s = arg;
	bool is_right = strcmp(p->id, "mock-1") == 0 &&
			strcmp(p->user, "ann") == 0 && !*p->org &&
			p->is_stderr == (p->sequence % 2 != 0) &&
			p->is_private == (p->sequence % 3 == 0);
	for (size_t i = 0; i < p->text.len; i++)
		is_right &= p->text.text[i] == (char)('a' + p->sequence % 26);
	if (!is_right || (s->n && p->sequence != s->last + 1))
		s->is_odd = true;
	if (!s->n++)
		s->first = p->sequence;
	s->last = p->sequence;
	s->n_missed += n_missed;
}

static struct seen read_all(struct dialin_cursor *c)
{
	struct seen s = {0};
	dialin_monitor_read(ring, c, on_piece, &s);
	return s;
}

static void fill(char *text, size_t len, int64_t sequence)
{
	memset(text, 'a' + (int)(sequence % 26), len);
	add(text, len, sequence);
}

int main(void)
{
	static char text[1048576];
	struct dialin_cursor early, late;
	make_ring();
	dialin_monitor_skip(ring, &early);
	is_int(read_all(&early).n, 0, "an empty ring has no piece");
	for (int i = 1; i <= 3; i++)
		fill(text, (size_t)i * 10, i);
	fill(text, 0, 4);
	struct seen s = read_all(&early);
	is_int(s.n, 4, "a reader gets pieces with text and without");
	ok(!s.is_odd, "pieces come in order and as they were");
	is_int(read_all(&early).n, 0, "a reader gets each piece once");
	dialin_monitor_skip(ring, &late);

	/* 100 pieces of 66 kB wrap around the end more than once. */
	for (int i = 5; i < 105; i++) {
		fill(text, 66000, i);
		s = read_all(&early);
		if (s.n != 1 || s.is_odd || s.n_missed)
			break;
	}
	is_int(s.last, 104, "pieces that wrap around the end are whole");
	s = read_all(&late);
	ok(!s.is_odd, "a reader that comes late gets the rest in order");
	is_int(s.n_missed + s.n, 100, "a reader is told how many it missed");
	is_int(s.first, 5 + (int64_t)s.n_missed, "the oldest make room");
	ok(s.n >= 60, "the newest 4 MiB are kept");
	is_int(read_all(&late).n, 0, "a late reader is up to date then");

	fill(text, sizeof text, 105);
	is_int(read_all(&late).n, 1, "a piece may be as large as a message");
	char *huge = malloc(DIALIN_MONITOR_BYTES);
	if (!huge)
		abort();
	memset(huge, 'a', DIALIN_MONITOR_BYTES);
	add(huge, DIALIN_MONITOR_BYTES, 130);
	free(huge);
	is_int(read_all(&late).n, 0, "a piece larger than the ring is dropped");
	return done();
}
