/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Turns of a process with many: the table of numbers, the queue, the credit. */
#include "agent/mux_turn.h"

#include <stdlib.h>

#include "t/unit/tap.h"

/* More than any number of slots that the test should need. */
#define TURNS 5000

static struct mux_turn *new_turn(uint64_t number)
{
	static const struct channel_ops ops;
	static const struct channel_handlers handlers;
	struct mux_turn *t = mux_turn_new(&ops, &handlers, NULL);

	t->number = number;
	return t;
}

/* Whether exactly these numbers are found: 1 to TURNS without multiples. */
static bool has_all_but(const struct mux_table *table, unsigned multiple)
{
	for (uint64_t n = 1; n <= TURNS; n++) {
		const struct mux_turn *t = mux_table_get(table, n);
		bool is_there = n % multiple != 0;
		if (is_there ? !t || t->number != n : t != NULL)
			return false;
	}
	return true;
}

static void test_table(void)
{
	static struct mux_turn *turns[TURNS + 1];
	struct mux_table table = {0};

	ok(!mux_table_get(&table, 1), "an empty table has no turn");
	for (unsigned n = 1; n <= TURNS; n++)
		mux_table_add(&table, turns[n] = new_turn(n));
	ok(has_all_but(&table, TURNS + 1), "%d turns are found", TURNS);
	ok(!mux_table_get(&table, TURNS + 1) && !mux_table_get(&table, 0) &&
		!mux_table_get(&table, 1 + ((uint64_t)1 << 40)),
	    "a number that was not added is not found");
	for (unsigned n = 3; n <= TURNS; n += 3)
		mux_table_remove(&table, turns[n]);
	ok(has_all_but(&table, 3), "a turn that was removed is not found");
	is_int((int)table.n, TURNS - TURNS / 3, "a table counts its turns");
	for (unsigned n = 1; n <= TURNS; n++) {
		if (n % 3)
			mux_table_remove(&table, turns[n]);
		mux_turn_free(turns[n]);
	}
	ok(table.n == 0 && !mux_table_get(&table, 1), "a table can be emptied");
	mux_table_fini(&table);
}

/* One turn stays while many others come and go. */
static void test_long_turn(void)
{
	struct mux_table table = {0};
	struct mux_turn *old = new_turn(1);
	bool is_found = true;

	mux_table_add(&table, old);
	for (uint64_t n = 2; n < 100000; n++) {
		struct mux_turn *t = new_turn(n);
		mux_table_add(&table, t);
		is_found &= mux_table_get(&table, 1) == old &&
			    mux_table_get(&table, n) == t;
		mux_table_remove(&table, t);
		mux_turn_free(t);
	}
	ok(is_found, "an old turn is found beside 100000 later ones");
	ok(table.n_slots <= 64, "turns that have ended take no room");
	mux_table_remove(&table, old);
	mux_turn_free(old);
	mux_table_fini(&table);
}

static void test_queue(void)
{
	struct mux_turn *one = new_turn(1), *two = new_turn(2),
			*three = new_turn(3);
	struct mux_queue q;

	mux_queue_init(&q);
	ok(!mux_queue_take(&q), "an empty queue has no turn");
	mux_queue_add(&q, one);
	mux_queue_add(&q, two);
	mux_queue_add(&q, three);
	mux_queue_remove(two);
	ok(q.n == 2 && !two->queue && one->queue == &q,
	    "a turn can leave its queue");
	ok(mux_queue_take(&q) == one && mux_queue_take(&q) == three,
	    "turns leave a queue in order");
	ok(q.n == 0 && !mux_queue_take(&q), "a queue can be emptied");
	mux_turn_free(one);
	mux_turn_free(two);
	mux_turn_free(three);
}

static void test_credit(void)
{
	struct mux_turn *t = new_turn(1);
	struct mux_credit *c = &t->credit;

	ok(mux_credit_take(c, MUX_WINDOW / 2 - 1) && !mux_credit_give(c),
	    "a turn that writes less than half a window gets no credit back");
	ok(mux_credit_take(c, 1) && mux_credit_give(c) == MUX_WINDOW / 2,
	    "half a window is given back");
	ok(!mux_credit_give(c), "credit is given back once");
	mux_credit_pause(c, true);
	ok(mux_credit_take(c, MUX_WINDOW - 1) && !mux_credit_give(c),
	    "a paused turn gets no credit back");
	ok(mux_credit_take(c, 5 * MUX_WINDOW),
	    "a frame may be larger than the credit that is left");
	ok(!mux_credit_take(c, 1), "a frame without credit is noticed");
	mux_credit_pause(c, false);
	ok(mux_credit_give(c) == 6 * MUX_WINDOW,
	    "a turn that goes on gets all its credit back");
	mux_turn_free(t);
}

int main(void)
{
	test_table();
	test_long_turn();
	test_queue();
	test_credit();
	return done();
}
