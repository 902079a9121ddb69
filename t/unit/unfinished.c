/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/unfinished.h"

#include "t/unit/tap.h"

#define MANY 4

static struct unfinished parts[MANY];
static uint64_t held, dropped;
static char gone[MANY + 1]; /* the parts that were dropped, as letters */

static void drop(struct unfinished *part)
{
	gone[strlen(gone)] = (char)('a' + (part - parts));
}

static void begin(size_t most)
{
	memset(gone, 0, sizeof gone);
	for (int i = 0; i < MANY; i++) {
		unfinished_release(&parts[i]);
		unfinished_init(&parts[i], drop);
	}
	held = dropped = 0;
	unfinished_open(most, &held, &dropped);
}

static void test_room(void)
{
	begin(100);
	ok(unfinished_hold(&parts[0], 60) && unfinished_hold(&parts[1], 40),
	    "all of the budget may be held");
	is_int(held, 100, "held bytes are counted");
	ok(unfinished_hold(&parts[0], 10) && unfinished_hold(&parts[2], 50),
	    "a part that holds less makes room");
	unfinished_release(&parts[0]);
	unfinished_release(&parts[0]);
	is_int(held, 90, "a part released twice counts once");
	is_str(gone, "", "no part is dropped within the budget");
	unfinished_release(&parts[1]);
	unfinished_release(&parts[2]);
	is_int(held, 0, "all bytes are given back");
	begin(0);
	ok(unfinished_hold(&parts[0], 1000000), "0 is no limit");
}

static void test_victims(void)
{
	begin(100);
	parts[2].is_proven = true;
	(void)unfinished_hold(&parts[0], 30);
	(void)unfinished_hold(&parts[1], 40);
	ok(unfinished_hold(&parts[2], 50), "a proven peer finds room");
	is_str(gone, "b", "the largest part of an unproven peer is dropped");
	is_int(held, 80, "only one part is dropped");
	ok(!unfinished_hold(&parts[3], 35),
	    "an unproven part that is the largest is itself dropped");
	is_str(gone, "b", "no other part is dropped with it");
	ok(unfinished_hold(&parts[2], 100),
	    "the last unproven part is dropped");
	is_str(
	    gone, "ba", "the last unproven part is dropped for a proven one");
	ok(!unfinished_hold(&parts[2], 101),
	    "a part that wants more is dropped where all are proven");
	is_int(dropped, 4, "dropped parts are counted");
	is_int(held, 0, "no byte is held after all parts are gone");
}

int main(void)
{
	test_room();
	test_victims();
	return done();
}
