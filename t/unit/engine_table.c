/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The table of clients that poll: what is taken, queued, removed and expired,
 * and what is left when a process dies with an entry in its hands.
 */
#include "engine/engine_table.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "proc/shm.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <sys/mman.h>

#define CAPACITY 4

/* More than a sweep looks at without giving the lock to others. */
#define MANY 600

/* The slots that live in these tests, and one that does not. */
enum { ME = 0, OTHER = 70, DEAD = 5 };

static struct heritage *heritage;
static size_t heritage_size;
static struct engine_table *table;

static void live(unsigned slot, uint32_t generation)
{
	atomic_store(&heritage->slots[slot].generation, generation);
}

static void begin_with(unsigned capacity)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64;
	int fd = shm_create("engine-test", at + engine_table_bytes(capacity));
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->engines_at = at;
	heritage->max_engines = capacity;
	engine_table_make(heritage);
	live(ME, 1);
	live(OTHER, 3);
	live(DEAD, 2);
	table = engine_table_new(heritage, ME, 1);
}

static void begin(void)
{
	begin_with(CAPACITY);
}

static void end(void)
{
	engine_table_free(&table);
	(void)munmap(heritage, heritage_size);
}

static const struct engine_peer anybody = {.network = ""};

struct sid {
	char text[EIO_SID + 1];
};

static struct sid add(void)
{
	struct sid sid = {""};
	enum engine_found found;
	struct engine *e = engine_add(table, &anybody, &found);
	if (e) {
		memcpy(sid.text, e->sid, sizeof sid.text);
		engine_give(table);
	}
	return sid;
}

static struct engine *take(struct sid sid)
{
	enum engine_found found;
	return engine_take(table, sid.text, EIO_SID, &found);
}

static bool is_there(struct sid sid)
{
	struct engine *e = take(sid);
	if (e)
		engine_give(table);
	return e;
}

static void test_entries(void)
{
	struct sid sids[CAPACITY];
	enum engine_found found;
	begin();
	for (int i = 0; i < CAPACITY; i++)
		sids[i] = add();
	is_int(engine_count(table), CAPACITY, "all entries are counted");
	ok(!engine_add(table, &anybody, &found) && found == ENGINE_FULL,
	    "a full table adds no session");
	for (int i = 0; i < CAPACITY; i++)
		ok(is_there(sids[i]), "session %d is found by its sid", i);
	struct engine *e = take(sids[1]);
	uint64_t number = e->number;
	memset(e->user, 'x', sizeof e->user);
	engine_end(table, ENGINE_LEFT);
	ok(!is_there(sids[1]), "a session that was ended is unknown");
	is_int(engine_count(table), CAPACITY - 1,
	    "a session that was ended is not counted");
	struct sid again = add();
	ok(is_there(again) && strcmp(again.text, sids[1].text) != 0,
	    "the place of an ended session is used again, by another sid");
	e = take(again);
	ok(e->number > number, "a new session has a new number");
	ok(e->user[0] == 0 && !memcmp(e->user, e->user + 1, sizeof e->user - 1),
	    "a new session has nothing of an earlier one");
	engine_give(table);
	ok(!engine_take(table, "short", 5, &found) && found == ENGINE_UNKNOWN,
	    "what is no sid is unknown");
	end();
}

static void test_make_twice(void)
{
	begin();
	struct sid sid = add();
	engine_table_make(heritage);
	ok(is_there(sid), "a table that was made is not made again");
	end();
}

static void test_packets(void)
{
	struct buf out = {0};
	char large[ENGINE_OUT_BYTES];
	begin();
	struct engine *e = take(add());
	ok(engine_queue(e, "40", 2) && engine_queue(e, "430[]", 5),
	    "packets are queued");
	(void)engine_unqueue(e, &out, SIZE_MAX); /* however many */
	is_mem(out.data, out.len,
	    "40\x1e"
	    "430[]",
	    8, "packets come in their order, separated");
	(void)engine_unqueue(e, &out, SIZE_MAX); /* however many */
	is_int((int64_t)out.len, 8, "what was taken does not come again");
	(void)engine_queue(e, "6", 1);		 /* there is room */
	(void)engine_unqueue(e, &out, SIZE_MAX); /* however many */
	is_mem(out.data, out.len,
	    "40\x1e"
	    "430[]\x1e"
	    "6",
	    10, "packets are separated from those that were taken before");
	buf_reset(&out);
	(void)engine_queue(e,
	    "431[]\x1e"
	    "432[]",
	    11);			   /* there is room */
	(void)engine_queue(e, "433[]", 5); /* the same */
	is_int((int64_t)engine_unqueue(e, &out, 2), 2,
	    "no more packets are taken than are wanted");
	is_mem(out.data, out.len,
	    "431[]\x1e"
	    "432[]",
	    11, "the oldest packets are taken first");
	is_int((int64_t)engine_unqueue(e, &out, 2), 1,
	    "packets that were left are taken by the next call");
	is_mem(out.data, out.len,
	    "431[]\x1e"
	    "432[]\x1e"
	    "433[]",
	    17, "packets that were left come in their order");
	is_int((int64_t)engine_unqueue(e, &out, 2), 0,
	    "no packet is taken from an empty queue");
	memset(large, '4', sizeof large);
	ok(engine_queue(e, large, sizeof large),
	    "the whole room for packets can be used");
	ok(!engine_queue(e, "6", 1), "a packet without room is refused");
	is_int(e->out_len, ENGINE_OUT_BYTES, "a refused one changes nothing");
	engine_give(table);
	buf_fini(&out);
	end();
}

static void test_expiry(void)
{
	begin();
	struct sid silent = add(), lively = add(), idle = add();
	take(silent)->is_connected = true;
	engine_give(table);
	pass_ms(ENGINE_SILENCE_MS - 1000);
	is_int(engine_sweep(table), 0, "sessions that may be silent stay");
	struct engine *e = take(lively);
	e->pong_ms = clock_mono_ms();
	e->is_connected = true;
	engine_give(table);
	take(idle)->pong_ms = clock_mono_ms();
	engine_give(table);
	pass_ms(2000);
	is_int(engine_sweep(table), 2, "silent and idle sessions are removed");
	ok(!is_there(silent) && is_there(lively),
	    "a session that is not silent stays");
	ok(!is_there(idle), "a session that connects to nothing is removed, "
			    "though its client answers");
	is_int((int64_t)stat_mine()->polling_silent, 1,
	    "sessions that were silent are counted");
	is_int((int64_t)stat_mine()->polling_idle, 1,
	    "sessions that connected to nothing are counted");
	end();
}

static void test_many(void)
{
	begin_with(MANY);
	for (int i = 0; i < MANY - 1; i++)
		(void)add();
	pass_ms(ENGINE_SILENCE_MS);
	struct sid last = add();
	pass_ms(1000);
	is_int(engine_sweep(table), MANY - 1,
	    "a sweep removes all that are silent of many sessions");
	ok(is_there(last), "of many sessions, the one that is new stays");
	is_int(engine_count(table), 1, "after a sweep of many, one is counted");
	end();
}

/* In a child: die while an entry is taken. */
static void die_with(struct sid sid)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct engine *e = take(sid);
		if (e)
			memset(e->user, 'x', sizeof e->user);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static struct sid add_from(const char *network, enum engine_found *found)
{
	const struct engine_peer peer = {.network = network, .most = 2};
	struct sid sid = {""};
	struct engine *e = engine_add(table, &peer, found);
	if (e) {
		memcpy(sid.text, e->sid, sizeof sid.text);
		engine_give(table);
	}
	return sid;
}

static void test_peers(void)
{
	enum engine_found found;
	begin_with(MANY);
	struct sid one = add_from("192.0.2.1", &found);
	(void)add_from("192.0.2.1", &found); /* as many as it may have */
	ok(found == ENGINE_FOUND, "a peer may have its number of sessions");
	(void)add_from("192.0.2.1", &found); /* one too many */
	ok(found == ENGINE_CROWDED, "a peer gets no more than its number");
	(void)add_from("192.0.2.2", &found); /* of another peer */
	ok(found == ENGINE_FOUND, "the limit of a peer is not that of another");
	(void)take(one); /* it is there */
	engine_end(table, ENGINE_LEFT);
	one = add_from("192.0.2.1", &found);
	ok(found == ENGINE_FOUND, "a session that ended counts no more");
	die_with(one);
	(void)add_from("192.0.2.1", &found); /* instead of the lost one */
	ok(found == ENGINE_FOUND,
	    "a session that was lost with its process counts no more");
	(void)add_from("192.0.2.1", &found); /* one too many */
	ok(found == ENGINE_CROWDED, "peers are counted again after a loss");
	for (int i = 0; i < CAPACITY; i++)
		(void)add_from("", &found); /* has no limit */
	ok(found == ENGINE_FOUND, "a peer without a name has no limit");
	end();
}

/* Clients that begin sessions and do not connect make room for others. */
static void test_crowd(void)
{
	begin();
	take(add())->is_connected = true;
	engine_give(table);
	for (int i = 0; i < CAPACITY - 2; i++)
		(void)add();
	pass_ms(ENGINE_IDLE_CROWDED_MS + 1000);
	is_int(engine_sweep(table), 0,
	    "sessions that are not connected may wait while there is room");
	(void)add(); /* the table is full now */
	is_int(engine_sweep(table), CAPACITY - 2,
	    "a full table drops the sessions that have not connected in time");
	is_int(engine_count(table), 2,
	    "a full table keeps those that are connected or new");
	end();
}

static void test_holders(void)
{
	begin_with(2 * CAPACITY);
	struct sid poll = add(), probe = add(), lost = add(), kept = add();
	struct engine *e = take(poll);
	e->poller = (struct engine_holder){DEAD, 1};
	engine_give(table);
	e = take(probe);
	e->state = ENGINE_PROBING;
	e->socket = (struct engine_holder){OTHER, 1};
	engine_give(table);
	e = take(lost);
	e->state = ENGINE_UPGRADED;
	e->socket = (struct engine_holder){OTHER, 1};
	engine_give(table);
	e = take(kept);
	e->state = ENGINE_UPGRADED;
	e->socket = (struct engine_holder){OTHER, 3};
	engine_give(table);
	pass_ms(ENGINE_SILENCE_MS / 2);
	is_int(engine_sweep(table), 1, "one session went with its process");
	ok(!is_there(lost),
	    "the session that went is the one whose WebSocket was there");
	is_int(take(poll)->poller.generation, 0,
	    "a poll that died with its process is forgotten");
	engine_give(table);
	is_int(take(probe)->state, ENGINE_POLLING,
	    "a session whose probe died goes on polling");
	engine_give(table);
	pass_ms(ENGINE_SILENCE_MS);
	is_int(engine_sweep(table), 2, "sessions that poll expire");
	ok(is_there(kept),
	    "a session with a living WebSocket does not expire here");
	end();
}

/* Nobody waits for a sweep to learn that a process died. */
static void test_dead_holders(void)
{
	begin();
	struct sid sid = add();
	struct engine *e = take(sid);
	e->state = ENGINE_PROBING;
	e->poller = e->socket = (struct engine_holder){OTHER, 3};
	engine_give(table);
	is_int(take(sid)->state, ENGINE_PROBING,
	    "the probe of a living process stays");
	engine_give(table);
	live(OTHER, 4);
	is_int(take(sid)->state, ENGINE_POLLING,
	    "a session whose probe died is polling for the next taker");
	engine_give(table);
	is_int(take(sid)->poller.generation, 0,
	    "a session whose poller died has none for the next taker");
	engine_give(table);
	e = take(sid);
	e->state = ENGINE_UPGRADED;
	engine_give(table);
	is_int(take(sid)->state, ENGINE_UPGRADED,
	    "a session whose WebSocket died does not go back to polling");
	engine_give(table);
	end();
}

static void test_nudge(void)
{
	struct engine_holder me, nobody = {0}, dead = {DEAD, 1};
	begin();
	me = engine_self(table);
	ok(engine_nudge(table, &me, 1), "a process is not told what it knows");
	ok(!engine_nudge(table, &nobody, 1), "nobody is told nothing");
	ok(!engine_nudge(table, &dead, 1), "a dead process is told nothing");
	ok(engine_is_alive(table, &me) && !engine_is_alive(table, &nobody) &&
		!engine_is_alive(table, &dead),
	    "only a living process is alive");
	end();
}

static void test_death(void)
{
	begin();
	struct sid torn = add(), whole = add(), ended = add();
	(void)take(ended); /* it is there */
	engine_end(table, ENGINE_LEFT);
	die_with(torn);
	ok(is_there(whole), "a session survives the death of another's holder");
	ok(!is_there(torn), "what a process died with is dropped");
	is_int(engine_count(table), 1, "the others are counted again");
	for (int i = 0; i < CAPACITY - 1; i++)
		ok(is_there(add()), "place %d can be used again", i);
	is_int(engine_count(table), CAPACITY, "no place was lost");
	end();
}

int main(void)
{
	char *log = scratch_path("log");
	(void)log_open(log); /* else it is seen */
	follow_clock();
	test_entries();
	test_make_twice();
	test_packets();
	test_expiry();
	test_many();
	test_peers();
	test_crowd();
	test_holders();
	test_dead_holders();
	test_nudge();
	test_death();
	free(log);
	return done();
}
