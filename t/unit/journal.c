/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>

#include "base/enc.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "proc/shm.h"
#include "session/session_int.h"
#include "journal/journal.h"
#include "journal/journal_convert.h"
#include "session/record_put.h"
#include "t/unit/scratch_store.h"

#define SLOT 3
#define GENERATION 1
#define NUMBER 7

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct registry *reg;
static struct store *store;
static struct journal *journal;
static uint32_t at; /* the session's registry index */

/* What the last commit said, and how many there were. */
static struct {
	enum commit_outcome outcome;
	int refusal;
	uint64_t first_seq, last_seq;
	bool are_facts_written;
	int done, failed;
} told;

static registry_owner self(void)
{
	return registry_self(SLOT, GENERATION);
}

static void hear_done(void *arg)
{
	(void)arg; /* collect() looks by itself */
}

static void open_registry(void)
{
	size_t begins = (sizeof(struct heritage) + 63) / 64 * 64;
	size_t size = begins + HERITAGE_REGISTRY_BYTES(16);
	int fd = shm_create("journal-test", size);

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->registry_at = begins;
	heritage->registry_bytes = HERITAGE_REGISTRY_BYTES(16);
	heritage->max_sessions = 16;
	atomic_store(&heritage->slots[SLOT].generation, GENERATION);
	reg = registry_new(heritage, true, 1);
}

static void begin(const char *folder)
{
	const struct registry_seed seed = {.number = NUMBER};
	const uint8_t key[REGISTRY_KEY] = {1};
	struct err err;

	scratch_conf(&conf, folder);
	open_registry();
	store = store_open(&conf, true, &err);
	if (!store)
		abort();
	at = registry_add(reg, key, SLOT, &seed);
	journal = journal_new(&(struct journal_setup){
	    .store = store,
	    .registry = reg,
	    .conf = &conf,
	    .slot = SLOT,
	    .generation = GENERATION,
	    .on_done = hear_done,
	});
	memset(&told, 0, sizeof(told));
}

static void end(void)
{
	journal_free(&journal);
	store_close(&store);
	registry_free(&reg);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

static void note_done(struct commit *c)
{
	told.outcome = c->outcome;
	told.refusal = c->refusal;
	told.first_seq = c->first_seq;
	told.last_seq = c->last_seq;
	told.are_facts_written = c->are_facts_written;
	told.done++;
	told.failed += c->outcome != COMMIT_OK;
	journal_commit_free(c);
}

/* Wait until all is written. */
static void finish(void)
{
	for (int i = 0; i < 20000 && journal_pending(journal); i++) {
		(void)usleep(500);
		journal_collect(journal);
	}
}

static void add_event(struct commit *c, enum event_type type, const char *text)
{
	struct draft d = {0};

	event_begin(&d, type, c->turn);
	if (type == EV_ASSISTANT)
		event_str(&d, "content", text, strlen(text));
	if (type == EV_INPUT)
		event_str(&d, "prompt", text, strlen(text));
	journal_add(c, &d);
	event_fini(&d);
}

static struct commit *commit_of(
    uint32_t turn, enum commit_rule rule, const char *text)
{
	static const enum event_type types[] = {
	    [COMMIT_BEGIN] = EV_INPUT,
	    [COMMIT_IN_TURN] = EV_ASSISTANT,
	    [COMMIT_END] = EV_DONE,
	};
	struct commit *c = journal_commit(NUMBER, at, turn, rule);

	c->done = note_done;
	add_event(c, types[rule], text);
	return c;
}

static void add_fact(struct commit *c, const char *key, const char *value)
{
	buf_str(&journal_put(c, TABLE_IDS, key, strlen(key))->value, value);
}

static enum commit_outcome do_one(
    uint32_t turn, enum commit_rule rule, const char *text)
{
	journal_push(journal, commit_of(turn, rule, text), false);
	finish();
	return told.outcome;
}

static const char *fact(const char *key)
{
	static char text[64];
	struct store_txn t;
	struct store_span v;
	struct err err;

	store_read(store, &t, STORE_FACTS);
	bool found = store_get(&t, TABLE_IDS, key, strlen(key), &v);
	if (found)
		(void)snprintf(text, sizeof(text), "%.*s", (int)v.len,
		    (const char *)v.data);
	return store_read_end(&t, &err) == 0 && found ? text : NULL;
}

/* ---- reading ---- */

struct seen {
	char text[8000]; /* type and body of each, when it fits */
	uint64_t first, last;
	unsigned n, most;
	bool is_ordered;
};

static bool see(const struct event *ev, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	if (!s->n++)
		s->first = ev->seq;
	else
		s->is_ordered &= ev->seq > s->last;
	s->last = ev->seq;
	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s{%.*s} ",
	    event_name(ev->type), (int)ev->body_len, ev->body);
	return s->n < s->most;
}

static enum journal_read look(
    uint64_t number, uint64_t *cursor, unsigned most, struct seen *s)
{
	*s = (struct seen){.most = most, .is_ordered = true};
	return journal_read(store, number, cursor, UINT64_MAX, see, s);
}

static void test_rules(void)
{
	begin("rules");
	is_int(do_one(1, COMMIT_IN_TURN, "x"), COMMIT_CLOSED,
	    "an event is refused in a turn that has not begun");
	is_int(
	    do_one(1, COMMIT_BEGIN, "hi"), COMMIT_OK, "the first turn begins");
	ok(told.first_seq == 1 && told.last_seq == 1, "positions count from 1");
	is_int(do_one(1, COMMIT_BEGIN, "hi"), COMMIT_CLOSED,
	    "a turn that has begun does not begin again");
	is_int(told.last_seq, 1,
	    "a refused commit is told where the journal ends");
	is_int(do_one(1, COMMIT_IN_TURN, "a"), COMMIT_OK,
	    "an event is written in a turn that runs");
	is_int(do_one(2, COMMIT_IN_TURN, "x"), COMMIT_CLOSED,
	    "an event is refused in another turn");
	is_int(do_one(1, COMMIT_END, ""), COMMIT_OK, "a turn that runs ends");
	is_int(do_one(1, COMMIT_END, ""), COMMIT_CLOSED,
	    "a turn that has ended does not end again");
	is_int(do_one(1, COMMIT_IN_TURN, "x"), COMMIT_CLOSED,
	    "an event is refused in a turn that has ended");
	is_int(do_one(2, COMMIT_BEGIN, "again"), COMMIT_OK,
	    "the next turn begins after the end");
	is_int(do_one(1, COMMIT_IN_TURN, "x"), COMMIT_CLOSED,
	    "an event is refused in an earlier turn");
	is_int(do_one(4, COMMIT_BEGIN, "later"), COMMIT_OK,
	    "a number may be left out");
	is_int(do_one(3, COMMIT_BEGIN, "x"), COMMIT_CLOSED,
	    "an earlier turn does not begin after a later one");
	is_int(do_one(5, COMMIT_END, ""), COMMIT_OK,
	    "a turn may end before it has begun");
	is_int(do_one(5, COMMIT_BEGIN, "x"), COMMIT_CLOSED,
	    "a turn that ended before it began does not begin");
	struct seen s;
	uint64_t cursor = 0;
	is_int(look(NUMBER, &cursor, 99, &s), JOURNAL_END,
	    "reading all turns finds the end of the journal");
	is_str(s.text,
	    "input{\"prompt\":\"hi\"} assistant{\"content\":\"a\"} done{} "
	    "input{\"prompt\":\"again\"} input{\"prompt\":\"later\"} done{} ",
	    "refused commits are not in the journal");
	end();
}

static void check_meta(void)
{
	struct store_txn t;
	struct journal_meta m, none;
	struct err err;

	store_read(store, &t, STORE_JOURNAL);
	bool found = journal_meta(&t, NUMBER, &m);
	bool other = journal_meta(&t, NUMBER + 1, &none);
	(void)store_read_end(&t, &err);
	ok(found && m.first == 1 && m.last == 4 && m.began == 4 &&
		m.turn == 2 && m.ended == 1 && m.bytes > 0,
	    "the metadata say where the events of a session are");
	ok(!other && none.last == 0,
	    "the metadata of another session are empty");
}

static void test_publish(void)
{
	struct entry *e;

	begin("publish");
	e = registry_entry(reg, at);
	(void)registry_begin(reg, at, self(), 1);
	struct commit *c = commit_of(1, COMMIT_BEGIN, "hi");
	c->n_stimuli = 1;
	journal_push(journal, c, false);
	finish();
	ok(e->head == 1 && e->began == 1 && e->stimuli == 1,
	    "the registry follows the journal");
	c = commit_of(1, COMMIT_IN_TURN, "?");
	add_event(c, EV_ASSISTANT, "which?");
	c->question_at = 2;
	c->question = EV_ASK_USER;
	c->rule = COMMIT_IN_TURN;
	journal_push(journal, c, false);
	finish();
	is_int(entry_question(e).seq, 3, "a question is noted");
	is_int(entry_question(e).type, EV_ASK_USER,
	    "a question is noted with its type");
	c = journal_commit(NUMBER, at, 1, COMMIT_END);
	c->done = note_done;
	c->ends_turn_of = self();
	journal_push(journal, c, false);
	finish();
	is_int(e->state, ENTRY_IDLE, "the end of a turn gives it up");
	end();
}

static void test_meta(void)
{
	begin("meta");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_END, "");
	(void)do_one(2, COMMIT_BEGIN, "c");
	check_meta();
	end();
}

/* One turn through both lanes, pushed without waiting. */
static void push_turn(uint32_t turn, unsigned n_events)
{
	char key[16], text[16];
	struct commit *c = commit_of(turn, COMMIT_BEGIN, "go");

	(void)snprintf(key, sizeof(key), "t%u", turn);
	add_fact(c, key, "begun");
	journal_push(journal, c, false);
	for (unsigned i = 0; i < n_events; i++) {
		(void)snprintf(text, sizeof(text), "%u.%u", turn, i);
		/* Behind the facts of the beginning, as the caller asks. */
		journal_push(
		    journal, commit_of(turn, COMMIT_IN_TURN, text), i < 3);
		if (i == 2)
			finish();
	}
	c = commit_of(turn, COMMIT_END, "");
	(void)snprintf(key, sizeof(key), "e%u", turn);
	add_fact(c, key, "ended");
	journal_push(journal, c, false);
	finish();
}

static void test_lanes(void)
{
	struct buf want = {0};
	struct seen *s = malloc(sizeof(*s));
	uint64_t cursor = 0;

	begin("lanes");
	for (uint32_t turn = 1; turn <= 5; turn++)
		push_turn(turn, 40);
	is_int(told.failed, 0, "all events of five turns are written");
	is_int(told.done, 5 * 42, "all events of five turns are told once");
	if (!s)
		abort();
	(void)look(NUMBER, &cursor, 1000, s);
	ok(s->n == 5 * 42 && s->last == 5 * 42 && s->is_ordered,
	    "positions have no gaps");
	for (int turn = 1; turn <= 5; turn++) {
		buf_str(&want, "input{\"prompt\":\"go\"} ");
		for (int i = 0; i < 40; i++)
			buf_printf(&want, "assistant{\"content\":\"%d.%d\"} ",
			    turn, i);
		buf_str(&want, "done{} ");
	}
	ok(strncmp(s->text, buf_cstr(&want), sizeof(s->text) - 1) == 0,
	    "the order of a turn is the order it was pushed in");
	is_str(fact("t5"), "begun", "facts of the beginning are written");
	is_str(fact("e5"), "ended", "facts of the end are written");
	free(s);
	buf_fini(&want);
	end();
}

static int refuse(struct store_txn *t, struct commit *c)
{
	struct store_span v;

	(void)c;
	return store_get(t, TABLE_IDS, "taken", 5, &v) ? 42 : 0;
}

static void test_facts(void)
{
	char id[] = "taken";
	const struct session taken = {.number = 3, .id = id};
	begin("facts");
	struct commit *c = commit_of(1, COMMIT_BEGIN, "hi");
	add_fact(c, "taken", "1");
	c->check = refuse;
	journal_push(journal, c, false);
	finish();
	ok(told.outcome == COMMIT_OK && told.are_facts_written,
	    "a commit that its check allows is written");
	c = commit_of(2, COMMIT_BEGIN, "hi");
	add_fact(c, "other", "2");
	c->check = refuse;
	c->ends_turn_of = self();
	(void)registry_begin(reg, at, self(), 1);
	journal_push(journal, c, false);
	finish();
	ok(told.outcome == COMMIT_REFUSED && told.refusal == 42 &&
		!told.are_facts_written,
	    "a commit that its check refuses is told with the reason");
	is_str(fact("other"), NULL, "a refused commit writes no fact");
	is_int(registry_entry(reg, at)->head, 1,
	    "a refused commit writes no event");
	is_int(registry_entry(reg, at)->state, ENTRY_RUNNING,
	    "a refused commit does not give the turn up");
	c = commit_of(3, COMMIT_BEGIN, "hi");
	record_put_id(c, &taken);
	journal_push(journal, c, false);
	finish();
	is_str(
	    fact("taken"), "1", "a commit does not change the number of an id");
	c = commit_of(3, COMMIT_BEGIN, "hi");
	add_fact(c, "third", "3");
	journal_push(journal, c, false);
	finish();
	ok(told.outcome == COMMIT_CLOSED && told.are_facts_written,
	    "a turn that is closed says so beside its facts");
	end();
}

static void test_full(void)
{
	char *big = malloc(3000000);
	struct buf *value;

	begin("full");
	if (!big)
		abort();
	memset(big, 'x', 3000000);
	for (uint32_t turn = 1; turn < 9 && !told.failed; turn++) {
		struct commit *c = commit_of(turn, COMMIT_BEGIN, "hi");
		struct store_key key = store_key1(turn);
		value = &journal_put(c, TABLE_TALKS, key.bytes, 8)->value;
		buf_append(value, big, 3000000);
		journal_push(journal, c, false);
		finish();
	}
	is_int(told.outcome, COMMIT_FAILED, "a full store fails the commit");
	uint64_t head = registry_entry(reg, at)->head;
	is_int(do_one(20, COMMIT_BEGIN, "hi"), COMMIT_OK,
	    "the journal has its own room");
	is_int(told.first_seq, (int64_t)head + 1,
	    "a failed commit leaves no event");
	free(big);
	end();
}

/* A row and an event that may be too large for the store. */
static struct commit *large_commit(uint32_t turn, size_t len)
{
	char *text = calloc(1, len + 1);

	if (!text)
		abort();
	memset(text, 'x', len);
	struct commit *c = commit_of(turn, COMMIT_BEGIN, text);
	free(text);
	return c;
}

static void note_outcome(struct commit *c)
{
	*(enum commit_outcome *)c->arg = c->outcome;
	journal_commit_free(c);
}

/* Facts without events share a batch with events that find no room. */
static void test_full_journal(void)
{
	enum commit_outcome facts = COMMIT_FAILED, events = COMMIT_OK;
	struct store_txn lock;

	begin("full-journal");
	struct commit *c = journal_commit(NUMBER, at, 1, COMMIT_IN_TURN);
	add_fact(c, "alone", "1");
	c->done = note_outcome;
	c->arg = &facts;
	/* While we hold the lock, commits gather behind it. */
	store_write(store, &lock, STORE_FACTS);
	journal_push(journal, c, false);
	c = large_commit(1, 20000000);
	add_fact(c, "beside", "1");
	c->done = note_outcome;
	c->arg = &events;
	journal_push(journal, c, false);
	store_abort(&lock);
	finish();
	is_int(events, COMMIT_FAILED, "events that find no room are lost");
	is_str(fact("beside"), "1", "facts beside lost events are written");
	is_int(facts, COMMIT_OK, "facts alone are told as written");
	is_str(
	    fact("alone"), "1", "facts alone are written beside lost events");
	end();
}

static void test_trim(void)
{
	struct seen *s = malloc(sizeof(*s));
	uint64_t cursor = 0, most = 0;

	begin("trim");
	if (!s)
		abort();
	conf.journal_events = 100;
	(void)do_one(1, COMMIT_BEGIN, "hi");
	for (int i = 0; i < 60; i++) {
		struct commit *c = commit_of(1, COMMIT_IN_TURN, "x");
		for (int n = 1; n < 5; n++)
			add_event(c, EV_ASSISTANT, "y");
		journal_push(journal, c, false);
		finish();
		cursor = 0;
		if (look(NUMBER, &cursor, 1000, s) == JOURNAL_GONE)
			(void)look(NUMBER, &cursor, 1000, s);
		most = s->n > most ? s->n : most;
	}
	ok(most <= 100 && most > 80, "no more than journal_events are kept");
	cursor = 0;
	is_int(look(NUMBER, &cursor, 1000, s), JOURNAL_GONE,
	    "a reader of trimmed events is told that they are gone");
	is_int(s->n, 0, "a reader of trimmed events sees none of them");
	is_int(look(NUMBER, &cursor, 1000, s), JOURNAL_END,
	    "the cursor of a reader of trimmed events goes to the oldest "
	    "event");
	ok(s->last == 301 && s->n == s->last - s->first + 1 && s->is_ordered,
	    "a reader of trimmed events gets the rest in order");
	/* The input has two views, each other event has one. */
	is_int((int64_t)journal_find_view(store, NUMBER, s->first + 1, 301),
	    (int64_t)s->first, "the oldest event keeps its number");
	is_int((int64_t)journal_find_view(store, NUMBER, 1, 301),
	    (int64_t)s->first,
	    "a view of a trimmed event is looked for at the oldest event");
	is_int((int64_t)journal_find_view(store, NUMBER, 302, 301), 301,
	    "numbers go on after trimming");
	free(s);
	end();
}

/* The events that are kept when each commit brings n more. */
static uint64_t kept_of(unsigned n_commits, unsigned n)
{
	struct journal_meta m;
	struct store_txn t;
	struct err err;

	(void)do_one(1, COMMIT_BEGIN, "hi");
	for (unsigned i = 0; i < n_commits; i++) {
		struct commit *c = commit_of(1, COMMIT_IN_TURN, "x");
		for (unsigned k = 1; k < n; k++)
			add_event(c, EV_ASSISTANT, "y");
		journal_push(journal, c, false);
		finish();
	}
	store_read(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, NUMBER, &m);
	(void)store_read_end(&t, &err);
	is_int(m.last, 1 + n_commits * n,
	    "all events are written while older ones are trimmed");
	return m.last + 1 - m.first;
}

static void test_trim_many(void)
{
	begin("many");
	conf.journal_events = 1000;
	ok(kept_of(5, 6000) <= 1000,
	    "a commit of thousands of events does not outgrow the limit");
	end();
	begin("shrunk");
	(void)kept_of(1, 9000);
	conf.journal_events = 1000;
	for (int i = 0; i < 4; i++)
		(void)do_one(1, COMMIT_IN_TURN, "x");
	struct seen *s = malloc(sizeof(*s));
	uint64_t cursor = 0;
	if (!s)
		abort();
	while (look(NUMBER, &cursor, 9999, s) == JOURNAL_GONE)
		;
	ok(s->n <= 1000, "a journal made under a larger limit shrinks to it");
	free(s);
	end();
}

static void test_trim_bytes(void)
{
	struct seen *s = malloc(sizeof(*s));
	char *text = malloc(10001);
	uint64_t cursor = 0;

	begin("bytes");
	if (!s || !text)
		abort();
	memset(text, 'x', 10000);
	text[10000] = '\0';
	conf.journal_bytes = 100000;
	(void)do_one(1, COMMIT_BEGIN, "hi");
	for (int i = 0; i < 50; i++)
		(void)do_one(1, COMMIT_IN_TURN, text);
	(void)look(NUMBER, &cursor, 1000, s);
	(void)look(NUMBER, &cursor, 1000, s);
	ok(s->n >= 5 && s->n <= 10, "no more than journal_bytes are kept");
	is_int(s->last, 51, "the newest event is kept under journal_bytes");
	free(text);
	free(s);
	end();
}

static void test_read(void)
{
	struct seen s;
	uint64_t cursor = 0;

	begin("read");
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_END,
	    "reading an empty journal ends at once");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_IN_TURN, "c");
	is_int(look(NUMBER, &cursor, 2, &s), JOURNAL_STOPPED,
	    "a reader may stop early");
	is_int(
	    cursor, 2, "a reader that stops has its cursor behind what it saw");
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_END,
	    "a reader that stopped reads on to the end");
	is_str(s.text, "assistant{\"content\":\"c\"} ",
	    "a reader that stopped goes on with the next event");
	cursor = 99;
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_END,
	    "a cursor past the end finds nothing");
	cursor = 0;
	is_int(look(NUMBER - 1, &cursor, 9, &s), JOURNAL_END,
	    "reading another session ends at once");
	is_int(s.n, 0, "no event of another session is read");
	end();
}

/* Flip a bit of one stored event. */
static void damage(uint64_t seq)
{
	struct store_key key = store_key2(NUMBER, seq);
	struct store_span v;
	struct store_txn t;
	struct err err;
	char row[500];

	store_write(store, &t, STORE_JOURNAL);
	if (!store_get(&t, TABLE_EVENTS, key.bytes, 16, &v) ||
	    v.len > sizeof(row))
		abort();
	memcpy(row, v.data, v.len);
	row[v.len - 3] ^= 4;
	size_t len = v.len;
	store_put(&t, TABLE_EVENTS, key.bytes, 16, row, len);
	if (store_commit(&t, &err) != 0)
		abort();
}

static void test_damaged(void)
{
	struct seen s;
	uint64_t cursor = 0;

	begin("damaged");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_IN_TURN, "c");
	damage(2);
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_GONE,
	    "a damaged event is told as one that is gone");
	is_str(s.text, "input{\"prompt\":\"a\"} ",
	    "events before a damaged one are read");
	is_int(cursor, 2, "the cursor goes behind a damaged event");
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_END,
	    "reading goes on behind a damaged event");
	is_str(s.text, "assistant{\"content\":\"c\"} ",
	    "events after a damaged one are read");
	damage(3);
	cursor = 1;
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_GONE,
	    "two damaged events are one hole");
	is_int(
	    cursor, 3, "the cursor goes behind the last of two damaged events");
	is_int(look(NUMBER, &cursor, 9, &s), JOURNAL_END,
	    "two damaged events are told once");
	cursor = 1;
	is_int(journal_read(store, NUMBER, &cursor, 2, see, &s), JOURNAL_GONE,
	    "events that are not published are not read");
	is_int(cursor, 2, "the cursor does not pass what is published");
	end();
}

static void check_range(const struct journal_range *range, uint64_t next,
    const char *events, const char *what)
{
	struct seen s = {.most = 99};
	is_int((int64_t)journal_read_range(store, NUMBER, range, see, &s),
	    (int64_t)next, "%s: the next one goes on from %d", what, (int)next);
	is_str(s.text, events, "%s has its events", what);
}

#define A "input{\"prompt\":\"a\"} "
#define B "assistant{\"content\":\"b\"} "
#define C "assistant{\"content\":\"c\"} "

static void test_ranges(void)
{
	static const struct {
		struct journal_range range;
		uint64_t next;
		const char *events;
		const char *what;
	} cases[] = {
	    {{0, 3, false, 9}, 0, A B C, "a range of all events"},
	    {{0, 3, true, 9}, 0, C B A, "a range of all events backwards"},
	    {{1, 3, false, 2}, 3, A B, "a range of two events"},
	    {{3, 3, false, 2}, 0, C, "a range at the end"},
	    {{0, 3, true, 1}, 2, C, "a range of the newest event"},
	    {{2, 3, true, 1}, 1, B, "a range of one event backwards"},
	    {{1, 3, true, 1}, 0, A, "a range of the oldest event backwards"},
	    {{0, 2, true, 1}, 1, B, "a range without what is not published"},
	    {{0, 1, false, 1}, 0, A, "a range up to what is published"},
	    {{9, 3, false, 9}, 0, "", "a range beyond the end"},
	    {{9, 3, true, 9}, 0, C B A, "a range backwards from beyond"},
	    {{0, 3, false, 0}, 1, "", "a range of no events"},
	};
	static const struct journal_range all = {0, 3, false, 9};
	begin("ranges");
	check_range(&(struct journal_range){0, 0, true, 9}, 0, "",
	    "a range of an empty journal");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_IN_TURN, "c");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_range(&cases[i].range, cases[i].next, cases[i].events,
		    cases[i].what);
	struct seen s = {.most = 2};
	is_int((int64_t)journal_read_range(store, NUMBER, &all, see, &s), 3,
	    "a range whose reader stops goes on with the next event");
	damage(2);
	check_range(&all, 0, A C, "a range over a damaged event");
	end();
}

#undef A
#undef B
#undef C

/* ---- views ---- */

struct numbers {
	char text[200]; /* the numbers up to each event */
};

static bool note_numbers(const struct event *ev, void *arg)
{
	struct numbers *n = arg;
	size_t len = strlen(n->text);
	(void)snprintf(n->text + len, sizeof n->text - len, "%d-%d ",
	    (int)ev->first_view, (int)views_upto(ev));
	return true;
}

/* The numbers of all events that are kept. */
static void check_numbers(const char *expected, const char *what)
{
	static const struct journal_range all = {0, UINT64_MAX, false, 99};
	struct numbers n = {.text = ""};
	(void)journal_read_range(store, NUMBER, &all, note_numbers, &n);
	is_str(n.text, expected, "%s", what);
}

static void check_find(uint64_t view, uint64_t upto, uint64_t seq)
{
	is_int((int64_t)journal_find_view(store, NUMBER, view, upto),
	    (int64_t)seq, "of positions up to %d, view %d is at %d", (int)upto,
	    (int)view, (int)seq);
}

static void test_views(void)
{
	begin("views");
	check_find(1, 0, 1);
	(void)do_one(1, COMMIT_BEGIN, "a"); /* 1 2 */
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_IN_TURN, "c");
	(void)do_one(1, COMMIT_END, ""); /* 5 6 */
	(void)do_one(2, COMMIT_BEGIN, "d");
	(void)do_one(2, COMMIT_IN_TURN, "e");
	check_numbers("1-2 3-3 4-4 5-6 7-8 9-9 ",
	    "events have consecutive numbers, over commits and turns");
	static const uint8_t seqs[] = {1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 7, 7};
	for (uint64_t view = 0; view < sizeof seqs; view++)
		check_find(view, 6, seqs[view]);
	check_find(9, 5, 6);
	check_find(7, 4, 5);
	check_find(UINT64_MAX, 6, 7);
	damage(2);
	check_find(3, 6, 2);
	check_find(4, 6, 2);
	check_find(5, 6, 4);
	damage(6);
	check_find(9, 6, 6);
	check_find(8, 6, 5);
	end();
}

/* ---- journals of an earlier version ---- */

#define OLD_HEAD 24
#define NEW_HEAD 32
#define CRC_AT 20

/* Make an event's row one of the first version, which had no views. */
static void make_row_old(uint64_t seq)
{
	struct store_key key = store_key2(NUMBER, seq);
	struct store_span v;
	struct store_txn t;
	struct err err;
	char row[500];
	uint32_t crc = 0;

	store_write(store, &t, STORE_JOURNAL);
	if (!store_get(&t, TABLE_EVENTS, key.bytes, 16, &v) ||
	    v.len > sizeof row)
		abort();
	size_t len = v.len - (NEW_HEAD - OLD_HEAD);
	memcpy(row, v.data, OLD_HEAD);
	memcpy(row + OLD_HEAD, (const char *)v.data + NEW_HEAD, len - OLD_HEAD);
	row[0] = 1;
	memcpy(row + CRC_AT, &crc, sizeof crc);
	crc = enc_crc32c(0, row, len);
	memcpy(row + CRC_AT, &crc, sizeof crc);
	store_put(&t, TABLE_EVENTS, key.bytes, 16, row, len);
	if (store_commit(&t, &err) != 0)
		abort();
}

static void make_meta_old(void)
{
	struct store_key key = store_key1(NUMBER);
	struct journal_meta m;
	struct store_txn t;
	struct err err;

	store_write(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, NUMBER, &m);
	store_put(&t, TABLE_JOURNALS, key.bytes, 8, &m, JOURNAL_META_OLD);
	if (store_commit(&t, &err) != 0)
		abort();
}

static void read_meta(struct journal_meta *m)
{
	struct store_txn t;
	struct err err;

	store_read(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, NUMBER, m);
	(void)store_read_end(&t, &err);
}

static void test_convert(void)
{
	static const char numbers[] = "1-2 3-3 4-5 6-7 8-8 ";
	struct journal_meta was, is;

	begin("convert");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_IN_TURN, "b");
	(void)do_one(1, COMMIT_END, "");
	(void)do_one(2, COMMIT_BEGIN, "d");
	(void)do_one(2, COMMIT_IN_TURN, "e");
	read_meta(&was);
	for (uint64_t seq = 1; seq < 6; seq++)
		make_row_old(seq);
	make_meta_old();
	check_numbers("0-0 0-0 0-0 0-0 0-0 ",
	    "events of an earlier version are read without numbers");
	journal_convert(store);
	check_numbers(numbers, "events of an earlier version get numbers");
	read_meta(&is);
	ok(memcmp(&was, &is, sizeof is) == 0,
	    "a converted journal is as if it had been written now");
	journal_convert(store);
	check_numbers(numbers, "a journal is converted once");
	(void)do_one(2, COMMIT_IN_TURN, "f");
	check_numbers("1-2 3-3 4-5 6-7 8-8 9-9 ",
	    "numbers go on after those of an earlier version");
	end();
}

static void test_convert_large(void)
{
	struct journal_meta m;
	char *text = malloc(400000);

	begin("convert-large");
	if (!text)
		abort();
	memset(text, 'x', 399999);
	text[399999] = 0;
	(void)do_one(1, COMMIT_BEGIN, "a");
	for (int i = 0; i < 8; i++)
		(void)do_one(1, COMMIT_IN_TURN, text);
	make_meta_old();
	journal_convert(store);
	read_meta(&m);
	is_int((int64_t)m.n_views, 10,
	    "a journal of several megabytes is converted whole");
	check_numbers("1-2 3-3 4-4 5-5 6-6 7-7 8-8 9-9 10-10 ",
	    "a journal of several megabytes gets consecutive numbers");
	free(text);
	end();
}

/* Flip a bit of the row that says where the session's events are. */
static void damage_meta(void)
{
	static const char row[] = {0, 0, 0, 0, 0, 0, 0, NUMBER, 1, 0, 0, 0};
	char *path = scratch_path("damaged-meta/store/journal.mdb");
	struct err err;
	size_t len;

	journal_free(&journal);
	store_close(&store);
	char *text = scratch_read(path, &len);
	for (size_t i = 0; i + 20 < len; i++)
		if (memcmp(text + i, row, sizeof(row)) == 0)
			text[i + 16] ^= 64; /* its last position */
	scratch_write(path, text, len);
	free(text);
	free(path);
	store = store_open(&conf, true, &err);
	journal = journal_new(&(struct journal_setup){
	    .store = store,
	    .registry = reg,
	    .conf = &conf,
	    .slot = SLOT,
	    .generation = GENERATION,
	    .on_done = hear_done,
	});
}

static void test_damaged_meta(void)
{
	struct journal_meta was, is;
	struct store_txn t;
	struct err err;

	begin("damaged-meta");
	(void)do_one(1, COMMIT_BEGIN, "a");
	(void)do_one(1, COMMIT_END, "");
	(void)do_one(2, COMMIT_BEGIN, "b");
	(void)do_one(2, COMMIT_IN_TURN, "c");
	store_read(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, NUMBER, &was);
	(void)store_read_end(&t, &err);
	uint64_t corrupt = stat_mine()->corrupt;
	damage_meta();
	store_read(store, &t, STORE_JOURNAL);
	ok(journal_meta(&t, NUMBER, &is),
	    "the place of the events is found in spite of damage");
	(void)store_read_end(&t, &err);
	ok(stat_mine()->corrupt > corrupt,
	    "damaged metadata are counted as corrupt");
	ok(memcmp(&was, &is, sizeof(is)) == 0,
	    "metadata found again are as before the damage");
	is_int(do_one(2, COMMIT_IN_TURN, "d"), COMMIT_OK,
	    "a turn goes on after damaged metadata");
	is_int(told.last_seq, 5,
	    "events continue at the next position after damaged metadata");
	is_int(do_one(1, COMMIT_END, ""), COMMIT_CLOSED,
	    "a turn does not end twice after damaged metadata");
	corrupt = stat_mine()->corrupt;
	store_read(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, NUMBER, &is);
	(void)store_read_end(&t, &err);
	is_int(
	    stat_mine()->corrupt, corrupt, "a commit mends damaged metadata");
	end();
}

static void test_free(void)
{
	struct seen s;
	uint64_t cursor = 0;
	struct err err;

	begin("free");
	struct commit *c = commit_of(1, COMMIT_BEGIN, "a");
	add_fact(c, "k", "1");
	journal_push(journal, c, false);
	journal_push(journal, commit_of(1, COMMIT_IN_TURN, "b"), true);
	is_int(journal_pending(journal), 2, "pushed commits are pending");
	journal_free(&journal);
	ok(told.done == 2 && !told.failed,
	    "freeing the journal waits for queued commits");
	ok(!journal, "freeing the journal clears the pointer");
	journal_free(&journal);
	store_close(&store);
	store = store_open(&conf, true, &err);
	(void)look(NUMBER, &cursor, 9, &s);
	is_int(s.n, 2, "events are in the store when it opens again");
	journal_commit_free(commit_of(1, COMMIT_BEGIN, "never pushed"));
	end();
}

static void too_many_rows(void *arg)
{
	struct commit *c = commit_of(1, COMMIT_BEGIN, "x");

	(void)arg;
	for (int i = 0; i <= COMMIT_PUTS; i++)
		add_fact(c, "k", "v");
}

int main(void)
{
	char *log = scratch_path("log");

	(void)log_open(log);
	free(log);
	test_rules();
	test_publish();
	test_meta();
	test_lanes();
	test_facts();
	test_full();
	test_full_journal();
	test_trim();
	test_trim_many();
	test_trim_bytes();
	test_read();
	test_damaged();
	test_ranges();
	test_views();
	test_convert();
	test_convert_large();
	test_damaged_meta();
	test_free();
	expect_panic(too_many_rows, NULL, "a commit has room for so many rows");
	return done();
}
