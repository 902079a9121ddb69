/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"
#include "t/unit/scratch_clock.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/heritage.h"
#include "proc/shm.h"
#include "limits/usage.h"
#include "t/unit/scratch_store.h"

#define N_CHILDREN 4
#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

static struct conf conf;
static struct usage_sums sums;
static size_t heritage_size;
static void begin_memory(void)
{
	int fd = shm_create("usage-test", sizeof(struct heritage));

	sums.heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!sums.heritage)
		abort();
	(void)close(fd); /* the map stays */
}

static void end_memory(void)
{
	(void)munmap(sums.heritage, heritage_size);
}

/* What the server forgets when it is started again. */
static void restart(void)
{
	end_memory();
	begin_memory();
}

static void begin(const char *folder)
{
	begin_memory();
	sums.store = scratch_store(&conf, folder);
}

static void end(void)
{
	store_close(&sums.store);
	end_memory();
	conf_fini(&conf);
}

static struct usage spend(const char *caller, uint64_t tokens, uint64_t cost_us)
{
	struct usage more = {tokens, cost_us};

	return usage_add(&sums, caller, &more);
}

/* What the end of a turn does; the row is written by the journal. */
static struct usage_row end_turn(const char *caller)
{
	struct usage_row row;

	(void)usage_row(&row, &sums, caller);
	return row;
}

static void write_end(struct usage_row row)
{
	struct store_txn t;
	struct err err;

	store_write(sums.store, &t, STORE_FACTS);
	usage_write(&t, (struct store_span){row.key, sizeof row.key},
	    (struct store_span){&row.sum, sizeof row.sum});
	if (store_commit(&t, &err) != 0)
		abort();
}

/* ---- */

static const struct read_case {
	const char *name;
	const char *body;
	int64_t tokens;
	int64_t cost_us;
	bool is_there;
} read_cases[] = {
    {"the total counts",
	"\"usage\":{\"input_tokens\":1,\"output_tokens\":2,"
	"\"total_tokens\":30,\"cost\":0.25}",
	30, 250000, true},
    {"without one, input and output do",
	"\"model\":\"m\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}", 3,
	0, true},
    {"a cost stands alone", "\"usage\":{\"cost\":1e-6}", 0, 1, true},
    {"nothing used is nothing", "\"usage\":{\"total_tokens\":0,\"cost\":0}", 0,
	0, false},
    {"no usage is nothing", "\"model\":\"m\"", 0, 0, false},
    {"usage that is no object is nothing", "\"usage\":7", 0, 0, false},
    {"another member of that name is nothing",
	"\"x\":{\"usage\":{\"total_tokens\":7}}", 0, 0, false},
    {"what is less than nothing does not count",
	"\"usage\":{\"total_tokens\":-5,\"cost\":-1}", 0, 0, false},
    {"nor what is no number",
	"\"usage\":{\"total_tokens\":\"9\",\"cost\":null}", 0, 0, false},
    {"more than there is counts as much", "\"usage\":{\"total_tokens\":1e400}",
	((int64_t)1 << 40) - 1, 0, true},
    {"broken text is nothing", "\"usage\":{", 0, 0, false},
};

static void test_read(void)
{
	for (size_t i = 0; i < sizeof(read_cases) / sizeof(*read_cases); i++) {
		const struct read_case *c = &read_cases[i];
		struct usage u;
		bool is_there = usage_read(c->body, strlen(c->body), &u);
		ok(is_there == c->is_there && (int64_t)u.tokens == c->tokens &&
			(int64_t)u.cost_us == c->cost_us,
		    "%s", c->name);
	}
}

static void test_sums(void)
{
	struct usage u;

	begin("sums");
	(void)spend("0xa", 10, 100);
	u = spend("0xa", 5, 50);
	is_int((int64_t)u.tokens, 15, "tokens add up");
	is_int((int64_t)u.cost_us, 150, "the cost of a caller adds up");
	is_int((int64_t)spend("0xb", 1, 0).tokens, 1,
	    "each caller has its own sums");
	is_int((int64_t)spend("", 2, 0).tokens, 2,
	    "unsigned callers have their own sums");
	*moved_ms += DAY_MS;
	is_int((int64_t)spend("0xa", 3, 0).tokens, 3, "each day begins at 0");
	end();
}

static void test_restart(void)
{
	struct usage_row early, none;

	begin("restart");
	(void)spend("0xa", 10, 100);
	early = end_turn("0xa");
	(void)spend("0xa", 5, 0);
	write_end(end_turn("0xa"));
	write_end(early);
	(void)spend("0xa", 1000, 0);
	restart();
	is_int((int64_t)spend("0xa", 1, 0).tokens, 16,
	    "the tokens stored last survive a restart");
	is_int((int64_t)spend("0xa", 0, 0).cost_us, 100,
	    "the cost stored last survives a restart");
	is_int((int64_t)spend("0xb", 0, 0).tokens, 0,
	    "stored sums are those of their caller only");
	ok(!usage_row(&none, &sums, "0xb"),
	    "a caller who has spent nothing needs no row");
	*moved_ms += DAY_MS;
	restart();
	is_int((int64_t)spend("0xa", 0, 0).tokens, 0,
	    "stored sums are those of their day only");
	end();
}

static bool count(struct store_span key, struct store_span value, void *arg)
{
	(void)key;
	(void)value;
	++*(int *)arg;
	return true;
}

static int n_rows(void)
{
	struct store_txn t;
	struct err err;
	int n = 0;

	store_read(sums.store, &t, STORE_FACTS);
	store_each(&t, TABLE_USAGE, NULL, 0, count, &n);
	(void)store_read_end(&t, &err);
	return n;
}

static void test_expire(void)
{
	begin("expire");
	(void)spend("0xa", 10, 100);
	write_end(end_turn("0xa"));
	*moved_ms += 30 * DAY_MS;
	(void)spend("0xa", 10, 100);
	write_end(end_turn("0xa"));
	usage_expire(sums.store);
	is_int(n_rows(), 2, "usage of a month is kept");
	*moved_ms += 6 * DAY_MS;
	usage_expire(sums.store);
	is_int(n_rows(), 1, "usage older than a month is removed");
	end();
}

static void test_budget(void)
{
	struct err err;

	begin("budget");
	(void)spend("0xa", 1000000, 1000000);
	is_int(usage_check(&sums, &conf, "0xa", &err), 0,
	    "there is no budget unless one is set");
	conf.limit_tokens = 1000001;
	is_int(usage_check(&sums, &conf, "0xa", &err), 0,
	    "a turn may begin below the budget");
	(void)spend("0xa", 1, 0);
	is_int(usage_check(&sums, &conf, "0xa", &err), -1,
	    "no turn begins when the budget is used up");
	is_int(err.code, ERR_LIMIT, "a used budget is refused as a limit");
	ok(strncmp(err.text,
	       "budget used up: 1000001 tokens per day for one identity; it "
	       "resets at ",
	       69) == 0 &&
		strstr(err.text, "T00:00:00Z"),
	    "the text has the number and the time: %s", err.text);
	ok(err.retry_after_ms > 0 && err.retry_after_ms <= DAY_MS,
	    "a used budget is renewed within a day");
	*moved_ms += err.retry_after_ms;
	is_int(usage_check(&sums, &conf, "0xa", &err), 0,
	    "a turn may begin when the budget is renewed");
	conf.limit_cost = 105;
	(void)spend("", 0, 1050000);
	is_int(usage_check(&sums, &conf, "", &err), -1, "cost has a budget");
	ok(strstr(err.text, "1.05 dollars per day for all who do not sign") !=
		NULL,
	    "unsigned callers share one budget of cost: %s", err.text);
	end();
}

/* Children that add while the table is full of others. */
static void test_processes(void)
{
	int status;
	bool are_good = true;

	begin("processes");
	store_close(&sums.store); /* a store is not for use across a fork */
	(void)fflush(stdout);
	for (int i = 0; i < N_CHILDREN; i++) {
		if (fork() != 0)
			continue;
		struct err err;
		sums.store = store_open(&conf, false, &err);
		if (!sums.store)
			_exit(1);
		for (int n = 0; n < 5000; n++)
			(void)spend("0xa", 1, 2);
		store_close(&sums.store);
		_exit(0);
	}
	while (wait(&status) > 0)
		are_good &= status == 0;
	struct err err;
	sums.store = store_open(&conf, false, &err);
	struct usage u = spend("0xa", 0, 0);
	ok(are_good && u.tokens == N_CHILDREN * 5000 &&
		u.cost_us == 2 * u.tokens,
	    "processes together lose nothing");
	end();
}

static void test_full_table(void)
{
	char who[32];
	bool are_known = true;

	begin("full");
	(void)spend("0xa", 1000000, 7);
	for (int i = 0; i < 3 * HERITAGE_USAGES; i++) {
		(void)snprintf(who, sizeof(who), "n%d", i);
		are_known &= spend(who, 5, 0).tokens == 5;
	}
	ok(are_known, "a new caller never has what another spent");
	is_int((int64_t)spend("0xa", 0, 0).tokens, 1000000,
	    "the caller who spent most is not forgotten");
	end();
}

int main(void)
{
	follow_clock();
	/* No test shall be divided by midnight. */
	*moved_ms = DAY_MS - clock_wall_ms() % DAY_MS + HOUR_MS;
	test_read();
	test_sums();
	test_restart();
	test_expire();
	test_budget();
	test_processes();
	test_full_table();
	return done();
}
