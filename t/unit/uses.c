/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/uses.h"

#include "base/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "store/store.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf conf;
static struct store *store;
static struct uses *uses;
static int64_t signed_ms; /* the time stamp of signatures */

static void open_store(void)
{
	struct err err;
	store = store_open(&conf, true, &err);
	if (!store)
		abort();
	uses_adopt(store);
	uses = uses_new(store);
}

static void close_store(void)
{
	uses_free(&uses);
	store_close(&store);
}

static void restart(void)
{
	close_store();
	open_store();
}

/* The machine boots: the journal is of another boot now. */
static void boot(void)
{
	char path[300];
	char id = '?';
	(void)snprintf(path, sizeof path, "%s/store/journal.mark", conf.co_dir);
	close_store();
	int fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, &id, 1) != 1)
		abort();
	(void)close(fd);
	open_store();
}

static void begin_with(int durability)
{
	static int number;
	conf_init(&conf);
	conf.store_size = 16;
	conf.durability = durability;
	free(conf.co_dir);
	conf.co_dir = scratch_path("co%d", number++);
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	open_store();
	/* At the beginning of a span. */
	int64_t now = clock_wall_ms();
	pass_ms(USES_SPAN_MS - now % USES_SPAN_MS);
	signed_ms = clock_wall_ms();
}

static void begin(void)
{
	begin_with(DURABLE_POWER);
}

static void end(void)
{
	close_store();
	conf_fini(&conf);
}

static struct use signature(uint8_t number)
{
	return (struct use){.digest = {number}, .until_ms = signed_ms + 300000};
}

static struct use receipt(uint8_t number)
{
	return (struct use){.digest = {number},
	    .until_ms = clock_wall_ms() + 3600000,
	    .is_lasting = true};
}

static const char *make(struct use use)
{
	static const char *const words[] = {
	    [USE_GRANTED] = "granted",
	    [USE_REPEATED] = "repeated",
	    [USE_FAILED] = "failed",
	};
	struct use *all[] = {&use};
	use.result = USE_FAILED;
	uses_claim(uses, all, 1);
	return words[use.result];
}

static bool count_one(struct store_span key, struct store_span value, void *arg)
{
	(void)key;
	(void)value;
	++*(int *)arg;
	return true;
}

static int count(enum store_table table)
{
	struct store_txn t;
	struct err err;
	int n = 0;
	store_read(store, &t, store_part_of(table));
	store_each(&t, table, NULL, 0, count_one, &n);
	return store_read_end(&t, &err) == 0 ? n : -1;
}

static void test_once(void)
{
	begin();
	is_str(make(signature(1)), "granted", "a signature is claimed once");
	is_str(make(signature(1)), "repeated", "a second claim is refused");
	is_str(make(signature(2)), "granted", "another signature is claimed");
	is_str(make(receipt(1)), "granted", "a receipt is claimed once");
	pass_ms(7);
	is_str(make(receipt(1)), "repeated",
	    "a second claim of a receipt is refused, though it ends later");
	struct use one = signature(3), same = signature(3);
	struct use other = receipt(3);
	struct use *all[] = {&one, &other, &same};
	uses_claim(uses, all, 3);
	ok(one.result == USE_GRANTED && other.result == USE_GRANTED &&
		same.result == USE_REPEATED,
	    "claims of one batch see each other");
	struct uses *more = uses_new(store);
	all[0] = &same;
	uses_claim(more, all, 1);
	is_int(same.result, USE_REPEATED,
	    "another worker knows a claimed signature");
	uses_free(&more);
	end();
}

static void test_restart(void)
{
	begin();
	is_str(make(signature(1)), "granted", "a signature is claimed");
	restart();
	is_str(make(signature(1)), "repeated",
	    "a signature stays claimed after a restart");
	is_str(make(signature(2)), "granted", "a restart closes no span");
	is_int(count(TABLE_SPANS), 1, "a span is marked once");
	end();
}

static void test_boot(void)
{
	begin();
	is_str(make(signature(1)), "granted", "a signature is claimed before");
	is_str(make(receipt(1)), "granted", "a receipt is claimed before");
	boot();
	is_int(count(TABLE_SPENT), 0, "a boot discards the claims");
	is_str(make(signature(1)), "repeated",
	    "a signature stays used when its claim is lost");
	is_str(make(signature(2)), "repeated",
	    "a signature of a span whose claims are lost counts as used");
	is_str(
	    make(receipt(1)), "repeated", "a receipt stays used after a boot");
	is_str(make(receipt(2)), "granted", "a new receipt is claimed");
	pass_ms(USES_SPAN_MS);
	signed_ms += USES_SPAN_MS;
	is_str(make(signature(2)), "granted",
	    "a signature of the next span is claimed");
	signed_ms -= 2 * USES_SPAN_MS;
	is_str(make(signature(3)), "granted",
	    "a signature of an earlier span without claims is claimed");
	boot();
	is_str(make(signature(3)), "repeated",
	    "each boot closes the spans that were in use");
	signed_ms += USES_SPAN_MS;
	is_str(make(signature(1)), "repeated", "a closed span stays closed");
	end();
}

static void test_process(void)
{
	begin_with(DURABLE_PROCESS);
	is_str(make(signature(1)), "granted",
	    "a signature is claimed where facts are not synced");
	restart();
	is_str(make(signature(1)), "repeated",
	    "a signature stays claimed where facts are not synced");
	end();
}

static void limit_files(bool is_limited)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
	limit.rlim_cur = is_limited ? 1 : limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
}

static void test_full_disk(void)
{
	begin();
	limit_files(true);
	const char *word = make(signature(1));
	limit_files(false);
	is_str(word, "failed", "a claim in a new span fails on a full disk");
	is_str(make(signature(1)), "granted",
	    "a claim in a new span succeeds when there is room");
	limit_files(true);
	word = make(signature(2));
	limit_files(false);
	is_str(word, "failed", "a claim in a marked span fails on a full disk");
	is_str(make(signature(2)), "granted",
	    "a claim in a marked span succeeds when there is room");
	end();
}

/* Claims as an older program made them. */
static void put_old(uint8_t number, int64_t until_ms)
{
	struct {
		int64_t until_ms, claimed_ms;
		uint64_t peer, has_grace;
	} row = {.until_ms = until_ms};
	uint8_t digest[32] = {number};
	struct store_txn t;
	struct err err;
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_USED, digest, sizeof digest, &row, sizeof row);
	if (store_commit(&t, &err) != 0)
		abort();
}

static void test_adopt(void)
{
	begin();
	put_old(1, signed_ms + 300000);
	put_old(2, signed_ms - 1);
	put_old(3, signed_ms + 3600000);
	restart();
	is_str(make(signature(1)), "repeated",
	    "a claim of an older program holds after the upgrade");
	is_int(count(TABLE_SPENT), 1,
	    "neither expired claims nor receipts are adopted");
	is_str(make(receipt(3)), "repeated",
	    "a receipt of an older program stays used");
	end();
}

#define MINUTE 60000

static void test_expire(void)
{
	uint64_t receipts = 0;
	begin();
	int64_t first_ms = signed_ms;
	for (int i = 0; i < 40; i++) {
		signed_ms = first_ms + i * MINUTE;
		(void)make(signature(1));
		(void)make(receipt((uint8_t)i));
	}
	is_int(count(TABLE_SPANS), 40, "each span has a mark");
	pass_ms(300000 + 10 * MINUTE - MINUTE / 2);
	(void)uses_expire(store, &receipts);
	is_int(count(TABLE_SPENT), 30, "claims that are over are removed");
	is_int(count(TABLE_SPANS), 40, "a few old spans are kept");
	is_int(count(TABLE_USED), 40, "receipts are kept for longer");
	signed_ms = first_ms + 10 * MINUTE;
	is_str(make(signature(1)), "repeated",
	    "a claim is kept to the end of its time");
	pass_ms(30 * MINUTE);
	(void)uses_expire(store, &receipts);
	is_int(count(TABLE_SPENT), 0, "all claims of signatures are removed");
	is_int(count(TABLE_SPANS), 0, "spans that are over are removed");
	pass_ms(60 * MINUTE);
	(void)uses_expire(store, &receipts);
	is_int(count(TABLE_USED), 0, "all receipts are removed in the end");
	end();
}

int main(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	follow_clock();
	test_once();
	test_restart();
	test_boot();
	test_process();
	test_full_disk();
	test_adopt();
	test_expire();
	return done();
}
