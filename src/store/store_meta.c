/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * An LMDB file begins with two meta pages, each the root of a complete state.
 * Commits write them in turn, and never touch a page that the other one needs.
 * LMDB rejects the file if one of them is not a meta page, and trusts
 * everything else in them. This is their layout in all releases of LMDB 0.9 on
 * 64-bit machines.
 */
struct meta_db {
	uint32_t page_size; /* of the first; 0 in the second */
	uint16_t flags;
	uint16_t depth;
	uint64_t branches, leaves, overflows, entries;
	uint64_t root;
};

struct page_head {
	uint64_t number;
	uint16_t unused;
	uint16_t flags;
	uint16_t lower; /* end of its node offsets */
	uint16_t upper;
};

struct meta {
	struct page_head head;
	uint32_t magic;
	uint32_t version;
	uint64_t address;
	uint64_t map_size;
	struct meta_db dbs[2]; /* the free list, and the table of tables */
	uint64_t last_page;
	uint64_t txn;
};

_Static_assert(sizeof(struct meta) == 152, "LMDB's layout");

struct node {
	uint16_t low, high; /* size of its data, or low bits of a page number */
	uint16_t flags;	    /* or high bits of the page number */
	uint16_t key_len;
};

#define MAGIC 0xbeefc0deu
#define VERSION 1
#define PAGE_BRANCH 1
#define PAGE_LEAF 2
#define PAGE_META 8
#define NODE_ELSEWHERE 1 /* its data is on overflow pages */
#define MAX_DEPTH 32	 /* as in LMDB's cursors */
#define NO_ROOT UINT64_MAX

struct metas {
	int fd;
	uint64_t page_size;
	const char *bytes; /* of the file */
	uint64_t size;
	struct meta stored[2];
	struct meta mended[2];
	bool is_sound[2];
};

/* Returns m with the fields that are the same in every meta page. */
static struct meta with_constants(struct meta m, uint64_t i, uint64_t page_size)
{
	m.head.number = i;
	m.head.flags = PAGE_META;
	m.magic = MAGIC;
	m.version = VERSION;
	m.dbs[0].page_size = (uint32_t)page_size;
	return m;
}

/* ---- whether a meta page can be believed ---- */

/* Returns a page, or NULL unless n bytes from its start are in the file. */
static const char *page_at(const struct metas *ms, uint64_t number, uint64_t n)
{
	uint64_t most = ms->size / ms->page_size;
	if (number >= most || n > (most - number) * ms->page_size)
		return NULL;
	return ms->bytes + number * ms->page_size;
}

/*
 * Returns a page of a tree at a height above its leaves (from 1), or NULL if it
 * is not one.
 */
static const char *tree_page(
    const struct metas *ms, uint64_t number, unsigned height)
{
	struct page_head head;
	const char *page = page_at(ms, number, ms->page_size);
	if (!page)
		return NULL;
	memcpy(&head, page, sizeof head);
	int kind = head.flags & (PAGE_BRANCH | PAGE_LEAF);
	return head.number == number && head.lower >= sizeof head &&
		       head.lower <= ms->page_size &&
		       kind == (height == 1 ? PAGE_LEAF : PAGE_BRANCH)
		   ? page
		   : NULL;
}

static bool is_root(
    const struct metas *ms, const struct meta *m, const struct meta_db *db)
{
	if (db->root == NO_ROOT)
		return db->depth == 0;
	return db->root > 1 && db->root <= m->last_page && db->depth > 0 &&
	       db->depth <= MAX_DEPTH && tree_page(ms, db->root, db->depth);
}

/* An iteration over the free list: the pages that each commit freed. */
struct free_walk {
	const struct metas *ms;
	const struct meta *meta;
	uint64_t newest; /* commit */
};

/* The roots of this state are not among its free pages; earlier roots are. */
static bool check_free(const struct free_walk *w, const char *ids, uint64_t len)
{
	uint64_t n, id;
	if (len < sizeof n)
		return false;
	memcpy(&n, ids, sizeof n);
	if (n > len / sizeof n - 1)
		return false;
	for (uint64_t i = 1; i <= n; i++) {
		memcpy(&id, ids + i * sizeof id, sizeof id);
		if (id > w->meta->last_page || id == w->meta->dbs[0].root ||
		    id == w->meta->dbs[1].root)
			return false;
	}
	return true;
}

static bool check_commit(
    struct free_walk *w, const struct node *node, const char *key)
{
	uint64_t len = node->low | (uint64_t)node->high << 16, number;
	const char *ids = key + node->key_len;
	if (node->key_len != sizeof w->newest)
		return false;
	memcpy(&w->newest, key, sizeof w->newest);
	if (node->flags & NODE_ELSEWHERE) {
		memcpy(&number, ids, sizeof number);
		ids = page_at(w->ms, number, sizeof(struct page_head) + len);
		return ids &&
		       check_free(w, ids + sizeof(struct page_head), len);
	}
	return ids + len <= w->ms->bytes + w->ms->size &&
	       check_free(w, ids, len);
}

static bool walk_free(struct free_walk *w, uint64_t number, unsigned height)
{
	struct page_head head;
	const char *page = tree_page(w->ms, number, height);
	if (!page)
		return false;
	memcpy(&head, page, sizeof head);
	for (size_t at = sizeof head; at < head.lower; at += 2) {
		struct node node;
		uint16_t place;
		memcpy(&place, page + at, sizeof place);
		if (place + sizeof node + 2 * sizeof(uint64_t) >
		    w->ms->page_size)
			return false;
		memcpy(&node, page + place, sizeof node);
		uint64_t child = node.low | (uint64_t)node.high << 16 |
				 (uint64_t)node.flags << 32;
		const char *key = page + place + sizeof node;
		if (height > 1 ? !walk_free(w, child, height - 1)
			       : !check_commit(w, &node, key))
			return false;
	}
	return true;
}

/* Each commit that replaced a page freed one, and its row is the newest. */
static bool is_free_list(const struct metas *ms, const struct meta *m)
{
	struct free_walk w = {ms, m, m->txn};
	return m->dbs[0].root == NO_ROOT ||
	       (walk_free(&w, m->dbs[0].root, m->dbs[0].depth) &&
		   w.newest == m->txn);
}

/* Whether a meta page leads to a tree; the two take even and odd commits. */
static bool is_sound(const struct metas *ms, unsigned i)
{
	const struct meta *m = &ms->mended[i];
	return m->last_page > 0 && m->last_page < m->map_size / ms->page_size &&
	       (m->txn == 0 || m->txn % 2 == i) && is_root(ms, m, &m->dbs[0]) &&
	       is_root(ms, m, &m->dbs[1]) && is_free_list(ms, m);
}

/* ---- the file ---- */

/*
 * Returns false if the file has other pages than this machine's, or is too
 * short.
 */
static bool read_metas(struct metas *ms)
{
	for (unsigned i = 0; i < 2; i++) {
		const char *page = page_at(ms, i, ms->page_size);
		if (!page)
			return false;
		memcpy(&ms->stored[i], page, sizeof ms->stored[i]);
		ms->mended[i] = with_constants(ms->stored[i], i, ms->page_size);
		ms->is_sound[i] = is_sound(ms, i);
	}
	return true;
}

static bool is_changed(const struct metas *ms, unsigned i)
{
	return memcmp(&ms->stored[i], &ms->mended[i], sizeof(struct meta)) != 0;
}

/* Make page i a copy of the other one. */
static void follow_other(struct metas *ms, unsigned i)
{
	ms->mended[i] = with_constants(ms->mended[1 - i], i, ms->page_size);
}

static int copy_file(int from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -1;
	off_t at = 0;
	ssize_t n;
	do
		n = copy_file_range(from, &at, to, NULL, (size_t)1 << 30, 0);
	while (n > 0);
	close(to);
	return n < 0 ? -1 : 0;
}

/* Keep a copy of the original file first, for later inspection. */
static void keep_copy(const struct metas *ms, const char *path)
{
	struct store_path aside =
	    store_path("%s.damaged-%lld", path, (long long)clock_wall_ms());
	if (copy_file(ms->fd, aside.text) == 0) {
		log_error("store: repaired a damaged meta page of %s; %s is a "
			  "copy of the damaged file",
		    path, aside.text);
		return;
	}
	log_error("store: repaired a damaged meta page of %s, without a copy "
		  "of the damaged file: %s",
	    path, strerror(errno));
	(void)unlink(aside.text);
}

static int write_metas(const struct metas *ms, const char *path)
{
	keep_copy(ms, path);
	for (unsigned i = 0; i < 2; i++)
		if (is_changed(ms, i) &&
		    pwrite(ms->fd, &ms->mended[i], sizeof(struct meta),
			(off_t)(i * ms->page_size)) !=
			(ssize_t)sizeof(struct meta))
			return -1;
	return fdatasync(ms->fd);
}

static void close_metas(struct metas *ms)
{
	if (ms->bytes)
		(void)munmap((void *)(uintptr_t)ms->bytes, ms->size);
	if (ms->fd >= 0)
		close(ms->fd);
}

static bool map_file(struct metas *ms)
{
	struct stat st;
	if (fstat(ms->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return false;
	ms->size = (uint64_t)st.st_size;
	void *p = mmap(NULL, ms->size, PROT_READ, MAP_SHARED, ms->fd, 0);
	if (p == MAP_FAILED)
		return false;
	ms->bytes = p;
	return true;
}

static bool open_metas(struct metas *ms, const char *path)
{
	*ms = (struct metas){.page_size = (uint64_t)sysconf(_SC_PAGESIZE)};
	ms->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (ms->fd >= 0 && sizeof(size_t) == sizeof(uint64_t) && map_file(ms) &&
	    read_metas(ms))
		return true;
	close_metas(ms);
	return false;
}

void store_meta_check(const char *path)
{
	struct metas ms;
	if (!open_metas(&ms, path))
		return;
	bool is_any = ms.is_sound[0] || ms.is_sound[1];
	for (unsigned i = 0; i < 2 && is_any; i++)
		if (!ms.is_sound[i])
			follow_other(&ms, i);
	if (is_any && (is_changed(&ms, 0) || is_changed(&ms, 1)) &&
	    write_metas(&ms, path) != 0)
		log_error("store: cannot repair %s: %s", path, strerror(errno));
	close_metas(&ms);
}

bool store_meta_fall_back(const char *path)
{
	struct metas ms;
	bool is_done = false;
	if (!open_metas(&ms, path))
		return false;
	unsigned newest = ms.mended[1].txn > ms.mended[0].txn;
	if (ms.is_sound[1 - newest] && ms.mended[0].txn != ms.mended[1].txn) {
		follow_other(&ms, newest);
		is_done = write_metas(&ms, path) == 0;
	}
	close_metas(&ms);
	return is_done;
}
