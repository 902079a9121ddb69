/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "net/loop.h"
#include "proc/crew.h"
#include "proc/shm.h"
#include "store/store.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"
#include "access/access_int.h"
#include "access/gate.h"
#include "access/lists.h"

#define DEADLINE_MS 20000
#define HOST \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"
#define PEER "203.0.113.5"
#define CODE "let-me-in"

/* ---- a worker's access, and what it said ---- */

static struct conf conf;
static struct store *store;
static struct heritage *heritage;
static size_t heritage_size;
static struct loop *loop;
static struct access *access_of_all;
static int waker;
static long long signed_s; /* when frames of a test are signed: the same text is
			      the same signature */

/* Everything that was told, one after the other. */
static char said[400000];
static int n_said;

static void wake(void *arg)
{
	uint64_t one = 1;
	(void)arg;
	if (write(waker, &one, sizeof one) != sizeof one)
		abort();
}

static void say(const char *name, const char *what)
{
	size_t n = strlen(said);
	n_said++;
	(void)snprintf(
	    said + n, sizeof said - n, "%s%s: %s", n ? "; " : "", name, what);
}

static void on_verdict(void *arg, const struct access_verdict *v)
{
	say(arg, v->err ? v->err->text : v->caller->level);
}

static void on_changed(
    void *arg, const struct lists_result *result, const struct err *err)
{
	say(arg, result ? lists_level_word(result->level) : err->text);
}

static void count(
    void *arg, const struct lists_result *result, const struct err *err)
{
	int *n = arg;
	(void)err;
	n[result != NULL]++;
	n_said++;
}

static void forget_said(void)
{
	*said = '\0';
	n_said = 0;
}

/* Wait until so many were told; what was said. */
static const char *hear(int n)
{
	struct pollfd p = {.fd = waker, .events = POLLIN};
	uint64_t times;
	while (n_said < n) {
		if (poll(&p, 1, DEADLINE_MS) != 1 ||
		    read(waker, &times, sizeof times) != sizeof times)
			return "silence";
		access_collect(access_of_all);
	}
	return said;
}

/* Wait for words: those that only count have none. */
static const char *hear_words(void)
{
	while (!*said && strcmp(hear(n_said + 1), "silence") != 0)
		;
	return said;
}

/* An evaluator that answers when the test says so. */
static struct {
	bool is_there;
	char facts[500];
	access_judged_fn *fn;
	void *arg;
} judge;

static void ask_judge(void *arg, const char *key, const char *facts,
    access_judged_fn *fn, void *fn_arg)
{
	(void)arg;
	(void)key; /* of what is known already */
	(void)snprintf(judge.facts, sizeof judge.facts, "%s", facts);
	judge.fn = fn;
	judge.arg = fn_arg;
	n_said++;
}

static void set(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
}

static void begin(const char *trust)
{
	static int number;
	struct err err;
	signed_s = clock_wall_ms() / 1000;
	int fd = shm_create("access-test", sizeof(struct heritage));
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	conf_init(&conf);
	conf.store_size = 16;
	set(&conf.trust, trust);
	set(&conf.address, HOST);
	free(conf.co_dir);
	conf.co_dir = scratch_path("co%d", number++);
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	store = store_open(&conf, true, &err);
	waker = eventfd(0, EFD_CLOEXEC);
	struct access_setup setup = {.conf = &conf,
	    .store = store,
	    .heritage = heritage,
	    .loop = loop,
	    .name = "",
	    .wake = wake,
	    .judge = judge.is_there ? ask_judge : NULL};
	access_of_all = store ? access_new(&setup, &err) : NULL;
	if (!access_of_all || waker < 0)
		abort();
	forget_said();
}

static void end(void)
{
	access_free(&access_of_all);
	store_close(&store);
	(void)close(waker);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* ---- signed questions ---- */

static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
static char client[ADDRESS_SIZE];

static void become(unsigned char who)
{
	const unsigned char seed[crypto_sign_SEEDBYTES] = {who};
	uint8_t key[crypto_sign_PUBLICKEYBYTES];
	(void)crypto_sign_seed_keypair(key, secret_key, seed);
	memcpy(client, "0x", 2);
	enc_hex(client + 2, key, sizeof key);
}

/* A frame with what members say, signed; the number makes it unlike others. */
static void put_frame(struct buf *out, int number, const char *members)
{
	uint8_t signature[crypto_sign_BYTES];
	char hex[2 * crypto_sign_BYTES + 1];
	struct json_doc doc = {0};
	struct json_error why;
	struct buf payload = {0}, form = {0};
	buf_printf(&payload, "{\"to\":\"%s\",\"timestamp\":%lld,\"n\":%d%s}",
	    HOST, signed_s, number, members);
	const struct json *v =
	    json_parse(&doc, payload.data, payload.len, 0, &why);
	if (!json_canonical(&form, v, JSON_ASCII | JSON_PYTHON))
		abort();
	(void)crypto_sign_detached(signature, NULL,
	    (const unsigned char *)form.data, form.len, secret_key);
	enc_hex(hex, signature, sizeof signature);
	buf_printf(out, "{\"payload\":%s,\"from\":\"%s\",\"signature\":\"%s\"}",
	    buf_cstr(&payload), client, hex);
	json_fini(&doc);
	buf_fini(&payload);
	buf_fini(&form);
}

/* Ask as a client at this address, or ("") behind a relay. */
static void ask_with(enum access_use use, const char *peer, int number,
    const char *members, const char *name)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};
	put_frame(&text, number, members);
	const struct json *frame =
	    json_parse(&doc, text.data, text.len, 0, &why);
	struct access_ask ask = {.use = use,
	    .payload = json_get(frame, "payload"),
	    .from = json_get(frame, "from"),
	    .signature = json_get(frame, "signature"),
	    .peer = peer,
	    .is_relayed = !*peer};
	(void)access_ask(
	    access_of_all, &ask, on_verdict, (void *)(uintptr_t)name);
	json_fini(&doc);
	buf_fini(&text);
}

static void ask(enum access_use use, int number, const char *name)
{
	ask_with(use, PEER, number, "", name);
}

static void ask_unsigned(const char *name)
{
	struct access_ask question = {.use = ACCESS_INPUT, .peer = PEER};
	(void)access_ask(
	    access_of_all, &question, on_verdict, (void *)(uintptr_t)name);
}

static void ask_from(const char *peer, bool is_relayed)
{
	static char name[] = "it";
	struct access_ask question = {.use = ACCESS_INPUT,
	    .peer = peer,
	    .place = peer,
	    .is_relayed = is_relayed};
	(void)access_ask(access_of_all, &question, on_verdict, name);
}

static void change(enum lists_action action, const char *name)
{
	struct lists_change c = {.action = action};
	memcpy(c.id, client, sizeof client);
	access_change(access_of_all, &c, on_changed, (void *)(uintptr_t)name);
}

/* ---- who it is ---- */

static void test_levels(void)
{
	begin("open");
	ask(ACCESS_CONNECT, 1, "a signer");
	is_str(hear(1), "a signer: stranger", "an open host takes a stranger");
	forget_said();
	ask(ACCESS_CONNECT, 1, "again");
	is_str(hear(1), "again: unauthorized: this CONNECT was already used",
	    "a signature is used once");
	forget_said();
	change(LISTS_BLOCK, "change");
	is_str(hear(1), "change: blocked", "an admin blocks the signer");
	forget_said();
	ask(ACCESS_COMMAND, 2, "a command");
	ask(ACCESS_CONNECT, 3, "a CONNECT");
	is_str(hear(2),
	    "a command: forbidden: blocked; "
	    "a CONNECT: forbidden: Denied by fast rules",
	    "a blocked signer is refused");
	end();
}

static void test_transport(void)
{
	static const struct {
		const char *name;
		const char *peer;
		bool is_relayed;
		const char *facts;
	} cases[] = {
	    {"a direct caller nearby", "192.168.1.5", false,
		"\"transport\":\"direct\",\"peer\":\"private network\""},
	    {"a relayed caller", "", true,
		"\"transport\":\"relay\",\"peer\":\"public network\""},
	};
	judge.is_there = true;
	begin("careful");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		forget_said();
		ask_from(cases[i].peer, cases[i].is_relayed);
		ok(strstr(judge.facts, cases[i].facts) != NULL,
		    "the evaluator learns the transport of %s", cases[i].name);
		judge.fn(judge.arg, true, "");
		is_str(hear(2), "it: stranger", "%s is let in", cases[i].name);
	}
	end();
	judge.is_there = false;
}

static void test_codes(void)
{
	(void)setenv("CO_INVITE_CODE", CODE, 1);
	begin("careful");
	ask_with(
	    ACCESS_CONNECT, PEER, 1, ",\"invite_code\":\"" CODE "\"", "it");
	is_str(hear(1), "it: contact", "an invite code makes a contact");
	end();
	(void)unsetenv("CO_INVITE_CODE");
}

/* ---- who guesses codes ---- */

/* What a fresh address that tries a code from a peer is told. */
static const char *try_code(const char *peer, const char *code)
{
	static int number;
	char address[ADDRESS_SIZE], text[100];
	struct json_doc doc = {0};
	struct json_error why;
	static char name[] = "it";
	(void)snprintf(address, sizeof address, "0x%064d", ++number);
	(void)snprintf(text, sizeof text, "{\"invite_code\":\"%s\"}", code);
	const struct json *payload =
	    json_parse(&doc, text, strlen(text), 0, &why);
	forget_said();
	(void)access_onboard(
	    access_of_all, address, payload, peer, on_verdict, name);
	json_fini(&doc);
	return hear(1);
}

static void test_guesses_of_network(void)
{
	char peer[64];
	(void)setenv("CO_INVITE_CODE", CODE, 1);
	begin("careful");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(peer, sizeof peer, "2001:db8:1:2::%x", i + 1);
		(void)try_code(peer, "wrong");
	}
	is_str(try_code("2001:db8:1:2:ffff::9", CODE),
	    "it: Invalid invite code",
	    "no address of a /64 may try a code after 20 guesses from it");
	is_str(try_code("2001:db8:1:3::1", CODE), "it: contact",
	    "20 guesses from a /64 do not stop another /64");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(peer, sizeof peer, "::ffff:198.51.100.%d", i);
		(void)try_code(peer, "wrong");
	}
	is_str(try_code("198.51.100.30", CODE), "it: contact",
	    "IPv4 addresses inside IPv6 are no network");
	end();
	(void)unsetenv("CO_INVITE_CODE");
}

static void test_guesses_of_all(void)
{
	char peer[64];
	(void)setenv("CO_INVITE_CODE", CODE, 1);
	begin("careful");
	for (int i = 0; i < 999; i++) {
		(void)snprintf(
		    peer, sizeof peer, "2001:db8:%x::1", (unsigned)i + 16);
		(void)try_code(peer, "wrong");
	}
	is_str(try_code("203.0.113.77", CODE), "it: contact",
	    "after 999 guesses from as many networks a code opens the door");
	(void)try_code("2001:db8:1::1", "wrong");
	is_str(try_code("203.0.113.78", CODE), "it: Invalid invite code",
	    "after 1000 guesses in an hour no code opens the door");
	end();
	(void)unsetenv("CO_INVITE_CODE");
}

/* ---- changes of the lists ---- */

static pthread_mutex_t at_work = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_held;

static void wait_for_test(struct crew_job *job)
{
	(void)job;
	atomic_store(&is_held, true);
	pthread_mutex_lock(&at_work);
	pthread_mutex_unlock(&at_work);
}

static void do_nothing(struct crew_job *job)
{
	(void)job;
}

/* Let the thread that changes the lists wait until let_go(). */
static void hold_changes(void)
{
	static struct crew_job job = {.run = wait_for_test, .done = do_nothing};
	atomic_store(&is_held, false);
	pthread_mutex_lock(&at_work);
	if (!crew_run(access_of_all->changer, &job))
		abort();
	while (!atomic_load(&is_held))
		(void)poll(NULL, 0, 1);
}

static void let_go(void)
{
	pthread_mutex_unlock(&at_work);
}

/* All that there is room for; counts failures and successes. */
static void fill_changes(int counts[2])
{
	struct lists_change look = {.action = LISTS_LEVEL};
	memcpy(look.id, client, sizeof client);
	counts[0] = counts[1] = 0;
	hold_changes();
	for (int i = 1; i < ACCESS_MAX_CHANGES; i++)
		access_change(access_of_all, &look, count, counts);
}

static void test_full_change(void)
{
	int counts[2];
	begin("open");
	fill_changes(counts);
	change(LISTS_BLOCK, "late");
	is_int(
	    n_said, 0, "a change above the limit is not told inside the call");
	ok(!strncmp(hear_words(), "late: server is busy", 20),
	    "the change is refused a moment later");
	let_go();
	ok(strcmp(hear(ACCESS_MAX_CHANGES), "silence") != 0,
	    "all changes below the limit are answered");
	ok(counts[0] == 0 && counts[1] == ACCESS_MAX_CHANGES - 1,
	    "changes below the limit are done");
	forget_said();
	change(LISTS_LEVEL, "it");
	is_str(hear(1), "it: stranger",
	    "a change that was refused is not done later");
	end();
}

/* The question of a code that fits becomes a change. */
static void test_full_promotion(void)
{
	int counts[2];
	(void)setenv("CO_INVITE_CODE", CODE, 1);
	begin("careful");
	fill_changes(counts);
	struct json_doc doc = {0};
	struct json_error why;
	const char text[] = "{\"invite_code\":\"" CODE "\"}";
	const struct json *payload =
	    json_parse(&doc, text, strlen(text), 0, &why);
	static char name[] = "guest";
	(void)access_onboard(
	    access_of_all, client, payload, PEER, on_verdict, name);
	is_int(n_said, 0,
	    "a code that fits is not told inside the call when changes are "
	    "many");
	ok(!strncmp(hear_words(), "guest: server is busy", 21),
	    "a code is refused a moment later when changes are many");
	let_go();
	ok(strcmp(hear(ACCESS_MAX_CHANGES), "silence") != 0,
	    "changes go on after a refused promotion");
	json_fini(&doc);
	end();
	(void)unsetenv("CO_INVITE_CODE");
}

static void test_order_of_changes(void)
{
	begin("open");
	hold_changes();
	change(LISTS_PROMOTE, "one");
	change(LISTS_PROMOTE, "two");
	change(LISTS_BLOCK, "three");
	change(LISTS_UNBLOCK, "four");
	change(LISTS_DEMOTE, "five");
	let_go();
	is_str(hear(5),
	    "one: contact; two: whitelist; three: blocked; four: whitelist; "
	    "five: contact",
	    "changes are made in the order in which they were asked for");
	end();
}

static void test_change_beside_store(void)
{
	struct store_txn t;
	begin("open");
	store_write(store, &t, STORE_FACTS);
	ask(ACCESS_CONNECT, 1000, "first");
	change(LISTS_PROMOTE, "it");
	is_str(hear(1), "it: contact",
	    "a change does not wait for the claim of a signature");
	store_abort(&t);
	(void)hear(2);
	end();
}

static void test_late_change(void)
{
	begin("open");
	hold_changes();
	change(LISTS_BLOCK, "it");
	pass_ms(ACCESS_CHANGE_MS - 1000);
	access_tick(access_of_all);
	is_int(n_said, 0, "a change waits for the one before it");
	pass_ms(1001);
	access_tick(access_of_all);
	ok(!strncmp(said, "it: server is busy", 18),
	    "a change that waits too long is refused: %s", said);
	access_tick(access_of_all);
	let_go();
	forget_said();
	change(LISTS_LEVEL, "later");
	is_str(hear(1), "later: stranger",
	    "a change that waited too long is never made");
	end();
}

/* The thread waits for the lock of the files. */
static void test_slow_change(void)
{
	struct buf path = {0};
	begin("open");
	buf_printf(&path, "%s/lists.lock", conf.co_dir);
	int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		abort();
	change(LISTS_BLOCK, "it");
	pass_ms(ACCESS_CHANGE_MS + 1);
	access_tick(access_of_all);
	ok(!strncmp(said, "it: server is busy", 18),
	    "a change that takes too long is refused: %s", said);
	(void)close(fd);
	change(LISTS_PROMOTE, "next");
	(void)hear(2);
	is_int(n_said, 2, "a change that took too long is told once");
	ok(strstr(said, "next: ") != NULL,
	    "a change behind a slow one is made: %s", said);
	buf_fini(&path);
	end();
}

static void test_leaving(void)
{
	begin("open");
	hold_changes();
	change(LISTS_PROMOTE, "one");
	change(LISTS_PROMOTE, "two");
	let_go();
	access_free(&access_of_all);
	is_int(
	    n_said, 0, "changes that are left when a worker ends are not told");
	end();
}

/* ---- a gate that is full ---- */

/* As many as a queue takes. */
#define MANY GATE_MAX_QUEUED

static void count_claim(struct gate_job *job, enum gate_result result)
{
	int *n = job->arg;
	n[result == GATE_OK]++;
	n_said++;
}

/*
 * Fill the server's queue of the gate: its thread has taken the first job and
 * waits for the store, so that it takes no other until the transaction ends.
 * Counts what the jobs behind the first were told: failures, successes.
 */
static void fill(struct store_txn *t, int counts[2])
{
	counts[0] = counts[1] = 0;
	store_write(store, t, STORE_FACTS);
	ask(ACCESS_CONNECT, 1000, "first");
	while (!gate_is_idle(access_of_all->gate))
		(void)poll(NULL, 0, 1);
	for (int i = 0; i < MANY; i++) {
		struct gate_job *job = gate_job();
		job->is_verified = true;
		job->done = count_claim;
		job->arg = counts;
		gate_push(access_of_all->gate, job);
	}
}

static void test_full_signature(void)
{
	struct store_txn t;
	int counts[2];
	begin("open");
	fill(&t, counts);
	for (int i = 0; i < MANY; i++)
		ask(ACCESS_CONNECT, i, "crowd");
	ask(ACCESS_CONNECT, 5000, "late");
	is_int(n_said, 0, "a signature above the limit is not told at once");
	ok(strstr(hear_words(), "late: too many signatures from one address") !=
		NULL,
	    "a peer may have so many signatures waiting and no more");
	ask_with(ACCESS_CONNECT, "203.0.113.6", 5001, "", "other");
	store_abort(&t);
	(void)hear(2 * MANY + 3);
	ok(strstr(said, "other: stranger") != NULL,
	    "another peer has room for its signatures");
	forget_said();
	ask(ACCESS_CONNECT, 5000, "again");
	is_str(hear(1), "again: stranger",
	    "a signature for which there was no room was not used up");
	end();
}

static void test_full_relay(void)
{
	struct store_txn t;
	int counts[2];
	begin("open");
	fill(&t, counts);
	for (int i = 0; i <= MANY; i++)
		ask_with(ACCESS_CONNECT, "", i, "", "crowd");
	ok(strstr(hear_words(), "crowd: too many signatures") != NULL,
	    "a signer behind a relay has a limited number of checks waiting");
	become(8);
	ask_with(ACCESS_CONNECT, "", 5001, "", "other");
	become(7);
	store_abort(&t);
	(void)hear(2 * MANY + 3);
	ok(strstr(said, "other: stranger") != NULL,
	    "another signer behind the relay has room");
	end();
}

/* ---- forgetting ---- */

static void test_forget(void)
{
	begin("open");
	struct access_ask question = {.use = ACCESS_INPUT, .peer = PEER};
	static char name[] = "gone";
	struct access_call *q =
	    access_ask(access_of_all, &question, on_verdict, name);
	access_forget(&q);
	ask_unsigned("here");
	is_str(
	    hear(1), "here: stranger", "a forgotten question is not answered");
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		abort();
	loop = loop_new();
	become(7);
	test_levels();
	test_transport();
	test_codes();
	test_guesses_of_network();
	test_guesses_of_all();
	test_full_change();
	test_full_promotion();
	test_order_of_changes();
	test_change_beside_store();
	test_leaving();
	test_full_signature();
	test_full_relay();
	test_forget();
	follow_clock();
	test_late_change();
	test_slow_change();
	return done();
}
