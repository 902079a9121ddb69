/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a door lets through once: claims over restarts, kinds and places. */
#include "access/once.h"

#include "access/access_int.h"
#include "proc/crew.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/scratch_store.h"
#include "t/unit/tap.h"

#include <poll.h>
#include <stdatomic.h>

static struct access access_of_test;
static struct crew *crew;
static atomic_int n_woken;
static struct conf conf;

static void wake(void *arg)
{
	(void)arg;
	atomic_fetch_add(&n_woken, 1);
}

struct answer {
	unsigned n;
	enum use_result result;
};

static void take(void *arg, enum use_result result)
{
	struct answer *a = arg;
	a->n++;
	a->result = result;
}

static struct once_ask ask(
    const char *kind, const char *text, const char *place)
{
	return (struct once_ask){.kind = kind,
	    .text = text,
	    .len = strlen(text),
	    .until_ms = clock_wall_ms() + 60000,
	    .place = place};
}

/* Claim it, and wait for the answer. */
static enum use_result claim(
    const char *kind, const char *text, const char *place)
{
	struct answer a = {0};
	struct once_ask what = ask(kind, text, place);
	if (!once_claim(&access_of_test, crew, &what, take, &a))
		return USE_FAILED;
	for (int i = 0; i < 20000 && !a.n; i++) {
		(void)poll(NULL, 0, 1);
		crew_collect(crew);
	}
	return a.n == 1 ? a.result : USE_FAILED;
}

static bool is_claimed(const char *kind, const char *text)
{
	struct once_ask what = ask(kind, text, NULL);
	return once_is_claimed(&access_of_test, &what);
}

static void test_claims(void)
{
	ok(!is_claimed("exchange", "one"), "what nobody claimed is free");
	is_int(claim("exchange", "one", NULL), USE_GRANTED,
	    "the first claim is granted");
	ok(is_claimed("exchange", "one"), "what was claimed is known");
	is_int(claim("exchange", "one", NULL), USE_REPEATED,
	    "a second claim is refused");
	is_int(claim("exchange", "two", NULL), USE_GRANTED,
	    "another text is another claim");
	ok(!is_claimed("withdraw", "one"), "another kind is another claim");
	is_int(claim("withdraw", "one", NULL), USE_GRANTED,
	    "another kind is granted for the same text");
	ok(atomic_load(&n_woken) > 0, "the loop is woken for an answer");
}

static void test_grace(void)
{
	is_int(claim("exchange", "lost", "10.0.0.1"), USE_GRANTED,
	    "a claim with a place is granted");
	is_int(claim("exchange", "lost", "10.0.0.1"), USE_GRANTED,
	    "the same place may repeat a claim whose answer was lost");
	is_int(claim("exchange", "lost", "10.0.0.2"), USE_REPEATED,
	    "another place may not repeat a claim");
	pass_ms(USES_GRACE_MS + 1000);
	is_int(claim("exchange", "lost", "10.0.0.1"), USE_REPEATED,
	    "the same place may not repeat a claim later");
}

static void test_restart(void)
{
	struct err err;
	store_close(&access_of_test.setup.store);
	access_of_test.setup.store = store_open(&conf, true, &err);
	if (!access_of_test.setup.store)
		abort();
	ok(is_claimed("exchange", "one"), "a claim outlives a restart");
	is_int(claim("exchange", "one", NULL), USE_REPEATED,
	    "a claim is refused after a restart");
}

/* A crew with room for no job at all. */
static void test_full(void)
{
	struct answer a = {0};
	struct once_ask what = ask("exchange", "late", NULL);
	struct crew *none = crew_open(1, 0, wake, NULL);
	ok(!once_claim(&access_of_test, none, &what, take, &a),
	    "a crew without room takes no claim");
	crew_collect(none);
	crew_close(&none);
	is_int(a.n, 0, "a claim that was not taken has no answer");
	ok(!is_claimed("exchange", "late"),
	    "a claim that was not taken is free");
}

int main(void)
{
	follow_clock();
	access_of_test.setup.store = scratch_store(&conf, "once");
	crew = crew_open(1, 8, wake, NULL);
	test_claims();
	test_grace();
	test_restart();
	test_full();
	crew_close(&crew);
	store_close(&access_of_test.setup.store);
	conf_fini(&conf);
	return done();
}
