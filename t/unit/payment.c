/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/payment.h"

#include <sodium.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "net/loop.h"
#include "t/unit/fake_backend.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"
#include "identity/address.h"
#include "identity/ident.h"

#define DEADLINE_MS 20000
#define CLIENT \
	"0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define OTHER \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

#define VARIABLE "CONNECTONION_BACKEND_URL"

static struct loop *loop;
static struct loop_timer deadline;
static struct conf conf;
static struct fake_backend *backend;
static struct payment *payment;
static int running;

struct got {
	unsigned n;
	char *receipt;
};

/* A path in the test's folder, for as long as the test runs. */
static const char *path(const char *name)
{
	static char *kept[8];
	static size_t next;
	char **place = &kept[next++ % 8];
	free(*place);
	*place = scratch_path("%s", name);
	return *place;
}

static void make_folders(void)
{
	static const char *const names[] = {"home", "home/.co"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mkdir(path(names[i]), 0700) != 0)
			abort();
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void on_paid(void *arg, const char *receipt)
{
	struct got *got = arg;
	got->n++;
	got->receipt = mem_strdup(receipt);
	if (--running == 0)
		loop_stop(loop);
}

static void run(void)
{
	loop_timer_set(loop, &deadline, DEADLINE_MS);
	loop_run(loop);
	loop_timer_stop(loop, &deadline);
}

/* A backend, and one that asks it. */
static void begin(void)
{
	backend = fake_backend(false);
	(void)setenv(VARIABLE, fake_backend_url(backend), 1);
	payment = payment_new(&conf, loop);
}

static void end(void)
{
	payment_free(&payment);
	fake_backend_free(&backend);
}

static struct got verify(double price)
{
	struct got got = {0};
	running = 1;
	payment_verify(payment, CLIENT, price, on_paid, &got);
	if (got.n)
		printf("# answered from inside the call\n");
	run();
	if (got.n != 1)
		printf("# %u answers\n", got.n);
	return got;
}

/* ---- what is sent ---- */

/* The body of request n; free the document. */
static const struct json *body_of(size_t n, struct json_doc *doc)
{
	const char *at = strstr(fake_backend_request(backend, n), "\r\n\r\n");
	struct json_error error;
	return at ? json_parse(doc, at + 4, strlen(at + 4), 0, &error) : NULL;
}

static bool is_our_signature(const char *message, const char *hex)
{
	uint8_t key[32], signature[crypto_sign_BYTES];
	address_key(conf.address, key);
	return strlen(hex) == 2 * sizeof signature &&
	       enc_unhex(signature, hex, sizeof signature) &&
	       crypto_sign_verify_detached(signature, (const uint8_t *)message,
		   strlen(message), key) == 0;
}

static void test_sign_in(void)
{
	struct json_doc doc = {0};
	char head[128];
	const struct json *v = body_of(0, &doc);
	char *message = json_strdup(json_get(v, "message"));
	char *signature = json_strdup(json_get(v, "signature"));
	ok(!strncmp(fake_backend_request(backend, 0),
	       "POST /api/v1/auth HTTP/1.1\r\n", 28),
	    "the host signs in at the backend first");
	ok(json_str_is(json_get(v, "public_key"), conf.address),
	    "the sign-in names the address of the host");
	(void)snprintf(
	    head, sizeof head, "ConnectOnion-Auth-%s-", conf.address);
	ok(message && !strncmp(message, head, strlen(head)),
	    "the sign-in has a message with the address");
	int64_t age =
	    message ? clock_wall_ms() / 1000 - atoll(message + strlen(head))
		    : -1;
	ok(age >= 0 && age < 60,
	    "the message of the sign-in has the present time");
	ok(message && signature && is_our_signature(message, signature),
	    "the message of the sign-in is signed");
	free(message);
	free(signature);
	json_fini(&doc);
}

static void test_question(void)
{
	struct json_doc doc = {0};
	const char *request = fake_backend_request(backend, 1);
	const struct json *v = body_of(1, &doc);
	double price = 0;
	ok(!strncmp(request, "POST /api/v1/onboard/verify HTTP/1.1\r\n", 38),
	    "the host asks for the transfer after the sign-in");
	ok(strstr(request, "\r\nAuthorization: Bearer abc.DEF-1\r\n"),
	    "the question has the token of the sign-in");
	ok(json_str_is(json_get(v, "from_address"), CLIENT),
	    "the question names the client");
	ok(json_double(json_get(v, "min_amount"), &price) && price > 12.4 &&
		price < 12.6,
	    "the question has the operator's price");
	json_fini(&doc);
}

static void test_requests(void)
{
	begin();
	fake_backend_json(backend, "{\"token\":\"abc.DEF-1\"}");
	fake_backend_json(backend, "{\"verified\":true}");
	struct got got = verify(12.5);
	ok(got.receipt, "a client that has paid gets a receipt");
	test_sign_in();
	test_question();
	free(got.receipt);
	end();
}

/* ---- what comes ---- */

#define TOKEN "{\"token\":\"t\"}"
#define REFUSAL "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"

/* An answer that begins with "HTTP" is whole, another one the JSON of a 200. */
static void put_answer(const char *answer)
{
	if (answer && !strncmp(answer, "HTTP", 4))
		fake_backend_answer(backend, answer);
	else if (answer)
		fake_backend_json(backend, answer);
}

static void test_answers(void)
{
	static const struct {
		const char *name;
		const char *sign_in, *verify;
		const char *receipt; /* NULL: has not paid */
	} cases[] = {
	    {"a transfer with a name is known by it", TOKEN,
		"{\"verified\":true,\"transfer_id\":\"tx-1\"}",
		"transfer tx-1"},
	    {"a transfer may be known by a number", TOKEN,
		"{\"verified\":true,\"transaction_id\":42}", "transfer 42"},
	    {"a transfer without a name is known by its payer", TOKEN,
		"{\"verified\":true}", "payer " CLIENT},
	    {"an empty name is none", TOKEN,
		"{\"verified\":true,\"transfer_id\":\"\"}", "payer " CLIENT},
	    {"a name of another type is none", TOKEN,
		"{\"verified\":true,\"transfer_id\":[1]}", "payer " CLIENT},
	    {"an answer of false means that nobody has paid", TOKEN,
		"{\"verified\":false}", NULL},
	    {"only true is true", TOKEN, "{\"verified\":\"true\"}", NULL},
	    {"an answer of 1 means that nobody has paid", TOKEN,
		"{\"verified\":1}", NULL},
	    {"an answer without the word is no", TOKEN, "{}", NULL},
	    {"a list is no answer", TOKEN, "[true]", NULL},
	    {"half an answer is none", TOKEN, "{\"verified\":true", NULL},
	    {"a failure at the question is no", TOKEN, REFUSAL, NULL},
	    {"an answer with another status is no", TOKEN,
		"HTTP/1.1 202 Later\r\nContent-Length: 17\r\n\r\n"
		"{\"verified\":true}",
		NULL},
	    {"a failure at the sign-in is no", REFUSAL, NULL, NULL},
	    {"no token is no", "{}", NULL, NULL},
	    {"an empty token is no", "{\"token\":\"\"}", NULL, NULL},
	    {"a token of another type is no", "{\"token\":7}", NULL, NULL},
	    {"a token that would be two headers is no",
		"{\"token\":\"a\\r\\nX-Evil: 1\"}", NULL, NULL},
	    {"a page is no token", "<html>", NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		put_answer(cases[i].sign_in);
		put_answer(cases[i].verify);
		struct got got = verify(10);
		is_str(got.receipt, cases[i].receipt, "%s", cases[i].name);
		is_int((int64_t)fake_backend_count(backend),
		    cases[i].verify ? 2 : 1, "after so many requests");
		free(got.receipt);
		end();
	}
}

static void test_keep(void)
{
	int64_t transfer = payment_keep_ms("transfer tx-1");
	int64_t payer = payment_keep_ms("payer " CLIENT);
	ok(payer > 0 && transfer > 300 * payer,
	    "a transfer is remembered for much longer than a payer");
}

/* ---- no backend, no key, no room ---- */

static void test_unreachable(void)
{
	begin();
	fake_backend_free(&backend);
	struct got got = verify(10);
	ok(got.n == 1 && !got.receipt,
	    "a client has not paid while the backend is down");
	payment_free(&payment);
}

static void test_key(void)
{
	struct conf other = conf;
	char name[] = OTHER, *nothing = scratch_path("nothing");
	begin();
	other.address = name;
	payment_free(&payment);
	payment = payment_new(&other, loop);
	struct got got = verify(10);
	ok(got.n == 1 && !got.receipt && fake_backend_count(backend) == 0,
	    "the backend is not asked with the key of another address");
	other.address = conf.address;
	other.co_dir = nothing;
	got = verify(10);
	ok(got.n == 1 && !got.receipt && fake_backend_count(backend) == 0,
	    "the backend is not asked without a key");
	(void)setenv("HOME", path("home"), 1);
	fake_backend_json(backend, TOKEN);
	fake_backend_json(backend, "{\"verified\":true}");
	got = verify(10);
	ok(got.receipt, "the user's key is used where the project has none");
	free(got.receipt);
	free(nothing);
	end();
}

static void test_twice(void)
{
	struct got first = {0}, second = {0}, other = {0};
	begin();
	for (int i = 0; i < 6; i++)
		fake_backend_json(
		    backend, "{\"token\":\"t\",\"verified\":true}");
	running = 3;
	payment_verify(payment, CLIENT, 1, on_paid, &first);
	payment_verify(payment, CLIENT, 1, on_paid, &second);
	payment_verify(payment, OTHER, 1, on_paid, &other);
	run();
	ok(first.receipt && other.receipt, "two clients are looked at at once");
	ok(second.n == 1 && !second.receipt,
	    "a second question about the same one is refused");
	free(first.receipt);
	free(other.receipt);
	first = verify(1);
	ok(first.n == 1,
	    "a client may be looked at again after the first answer");
	free(first.receipt);
	end();
}

static void test_crowd(void)
{
	enum { MANY = PAYMENT_MAX_CALLS + 3 };
	static struct got got[MANY];
	char client[ADDRESS_SIZE] = CLIENT;
	int good = 0;
	begin();
	for (int i = 0; i < 2 * PAYMENT_MAX_CALLS; i++)
		fake_backend_json(
		    backend, "{\"token\":\"t\",\"verified\":true}");
	running = MANY;
	for (int i = 0; i < MANY; i++) {
		client[10] = (char)('a' + i % 6);
		client[11] = (char)('a' + i / 6);
		payment_verify(payment, client, 1, on_paid, &got[i]);
	}
	run();
	for (int i = 0; i < MANY; i++) {
		good += got[i].n == 1 && got[i].receipt;
		free(got[i].receipt);
	}
	is_int(good, PAYMENT_MAX_CALLS,
	    "payments are looked at up to the limit at once");
	is_int(running, 0, "payments above the limit are refused");
	end();
}

static void test_free(void)
{
	struct got got = {0};
	begin();
	payment_verify(payment, CLIENT, 1, on_paid, &got);
	payment_verify(payment, CLIENT, 1, on_paid, &got);
	end();
	ok(payment == NULL && got.n == 0,
	    "freeing the payments forgets their questions");
	payment_free(&payment);
}

/* ---- the test ---- */

static void make_keys(void)
{
	struct ident me;
	struct err err;
	conf_init(&conf);
	free(conf.co_dir);
	free(conf.address);
	conf.co_dir = mem_strdup(path("home/.co"));
	if (ident_make(&me, conf.co_dir, &err) != 0)
		abort();
	conf.address = mem_strdup(me.address);
	ident_fini(&me);
}

int main(void)
{
	(void)setenv("no_proxy", "*", 1);
	(void)unsetenv("HOME");
	if (sodium_init() < 0)
		return 1;
	log_threshold(LOG_ERROR);
	loop = loop_new();
	loop_timer_init(&deadline, stop, NULL);
	make_folders();
	make_keys();
	test_requests();
	test_answers();
	test_keep();
	test_unreachable();
	test_twice();
	test_crowd();
	test_free();
	test_key();
	conf_fini(&conf);
	return done();
}
