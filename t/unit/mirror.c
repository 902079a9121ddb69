/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The feed, the mirror that follows it, and the exchange with the store. */
#include "t/unit/tap.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "files/exchange.h"
#include "store/feed.h"
#include "files/mirror.h"
#include "files/results.h"
#include "store/store.h"
#include "t/unit/scratch_store.h"

static struct conf conf;
static struct store *store;
static struct mirror *mirror;
static char *path;
static struct err err;

static void begin(const char *folder)
{
	store = scratch_store(&conf, folder);
	path = scratch_path("%s/session_results.jsonl", folder);
}

static void end(void)
{
	mirror_free(&mirror);
	store_close(&store);
	conf_fini(&conf);
	free(path);
}

static void start_mirror(void)
{
	struct mirror_setup setup = {.conf = &conf, .store = store};
	mirror_free(&mirror);
	mirror = mirror_new(&setup);
}

/* A record as a worker commits it. */
static void put(uint64_t number, const char *id, uint32_t turn,
    enum record_status status, const char *prompt)
{
	struct store_txn t;
	struct store_key key = store_key1(number);
	struct buf row = {0}, talk = {0};
	int64_t now = clock_wall_ms();
	struct record r = {
	    .number = number,
	    .turn = turn,
	    .client_turn = turn,
	    .status = status,
	    .created_ms = now,
	    .expires_ms = now + 60000,
	    .duration_ms = status == RECORD_RUNNING ? -1 : 5,
	    .id = {id, strlen(id)},
	    .caller = {"", 0},
	    .prompt = {prompt, strlen(prompt)},
	    .result = {status == RECORD_DONE ? "yes" : NULL,
		status == RECORD_DONE ? 3 : 0},
	};
	record_encode(&row, &r);
	buf_printf(&talk, "{\"session_id\":\"%s\",\"turn\":1}", id);
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_IDS, id, strlen(id), key.bytes, 8);
	store_put(&t, TABLE_TALKS, key.bytes, 8, talk.data, talk.len);
	if (feed_is_wanted(&conf))
		feed_write(&t, (struct store_span){key.bytes, 8},
		    (struct store_span){row.data, row.len});
	else
		store_put(&t, TABLE_SESSIONS, key.bytes, 8, row.data, row.len);
	if (store_commit(&t, &err) != 0)
		abort();
	buf_fini(&row);
	buf_fini(&talk);
}

static unsigned count(const char *word)
{
	size_t len;
	unsigned n = 0;
	char *text = scratch_read(path, &len);
	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	free(text);
	return n;
}

static bool count_row(const struct feed_row *row, void *arg)
{
	(void)row;
	++*(unsigned *)arg;
	return true;
}

static unsigned feed_rows(void)
{
	unsigned n = 0;
	(void)feed_read(store, 0, count_row, &n);
	return n;
}

static void step(unsigned n)
{
	while (n--)
		(void)mirror_step(mirror);
}

static void test_follow(void)
{
	begin("follow");
	start_mirror();
	step(2);
	put(1, "a", 1, RECORD_RUNNING, "hello");
	put(1, "a", 1, RECORD_DONE, "hello");
	put(1, "a", 2, RECORD_RUNNING, "again");
	step(1);
	is_int(
	    count("\n"), 3, "each change becomes a line, even when seen late");
	is_int(count("\"status\":\"running\""), 2,
	    "changes to running become lines");
	is_int(count("\"prompt\":\"hello\""), 2,
	    "a line has the prompt of its change");
	is_int(count("\"turn\":1"), 1,
	    "only the latest line has the conversation");
	step(3);
	is_int(count("\n"), 3, "a look at nothing new writes nothing");
	put(1, "a", 2, RECORD_DONE, "again");
	step(1);
	is_int(count("\n"), 4, "a later change becomes another line");
	start_mirror();
	step(3);
	is_int(count("\n"), 1, "a new keeper leaves one line for a session");
	is_int(count("\"prompt\":\"again\""), 1,
	    "the line that a new keeper leaves is the last one");
	is_int(feed_rows(), 0,
	    "changes that were written are removed from the feed");
	end();
}

static void test_long_texts(void)
{
	char *prompt = calloc(1, 30001);
	begin("long");
	start_mirror();
	step(2);
	memset(prompt, 'p', 30000);
	put(1, "a", 1, RECORD_RUNNING, prompt);
	put(1, "a", 1, RECORD_DONE, prompt);
	step(1);
	is_int(count(prompt), 2, "a long prompt is in its lines");
	put(1, "a", 2, RECORD_DONE, prompt);
	put(1, "a", 3, RECORD_DONE, "short");
	step(1);
	is_int(count("\n"), 4, "a long text that is gone costs no line");
	free(prompt);
	end();
}

static void test_compare(void)
{
	begin("compare");
	conf.session_results = conf.evals = false;
	put(1, "a", 1, RECORD_DONE, "off");
	is_int(
	    feed_rows(), 0, "no change is fed when results and evals are off");
	conf.session_results = true;
	start_mirror();
	step(2);
	is_int(count("\"prompt\":\"off\""), 1,
	    "a result from before the results were on is added at the next "
	    "start");
	(void)unlink(path);
	start_mirror();
	step(2);
	is_int(count("\"prompt\":\"off\""), 1, "a lost file is made again");
	static const char newer[] =
	    "{\"session_id\":\"a\",\"status\":\"done\",\"prompt\":\"newer\","
	    "\"created\":99999999999}\n";
	scratch_write(path, newer, strlen(newer));
	start_mirror();
	step(2);
	is_int(count("\n"), 1, "a newer line of another host stays");
	end();
}

static void test_failure(void)
{
	struct rlimit limit, none;
	begin("failure");
	start_mirror();
	step(2);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
	none = limit;
	none.rlim_cur = 0;
	put(1, "a", 1, RECORD_RUNNING, "x");
	(void)setrlimit(RLIMIT_FSIZE, &none);
	step(3);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	is_int(
	    count("\n"), 0, "a line that cannot be written is not in the file");
	step(1);
	is_int(count("\n"), 1,
	    "a line that could not be written is written once later");
	end();
}

static void test_lock(void)
{
	begin("lock");
	char *name = scratch_path("lock/session_results.jsonl.lock");
	start_mirror();
	step(2);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		abort();
	put(1, "a", 1, RECORD_RUNNING, "x");
	step(2);
	is_int(count("\n"), 0,
	    "no line is written while another process has the lock");
	(void)close(fd);
	step(1);
	is_int(count("\n"), 1, "all lines are written when the lock is free");
	free(name);
	end();
}

static void test_growth(void)
{
	struct stat st;
	char *prompt = calloc(1, 3001);
	begin("growth");
	start_mirror();
	memset(prompt, 'p', 3000);
	for (unsigned i = 1; i <= 1500; i++) {
		put(1, "a", i, RECORD_DONE, prompt);
		step(i % 50 == 0);
	}
	step(2);
	ok(stat(path, &st) == 0 && st.st_size < 2 * 1024 * 1024,
	    "five megabytes of lines of one session are compacted");
	ok(count("\n") >= 1, "compaction keeps lines");
	free(prompt);
	end();
}

static void test_growth_by_new_sessions(void)
{
	char id[16], *prompt = calloc(1, 3001);
	begin("new");
	start_mirror();
	step(2);
	put(1, "a", 1, RECORD_RUNNING, "hello");
	step(1);
	put(1, "a", 1, RECORD_DONE, "hello");
	memset(prompt, 'p', 3000);
	for (unsigned i = 2; i <= 1500; i++) {
		snprintf(id, sizeof id, "s%u", i);
		put(i, id, 1, RECORD_DONE, prompt);
		step(i % 50 == 0);
	}
	step(2);
	is_int(count("\"status\":\"running\""), 1,
	    "a file that grows by sessions of one turn is not compacted");
	free(prompt);
	end();
}

/* ---- the exchange ---- */

static const char python_lines[] =
    "{\"session_id\":\"p1\",\"status\":\"running\",\"prompt\":\"a\","
    "\"created\":1702234567.1,\"expires\":99999999999}\n"
    "{\"session_id\":\"p2\",\"status\":\"done\",\"prompt\":\"b\","
    "\"result\":\"B\",\"session\":{\"requester\":{\"address\":\"0xab\"},"
    "\"turn\":3},\"created\":1702234568,\"expires\":99999999999,"
    "\"duration_ms\":7}\n"
    "{\"session_id\":\"p3\",\"status\":\"done\",\"prompt\":\"c\","
    "\"created\":1702234567,\"expires\":1702234568}\n"
    "{\"session_id\":\"p4\",\"status\":\"waiting_approval\","
    "\"created\":1702234569,\"expires\":null}\n"
    "{\"torn";

static int import(struct exchange_count *n)
{
	struct results *file = results_new(path);
	int rc = results_open(file, &err);
	if (rc == 0)
		rc = exchange_import(store, file, 60000, NULL, n, &err);
	results_free(&file);
	return rc;
}

/* The record of a session; views are good until the next call. */
static bool find(const char *id, struct record *r)
{
	static char copy[65536];
	struct store_txn t;
	struct store_span row;
	store_read(store, &t, STORE_FACTS);
	bool found = store_get(&t, TABLE_IDS, id, strlen(id), &row) &&
		     store_get(&t, TABLE_SESSIONS, row.data, 8, &row);
	if (found)
		memcpy(copy, row.data, row.len);
	row.data = copy;
	(void)store_read_end(&t, &err);
	return found && record_decode(r, row);
}

static void test_import(void)
{
	struct exchange_count n;
	struct record r;
	begin("import");
	scratch_write(path, python_lines, strlen(python_lines));
	ok(exchange_is_empty(store), "a new store is empty");
	is_int(import(&n), 0, "a file of the Python host is taken over");
	ok(n.added == 3 && n.expired == 1 && !n.kept,
	    "an import skips expired results");
	ok(!exchange_is_empty(store), "a store is not empty after an import");
	ok(find("p1", &r) && r.status == RECORD_INTERRUPTED,
	    "a running result is imported as interrupted");
	ok(find("p4", &r) && r.status == RECORD_INTERRUPTED &&
		r.expires_ms > clock_wall_ms(),
	    "a result that waited for an answer is imported as interrupted");
	ok(find("p2", &r) && r.status == RECORD_DONE && r.caller.len == 4 &&
		memcmp(r.caller.data, "0xab", 4) == 0 && r.turn == 3 &&
		r.created_ms == 1702234568000 && r.duration_ms == 7 &&
		r.result.len == 1,
	    "a result keeps its owner, its time and its turn");
	ok(!find("p3", &r), "an expired result is not imported");
	is_int(import(&n), 0, "a second import of the same file succeeds");
	ok(!n.added && n.kept == 3,
	    "a second import of the same file adds nothing");
	start_mirror();
	step(2);
	is_int(count("\"status\":\"interrupted\""), 2,
	    "the file names imported results as interrupted");
	start_mirror();
	step(2);
	is_int(count("\n"), 3,
	    "the file has one line for each imported result in time");
	end();
}

static void test_export(void)
{
	struct exchange_count n;
	size_t len, len2;
	begin("export");
	put(1, "a", 1, RECORD_DONE, "one");
	put(2, "b", 1, RECORD_RUNNING, "two");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	is_int(exchange_export(store, fd, &err), 0, "the store is exported");
	(void)close(fd);
	is_int(count("\n"), 2, "an export has a line for each session");
	char *first = scratch_read(path, &len);
	store_close(&store);
	char *dir = scratch_path("export/store");
	scratch_remove(dir);
	store = store_open(&conf, true, &err);
	ok(import(&n) == 0 && n.added == 2,
	    "an export can be imported into a new store");
	fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
	(void)exchange_export(store, fd, &err);
	(void)close(fd);
	char *second = scratch_read(path, &len2);
	char *end_of_first = strchr(first, '\n');
	*end_of_first = 0;
	ok(len && len2 && strncmp(first, second, strlen(first)) == 0,
	    "an imported result is exported unchanged");
	is_int(count("interrupted"), 1,
	    "an imported running result is exported as interrupted");
	free(first);
	free(second);
	free(dir);
	end();
}

int main(void)
{
	char *log = scratch_path("log");
	(void)log_open(log);
	free(log);
	test_follow();
	test_long_texts();
	test_compare();
	test_failure();
	test_lock();
	test_growth();
	test_growth_by_new_sessions();
	test_import();
	test_export();
	return done();
}
