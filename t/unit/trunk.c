/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Two ends of a trunk on one loop: messages of many wires, in fair turns. */
#include "link/trunk.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/unit/loop_until.h"

#define PATIENCE_MS 20000
#define MOST_BYTES (4 * 1024 * 1024)
#define WINDOW 100

/* One end, and what it heard: a line for each message. */
struct test {
	struct trunk *trunk;
	struct buf heard;
	unsigned n_heard;
	unsigned want;
	unsigned rooms;
	unsigned ends;
	bool closes_on_message;
	bool closes_on_end;
};

static struct loop *loop;
static struct test near, far;

static void on_message(void *arg, const struct trunk_message *m)
{
	struct test *x = arg;

	x->n_heard++;
	buf_printf(&x->heard, "%u:%u:%u:%.*s\n", m->type, m->wire, m->value,
	    (int)(m->len < 9 ? m->len : 9), m->text);
	if (x->closes_on_message)
		trunk_close(&x->trunk);
}

static void on_room(void *arg)
{
	struct test *x = arg;

	x->rooms++;
}

static void on_end(void *arg)
{
	struct test *x = arg;

	x->ends++;
	if (x->closes_on_end)
		trunk_close(&x->trunk);
}

static const struct trunk_handlers handlers = {on_message, on_room, on_end};

static void open_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	near = far = (struct test){.trunk = NULL};
	near.trunk = trunk_open(loop, fds[0], MOST_BYTES, &handlers, &near);
	far.trunk = trunk_open(loop, fds[1], MOST_BYTES, &handlers, &far);
}

static void close_pair(void)
{
	trunk_close(&near.trunk);
	trunk_close(&far.trunk);
	buf_fini(&near.heard);
	buf_fini(&far.heard);
}

static bool has_enough(struct test *x)
{
	return x->n_heard >= x->want;
}

static bool has_ended(struct test *x)
{
	return x->ends > 0;
}

static bool has_ticked(struct test *x)
{
	static int n;

	(void)x;
	return ++n % 20 == 0;
}

/* Wait until this end has heard so many messages; all it heard. */
static const char *heard(struct test *x, unsigned n)
{
	x->want = n;
	(void)loop_until(loop, PATIENCE_MS, x, has_enough);
	return buf_cstr(&x->heard);
}

static void run_a_little(void)
{
	(void)loop_until(loop, PATIENCE_MS, &near, has_ticked);
}

static void say(struct trunk_lane *lane, uint32_t wire, const char *text)
{
	struct trunk_message m = {
	    TRUNK_TEXT, wire, 0, text, text ? strlen(text) : 0};

	trunk_send(near.trunk, lane, &m);
}

/* ---- tests ---- */

static void test_messages(void)
{
	struct trunk_lane a, b;
	struct trunk_message taken = {TRUNK_TAKEN, 7, 1234, NULL, 0};
	struct trunk_message close = {TRUNK_CLOSE, 2, 1000, "bye", 3};

	open_pair();
	trunk_lane_init(&a, 0);
	trunk_lane_init(&b, 0);
	say(&a, 1, "a1");
	say(&b, 2, "b1");
	say(&a, 1, "");
	say(&a, 1, "a3");
	trunk_send(near.trunk, &b, &close);
	trunk_send(far.trunk, NULL, &taken);
	is_int((int64_t)a.waiting, 4, "a lane counts what waits in it");
	is_str(heard(&far, 5),
	    "1:1:0:a1\n1:2:0:b1\n1:1:0:\n2:2:1000:bye\n"
	    "1:1:0:a3\n",
	    "lanes take turns, and each keeps its order");
	is_str(heard(&near, 1), "3:7:1234:\n", "a message needs no lane");
	is_int((int64_t)a.waiting, 0, "a lane that was emptied has no bytes");
	ok(near.rooms > 0, "the owner is told when lanes became shorter");
	close_pair();
}

static void test_large(void)
{
	struct trunk_lane lane;
	char *text = mem_zero(MOST_BYTES + 1);

	memset(text, 'x', MOST_BYTES);
	open_pair();
	trunk_lane_init(&lane, 0);
	for (int i = 0; i < 3; i++)
		say(&lane, 1, text);
	say(&lane, 1, "end");
	is_str(heard(&far, 4),
	    "1:1:0:xxxxxxxxx\n1:1:0:xxxxxxxxx\n"
	    "1:1:0:xxxxxxxxx\n1:1:0:end\n",
	    "messages of the largest size arrive in order");
	free(text);
	close_pair();
}

static void test_full(void)
{
	struct trunk_lane lane;
	char *text = mem_zero(MOST_BYTES);

	memset(text, 'x', MOST_BYTES - 1);
	open_pair();
	trunk_lane_init(&lane, 0);
	trunk_pause(far.trunk, true);
	say(&lane, 1, text);
	say(&lane, 1, "second");
	run_a_little();
	ok(trunk_is_full(near.trunk), "a trunk that is not read gets full");
	is_int((int64_t)lane.waiting, 6, "a message waits for a full trunk");
	trunk_lane_fini(&lane);
	trunk_pause(far.trunk, false);
	(void)heard(&far, 1);
	run_a_little();
	is_int(far.n_heard, 1, "a message dropped from its lane is not sent");
	ok(!trunk_is_full(near.trunk), "a trunk that is read has room");
	free(text);
	close_pair();
}

static void test_window(void)
{
	struct trunk_lane narrow, other;
	char text[WINDOW + 1] = "";

	memset(text, 'x', WINDOW);
	open_pair();
	trunk_lane_init(&narrow, WINDOW);
	trunk_lane_init(&other, WINDOW);
	say(&narrow, 1, text);
	say(&narrow, 1, "second");
	say(&other, 2, "other");
	(void)heard(&far, 2);
	run_a_little();
	is_str(buf_cstr(&far.heard), "1:1:0:xxxxxxxxx\n1:2:0:other\n",
	    "a lane whose window is used up waits alone");
	trunk_taken(near.trunk, &narrow, 1);
	is_str(heard(&far, 3), "1:1:0:xxxxxxxxx\n1:2:0:other\n1:1:0:second\n",
	    "a lane goes on when something of it was taken");
	trunk_taken(near.trunk, &narrow, 1000000);
	is_int((int64_t)narrow.under_way, 0,
	    "more than all cannot have been taken");
	close_pair();
}

static void test_adopt(void)
{
	struct trunk_message m = {TRUNK_TEXT, 1, 0, "early", 5};
	struct trunk_lane lane;

	trunk_lane_init(&lane, 0);
	trunk_lane_keep(&lane, &m);
	open_pair();
	run_a_little();
	is_int(far.n_heard, 0, "a lane without a trunk waits");
	trunk_adopt(near.trunk, &lane);
	is_str(heard(&far, 1), "1:1:0:early\n",
	    "a trunk sends what waited in a lane before");
	close_pair();
}

static void test_end(void)
{
	open_pair();
	near.closes_on_end = true;
	trunk_close(&far.trunk);
	(void)loop_until(loop, PATIENCE_MS, &near, has_ended);
	is_int(near.ends, 1, "the end of the other side is reported once");
	ok(near.trunk == NULL, "a trunk may be closed by its last report");
	close_pair();
	open_pair();
	trunk_close(&far.trunk);
	(void)loop_until(loop, PATIENCE_MS, &near, has_ended);
	struct trunk_lane lane;
	trunk_lane_init(&lane, 0);
	say(&lane, 1, "late");
	is_int((int64_t)lane.waiting, 0, "a trunk that ended takes nothing");
	is_int(
	    trunk_is_full(near.trunk), false, "a trunk that ended is not full");
	close_pair();
}

static void test_close_inside(void)
{
	struct trunk_lane lane;

	open_pair();
	trunk_lane_init(&lane, 0);
	far.closes_on_message = true;
	say(&lane, 1, "one");
	say(&lane, 1, "two");
	(void)heard(&far, 1);
	run_a_little();
	is_int(far.n_heard, 1, "a trunk closed by a message delivers no other");
	close_pair();
}

/* A process of another kind at the other end. */
static void test_nonsense(void)
{
	static const uint32_t heads[][4] = {
	    {TRUNK_TYPES, 0, 0, 0},
	    {TRUNK_TEXT, 0, 0, MOST_BYTES + 1},
	};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		int fds[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
			abort();
		near = (struct test){.trunk = NULL};
		near.trunk =
		    trunk_open(loop, fds[0], MOST_BYTES, &handlers, &near);
		if (write(fds[1], heads[i], sizeof heads[i]) < 0)
			abort();
		(void)loop_until(loop, PATIENCE_MS, &near, has_ended);
		is_int(near.ends, 1, "nonsense %zu ends a trunk", i);
		close(fds[1]);
		trunk_close(&near.trunk);
	}
}

int main(void)
{
	loop = loop_new();
	test_messages();
	test_large();
	test_full();
	test_window();
	test_adopt();
	test_end();
	test_close_inside();
	test_nonsense();
	return done();
}
