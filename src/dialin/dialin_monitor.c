/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_monitor.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/heritage.h"
#include "proc/shm.h"

#include <stdatomic.h>
#include <string.h>

#define MAGIC 0x6469616c6d6f6e31ull

#define SIZE DIALIN_MONITOR_BYTES

/* How long a loop waits for the lock, which is held for microseconds. */
#define WAIT_US 200000

/*
 * The head of a piece in the ring; its texts follow, one behind the other. The
 * first three have their NUL, which is counted.
 */
struct head {
	uint64_t n; /* pieces before it */
	int64_t sequence;
	uint32_t id_len;
	uint32_t user_len;
	uint32_t org_len;
	uint32_t text_len;
	uint32_t is_stderr;
	uint32_t is_private;
	uint64_t kind;
};

/*
 * Positions count all bytes that were ever written. 'oldest' is moved before
 * bytes are overwritten, and 'newest' after they are written, so the ring is
 * whole whenever a writer dies.
 */
struct dialin_monitor {
	_Atomic uint64_t magic;
	struct shm_lock lock;
	uint64_t oldest; /* the first piece that is whole */
	_Atomic uint64_t newest;
	_Atomic uint64_t n; /* pieces so far */
	char bytes[SIZE];
};

uint64_t dialin_monitor_bytes(void)
{
	return sizeof(struct dialin_monitor);
}

static struct dialin_monitor *ring_of(struct heritage *h)
{
	return (void *)((char *)h + h->monitor_at);
}

void dialin_monitor_make(struct heritage *h)
{
	struct dialin_monitor *m = ring_of(h);
	if (atomic_load(&m->magic) == MAGIC)
		return;
	shm_lock_init(&m->lock);
	atomic_store(&m->magic, MAGIC);
}

struct dialin_monitor *dialin_monitor_of(struct heritage *h)
{
	struct dialin_monitor *m = ring_of(h);
	if (atomic_load(&m->magic) != MAGIC)
		panic("monitor: the ring has not been made");
	return m;
}

static bool lock(struct dialin_monitor *m)
{
	return shm_lock_try(&m->lock, WAIT_US) >= 0;
}

/* ---- bytes ---- */

static uint64_t length_of(const struct head *h)
{
	return sizeof *h + h->id_len + h->user_len + h->org_len + h->text_len;
}

static void put(
    struct dialin_monitor *m, uint64_t *at, const void *from, size_t len)
{
	size_t place = *at % SIZE;
	size_t first = len < SIZE - place ? len : SIZE - place;
	*at += len;
	if (!len)
		return; /* from may be NULL */
	memcpy(m->bytes + place, from, first);
	memcpy(m->bytes, (const char *)from + first, len - first);
}

static void get(
    const struct dialin_monitor *m, uint64_t at, void *to, size_t len)
{
	size_t place = at % SIZE;
	size_t first = len < SIZE - place ? len : SIZE - place;
	memcpy(to, m->bytes + place, first);
	memcpy((char *)to + first, m->bytes, len - first);
}

/* ---- writing ---- */

static void make_room(struct dialin_monitor *m, uint64_t bytes)
{
	struct head h;
	while (m->newest + bytes - m->oldest > SIZE) {
		get(m, m->oldest, &h, sizeof h);
		m->oldest += length_of(&h);
	}
}

static void write_piece(struct dialin_monitor *m, const struct head *h,
    const struct dialin_piece *p)
{
	uint64_t at = m->newest;
	make_room(m, length_of(h));
	put(m, &at, h, sizeof *h);
	put(m, &at, p->id, h->id_len);
	put(m, &at, p->user, h->user_len);
	put(m, &at, p->org, h->org_len);
	put(m, &at, p->text.text, p->text.len);
	m->n = h->n + 1;
	m->newest = at;
}

void dialin_monitor_add(struct dialin_monitor *m, const struct dialin_piece *p)
{
	struct head h = {
	    .sequence = p->sequence,
	    .id_len = (uint32_t)strlen(p->id) + 1,
	    .user_len = (uint32_t)strlen(p->user) + 1,
	    .org_len = (uint32_t)strlen(p->org) + 1,
	    .text_len = (uint32_t)p->text.len,
	    .is_stderr = p->is_stderr,
	    .is_private = p->is_private,
	    .kind = p->kind,
	};
	if (length_of(&h) > SIZE || !lock(m))
		return;
	h.n = m->n;
	write_piece(m, &h, p);
	shm_lock_give(&m->lock);
}

/* ---- reading ---- */

void dialin_monitor_skip(
    const struct dialin_monitor *m, struct dialin_cursor *c)
{
	*c =
	    (struct dialin_cursor){atomic_load(&m->newest), atomic_load(&m->n)};
}

/* Copy the piece at the cursor, or the oldest that is left. */
static bool read_piece(struct dialin_monitor *m, struct dialin_cursor *c,
    struct head *h, struct buf *texts)
{
	if (atomic_load(&m->newest) == c->at || !lock(m))
		return false;
	if (c->at < m->oldest)
		c->at = m->oldest;
	bool is_there = c->at < m->newest;
	if (is_there) {
		get(m, c->at, h, sizeof *h);
		size_t len = (size_t)(length_of(h) - sizeof *h);
		buf_reset(texts);
		get(m, c->at + sizeof *h, buf_reserve(texts, len), len);
		texts->len = len;
		c->at += length_of(h);
	}
	shm_lock_give(&m->lock);
	return is_there;
}

static const char *cut(const char **at, uint32_t len)
{
	const char *text = *at;
	*at += len;
	return text;
}

void dialin_monitor_read(struct dialin_monitor *m, struct dialin_cursor *c,
    void (*fn)(const struct dialin_piece *p, uint64_t n_missed, void *arg),
    void *arg)
{
	struct head h;
	struct buf texts = {0};
	while (read_piece(m, c, &h, &texts)) {
		const char *at = texts.data;
		struct dialin_piece p = {
		    .sequence = h.sequence,
		    .is_stderr = h.is_stderr,
		    .is_private = h.is_private,
		    .kind = (enum dialin_piece_kind)h.kind,
		};
		p.id = cut(&at, h.id_len);
		p.user = cut(&at, h.user_len);
		p.org = cut(&at, h.org_len);
		p.text = (struct span){at, h.text_len};
		uint64_t n_missed = h.n > c->n ? h.n - c->n : 0;
		c->n = h.n + 1;
		fn(&p, n_missed, arg);
	}
	buf_fini(&texts);
}
