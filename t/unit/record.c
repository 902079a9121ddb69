/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "store/record.h"

static struct store_span span(const char *text)
{
	return (struct store_span){text, text ? strlen(text) : 0};
}

static bool same(struct store_span a, struct store_span b)
{
	return !a.data == !b.data && a.len == b.len &&
	       (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static struct record sample(void)
{
	return (struct record){
	    .number = UINT64_MAX,
	    .turn = 7,
	    .client_turn = 9,
	    .status = RECORD_FAILED,
	    .created_ms = 1702234567001,
	    .expires_ms = 1702334567001,
	    .updated_ms = 1702234568001,
	    .started_us = 1702234567001002,
	    .duration_ms = -1,
	    .id = span("s-1"),
	    .caller = span(""),
	    .prompt = {"a\0b", 3},
	    .result = span(NULL),
	    .reason = span("exited"),
	    .extra = span("{\"images\":[],\"files\":[]}"),
	    .epoch = 1702234000000,
	};
}

static struct claim sample_claim(void)
{
	return (struct claim){
	    .body = {1, 2, 3, 255},
	    .number = 12,
	    .turn = 7,
	    .status = RECORD_DONE,
	    .expires_ms = 1702334567001,
	    .duration_ms = 1250,
	    .id = span("s-1"),
	    .result = span("Hola"),
	    .reason = span(NULL),
	};
}

static struct waiting sample_waiting(void)
{
	return (struct waiting){
	    .number = 12,
	    .place = 3,
	    .turn = 7,
	    .is_answer = true,
	    .has_claim = true,
	    .claim = {9, 8, 255},
	    .body = {1, 2, 3, 255},
	    .session = span("s-1"),
	    .id = span("ev-1"),
	    .prompt = {"a\0b", 3},
	    .caller = span("0xabc"),
	    .level = span("contact"),
	    .peer = span(""),
	    .input_id = span("mine"),
	};
}

enum row { ROW_RECORD, ROW_CLAIM, ROW_WAITING };

/*
 * A row in memory of its exact size, so that a sanitizer sees a read too far.
 */
static bool decodes(const struct buf *row, size_t len, enum row kind)
{
	char *copy = malloc(len ? len : 1);
	struct record r;
	struct claim c;
	struct waiting w;

	if (!copy)
		abort();
	if (len)
		memcpy(copy, row->data, len);
	struct store_span s = {copy, len};
	bool good = kind == ROW_RECORD	? record_decode(&r, s)
		    : kind == ROW_CLAIM ? record_decode_claim(&c, s)
					: record_decode_waiting(&w, s);
	free(copy);
	return good;
}

static void test_round_trip(void)
{
	struct record r = sample(), back;
	struct buf row = {0};

	buf_str(&row, "before");
	record_encode(&row, &r);
	buf_consume(&row, 6);
	ok(record_decode(&back, (struct store_span){row.data, row.len}),
	    "a record is read again, wherever it was appended");
	ok(back.number == r.number && back.turn == 7 && back.client_turn == 9 &&
		back.status == RECORD_FAILED && back.duration_ms == -1,
	    "the numbers of a record are read back");
	ok(back.created_ms == r.created_ms && back.expires_ms == r.expires_ms &&
		back.updated_ms == r.updated_ms &&
		back.started_us == r.started_us,
	    "the times of a record are read back");
	ok(same(back.id, r.id) && same(back.prompt, r.prompt) &&
		same(back.reason, r.reason) && same(back.extra, r.extra),
	    "the texts of a record are read back, NUL included");
	ok(same(back.caller, r.caller),
	    "an empty text of a record is read back");
	ok(!back.result.data, "an absent text of a record stays absent");
	buf_fini(&row);
}

static void test_epoch(void)
{
	struct record r = sample(), back;
	struct buf row = {0};

	record_encode(&row, &r);
	ok(record_decode(&back, (struct store_span){row.data, row.len}) &&
		back.epoch == r.epoch,
	    "a record names the journal of its events");
	ok(record_is_in_journal(&back, r.epoch),
	    "the events of a record are in the journal of its epoch");
	ok(!record_is_in_journal(&back, r.epoch - 1),
	    "the events of a record are not in a journal of another epoch");
	buf_reset(&row);
	r.epoch = 0;
	record_encode(&row, &r);
	ok(record_decode(&back, (struct store_span){row.data, row.len}) &&
		!back.epoch,
	    "a record without an epoch has epoch 0");
	ok(record_is_in_journal(&back, (uint64_t)r.created_ms) &&
		!record_is_in_journal(&back, (uint64_t)r.created_ms + 1),
	    "the times of both decide then");
	buf_fini(&row);
}

static void test_agent(void)
{
	struct record r = sample(), back;
	struct buf row = {0}, plain = {0};

	record_encode(&plain, &r);
	r.agent = span("billing");
	record_encode(&row, &r);
	ok(record_decode(&back, (struct store_span){row.data, row.len}) &&
		same(back.agent, r.agent) && back.epoch == r.epoch &&
		same(back.extra, r.extra),
	    "a record names the agent of its session");
	buf_reset(&row);
	r.epoch = 0;
	record_encode(&row, &r);
	ok(record_decode(&back, (struct store_span){row.data, row.len}) &&
		same(back.agent, r.agent) && !back.epoch,
	    "a record without an epoch names the agent of its session");
	ok(record_decode(&back, (struct store_span){plain.data, plain.len}) &&
		!back.agent.len,
	    "a record of an older release names the default agent");
	buf_reset(&row);
	r = sample();
	r.agent = span("");
	record_encode(&row, &r);
	ok(row.len == plain.len && memcmp(row.data, plain.data, row.len) == 0,
	    "the default agent takes no byte of a record");
	buf_fini(&row);
	buf_fini(&plain);
}

static void test_claim(void)
{
	struct claim c = sample_claim(), back;
	struct buf row = {0};

	record_encode_claim(&row, &c);
	ok(record_decode_claim(&back, (struct store_span){row.data, row.len}),
	    "a claim is read again");
	ok(memcmp(back.body, c.body, 16) == 0 && back.number == 12 &&
		back.turn == 7 && back.status == RECORD_DONE &&
		back.expires_ms == c.expires_ms && back.duration_ms == 1250,
	    "the numbers of a claim are read back");
	ok(same(back.id, c.id) && same(back.result, c.result) &&
		!back.reason.data,
	    "the texts of a claim are read back");
	buf_fini(&row);
}

static void test_waiting(void)
{
	struct waiting w = sample_waiting(), back;
	struct buf row = {0};

	record_encode_waiting(&row, &w);
	ok(record_decode_waiting(&back, (struct store_span){row.data, row.len}),
	    "an input that waits is read again");
	ok(back.number == 12 && back.place == 3 && back.turn == 7 &&
		back.is_answer && back.has_claim && !back.peer_is_loopback &&
		memcmp(back.claim, w.claim, 16) == 0 &&
		memcmp(back.body, w.body, 16) == 0,
	    "the numbers of a waiting input are read back");
	ok(same(back.session, w.session) && same(back.id, w.id) &&
		same(back.prompt, w.prompt) && same(back.caller, w.caller) &&
		same(back.level, w.level) && same(back.peer, w.peer) &&
		same(back.input_id, w.input_id),
	    "the texts of a waiting input are read back");
	buf_fini(&row);
}

static void test_damage(enum row kind, const char *what)
{
	struct record r = sample();
	struct claim c = sample_claim();
	struct waiting w = sample_waiting();
	struct buf row = {0};
	size_t flips = 0, cuts = 0;

	if (kind == ROW_CLAIM)
		record_encode_claim(&row, &c);
	else if (kind == ROW_WAITING)
		record_encode_waiting(&row, &w);
	else
		record_encode(&row, &r);
	for (size_t bit = 0; bit < row.len * 8; bit++) {
		row.data[bit / 8] ^= (char)(1 << bit % 8);
		flips += decodes(&row, row.len, kind);
		row.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	is_int(flips, 0, "every single flipped bit of a %s is noticed", what);
	for (size_t len = 0; len < row.len; len++)
		cuts += decodes(&row, len, kind);
	is_int(cuts, 0, "a %s that was cut anywhere is noticed", what);
	ok(decodes(&row, row.len, kind), "the %s itself was sound", what);
	buf_char(&row, 0);
	ok(!decodes(&row, row.len, kind), "a byte too many in a %s is noticed",
	    what);
	buf_fini(&row);
}

static void test_words(void)
{
	is_str(record_status_word(RECORD_CONNECTED), "connected",
	    "the word of CONNECTED is connected");
	is_str(record_status_word(RECORD_RUNNING), "running",
	    "the word of RUNNING is running");
	is_str(record_status_word(RECORD_DONE), "done",
	    "the word of DONE is done");
	is_str(record_status_word(RECORD_FAILED), "failed",
	    "the word of FAILED is failed");
	is_str(record_status_word(RECORD_INTERRUPTED), "interrupted",
	    "the word of INTERRUPTED is interrupted");
	is_str(record_status_word(RECORD_STATUS_COUNT), "failed",
	    "a status that is none counts as failed");
}

int main(void)
{
	test_round_trip();
	test_epoch();
	test_agent();
	test_claim();
	test_waiting();
	test_damage(ROW_RECORD, "record");
	test_damage(ROW_CLAIM, "claim");
	test_damage(ROW_WAITING, "waiting input");
	test_words();
	return done();
}
