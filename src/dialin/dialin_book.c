/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_book.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/stat.h"
#include "dialin/dialin_table.h"
#include "dialin/dialin_who.h"
#include "ons/ons_message.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* A row of the store, as this process wrote or read it last. */
struct page {
	uint32_t checksum; /* of the row */
	bool is_seen;	   /* by this step: the agent is in the table */
	char id[DIALIN_ID_BYTES];
};

struct dialin_book {
	struct store *store;
	struct dialin_table *table;
	struct map *pages; /* id -> struct page */
	uint64_t version;  /* of the table, at the last step that succeeded */
	bool is_behind;	   /* a step must look, whatever the version */
};

/* ---- a row ---- */

static void put_row(struct buf *out, const struct dialin_info *info)
{
	const struct dialin_who *who = &info->who;
	/* What an agent that is connected does all the time is no change. */
	int64_t seen_ms = info->is_online ? info->connected_ms : info->seen_ms;
	buf_char(out, '{');
	ons_put_str(out, "user", who->user);
	ons_put_str(out, "org", who->org);
	ons_put_str(out, "name", who->name);
	ons_put_str(out, "type", who->type);
	ons_put_str(out, "version", who->version);
	ons_put_str(out, "host", who->host);
	ons_put_str(out, "capabilities", who->capabilities);
	ons_put_str(out, "description", info->notes.description);
	ons_put_str(out, "metadata", info->notes.metadata);
	ons_put_int(out, "created_ms", info->created_ms);
	ons_put_int(out, "connected_ms", info->connected_ms);
	ons_put_int(out, "seen_ms", seen_ms);
	buf_char(out, '}');
}

static void read_text(char *to, size_t size, const struct json *row,
    const char *key, struct ons_reader *r)
{
	dialin_who_copy(to, size, ons_text(r, row, key));
}

/* Returns false if it is no row of ours. */
static bool read_row(
    struct dialin_info *info, struct store_span id, struct store_span text)
{
	struct dialin_who *who = &info->who;
	struct json_error bad;
	struct ons_reader r = {0};
	*info = (struct dialin_info){.created_ms = 0};
	const struct json *row =
	    text.data ? json_parse(&r.doc, text.data, text.len, 0, &bad) : NULL;
	(void)buf_reserve(&r.text, text.len + 1);
	dialin_who_copy(
	    who->id, sizeof who->id, (struct span){id.data, id.len});
	read_text(who->user, sizeof who->user, row, "user", &r);
	read_text(who->org, sizeof who->org, row, "org", &r);
	read_text(who->name, sizeof who->name, row, "name", &r);
	read_text(who->type, sizeof who->type, row, "type", &r);
	read_text(who->version, sizeof who->version, row, "version", &r);
	read_text(who->host, sizeof who->host, row, "host", &r);
	read_text(who->capabilities, sizeof who->capabilities, row,
	    "capabilities", &r);
	read_text(info->notes.description, sizeof info->notes.description, row,
	    "description", &r);
	read_text(info->notes.metadata, sizeof info->notes.metadata, row,
	    "metadata", &r);
	info->created_ms = ons_int(row, "created_ms", 0);
	info->connected_ms = ons_int(row, "connected_ms", 0);
	info->seen_ms = ons_int(row, "seen_ms", 0);
	ons_reader_fini(&r);
	return *who->user;
}

/* ---- pages ---- */

static struct page *page_of(struct dialin_book *b, const char *id)
{
	struct page *p = map_get(b->pages, id, strlen(id));
	if (p)
		return p;
	p = mem_zero(sizeof *p);
	strncpy(p->id, id, sizeof p->id - 1);
	(void)map_put(b->pages, p->id, strlen(p->id), p);
	return p;
}

/* ---- reading ---- */

struct reading {
	struct dialin_book *book;
	bool is_first;
	size_t n_damaged;
};

static bool read_one(struct store_span key, struct store_span value, void *arg)
{
	struct reading *r = arg;
	struct dialin_info info;
	bool is_good = read_row(&info, key, value);
	/* The first step writes each agent, and deletes all other rows. */
	(void)page_of(r->book, info.who.id);
	if (!is_good)
		r->n_damaged++;
	else if (r->is_first)
		(void)dialin_table_register(r->book->table, &info);
	return true;
}

static void read_all(struct dialin_book *b, bool is_first)
{
	struct reading r = {b, is_first, 0};
	struct store_txn t;
	struct err err;
	store_read(b->store, &t, STORE_FACTS);
	store_each(&t, TABLE_AGENTS, "", 1, read_one, &r);
	if (store_read_end(&t, &err) != 0)
		log_error("agents: %s", err.text);
	if (r.n_damaged)
		log_warn("agents: %zu rows are damaged; dropped", r.n_damaged);
}

struct dialin_book *dialin_book_open(struct store *store, struct heritage *h,
    unsigned slot, uint32_t generation, bool is_first)
{
	struct dialin_book *b = mem_zero(sizeof *b);
	b->store = store;
	b->table = dialin_table_new(h, slot, generation);
	b->pages = map_new();
	b->is_behind = true;
	read_all(b, is_first);
	return b;
}

static int free_page(void *value, void *arg)
{
	(void)arg;
	free(value);
	return 0;
}

void dialin_book_close(struct dialin_book **bp)
{
	struct dialin_book *b = *bp;
	*bp = NULL;
	if (!b)
		return;
	(void)map_each(b->pages, free_page, NULL);
	map_free(&b->pages);
	dialin_table_free(&b->table);
	free(b);
}

/* ---- writing ---- */

struct writing {
	struct dialin_book *book;
	struct store_txn txn;
};

static bool write_one(const struct dialin_info *info, void *arg)
{
	struct writing *w = arg;
	struct page *p = page_of(w->book, info->who.id);
	struct buf row = {0};
	put_row(&row, info);
	uint32_t checksum = enc_crc32c(0, row.data, row.len);
	if (p->checksum != checksum)
		store_put(&w->txn, TABLE_AGENTS, p->id, strlen(p->id), row.data,
		    row.len);
	p->checksum = checksum;
	p->is_seen = true;
	buf_fini(&row);
	return true;
}

static int begin_page(void *value, void *arg)
{
	struct page *p = value;
	(void)arg;
	p->is_seen = false;
	return 0;
}

static int end_page(void *value, void *arg)
{
	struct page *p = value;
	struct writing *w = arg;
	if (p->is_seen)
		return 0;
	store_delete(&w->txn, TABLE_AGENTS, p->id, strlen(p->id));
	(void)map_remove(w->book->pages, p->id, strlen(p->id));
	free(p);
	return 0;
}

static int forget_page(void *value, void *arg)
{
	struct page *p = value;
	(void)arg;
	p->checksum = 0;
	return 0;
}

/* Nothing was written, so the next step writes all once more. */
static void fall_behind(struct dialin_book *b, const struct err *err)
{
	if (!b->is_behind)
		log_error("agents: %s", err->text);
	b->is_behind = true;
	(void)map_each(b->pages, forget_page, NULL);
}

void dialin_book_step(struct dialin_book *b, int64_t keep_ms)
{
	struct writing w = {.book = b};
	struct err err;
	dialin_table_forget_old(b->table, clock_expiry_ms() - keep_ms);
	uint64_t version = dialin_table_version(b->table);
	if (!b->is_behind && version == b->version)
		return;
	(void)map_each(b->pages, begin_page, NULL);
	store_write(b->store, &w.txn, STORE_FACTS);
	dialin_table_each(b->table, write_one, &w);
	(void)map_each(b->pages, end_page, &w);
	if (store_commit(&w.txn, &err) != 0) {
		fall_behind(b, &err);
		return;
	}
	b->version = version;
	b->is_behind = false;
}
