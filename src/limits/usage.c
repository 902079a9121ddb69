/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "limits/usage.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/heritage.h"
#include "identity/digest.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* Keep this many days of rows for inspection. */
#define KEEP_DAYS 35
#define EXPIRE_STEP 100

/* The number of places in which a key may be. */
#define PROBES 8

/* Longer addresses are identified by their beginning only. */
#define NAME_BYTES 100

/*
 * A sum is marked with its owner, since its place may have belonged to another:
 * if the mark does not match, nothing has been added yet.
 */
#define SUM_BITS 40
#define MOST (((uint64_t)1 << SUM_BITS) - 1)

#define MILLION 1e6

/* One caller on one day. */
struct name {
	uint64_t key; /* in shared memory; the upper part is the day */
	uint64_t mark;
	uint8_t row[20]; /* in the store: day and digest, so days sort */
};

static int64_t day_now(void)
{
	return clock_wall_ms() / DAY_MS;
}

static void put_day(uint8_t row[4], int64_t day)
{
	for (int i = 0; i < 4; i++)
		row[i] = (uint8_t)(day >> (24 - 8 * i));
}

static struct name usage_name_of(const char *caller, int64_t day)
{
	struct name n;
	char text[NAME_BYTES];
	uint8_t digest[16];
	int len =
	    snprintf(text, sizeof text, "%lld %s", (long long)day, caller);
	if ((size_t)len >= sizeof text)
		len = sizeof text - 1;
	digest_of(digest, text, (size_t)len);
	memcpy(&n.key, digest, 8);
	memcpy(&n.mark, digest + 8, 8);
	n.key = (n.key >> 16) | (uint64_t)day << 48;
	n.mark = (n.mark >> SUM_BITS) | 1;
	put_day(n.row, day);
	digest_of(n.row + 4, caller, strlen(caller));
	return n;
}

/* ---- in shared memory ---- */

/*
 * Find or create the caller's place. Returns NULL if another process was
 * faster: try again. Places of other days are free, and the first one is taken,
 * so that all processes that look for this caller compete for the same. If all
 * are in use today, the lowest spender's place is evicted; its stored total
 * remains.
 */
static struct heritage_usage *try_get(
    struct heritage *h, const struct name *name)
{
	struct heritage_usage *best = NULL;
	uint64_t best_key = 0, best_sum = 0;
	for (uint64_t i = 0; i < PROBES; i++) {
		struct heritage_usage *u =
		    &h->usages[(name->key + i) % HERITAGE_USAGES];
		uint64_t key = atomic_load(&u->key), sum = 0;
		if (key == name->key)
			return u;
		if (key >> 48 == name->key >> 48)
			sum = 1 + (atomic_load(&u->tokens) & MOST);
		if (best && sum >= best_sum)
			continue;
		best = u;
		best_key = key;
		best_sum = sum;
	}
	if (!atomic_compare_exchange_strong(&best->key, &best_key, name->key))
		return NULL;
	return best;
}

static struct heritage_usage *get(struct heritage *h, const struct name *name)
{
	struct heritage_usage *u;
	do
		u = try_get(h, name);
	while (!u);
	return u;
}

static bool is_mine(uint64_t sum, const struct name *name)
{
	return sum >> SUM_BITS == name->mark;
}

/* Add to a sum, or to its stored value. Returns the new sum. */
static uint64_t add(_Atomic uint64_t *sum, const struct name *name,
    uint64_t stored, uint64_t more)
{
	uint64_t old = atomic_load(sum), n;
	do {
		n = is_mine(old, name) ? old & MOST : stored;
		n = more < MOST - n ? n + more : MOST;
	} while (!atomic_compare_exchange_weak(
	    sum, &old, name->mark << SUM_BITS | n));
	return n;
}

/* ---- in the store ---- */

static struct usage usage_decode(struct store_span row)
{
	struct usage u = {0};
	if (row.len == sizeof u)
		memcpy(&u, row.data, sizeof u);
	if (u.tokens > MOST)
		u.tokens = MOST;
	if (u.cost_us > MOST)
		u.cost_us = MOST;
	return u;
}

static struct usage read_stored(struct store *store, const struct name *name)
{
	struct store_txn t;
	struct store_span row;
	struct err err;
	struct usage u = {0};
	store_read(store, &t, STORE_FACTS);
	if (store_get(&t, TABLE_USAGE, name->row, sizeof name->row, &row))
		u = usage_decode(row);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return u;
}

static struct usage add_named(const struct usage_sums *s,
    const struct name *name, const struct usage *more)
{
	struct heritage_usage *u = get(s->heritage, name);
	struct usage stored = {0}, sum;
	if (!is_mine(atomic_load(&u->tokens), name) ||
	    !is_mine(atomic_load(&u->cost_us), name))
		stored = read_stored(s->store, name);
	sum.tokens = add(&u->tokens, name, stored.tokens, more->tokens);
	sum.cost_us = add(&u->cost_us, name, stored.cost_us, more->cost_us);
	return sum;
}

struct usage usage_add(
    const struct usage_sums *s, const char *caller, const struct usage *more)
{
	struct name name = usage_name_of(caller, day_now());
	return add_named(s, &name, more);
}

bool usage_row(
    struct usage_row *row, const struct usage_sums *s, const char *caller)
{
	static const struct usage nothing;
	struct name name = usage_name_of(caller, day_now());
	memcpy(row->key, name.row, sizeof row->key);
	row->sum = add_named(s, &name, &nothing);
	return row->sum.tokens || row->sum.cost_us;
}

void usage_write(
    struct store_txn *t, struct store_span key, struct store_span value)
{
	struct usage sum = usage_decode(value), old = {0};
	struct store_span row;
	if (store_get(t, TABLE_USAGE, key.data, key.len, &row))
		old = usage_decode(row);
	if (sum.tokens < old.tokens)
		sum.tokens = old.tokens;
	if (sum.cost_us < old.cost_us)
		sum.cost_us = old.cost_us;
	store_put(t, TABLE_USAGE, key.data, key.len, &sum, sizeof sum);
}

struct expiry {
	uint8_t before[4]; /* the first day to keep */
	uint8_t rows[EXPIRE_STEP][4 + 16];
	size_t n;
};

static bool gather_old(
    struct store_span key, struct store_span value, void *arg)
{
	struct expiry *x = arg;
	(void)value;
	if (key.len != sizeof x->rows[0] || x->n == EXPIRE_STEP ||
	    memcmp(key.data, x->before, sizeof x->before) >= 0)
		return false;
	memcpy(x->rows[x->n++], key.data, key.len);
	return true;
}

void usage_expire(struct store *store)
{
	struct expiry x = {.n = 0};
	struct store_txn t;
	struct err err;
	put_day(x.before, day_now() - KEEP_DAYS);
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_USAGE, NULL, 0, gather_old, &x);
	if (store_read_end(&t, &err) != 0 || !x.n)
		return;
	store_write(store, &t, STORE_FACTS);
	for (size_t i = 0; i < x.n; i++)
		store_delete(&t, TABLE_USAGE, x.rows[i], sizeof x.rows[i]);
	if (store_commit(&t, &err) != 0)
		log_error("%s", err.text);
}

/* ---- reports of agents ---- */

static uint64_t amount(const struct json *v, double scale)
{
	double n = 0;
	if (!json_double(v, &n) || !(n > 0))
		return 0;
	n *= scale;
	return n < (double)MOST ? (uint64_t)(n + 0.5) : MOST;
}

static uint64_t tokens_of(const struct json *usage)
{
	uint64_t all = amount(json_get(usage, "total_tokens"), 1);
	uint64_t parts = amount(json_get(usage, "input_tokens"), 1) +
			 amount(json_get(usage, "output_tokens"), 1);
	return all ? all : parts;
}

bool usage_read(const char *body, size_t len, struct usage *out)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};
	*out = (struct usage){0};
	if (!memmem(body, len, "\"usage\"", 7))
		return false;
	buf_char(&text, '{');
	buf_append(&text, body, len);
	buf_char(&text, '}');
	const struct json *usage =
	    json_get(json_parse(&doc, text.data, text.len, 0, &why), "usage");
	out->tokens = tokens_of(usage);
	out->cost_us = amount(json_get(usage, "cost"), MILLION);
	json_fini(&doc);
	buf_fini(&text);
	return out->tokens || out->cost_us;
}

/* ---- the budget ---- */

static int usage_refuse(
    const char *amount_text, const char *caller, struct err *err)
{
	char when[32] = "midnight UTC";
	int64_t now = clock_wall_ms(), end = (now / DAY_MS + 1) * DAY_MS;
	time_t seconds = (time_t)(end / 1000);
	struct tm tm;
	if (gmtime_r(&seconds, &tm))
		(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)err_set(err, ERR_LIMIT,
	    "budget used up: %s per day for %s; it resets at %s", amount_text,
	    *caller ? "one identity" : "all who do not sign", when);
	err->retry_after_ms = end - now;
	return -1;
}

int usage_check(const struct usage_sums *s, const struct conf *conf,
    const char *caller, struct err *err)
{
	static const struct usage nothing;
	char text[64];
	if (!conf->limit_tokens && !conf->limit_cost)
		return 0;
	struct usage sum = usage_add(s, caller, &nothing);
	if (conf->limit_tokens && sum.tokens >= (uint64_t)conf->limit_tokens) {
		(void)snprintf(text, sizeof text, "%lld tokens",
		    (long long)conf->limit_tokens);
		return usage_refuse(text, caller, err);
	}
	if (conf->limit_cost &&
	    sum.cost_us >= (uint64_t)conf->limit_cost * 10000) {
		(void)snprintf(text, sizeof text, "%lld.%02lld dollars",
		    (long long)conf->limit_cost / 100,
		    (long long)conf->limit_cost % 100);
		return usage_refuse(text, caller, err);
	}
	return 0;
}
