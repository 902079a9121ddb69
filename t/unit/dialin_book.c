/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Agents in the store: what a server that starts again knows of them, what a
 * step writes and deletes, and rows that cannot be read.
 */
#include "dialin/dialin_book.h"

#include "base/clock.h"
#include "core/heritage.h"
#include "dialin/dialin_table.h"
#include "proc/shm.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/scratch_store.h"
#include "t/unit/tap.h"

#include <sys/mman.h>

#define CAPACITY 4
#define KEEP_MS ((int64_t)3600 * 1000)

enum { ME = 0, KEEPER = 70 };

/* A server: its memory, the table of a worker, and the book of the keeper. */
struct server {
	struct heritage *heritage;
	size_t size;
	struct dialin_table *table;
	struct dialin_book *book;
};

static struct store *store;

static struct server start(void)
{
	struct server s = {0};
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64;
	int fd = shm_create("book-test", at + dialin_table_bytes(CAPACITY));
	s.heritage = fd < 0 ? NULL : shm_map(fd, &s.size);
	if (!s.heritage)
		abort();
	(void)close(fd); /* the map stays */
	s.heritage->dialins_at = at;
	s.heritage->max_dialins = CAPACITY;
	atomic_store(&s.heritage->slots[ME].generation, 1);
	dialin_table_make(s.heritage);
	s.table = dialin_table_new(s.heritage, ME, 1);
	s.book = dialin_book_open(store, s.heritage, KEEPER, 1, true);
	return s;
}

static void stop(struct server *s)
{
	dialin_book_close(&s->book);
	dialin_table_free(&s->table);
	(void)munmap(s->heritage, s->size);
}

static bool find(
    const struct server *s, const char *id, struct dialin_info *info)
{
	*info = (struct dialin_info){.created_ms = -1};
	return dialin_table_find(s->table, id, strlen(id), info);
}

static void come(struct server *s, const char *id, const char *name)
{
	uint32_t place;
	uint64_t connection = 0;
	struct dialin_who who = {.user = "ann",
	    .org = "acme",
	    .type = "claude",
	    .version = "1",
	    .host = "laptop",
	    .capabilities = "{\"commands\":true}"};
	(void)snprintf(who.id, sizeof who.id, "%s", id);
	(void)snprintf(who.name, sizeof who.name, "%s", name);
	(void)dialin_table_connect(s->table, &who, &place, &connection);
	dialin_table_gone(s->table, place, connection);
}

static void test_restart(void)
{
	struct dialin_info before, after, notes;
	struct server s = start();
	come(&s, "one", "Quote \" and \xc3\xa4");
	(void)find(&s, "one", &notes);
	(void)snprintf(
	    notes.notes.description, sizeof notes.notes.description, "a note");
	(void)snprintf(
	    notes.notes.metadata, sizeof notes.notes.metadata, "{\"room\":5}");
	ok(dialin_table_change(s.table, &notes), "a record is changed");
	dialin_book_step(s.book, KEEP_MS);
	come(&s, "two", "");
	(void)find(&s, "one", &before);
	dialin_book_step(s.book, KEEP_MS);
	stop(&s);

	s = start();
	ok(find(&s, "one", &after), "an agent is known after a restart");
	is_str(after.who.name, before.who.name, "an agent has its name");
	is_str(after.who.user, "ann", "an agent has its user");
	is_str(after.who.org, "acme", "an agent has its organisation");
	is_str(after.who.capabilities, before.who.capabilities,
	    "an agent has its capabilities");
	is_str(after.notes.description, "a note", "an agent has its notes");
	is_str(
	    after.notes.metadata, "{\"room\":5}", "an agent has its metadata");
	is_int(after.seen_ms, before.seen_ms, "an agent was seen last then");
	is_int(after.created_ms, before.created_ms,
	    "an agent is known since then");
	ok(!after.is_online, "an agent is away after a restart");
	ok(find(&s, "two", &after), "a second agent is known");
	ok(dialin_table_forget(s.table, "two", 3), "an agent is deleted");
	dialin_book_step(s.book, KEEP_MS);
	stop(&s);
	s = start();
	ok(!find(&s, "two", &after), "a deletion outlives a restart");
	ok(find(&s, "one", &after), "a deletion deletes one agent");
	stop(&s);
}

static void test_damage(void)
{
	struct dialin_info info;
	struct store_txn t;
	struct err err;
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_AGENTS, "odd", 3, "no JSON", 7);
	store_put(&t, TABLE_AGENTS, "nobody", 6, "{\"user\":\"\"}", 11);
	is_int(store_commit(&t, &err), 0, "rows that are no records are put");
	struct server s = start();
	ok(!find(&s, "odd", &info) && !find(&s, "nobody", &info),
	    "rows that are no records are not entered");
	ok(find(&s, "one", &info), "a damaged row affects no other");
	dialin_book_step(s.book, KEEP_MS);
	struct store_span row;
	store_read(store, &t, STORE_FACTS);
	ok(!store_get(&t, TABLE_AGENTS, "odd", 3, &row),
	    "a damaged row is deleted");
	(void)store_read_end(&t, &err);
	stop(&s);
}

static void test_room(void)
{
	struct dialin_info info;
	char id[16];
	struct server s = start();
	for (int i = 0; i < CAPACITY; i++) {
		pass_ms(1000);
		(void)snprintf(id, sizeof id, "more-%d", i);
		come(&s, id, "");
	}
	ok(!find(&s, "one", &info),
	    "the agent that is away longest makes room");
	dialin_book_step(s.book, KEEP_MS);
	pass_ms(KEEP_MS - 1000);
	dialin_book_step(s.book, KEEP_MS);
	ok(!find(&s, "more-0", &info), "an agent is forgotten by its age");
	ok(find(&s, "more-3", &info), "a younger agent is kept");
	stop(&s);
	s = start();
	ok(!find(&s, "one", &info) && !find(&s, "more-0", &info),
	    "agents that were forgotten are not in the store");
	ok(find(&s, "more-3", &info), "agents that were kept are in the store");
	stop(&s);
}

int main(void)
{
	struct conf conf;
	follow_clock();
	store = scratch_store(&conf, "book");
	test_restart();
	test_damage();
	test_room();
	store_close(&store);
	conf_fini(&conf);
	return done();
}
