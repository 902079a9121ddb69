/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/sessions.h"

#include "base/clock.h"
#include "store/record.h"
#include "t/unit/scratch_store.h"
#include "t/unit/tap.h"

#define NUMBER 7

static struct conf conf;
static struct store *store;

static const uint8_t name[16] = {1};

static void put_claim(enum record_status status, int64_t expires_ms)
{
	struct claim c = {.number = NUMBER,
	    .turn = 1,
	    .status = status,
	    .expires_ms = expires_ms,
	    .id = {"s", 1}};
	struct buf row = {0};
	record_encode_claim(&row, &c);
	scratch_store_put(store, TABLE_CLAIMS, name, sizeof name, &row);
}

static void put_waiting(bool is_there)
{
	struct waiting w = {.number = NUMBER,
	    .place = 1,
	    .turn = 1,
	    .session = {"s", 1},
	    .id = {"i", 1}};
	struct store_key key = store_key2(NUMBER, 1);
	struct buf row = {0};
	if (is_there)
		record_encode_waiting(&row, &w);
	scratch_store_put(store, TABLE_WAITING, key.bytes, 16, &row);
}

/* Sweep, and tell whether the claim is there. */
static bool is_left(void)
{
	struct sweep_place at = {0};
	struct store_txn t;
	struct store_span row;
	struct err err;
	(void)sessions_sweep(store, NULL, &at); /* no session is stored */
	store_read(store, &t, STORE_FACTS);
	bool is_there = store_get(&t, TABLE_CLAIMS, name, sizeof name, &row);
	(void)store_read_end(&t, &err);
	return is_there;
}

int main(void)
{
	store = scratch_store(&conf, "sweep");
	put_claim(RECORD_DONE, clock_wall_ms() + 100000);
	ok(is_left(), "the name of an input counts until it expires");
	put_claim(RECORD_DONE, 1);
	ok(!is_left(), "the name of an input is removed when it has expired");
	put_claim(RECORD_RUNNING, 1);
	put_waiting(true);
	ok(is_left(), "the name of a waiting input is kept longer");
	put_waiting(false);
	ok(!is_left(),
	    "the name of an input is removed when it no longer waits");
	store_close(&store);
	conf_fini(&conf);
	return done();
}
