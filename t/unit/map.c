/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/map.h"

#define MANY 20000

struct walk {
	struct map *map;
	int *values;
	int seen;
};

static void test_one_key(void)
{
	struct map *m = map_new();
	int a = 1, b = 2;

	ok(!map_get(m, "k", 1), "an empty map has no value");
	ok(!map_put(m, "k", 1, &a), "a new key replaces nothing");
	ok(map_get(m, "k", 1) == &a, "a value is found by its key");
	ok(map_put(m, "k", 1, &b) == &a, "putting again returns the old value");
	ok(map_get(m, "k", 1) == &b, "a replaced value is found by its key");
	is_int((int64_t)map_count(m), 1, "a replaced value is counted once");
	ok(!map_get(m, "k\0", 2), "length is part of the key");
	ok(!map_put(m, "k\0", 2, &a), "keys may hold NUL bytes");
	ok(!map_put(m, NULL, 0, &a), "a key may be empty");
	ok(map_get(m, "", 0) == &a, "an empty key is found");
	ok(map_remove(m, "k", 1) == &b, "removing returns the value");
	ok(!map_remove(m, "k", 1), "a removed key cannot be removed again");
	is_int((int64_t)map_count(m), 2, "other keys stay when one is removed");
	map_free(&m);
	ok(!m, "freeing nulls the pointer");
	map_free(&m);
}

static void test_copied_key(void)
{
	struct map *m = map_new();
	char key[] = "abc";
	int value = 1;

	map_put(m, key, 3, &value);
	key[0] = 'x';
	ok(map_get(m, "abc", 3) == &value, "keys are copied");
	map_free(&m);
}

static int remove_odd(void *value, void *arg)
{
	struct walk *w = arg;
	int i = (int)((int *)value - w->values);

	w->seen++;
	if (i % 2)
		map_remove(w->map, &i, sizeof(i));
	return 0;
}

static int stop_at_third(void *value, void *arg)
{
	struct walk *w = arg;

	(void)value;
	return ++w->seen == 3 ? 33 : 0;
}

static void test_many_keys(void)
{
	static int values[MANY];
	struct walk w = {.map = map_new(), .values = values};
	int found = 0;

	for (int i = 0; i < MANY; i++)
		map_put(w.map, &i, sizeof(i), &values[i]);
	for (int i = 0; i < MANY; i++)
		found += map_get(w.map, &i, sizeof(i)) == &values[i];
	is_int(found, MANY, "every one of many keys is found");
	is_int(map_each(w.map, stop_at_third, &w), 33,
	    "map_each() returns what stopped it");
	is_int(w.seen, 3, "map_each() stops at once when told to");
	w.seen = 0;
	is_int(map_each(w.map, remove_odd, &w), 0,
	    "map_each() that ends returns 0");
	is_int(
	    w.seen, MANY, "map_each() sees all keys though some are removed");
	is_int((int64_t)map_count(w.map), MANY / 2,
	    "removed keys are not counted");
	found = 0;
	for (int i = 0; i < MANY; i++)
		found += map_get(w.map, &i, sizeof(i)) != NULL;
	is_int(found, MANY / 2, "keys that were not removed are still found");
	map_free(&w.map);
}

static void put_null(void *arg)
{
	map_put(arg, "k", 1, NULL);
}

int main(void)
{
	struct map *m = map_new();

	test_one_key();
	test_copied_key();
	test_many_keys();
	expect_panic(put_null, m, "putting NULL is a panic");
	map_free(&m);
	return done();
}
