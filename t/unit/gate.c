/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "store/store.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define DEADLINE_MS 20000

/* ---- a gate, and what it answered ---- */

static struct conf conf;
static struct store *store;
static struct gate *gate;
static int waker;
static int told[GATE_CROWDED + 1];
static int n_told, n_worked, n_dropped;
static int64_t until_ms; /* of claims */

static void wake(void *arg)
{
	uint64_t one = 1;
	(void)arg;
	if (write(waker, &one, sizeof one) != sizeof one)
		abort();
}

static void on_done(struct gate_job *job, enum gate_result result)
{
	(void)job;
	told[result]++;
	n_told++;
}

static void work(struct gate_job *job)
{
	(void)job;
	__atomic_add_fetch(&n_worked, 1, __ATOMIC_SEQ_CST);
}

static pthread_mutex_t at_work = PTHREAD_MUTEX_INITIALIZER;

static void work_long(struct gate_job *job)
{
	(void)job;
	pthread_mutex_lock(&at_work);
	pthread_mutex_unlock(&at_work);
}

static void drop(void *owned)
{
	n_dropped += owned == &n_dropped;
}

static void forget_told(void)
{
	memset(told, 0, sizeof told);
	n_told = n_worked = n_dropped = 0;
}

/* Collect until so many were told. */
static bool collect(int n)
{
	struct pollfd p = {.fd = waker, .events = POLLIN};
	uint64_t count;
	while (n_told < n) {
		if (poll(&p, 1, DEADLINE_MS) != 1 ||
		    read(waker, &count, sizeof count) != sizeof count)
			return false;
		gate_collect(gate);
	}
	return true;
}

static void begin(void)
{
	static int number;
	struct err err;
	conf_init(&conf);
	conf.store_size = 16;
	free(conf.co_dir);
	conf.co_dir = scratch_path("co%d", number++);
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	store = store_open(&conf, true, &err);
	waker = eventfd(0, EFD_CLOEXEC);
	if (!store || waker < 0)
		abort();
	gate = gate_new(store, wake, NULL);
	until_ms = clock_wall_ms() + 300000;
	forget_told();
}

static void end(void)
{
	gate_free(&gate);
	store_close(&store);
	(void)close(waker);
	conf_fini(&conf);
}

/* ---- jobs ---- */

static const char payload[] = "{\"prompt\":\"hi\",\"timestamp\":1702234567}";

/* A job with a good signature, whose claim has this number. */
static struct gate_job *make(uint64_t number)
{
	static const unsigned char seed[crypto_sign_SEEDBYTES] = {7};
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	struct gate_job *job = gate_job();
	(void)crypto_sign_seed_keypair(job->key, secret, seed);
	(void)crypto_sign_detached(job->signature, NULL,
	    (const unsigned char *)payload, strlen(payload), secret);
	(void)crypto_generichash(job->use.digest, sizeof job->use.digest,
	    (const unsigned char *)&number, sizeof number, NULL, 0);
	job->payload = strdup(payload);
	job->payload_len = strlen(payload);
	job->is_claimed = true;
	job->use.until_ms = until_ms;
	job->done = on_done;
	return job;
}

/* A claim alone. */
static struct gate_job *make_claim(uint64_t number, int64_t end_ms)
{
	struct gate_job *job = make(number);
	job->is_verified = true;
	job->use.until_ms = end_ms;
	return job;
}

static struct gate_job *make_graced(uint64_t number, uint64_t peer)
{
	struct gate_job *job = make(number);
	job->use.has_grace = true;
	job->use.peer = peer;
	return job;
}

static void spoil(struct gate_job *job)
{
	job->signature[5] ^= 1;
}

static const char *word_of(int result)
{
	static const char *const words[] = {
	    "ok", "invalid", "used", "unavailable", "busy", "crowded"};
	return words[result];
}

/* Do one job; what became of it, in a word. */
static const char *pass(struct gate_job *job)
{
	forget_told();
	gate_push(gate, job);
	if (!collect(1))
		return "silence";
	for (int i = 0; i <= GATE_CROWDED; i++)
		if (told[i])
			return word_of(i);
	return "?";
}

/* ---- signatures ---- */

static void test_verify(void)
{
	begin();
	struct gate_job *job = make(1);
	is_str(pass(job), "ok", "a good signature passes");
	job = make(2);
	spoil(job);
	is_str(pass(job), "invalid", "a changed signature is refused");
	job = make(3);
	job->payload[2]++;
	is_str(
	    pass(job), "invalid", "a signature of another payload is refused");
	job = make(4);
	free(job->payload);
	job->payload = strdup("{");
	job->payload_len = 1;
	is_str(pass(job), "invalid",
	    "a signature of a payload that is no JSON is refused");
	end();
}

static void test_claim(void)
{
	begin();
	is_str(pass(make(1)), "ok", "a signature passes the first time");
	is_str(pass(make(1)), "used", "a signature is refused the second time");
	is_str(pass(make(2)), "ok", "another signature of the client passes");
	struct gate_job *job = make(1);
	job->is_claimed = false;
	is_str(pass(job), "ok", "a used signature that is not claimed passes");
	job = make(3);
	job->is_claimed = false;
	is_str(pass(job), "ok", "a new signature that is not claimed passes");
	is_str(pass(make(3)), "ok",
	    "a signature that was not claimed may be claimed later");
	gate_free(&gate);
	gate = gate_new(store, wake, NULL);
	is_str(pass(make(2)), "used",
	    "another gate of the same store knows a used signature");
	end();
}

static void test_invalid_claims_nothing(void)
{
	begin();
	struct gate_job *job = make(1);
	spoil(job);
	is_str(pass(job), "invalid", "a bad signature is refused");
	is_str(pass(make(1)), "ok",
	    "a changed signature does not use up the right one");
	end();
}

static void test_batch(void)
{
	begin();
	for (int i = 0; i < 100; i++) {
		struct gate_job *job = make((uint64_t)i % 50);
		if (i % 10 == 9)
			spoil(job);
		gate_push(gate, job);
	}
	ok(collect(100), "every job of a crowd gets its answer");
	is_int(told[GATE_INVALID], 10,
	    "every changed signature of a crowd is refused");
	is_int(told[GATE_OK], 45, "every signature of a crowd passes once");
	is_int(told[GATE_USED], 45, "every second use in a crowd is refused");
	end();
}

/* ---- time ---- */

static void test_until(void)
{
	begin();
	int64_t end_ms = clock_wall_ms() + 500000;
	is_str(pass(make_claim(1, end_ms)), "ok", "a claim is made");
	pass_ms(250000);
	is_str(pass(make_claim(1, end_ms)), "used",
	    "a claim lasts while the signature is fresh");
	pass_ms(250001);
	is_str(pass(make_claim(1, end_ms)), "ok",
	    "a claim ends when the signature has expired");
	end();
}

static void test_grace(void)
{
	static const struct {
		const char *name;
		bool had_grace, has_grace;
		uint64_t peer;
		int64_t later_ms;
		const char *want;
	} cases[] = {
	    {"at once from the same peer", true, true, 7, 0, "ok"},
	    {"a second later", true, true, 7, 1000, "ok"},
	    {"three seconds later", true, true, 7, 3000, "used"},
	    {"from another peer", true, true, 8, 0, "used"},
	    {"after one that had no grace", false, true, 7, 0, "used"},
	    {"as one that has no grace", true, false, 7, 0, "used"},
	};
	begin();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gate_job *job = make_graced(i, 7);
		job->use.has_grace = cases[i].had_grace;
		is_str(
		    pass(job), "ok", "%s: the first use passes", cases[i].name);
		pass_ms(cases[i].later_ms);
		job = make_graced(i, cases[i].peer);
		job->use.has_grace = cases[i].has_grace;
		is_str(pass(job), cases[i].want, "%s: %s", cases[i].name,
		    cases[i].want);
	}
	is_str(pass(make_graced(99, 7)), "ok",
	    "the first use of a signature with a grace passes");
	pass_ms(1500);
	is_str(pass(make_graced(99, 7)), "ok",
	    "an equal use within the grace passes");
	pass_ms(1500);
	is_str(pass(make_graced(99, 7)), "used",
	    "the grace does not begin again with the second use");
	end();
}

/* ---- when the store does not do its part ---- */

/* No file may grow, as on a disk that is full. */
static void fill_disk(bool is_full)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
	limit.rlim_cur = is_full ? 1 : limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
}

static const char *pass_on_full_disk(struct gate_job *job)
{
	fill_disk(true);
	const char *word = pass(job);
	fill_disk(false);
	return word;
}

static void test_full_disk(void)
{
	begin();
	struct gate_job *job = make(1);
	job->work = work;
	is_str(pass_on_full_disk(job), "unavailable",
	    "a signature that the store cannot keep is refused");
	is_int(n_worked, 0,
	    "work for a signature that cannot be stored is not done");
	job = make(2);
	job->is_claimed = false;
	is_str(pass_on_full_disk(job), "ok",
	    "a signature that need not be stored passes on a full disk");
	job = make(3);
	spoil(job);
	is_str(pass_on_full_disk(job), "invalid",
	    "a changed signature is invalid on a full disk");
	is_str(pass(make(1)), "ok",
	    "a signature passes when the disk has room again");
	end();
}

/* Wait until all jobs are at work. */
static void await_begun(void)
{
	while (!gate_is_idle(gate))
		(void)usleep(1000);
}

static void test_patience(enum store_part part)
{
	struct store_txn t;
	begin();
	store_write(store, &t, part);
	struct gate_job *job = make(1);
	job->drop = drop;
	job->owned = &n_dropped;
	gate_push(gate, job);
	await_begun();
	pass_ms(GATE_PATIENCE_MS - 1000);
	gate_tick(gate);
	is_int(n_told, 0, "a claim waits for the store");
	pass_ms(1001);
	gate_tick(gate);
	is_int(told[GATE_UNAVAILABLE], 1,
	    "a claim that waits too long is unavailable");
	is_int(n_dropped, 0, "a job that waits keeps what it holds");
	gate_tick(gate);
	is_int(n_told, 1, "a claim that waited too long is answered once");
	gate_push(gate, make(2));
	store_abort(&t);
	ok(collect(2), "the next claim is answered when the store is free");
	is_int(
	    told[GATE_OK], 1, "the next claim passes when the store is free");
	is_int(told[GATE_UNAVAILABLE], 1,
	    "the claim that waited too long gets no second answer");
	is_int(n_dropped, 1,
	    "a job that waited too long drops what was held in the end");
	is_str(pass(make(1)), "used",
	    "a claim that waited too long is made in the end");
	end();
}

/* Jobs of as many queues as are needed, until the gate is full. */
static void fill(void)
{
	for (int i = 0; i < GATE_MAX_JOBS; i++) {
		struct gate_job *job = make_claim((uint64_t)i, INT64_MAX);
		job->queue = (uint64_t)i % 10;
		gate_push(gate, job);
	}
}

static void test_many(void)
{
	struct store_txn t;
	begin();
	store_write(store, &t, STORE_FACTS);
	fill();
	gate_push(gate, make(1));
	is_int(
	    n_told, 0, "a job above the limit is not answered inside the push");
	gate_collect(gate);
	is_int(told[GATE_BUSY], 1,
	    "a job above the limit is told that the gate is busy");
	is_int(n_told, 1, "a flood of jobs waits for the store");
	store_abort(&t);
	ok(collect(GATE_MAX_JOBS + 1), "all of the flood is told");
	is_int(told[GATE_OK], GATE_MAX_JOBS, "every job of the flood passes");
	is_str(pass(make_claim(GATE_MAX_JOBS, INT64_MAX)), "ok",
	    "after the flood a claim is taken again");
	end();
}

/* ---- taking turns ---- */

static void push_of(uint64_t queue, uint64_t number)
{
	struct gate_job *job = make(number);
	job->queue = queue;
	gate_push(gate, job);
}

/* The thread waits for the store, with one job of a queue of its own. */
static void hold(struct store_txn *t)
{
	begin();
	store_write(store, t, STORE_FACTS);
	push_of(99, 999999);
	await_begun();
}

static void test_crowd(void)
{
	struct store_txn t;
	hold(&t);
	for (int i = 0; i <= GATE_MAX_QUEUED; i++)
		push_of(1, (uint64_t)i);
	push_of(2, 5000);
	gate_collect(gate);
	is_int(told[GATE_CROWDED], 1,
	    "a job above the limit of its queue is told that it is crowded");
	is_int(n_told, 1, "a full queue leaves room for another queue");
	store_abort(&t);
	ok(collect(GATE_MAX_QUEUED + 3),
	    "every job with room in its queue is answered");
	is_int(told[GATE_OK], GATE_MAX_QUEUED + 2,
	    "every job with room in its queue passes");
	end();
}

static int told_before; /* when the job of note_when() was told */

static void note_when(struct gate_job *job, enum gate_result result)
{
	told_before = n_told;
	on_done(job, result);
}

static void test_turns(void)
{
	struct store_txn t;
	hold(&t);
	for (int i = 0; i < 2000; i++)
		push_of(1, (uint64_t)i);
	struct gate_job *job = make(5000);
	job->queue = 2;
	job->done = note_when;
	gate_push(gate, job);
	store_abort(&t);
	ok(collect(2002), "all jobs of a busy and a quiet peer are answered");
	ok(told_before < 300,
	    "the job of a quiet peer is answered before most of a busy one's");
	printf("# after %d of 2000\n", told_before);
	end();
}

static void test_large(void)
{
	struct store_txn t;
	hold(&t);
	struct gate_job *job = make_claim(1, INT64_MAX);
	free(job->payload);
	job->payload = calloc(1, GATE_LARGE_BYTES + 1);
	job->payload_len = GATE_LARGE_BYTES + 1;
	job->is_claimed = false;
	gate_push(gate, job);
	ok(collect(1), "a large payload does not wait for small ones");
	is_int(told[GATE_OK], 1,
	    "a large payload passes beside small ones that wait");
	store_abort(&t);
	ok(collect(2), "small payloads pass beside a large one");
	end();
}

/* What waits behind work is busy, not broken. */
static void test_busy(void)
{
	static struct gate_job *job;
	begin();
	pthread_mutex_lock(&at_work);
	job = make(1);
	job->is_claimed = false;
	job->work = work_long;
	gate_push(gate, job);
	await_begun();
	job = make(2);
	job->drop = drop;
	job->owned = &n_dropped;
	gate_push(gate, job);
	pass_ms(GATE_PATIENCE_MS + 1);
	gate_tick(gate);
	is_int(told[GATE_BUSY], 2,
	    "a job that waits too long for other work is told that the gate is "
	    "busy");
	is_int(n_dropped, 1,
	    "a job that waits too long for other work is dropped");
	pthread_mutex_unlock(&at_work);
	is_str(pass(make(2)), "ok",
	    "a signature is not used up by a job that was dropped");
	end();
}

static void test_leaving(void)
{
	struct store_txn t;
	begin();
	store_write(store, &t, STORE_FACTS);
	for (uint64_t i = 0; i < 10; i++) {
		struct gate_job *job = make(i);
		job->drop = drop;
		job->owned = &n_dropped;
		gate_push(gate, job);
	}
	store_abort(&t);
	gate_free(&gate);
	is_int(n_told, 0, "a gate that closes tells nobody");
	is_int(n_dropped, 10, "a gate that closes drops what its jobs hold");
	gate_free(&gate);
	end();
}

/* ---- work ---- */

static void test_work(void)
{
	begin();
	struct gate_job *job = make(1);
	job->work = work;
	job->drop = drop;
	job->owned = &n_dropped;
	is_str(pass(job), "ok", "a job with a good signature passes");
	is_int(n_worked, 1, "a job with a good signature has its work done");
	is_int(n_dropped, 1, "a job drops what it holds after its work");
	job = make(1);
	job->work = work;
	is_str(pass(job), "used", "a job with a used signature is refused");
	is_int(n_worked, 0, "a job with a used signature has no work done");
	job = make(2);
	job->work = work;
	spoil(job);
	is_str(
	    pass(job), "invalid", "a job with a changed signature is refused");
	is_int(n_worked, 0, "a job with a changed signature has no work done");
	job = gate_job();
	job->is_verified = true;
	job->work = work;
	job->done = on_done;
	is_str(pass(job), "ok", "a job without a signature passes");
	is_int(n_worked, 1, "a job without a signature has its work done");
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		abort();
	(void)signal(SIGXFSZ, SIG_IGN);
	follow_clock();
	test_verify();
	test_claim();
	test_invalid_claims_nothing();
	test_batch();
	test_until();
	test_grace();
	test_full_disk();
	test_patience(STORE_FACTS);
	test_patience(STORE_JOURNAL);
	test_many();
	test_crowd();
	test_turns();
	test_large();
	test_busy();
	test_leaving();
	test_work();
	return done();
}
