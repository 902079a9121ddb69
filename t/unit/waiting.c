/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/waiting.h"

#include "session/call.h"
#include "store/record.h"
#include "t/unit/scratch_store.h"
#include "t/unit/tap.h"

#define NUMBER 7

static struct conf conf;
static struct store *store;

/* Let an input of this id wait at a place. */
static void put(uint64_t place, const char *id)
{
	struct waiting w = {.number = NUMBER,
	    .place = place,
	    .turn = 1,
	    .session = {"s", 1},
	    .id = {id, strlen(id)}};
	struct store_key key = store_key2(NUMBER, place);
	struct buf row = {0};
	record_encode_waiting(&row, &w);
	scratch_store_put(store, TABLE_WAITING, key.bytes, 16, &row);
}

/* Let the facts say so of the session's turn. */
static void put_record(enum record_status status)
{
	struct record r = {.number = NUMBER,
	    .turn = 1,
	    .status = status,
	    .id = {"s", 1},
	    .caller = {"", 0},
	    .prompt = {"", 0}};
	struct store_key key = store_key1(NUMBER);
	struct buf row = {0};
	record_encode(&row, &r);
	scratch_store_put(store, TABLE_SESSIONS, key.bytes, 8, &row);
}

/* Begin a turn with the input that was read there; 0: it has begun. */
static int take(uint64_t place, const char *id)
{
	struct session_call call = {.row = place, .id = (char *)(uintptr_t)id};
	struct commit *c = journal_commit(NUMBER, 0, 2, COMMIT_BEGIN);
	struct store_txn t;
	struct err err;
	waiting_take(c, &call);
	store_write(store, &t, STORE_FACTS);
	int refusal = c->check(&t, c);
	if (!refusal)
		c->also(&t, c);
	if (store_commit(&t, &err) != 0)
		abort();
	journal_commit_free(c);
	return refusal;
}

/* Join the turn that runs; c->check() alone. */
static int join(void)
{
	struct commit *c = journal_commit(NUMBER, 0, 1, COMMIT_IN_TURN);
	struct sessions all = {.setup.conf = &conf};
	static char id[] = "s", prompt[] = "p";
	struct session s = {.all = &all, .number = NUMBER, .id = id};
	struct session_call call = {.session = &s, .prompt = prompt};
	struct store_txn t;
	waiting_join(c, &call, "j", false);
	store_write(store, &t, STORE_FACTS);
	int refusal = c->check(&t, c);
	store_abort(&t);
	journal_commit_free(c);
	return refusal;
}

static void damage_record(void)
{
	struct store_key key = store_key1(NUMBER);
	struct buf row = {0};
	buf_str(&row, "?");
	scratch_store_put(store, TABLE_SESSIONS, key.bytes, 8, &row);
}

static void test_join(void)
{
	conf.max_waiting = 10;
	is_int(join(), WAITING_TOO_LATE, "nothing joins a turn that is over");
	put_record(RECORD_RUNNING);
	is_int(join(), 0, "an input joins a turn that runs");
	damage_record();
	is_int(join(), WAITING_DAMAGED,
	    "joining a turn with a damaged record is refused as such");
}

int main(void)
{
	store = scratch_store(&conf, "waiting");
	put(1, "a");
	is_int(take(1, "a"), 0, "a turn begins with an input that waits");
	ok(take(1, "a"), "no other turn begins with the same input");
	put(1, "b");
	ok(take(1, "a"),
	    "no turn begins with an input that another has replaced");
	is_int(
	    take(1, "b"), 0, "the input that replaced another begins a turn");
	put(1, "c");
	put_record(RECORD_RUNNING);
	ok(take(1, "c"), "no turn begins while the end of the one before is "
			 "not stored");
	put_record(RECORD_DONE);
	is_int(take(1, "c"), 0,
	    "a turn begins once the end of the one before is stored");
	test_join();
	store_close(&store);
	conf_fini(&conf);
	return done();
}
