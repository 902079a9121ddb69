/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The table of agents that have dialed in: whose they are, where they are, who
 * makes room, and what is left when a process dies.
 */
#include "dialin/dialin_table.h"

#include "base/clock.h"
#include "core/heritage.h"
#include "proc/shm.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <sys/mman.h>

#define CAPACITY 3

enum { ME = 0, OTHER = 70 };

static struct heritage *heritage;
static size_t heritage_size;
static struct dialin_table *mine, *theirs;

static void live(unsigned slot, uint32_t generation)
{
	atomic_store(&heritage->slots[slot].generation, generation);
}

static void begin(void)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64;
	int fd = shm_create("dialin-test", at + dialin_table_bytes(CAPACITY));
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->dialins_at = at;
	heritage->max_dialins = CAPACITY;
	dialin_table_make(heritage);
	dialin_table_make(heritage); /* the second does nothing */
	live(ME, 1);
	live(OTHER, 3);
	mine = dialin_table_new(heritage, ME, 1);
	theirs = dialin_table_new(heritage, OTHER, 3);
}

static void end(void)
{
	dialin_table_free(&mine);
	dialin_table_free(&theirs);
	(void)munmap(heritage, heritage_size);
}

/* A connection of an agent. */
struct held {
	uint32_t place;
	uint64_t connection;
	enum dialin_found found;
};

static struct held come(
    struct dialin_table *t, const char *id, const char *user, const char *name)
{
	struct held h = {0};
	struct dialin_who who = {.id = ""};
	(void)snprintf(who.id, sizeof who.id, "%s", id);
	(void)snprintf(who.user, sizeof who.user, "%s", user);
	(void)snprintf(who.name, sizeof who.name, "%s", name);
	h.found = dialin_table_connect(t, &who, &h.place, &h.connection);
	return h;
}

static struct dialin_info info_of(const char *id)
{
	struct dialin_info info = {.n_running = 99};
	(void)dialin_table_find(mine, id, strlen(id), &info);
	return info;
}

/* The slot with an agent; -1: none. */
static int where(const char *id)
{
	unsigned slot = 0;
	uint64_t home = dialin_home(id, strlen(id));
	return dialin_table_locate(mine, home, &slot) ? (int)slot : -1;
}

static void test_life(void)
{
	begin();
	uint64_t version = dialin_table_version(mine);
	is_int(where("a"), -1, "an agent that never came is nowhere");
	struct held a = come(theirs, "a", "ann", "Alice");
	is_int(a.found, DIALIN_FOUND, "an agent is entered");
	ok(dialin_table_version(mine) != version,
	    "an agent that comes changes the version of the table");
	is_int(where("a"), OTHER, "an agent is found by its id");
	is_int(where("Alice"), OTHER, "an agent is found by its name");
	is_str(info_of("Alice").who.id, "a", "a name finds the whole entry");
	ok(info_of("a").is_online, "an agent that is connected is online");
	is_int(come(mine, "a", "bob", "").found, DIALIN_FOREIGN,
	    "an agent of another user is refused");
	dialin_table_set_running(theirs, a.place, 2);
	is_int(info_of("a").n_running, 2, "the commands of an agent are told");
	const struct dialin_queue q = {.n = 40, .first = {{7, 1}}};
	version = dialin_table_version(mine);
	dialin_table_set_queue(theirs, a.place, &q);
	is_int(info_of("a").queue.n, 40, "the queue of an agent is told");
	is_int(info_of("a").queue.first[0].command, 7,
	    "the first command of a queue is told");
	ok(dialin_table_version(mine) != version,
	    "another queue is a change of the table");
	version = dialin_table_version(mine);
	dialin_table_set_queue(theirs, a.place, &q);
	ok(dialin_table_version(mine) == version,
	    "the same queue is no change of the table");
	dialin_table_set_error(theirs, a.place, true);
	ok(info_of("a").has_error, "the error of an agent is told");
	struct dialin_health health = {.cpu = 12.5, .n_commands = 3};
	dialin_table_seen(theirs, a.place, &health);
	is_int(info_of("a").health.n_commands, 3,
	    "the metrics of an agent are told");
	dialin_table_gone(theirs, a.place, a.connection);
	is_int(where("a"), -1, "an agent that has gone is nowhere");
	ok(!info_of("a").is_online && *info_of("a").who.id,
	    "an agent that has gone is still known");
	is_int(come(mine, "a", "bob", "").found, DIALIN_FOREIGN,
	    "an agent that has gone is still its user's");
	end();
}

static void test_two(void)
{
	begin();
	struct held old = come(mine, "a", "ann", "");
	struct held new = come(theirs, "a", "ann", "");
	is_int(where("a"), OTHER, "the newest connection of an agent counts");
	ok(dialin_table_is_newest(theirs, new.place, new.connection) &&
		!dialin_table_is_newest(mine, old.place, old.connection),
	    "one connection of an agent is the newest");
	dialin_table_gone(mine, old.place, old.connection);
	is_int(where("a"), OTHER,
	    "the end of an older connection changes nothing");
	live(OTHER, 4);
	is_int(where("a"), -1, "an agent goes with the process that has it");
	ok(!info_of("a").is_online,
	    "an agent whose process died is not online");
	live(OTHER, 3);
	end();
}

static void test_full(void)
{
	begin();
	struct held a = come(mine, "a", "ann", "");
	pass_ms(5);
	struct held b = come(mine, "b", "ann", "");
	pass_ms(5);
	(void)come(mine, "c", "ann", "");
	is_int(come(mine, "d", "ann", "").found, DIALIN_FULL,
	    "an agent is refused when all places are taken");
	dialin_table_gone(mine, b.place, b.connection);
	dialin_table_gone(mine, a.place, a.connection);
	is_int(come(mine, "d", "ann", "").found, DIALIN_FOUND,
	    "an agent that has gone makes room");
	ok(!*info_of("a").who.id && *info_of("b").who.id,
	    "the agent that is gone for the longest time makes room");
	end();
}

static bool count(const struct dialin_info *info, void *arg)
{
	int *n = arg;
	(void)info;
	return ++*n < 2;
}

static void test_orders(void)
{
	struct dialin_order order = {.kind = 2, .reason = "why"}, got;
	int n = 0;
	begin();
	struct held a = come(theirs, "a", "ann", "");
	(void)come(theirs, "b", "ann", "");
	(void)come(theirs, "c", "ann", "");
	ok(!dialin_table_take_order(theirs, a.place, a.connection, &got),
	    "an agent without an order has none");
	ok(dialin_table_order(mine, "a", 1, &order),
	    "any process leaves an order for an agent");
	ok(dialin_table_take_order(theirs, a.place, a.connection, &got) &&
		got.kind == 2 && strcmp(got.reason, "why") == 0,
	    "the process of an agent takes its order");
	ok(!dialin_table_take_order(theirs, a.place, a.connection, &got),
	    "an order is taken once");
	for (order.kind = 1; dialin_table_order(mine, "a", 1, &order);)
		order.kind++;
	is_int(order.kind, DIALIN_MAX_ORDERS + 1,
	    "an order is refused when so many wait");
	ok(dialin_table_take_order(theirs, a.place, a.connection, &got) &&
		got.kind == 1 &&
		dialin_table_take_order(theirs, a.place, a.connection, &got) &&
		got.kind == 2,
	    "orders are taken in the order in which they were left");
	order.is_urgent = true;
	ok(dialin_table_order(mine, "a", 1, &order) &&
		dialin_table_take_order(theirs, a.place, a.connection, &got) &&
		got.kind == order.kind,
	    "an urgent order replaces those that wait");
	ok(!dialin_table_take_order(theirs, a.place, a.connection, &got),
	    "no order is left behind an urgent one");
	dialin_table_gone(theirs, a.place, a.connection);
	ok(!dialin_table_order(mine, "a", 1, &order),
	    "an agent that has gone gets no orders");
	dialin_table_each(mine, count, &n);
	is_int(n, 2, "a walk over the agents can be ended");
	end();
}

int main(void)
{
	follow_clock();
	test_life();
	test_two();
	test_full();
	test_orders();
	return done();
}
