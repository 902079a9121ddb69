/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <dirent.h>
#include <lmdb.h>

#include "base/buf.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "store/store.h"
#include "t/unit/scratch.h"

static struct conf conf;
static struct store *store;
static struct err err;

/* Settings for a store in a new folder. */
static void begin(const char *folder)
{
	conf_init(&conf);
	conf.store_size = 4;
	free(conf.co_dir);
	conf.co_dir = scratch_path("%s", folder);
	(void)mkdir(conf.co_dir, 0700);
}

static void end(void)
{
	store_close(&store);
	conf_fini(&conf);
}

static bool open_as(bool is_keeper)
{
	store_close(&store);
	store = store_open(&conf, is_keeper, &err);
	return store != NULL;
}

static int put(enum store_table table, const char *key, const char *value)
{
	struct store_txn t;

	store_write(store, &t, store_part_of(table));
	store_put(&t, table, key, strlen(key), value, strlen(value));
	return store_commit(&t, &err);
}

/*
 * The value as a C string, valid until the next call; NULL when there is none.
 */
static const char *get(enum store_table table, const char *key)
{
	static char text[64];
	struct store_txn t;
	struct store_span v = {NULL, 0};

	store_read(store, &t, store_part_of(table));
	bool found = store_get(&t, table, key, strlen(key), &v);
	if (found)
		(void)snprintf(text, sizeof(text), "%.*s", (int)v.len,
		    (const char *)v.data);
	return store_read_end(&t, &err) == 0 && found ? text : NULL;
}

static char *file_of(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/store/%s", conf.co_dir, name) < 0)
		abort();
	return path;
}

/* How many files of the store begin with this. */
static int count_files(const char *prefix)
{
	char *dir = file_of("");
	DIR *d = opendir(dir);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	if (d)
		(void)closedir(d); /* only read */
	free(dir);
	return n;
}

static void test_open(void)
{
	begin("open");
	ok(!open_as(false) && err.code == ERR_STORE,
	    "a worker cannot open what no keeper made");
	ok(open_as(true), "the keeper makes the store");
	is_int(put(TABLE_IDS, "a", "1"), 0, "a value is written");
	is_int(put(TABLE_IDS, "a", "2"), 0, "a value is written over another");
	is_str(get(TABLE_IDS, "a"), "2", "the last written value is read");
	is_str(get(TABLE_IDS, "b"), NULL,
	    "a key that was not written has no value");
	is_str(get(TABLE_SESSIONS, "a"), NULL, "tables are apart");
	uint64_t epoch = store_epoch(store);
	ok(open_as(false), "a worker opens the store that the keeper made");
	is_str(
	    get(TABLE_IDS, "a"), "2", "a worker reads what the keeper wrote");
	is_int(put(TABLE_EVENTS, "x", "event"), 0, "a worker writes");
	ok(open_as(true), "the keeper comes back");
	is_str(get(TABLE_EVENTS, "x"), "event", "a worker's write is there");
	ok(store_epoch(store) == epoch,
	    "the journal stays the same when the keeper comes back");
	end();
}

/* What a worker of its own process says: 0 when it sees what the keeper put. */
static int work(int go)
{
	char c;

	if (read(go, &c, 1) != 1 || !open_as(false))
		return 1;
	const char *v = get(TABLE_IDS, "who");
	if (!v || strcmp(v, "keeper") != 0)
		return 2;
	return put(TABLE_IDS, "who", "worker") == 0 ? 0 : 3;
}

static void test_processes(void)
{
	int go[2], status = -1;

	begin("processes");
	if (pipe(go) != 0)
		abort();
	pid_t pid = fork();
	if (pid == 0)
		_exit(work(go[0]));
	ok(open_as(true) && put(TABLE_IDS, "who", "keeper") == 0,
	    "the keeper writes");
	ok(write(go[1], "g", 1) == 1 && waitpid(pid, &status, 0) == pid,
	    "a worker opens the store meanwhile");
	is_int(status, 0,
	    "a worker in another process sees the write and answers");
	is_str(get(TABLE_IDS, "who"), "worker", "the keeper sees the answer");
	store_check_readers(store);
	(void)close(go[0]);
	(void)close(go[1]);
	end();
}

struct seen {
	char text[256];
	int most;
};

static bool note(struct store_span key, struct store_span value, void *arg)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)value;
	(void)snprintf(s->text + n, sizeof(s->text) - n, "%llu ",
	    (unsigned long long)store_number(key.data));
	return --s->most > 0;
}

typedef void each_fn(struct store_txn *, enum store_table, const void *, size_t,
    bool (*)(struct store_span, struct store_span, void *), void *);

/* The keys that a walk meets, as text valid until the next call. */
static const char *walk(each_fn *each, uint64_t from, int most)
{
	static struct seen seen;
	struct store_key k = store_key1(from);
	struct store_txn t;

	seen = (struct seen){.most = most};
	store_read(store, &t, STORE_FACTS);
	each(&t, TABLE_SESSIONS, from ? k.bytes : NULL, from ? 8 : 0, note,
	    &seen);
	if (store_read_end(&t, &err) != 0)
		return "error";
	return seen.text;
}

static void test_order(void)
{
	static const uint64_t keys[] = {65536, 3, 256, 1, 255, 70000};
	struct store_key a = store_key2(1, UINT64_MAX), b = store_key2(2, 0);
	struct store_txn t;

	begin("order");
	(void)open_as(true);
	is_str(walk(store_each, 0, 9), "",
	    "a walk of an empty table meets nothing");
	is_str(walk(store_each_back, 0, 9), "",
	    "a walk back of an empty table meets nothing");
	store_write(store, &t, STORE_FACTS);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct store_key k = store_key1(keys[i]);
		store_put(&t, TABLE_SESSIONS, k.bytes, 8, "v", 1);
	}
	is_int(store_commit(&t, &err), 0, "rows are written in any order");
	is_str(walk(store_each, 0, 9), "1 3 255 256 65536 70000 ",
	    "a walk goes by number");
	is_str(walk(store_each, 4, 9), "255 256 65536 70000 ",
	    "a walk begins at the first key that is not lower");
	is_str(walk(store_each, 255, 2), "255 256 ",
	    "a walk stops when it is told to");
	is_str(walk(store_each, 70001, 9), "",
	    "a walk from beyond the last key meets nothing");
	is_str(walk(store_each_back, 0, 9), "70000 65536 256 255 3 1 ",
	    "a walk back begins at the last");
	is_str(walk(store_each_back, 256, 9), "256 255 3 1 ",
	    "a walk back may begin at the key itself");
	is_str(walk(store_each_back, 300, 9), "256 255 3 1 ",
	    "a walk back may begin at the last key that is not higher");
	is_str(walk(store_each_back, 99999, 2), "70000 65536 ",
	    "a walk back may begin at the last of all keys");
	is_str(walk(store_each_back, 2, 9), "1 ",
	    "a walk back goes down to the first key");
	ok(memcmp(a.bytes, b.bytes, 16) < 0, "pairs go by their first number");
	ok(store_number(a.bytes) == 1 &&
		store_number(a.bytes + 8) == UINT64_MAX,
	    "numbers come back from a key");
	end();
}

static void test_delete_events(void)
{
	struct store_txn t;

	begin("events");
	(void)open_as(true);
	store_write(store, &t, STORE_JOURNAL);
	for (uint64_t n = 1; n <= 3; n++)
		for (uint64_t seq = 1; seq <= 10; seq++) {
			struct store_key k = store_key2(n, seq);
			store_put(&t, TABLE_EVENTS, k.bytes, 16, "12345", 5);
		}
	is_int(store_delete_events(&t, 2, 1, 4), 20,
	    "deleted events are told in bytes");
	is_int(store_delete_events(&t, 2, 1, 4), 0,
	    "events that were deleted are not deleted again");
	is_int(store_delete_events(&t, 2, 9, 99), 10,
	    "another session's events are not touched");
	is_int(store_delete_events(&t, 9, 1, 99), 0,
	    "deleting no events is harmless");
	struct store_key k = store_key2(1, 1);
	store_delete(&t, TABLE_EVENTS, k.bytes, 16);
	store_delete(&t, TABLE_EVENTS, k.bytes, 16);
	is_int(store_commit(&t, &err), 0, "deleting twice is no error");
	int left = 0;
	store_read(store, &t, STORE_JOURNAL);
	for (uint64_t n = 1; n <= 3; n++)
		for (uint64_t seq = 1; seq <= 10; seq++) {
			struct store_span v;
			struct store_key key = store_key2(n, seq);
			left += store_get(&t, TABLE_EVENTS, key.bytes, 16, &v);
		}
	(void)store_read_end(&t, &err);
	is_int(left, 9 + 4 + 10, "the others stay");
	end();
}

static void test_transactions(void)
{
	struct store_txn t;
	struct store_span v;

	begin("txn");
	(void)open_as(true);
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_IDS, "a", 1, "1", 1);
	ok(store_get(&t, TABLE_IDS, "a", 1, &v), "a write sees itself");
	store_abort(&t);
	is_str(get(TABLE_IDS, "a"), NULL, "a write given up leaves nothing");
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_IDS, "b", 1, "1", 1);
	store_put(&t, TABLE_IDS, "", 0, "1", 1);
	ok(t.rc != 0, "a bad key is an error");
	store_put(&t, TABLE_IDS, "c", 1, "1", 1);
	ok(!store_get(&t, TABLE_IDS, "b", 1, &v),
	    "a transaction reads no row after a bad key");
	is_int(store_commit(&t, &err), -1,
	    "a transaction with a bad key fails at its end");
	is_int(err.code, ERR_STORE,
	    "a transaction with a bad key ends in an error of the store");
	ok(!get(TABLE_IDS, "b") && !get(TABLE_IDS, "c"),
	    "a transaction with a bad key writes nothing");
	is_int(put(TABLE_IDS, "d", "1"), 0,
	    "a write after a failed transaction succeeds");
	end();
}

static void test_add(void)
{
	struct store_txn t;
	struct store_span key = {"k", 1}, old;

	begin("add");
	(void)open_as(true);
	store_write(store, &t, STORE_FACTS);
	ok(store_add(&t, TABLE_IDS, key, (struct store_span){"1", 1}, &old) ==
		    STORE_NONE &&
		!old.len,
	    "a value is added where none exists");
	ok(store_add(&t, TABLE_IDS, key, (struct store_span){"22", 2}, &old) ==
		    STORE_FOUND &&
		old.len == 1 && !memcmp(old.data, "1", 1),
	    "a value that exists is found and not replaced");
	is_int(store_commit(&t, &err), 0,
	    "a value that exists is no error of the transaction");
	is_str(get(TABLE_IDS, "k"), "1", "the first value stays");
	end();
}

static void test_full(void)
{
	static char big[300000];
	struct store_txn t;
	int written = 0, rc = 0;

	begin("full");
	conf.store_size = 1;
	(void)open_as(true);
	is_int(put(TABLE_IDS, "before", "1"), 0, "there is room at first");
	for (int i = 0; i < 20 && rc == 0; i++, written += rc == 0) {
		struct store_key k = store_key1((uint64_t)i);
		store_write(store, &t, STORE_FACTS);
		store_put(&t, TABLE_TALKS, k.bytes, 8, big, sizeof(big));
		rc = store_commit(&t, &err);
	}
	ok(rc == -1 && err.code == ERR_STORE, "a write to a full file fails");
	ok(strstr(err.text, "facts.mdb") && strstr(err.text, "store_size"),
	    "the error of a full file names it and the setting: %s", err.text);
	is_str(get(TABLE_IDS, "before"), "1", "a full file can be read");
	is_int(put(TABLE_EVENTS, "x", "1"), 0,
	    "the other file can be written while one is full");
	store_write(store, &t, STORE_FACTS);
	for (int i = 0; i < written; i++) {
		struct store_key k = store_key1((uint64_t)i);
		store_delete(&t, TABLE_TALKS, k.bytes, 8);
	}
	is_int(store_commit(&t, &err), 0,
	    "old rows of a full file can be deleted");
	(void)put(TABLE_IDS, "later", "0"); /* freed pages wait for a commit */
	struct store_key k = store_key1(99);
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_TALKS, k.bytes, 8, big, sizeof(big));
	is_int(store_commit(&t, &err), 0,
	    "a full file has room again after deleting");
	end();
}

static void flip_first_byte(const char *path)
{
	size_t len;
	char *text = scratch_read(path, &len);

	text[0] = (char)(text[0] ^ 1);
	scratch_write(path, text, len);
	free(text);
}

static void test_boot(void)
{
	begin("boot");
	(void)open_as(true);
	(void)put(TABLE_IDS, "fact", "1");
	(void)put(TABLE_EVENTS, "event", "1");
	uint64_t epoch = store_epoch(store);
	store_close(&store);
	(void)usleep(3000); /* an epoch is a time */
	char *mark = file_of("journal.mark");
	flip_first_byte(mark);
	ok(open_as(true), "a journal of another boot is no error");
	is_str(get(TABLE_EVENTS, "event"), NULL,
	    "the events of another boot are dropped");
	is_str(
	    get(TABLE_IDS, "fact"), "1", "the facts of another boot are kept");
	ok(store_epoch(store) != epoch, "the new journal has a new epoch");
	store_close(&store);
	scratch_write(mark, "cut", 3);
	ok(open_as(true), "a journal with a cut mark is no error");
	store_close(&store);
	store_close(&store);
	char *journal = file_of("journal.mdb");
	(void)unlink(journal);
	(void)mkdir(journal, 0700);
	free(journal);
	flip_first_byte(mark);
	ok(open_as(true), "a folder in place of the journal is no error");
	store_close(&store);
	(void)unlink(mark);
	ok(!open_as(false) && err.code == ERR_STORE,
	    "a worker never goes without the mark");
	free(mark);
	end();
}

/* Who opened the mark reads one that is whole, whenever it is written. */
static void test_mark_is_replaced(void)
{
	begin("mark");
	(void)open_as(true);
	(void)put(TABLE_EVENTS, "event", "1");
	char *mark = file_of("journal.mark"),
	     *fresh = file_of("journal.mark.new");
	struct stat was = {0}, is = {0};
	int fd = open(mark, O_RDONLY | O_CLOEXEC);
	ok(fd >= 0 && fstat(fd, &was) == 0 && was.st_size > 0,
	    "the keeper makes a mark");
	is_int(store_set_line(store, 77, &err), 0, "the mark is written again");
	ok(fstat(fd, &is) == 0 && is.st_size == was.st_size && is.st_nlink == 0,
	    "the mark is replaced by a new file, so the old one stays whole");
	close(fd);
	is_int(store_line(store), 77, "the new mark has the line that was set");
	store_close(&store);
	scratch_write(fresh, "cut", 3);
	ok(open_as(true),
	    "a mark cut by a killed keeper does not stop the next one");
	is_str(get(TABLE_EVENTS, "event"), "1",
	    "a mark cut by a killed keeper costs no event");
	is_int(store_set_line(store, 78, &err), 0,
	    "the mark is written over a cut one");
	is_int(
	    store_line(store), 78, "the mark written over a cut one is read");
	free(mark);
	free(fresh);
	end();
}

static void test_process_durability(void)
{
	begin("process");
	conf.durability = DURABLE_PROCESS;
	ok(open_as(true), "facts may live in the journal's file");
	is_int(put(TABLE_IDS, "fact", "1"), 0, "a fact is written");
	is_int(put(TABLE_EVENTS, "event", "1"), 0, "an event is written");
	(void)open_as(false);
	is_str(get(TABLE_IDS, "fact"), "1", "a worker reads the fact");
	is_int(count_files("facts.mdb"), 0, "there is no second file");
	struct buf text = {0};
	store_metrics(store, &text);
	ok(strstr(buf_cstr(&text),
	       "cohostd_store_used_bytes{file=\"journal.mdb\"} ") != NULL,
	    "the metrics tell the size of the file");
	buf_fini(&text);
	end();
}

/* Open it anew with another durability. */
static bool change_to(int durability)
{
	conf.durability = durability;
	return open_as(true);
}

static void test_changed_durability(void)
{
	begin("changed");
	(void)change_to(DURABLE_POWER);
	(void)put(TABLE_IDS, "a", "1");
	(void)put(TABLE_CLAIMS, "c", "1");
	(void)put(TABLE_EVENTS, "e", "1");
	ok(change_to(DURABLE_PROCESS),
	    "durability may change from power to process");
	is_str(get(TABLE_IDS, "a"), "1", "facts move with the durability");
	is_str(get(TABLE_CLAIMS, "c"), "1",
	    "facts of each table move with the durability");
	is_str(get(TABLE_EVENTS, "e"), "1", "the events were there");
	is_int(count_files("facts.mdb"), 0,
	    "the file that the facts were moved from is removed");
	(void)put(TABLE_IDS, "a", "2");
	(void)put(TABLE_IDS, "b", "2");
	ok(change_to(DURABLE_POWER),
	    "durability may change from process to power");
	is_str(get(TABLE_IDS, "a"), "2", "facts changed meanwhile move back");
	is_str(get(TABLE_IDS, "b"), "2", "facts added meanwhile move back");
	(void)put(TABLE_IDS, "a", "3");
	ok(open_as(true) && open_as(true),
	    "the store opens twice after the moves");
	is_str(
	    get(TABLE_IDS, "a"), "3", "no old fact comes back after the moves");
	end();
}

static void test_move_without_room(void)
{
	static char big[700000];
	struct store_txn t;

	begin("no-room");
	conf.store_size = 1;
	(void)change_to(DURABLE_POWER);
	(void)put(TABLE_IDS, "a", "1");
	struct store_key k = store_key1(1);
	store_write(store, &t, STORE_FACTS);
	store_put(&t, TABLE_TALKS, k.bytes, 8, big, sizeof(big));
	(void)store_commit(&t, &err);
	store_write(store, &t, STORE_JOURNAL);
	store_put(&t, TABLE_EVENTS, k.bytes, 8, big, sizeof(big));
	(void)store_commit(&t, &err);
	ok(!change_to(DURABLE_PROCESS) && err.code == ERR_STORE,
	    "facts that find no room are not given up");
	ok(strstr(err.text, "durability: power") &&
		strstr(err.text, "store_size"),
	    "the error says what to do: %s", err.text);
	ok(change_to(DURABLE_POWER),
	    "the old durability opens when a move finds no room");
	is_str(get(TABLE_IDS, "a"), "1",
	    "a move that finds no room loses no fact");
	conf.store_size = 8;
	ok(change_to(DURABLE_PROCESS),
	    "the new durability opens with more room");
	is_str(get(TABLE_IDS, "a"), "1", "a move with more room loses no fact");
	end();
}

/* Damage one file of a store that holds something. */
static void make_damaged(const char *folder, const char *name, int64_t keep)
{
	static char garbage[20000];
	size_t len;

	begin(folder);
	(void)open_as(true);
	for (int i = 0; i < 50; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)put(TABLE_IDS, key, "1");
		(void)put(TABLE_EVENTS, key, "1");
	}
	store_close(&store);
	char *path = file_of(name);
	char *text = scratch_read(path, &len);
	memset(garbage, 'x', sizeof(garbage));
	if (keep < 0)
		scratch_write(path, garbage, sizeof(garbage));
	else
		scratch_write(path, text, len * (size_t)keep / 100);
	free(text);
	free(path);
}

static void check_damaged(const char *what, const char *name, const char *other)
{
	bool is_facts = strcmp(name, "facts.mdb") == 0;

	ok(!open_as(false) && err.code == ERR_STORE,
	    "%s: a worker does not open it", what);
	ok(open_as(true), "%s: the keeper goes on without it", what);
	is_int(count_files(other), 1, "%s: it was moved aside", what);
	is_str(get(is_facts ? TABLE_IDS : TABLE_EVENTS, "k1"), NULL,
	    "%s: the new one is empty", what);
	is_str(get(is_facts ? TABLE_EVENTS : TABLE_IDS, "k1"), "1",
	    "%s: the other file is whole", what);
	is_int(put(TABLE_IDS, "new", "1"), 0, "%s: it can be written", what);
	ok(open_as(false), "%s: then a worker opens it", what);
	end();
}

static void test_damaged(void)
{
	make_damaged("garbage", "facts.mdb", -1);
	check_damaged("garbage", "facts.mdb", "facts.mdb.corrupt-");
	make_damaged("cut", "facts.mdb", 50);
	check_damaged("a file cut in half", "facts.mdb", "facts.mdb.corrupt-");
	make_damaged("stub", "facts.mdb", 1);
	check_damaged("a stub", "facts.mdb", "facts.mdb.corrupt-");
	make_damaged("journal", "journal.mdb", 50);
	check_damaged("a cut journal", "journal.mdb", "journal.mdb.corrupt-");
}

/* Whether the store uses more pages than the file of the facts has. */
static bool is_short(void)
{
	struct buf text = {0};
	struct stat st;
	char *path = file_of("facts.mdb");

	store_metrics(store, &text);
	const char *p = strstr(buf_cstr(&text), "\"facts.mdb\"} ");
	bool found =
	    p && stat(path, &st) == 0 && st.st_size < strtoll(p + 13, NULL, 10);
	buf_fini(&text);
	free(path);
	return found;
}

/* Put large values over each other until a commit leaves its last pages out. */
static bool make_short(void)
{
	static char big[400000];
	unsigned seed = 1;

	for (int i = 0; i < 500 && !is_short(); i++) {
		struct store_txn t;
		store_write(store, &t, STORE_FACTS);
		for (int n = 0; n < 4; n++) {
			struct store_key k = store_key1(rand_r(&seed) % 5u);
			store_put(&t, TABLE_TALKS, k.bytes, 8, big,
			    (size_t)rand_r(&seed) % sizeof(big));
		}
		if (store_commit(&t, &err) != 0)
			return false;
	}
	return is_short();
}

/*
 * Pages that one commit took at the end of the file and gave back are never
 * written: a file may be shorter than its page count says, and be whole.
 */
static void test_short_but_whole(void)
{
	begin("short");
	conf.store_size = 64;
	(void)open_as(true);
	(void)put(TABLE_IDS, "k", "1");
	ok(make_short(), "values replaced in one commit leave a short file");
	ok(open_as(false), "a worker opens a short but whole file");
	ok(open_as(true), "the keeper opens a short but whole file");
	is_int(count_files("facts.mdb.corrupt-"), 0,
	    "a short but whole file is not taken for damaged");
	is_str(get(TABLE_IDS, "k"), "1", "a short but whole file has its rows");
	is_int(put(TABLE_IDS, "k", "2"), 0,
	    "a short but whole file can be written");
	end();
}

/* The values in order, each with its number: "1=a 2=b ". */
static bool note_value(
    struct store_span key, struct store_span value, void *arg)
{
	buf_printf(arg, "%d=%.*s ", (int)store_number(key.data), (int)value.len,
	    (const char *)value.data);
	return true;
}

static void is_feed(const char *want, const char *name)
{
	struct buf out = {0};
	struct store_txn t;

	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_FEED, NULL, 0, note_value, &out);
	(void)store_read_end(&t, &err);
	is_str(buf_cstr(&out), want, "%s", name);
	buf_fini(&out);
}

static void append(const char *first, const char *second)
{
	struct store_txn t;

	store_write(store, &t, STORE_FACTS);
	store_append(&t, TABLE_FEED, first, strlen(first));
	store_append(&t, TABLE_FEED, second, strlen(second));
	(void)store_commit(&t, &err);
}

static void test_append(void)
{
	struct store_txn t;
	struct store_key key = store_key1(2);

	begin("append");
	(void)open_as(true);
	append("a", "b");
	is_feed("1=a 2=b ", "values are appended under growing numbers");
	store_write(store, &t, STORE_FACTS);
	store_delete(&t, TABLE_FEED, key.bytes, 8);
	(void)store_commit(&t, &err);
	append("c", "d");
	is_feed("1=a 2=c 3=d ", "after the last one that is there");
	end();
}

/* ---- damage ---- */

static int look(enum store_table table, const char *key)
{
	struct store_txn t;
	struct store_span v;

	store_read(store, &t, store_part_of(table));
	int found = (int)store_look(&t, table, key, strlen(key), &v);
	return store_read_end(&t, &err) == 0 ? found : -1;
}

/* Where bytes are found in a file that no store has open, write others. */
static int replace(const char *name, const void *old, const void *new, size_t n)
{
	size_t len;
	char *path = file_of(name);
	char *text = scratch_read(path, &len);
	int count = 0;

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(text + i, old, n) == 0) {
			memcpy(text + i, new, n);
			count++;
		}
	scratch_write(path, text, len);
	free(text);
	free(path);
	return count;
}

static bool note_empty(
    struct store_span key, struct store_span value, void *arg)
{
	buf_printf(arg, "%.*s=%s ", (int)key.len, (const char *)key.data,
	    value.data ? "sound" : "damaged");
	return true;
}

static void test_damaged_rows(void)
{
	static const enum store_table tables[] = {TABLE_IDS, TABLE_SESSIONS,
	    TABLE_TALKS, TABLE_CLAIMS, TABLE_USED, TABLE_FEED, TABLE_USAGE};
	struct buf seen = {0};
	struct store_txn t;

	begin("rows");
	(void)open_as(true);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		(void)put(tables[i], "a", "needle-one");
		(void)put(tables[i], "b", "other");
	}
	(void)put(TABLE_JOURNALS, "a", "needle-one");
	(void)put(TABLE_EVENTS, "a", "needle-one");
	store_close(&store);
	ok(replace("facts.mdb", "needle-one", "needle-onE", 10) >= 7,
	    "a bit of a row changes in each table of the facts");
	ok(replace("journal.mdb", "needle-one", "needle-onE", 10) >= 2,
	    "a bit of a row changes in each table of the journal");
	(void)open_as(true);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		is_int(look(tables[i], "a"), STORE_DAMAGED,
		    "table %d: the row is damaged", (int)tables[i]);
		is_int(look(tables[i], "b"), STORE_FOUND,
		    "table %d: the row beside it is not damaged",
		    (int)tables[i]);
	}
	is_int(look(TABLE_JOURNALS, "a"), STORE_DAMAGED,
	    "a damaged row of the journals is noticed");
	is_int(look(TABLE_EVENTS, "a"), STORE_DAMAGED,
	    "a damaged row of the events is noticed");
	is_str(get(TABLE_IDS, "a"), NULL, "a damaged value is not given");
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_IDS, NULL, 0, note_empty, &seen);
	store_each_back(&t, TABLE_IDS, NULL, 0, note_empty, &seen);
	(void)store_read_end(&t, &err);
	is_str(buf_cstr(&seen), "a=damaged b=sound b=sound a=damaged ",
	    "a walk meets a damaged row without its value");
	buf_fini(&seen);
	is_int(
	    put(TABLE_IDS, "a", "new"), 0, "a damaged row can be written over");
	is_str(get(TABLE_IDS, "a"), "new",
	    "a damaged row that was written over is sound");
	end();
}

/* The whole stored row: the value and its checksum behind it. */
static void stored_row(const char *name, const char *value, char row[12])
{
	size_t len;
	char *path = file_of(name);
	char *text = scratch_read(path, &len);
	char *at = memmem(text, len, value, 8);

	if (!at)
		abort();
	memcpy(row, at, 12);
	free(text);
	free(path);
}

static void test_moved_rows(void)
{
	char one[12], two[12];

	begin("moved");
	(void)open_as(true);
	(void)put(TABLE_IDS, "one", "number-1");
	(void)put(TABLE_IDS, "two", "number-2");
	(void)put(TABLE_CLAIMS, "one", "number-3");
	store_close(&store);
	stored_row("facts.mdb", "number-1", one);
	stored_row("facts.mdb", "number-2", two);
	(void)replace("facts.mdb", two, one, 12);
	stored_row("facts.mdb", "number-3", two);
	(void)replace("facts.mdb", two, one, 12);
	(void)open_as(true);
	is_str(get(TABLE_IDS, "one"), "number-1", "a row in its place is read");
	is_int(look(TABLE_IDS, "two"), STORE_DAMAGED,
	    "the same row under another key is damage");
	is_int(look(TABLE_CLAIMS, "one"), STORE_DAMAGED,
	    "a row under its key in another table is damage");
	end();
}

/* ---- meta pages ---- */

/* Flip a bit of the facts' file, open it, and say what is there then. */
static const char *flip_meta(unsigned page, unsigned byte, int bit)
{
	static int n;
	/* A larger file than there is, in the page that is not used. */
	bool is_unseen = byte == 137;
	char folder[32];
	size_t len;

	(void)snprintf(folder, sizeof(folder), "meta-%d", n++);
	begin(folder);
	(void)open_as(true);
	for (int i = 0; i < 4; i++)
		(void)put(TABLE_IDS, "some", "1");
	(void)put(TABLE_IDS, "last", "1");
	store_close(&store);
	char *path = file_of("facts.mdb");
	char *text = scratch_read(path, &len);
	text[page * (size_t)sysconf(_SC_PAGESIZE) + byte] ^= (char)(1 << bit);
	scratch_write(path, text, len);
	free(text);
	free(path);
	const char *result = "all";
	if (!open_as(true))
		result = "no start";
	else if (!get(TABLE_IDS, "some"))
		result = "lost";
	else if (!get(TABLE_IDS, "last"))
		result = "without the last commit";
	if (count_files("facts.mdb.corrupt-"))
		result = "moved aside";
	else if (!count_files("facts.mdb.damaged-") && !is_unseen)
		result = "no copy";
	if (put(TABLE_IDS, "new", "1") != 0 || !open_as(false))
		result = "of no use";
	end();
	return result;
}

static void test_meta_constants(void)
{
	/* Flags of the page, magic, version, page size. */
	static const unsigned bytes[] = {10, 16, 17, 18, 19, 20, 40, 41};
	const char *result = "all";

	for (unsigned i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		for (unsigned page = 0; page < 2; page++)
			for (int bit = 0; bit < 8; bit += 3)
				if (strcmp(result, "all") == 0)
					result = flip_meta(page, bytes[i], bit);
	is_str(
	    result, "all", "a bit that says what a meta page is costs nothing");
}

static void test_meta_contents(void)
{
	/* Depth and root of both trees, the last page, the transaction. */
	static const unsigned bytes[] = {
	    46, 80, 81, 87, 94, 128, 129, 135, 137, 143, 144};
	int n_all = 0, n_last = 0;

	for (unsigned i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		for (unsigned page = 0; page < 2; page++) {
			const char *result = flip_meta(page, bytes[i], 0);
			bool is_all = strcmp(result, "all") == 0;
			bool is_last = strncmp(result, "without", 7) == 0;
			ok(is_all || is_last,
			    "a bit of byte %u of meta page %u misleads nobody: "
			    "%s",
			    bytes[i], page, result);
			n_all += is_all;
			n_last += is_last;
		}
	is_int(n_all, n_last, "a bit of the newer meta page costs one commit");
}

static void test_meta_both(void)
{
	make_damaged("both", "facts.mdb", 100);
	char *path = file_of("facts.mdb");
	size_t len;
	char *text = scratch_read(path, &len);
	memset(text + 80, 7, 72);
	memset(text + sysconf(_SC_PAGESIZE) + 16, 7, 136);
	scratch_write(path, text, len);
	free(text);
	free(path);
	check_damaged("both meta pages", "facts.mdb", "facts.mdb.corrupt-");
}

/* ---- a store of the first format: rows without checksums ---- */

static void put_plain(MDB_env *env, const char *table, const char *value)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	char key[] = "k";
	MDB_val k = {1, key}, v = {strlen(value), (void *)(uintptr_t)value};

	if (mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, table, MDB_CREATE, &dbi) != 0 ||
	    mdb_put(txn, dbi, &k, &v, 0) != 0 || mdb_txn_commit(txn) != 0)
		abort();
}

static void make_plain(const char *name, const char *const *tables)
{
	char *path = file_of(name);
	MDB_env *env;

	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 20) != 0 ||
	    mdb_env_open(env, path, MDB_NOSUBDIR, 0600) != 0)
		abort();
	for (; *tables; tables++)
		put_plain(env, *tables, *tables);
	mdb_env_close(env);
	free(path);
}

static const char *const facts_tables[] = {
    "ids", "sessions", "talks", "claims", NULL};
static const char *const journal_tables[] = {"journals", "events", NULL};

static void check_converted(const char *what)
{
	ok(!open_as(false) && strstr(err.text, "older version"),
	    "%s: a worker refuses it in clear words: %s", what, err.text);
	ok(open_as(true), "%s: the keeper converts it", what);
	is_str(get(TABLE_IDS, "k"), "ids", "%s: ids are kept", what);
	is_str(get(TABLE_TALKS, "k"), "talks", "%s: so are talks", what);
	is_str(get(TABLE_EVENTS, "k"), NULL, "%s: events are not", what);
	(void)put(TABLE_IDS, "k", "newer");
	ok(open_as(true) && open_as(false), "%s: it is opened again", what);
	is_str(
	    get(TABLE_IDS, "k"), "newer", "%s: and was converted once", what);
}

static void test_old_format(void)
{
	begin("old");
	(void)open_as(true); /* the mark of this boot */
	uint64_t epoch = store_epoch(store);
	store_close(&store);
	char *facts = file_of("facts.mdb"), *journal = file_of("journal.mdb");
	(void)unlink(facts);
	(void)unlink(journal);
	make_plain("facts.mdb", facts_tables);
	make_plain("journal.mdb", journal_tables);
	check_converted("power");
	ok(store_epoch(store) > epoch, "power: the journal has a new epoch");
	end();
	free(facts);
	free(journal);
	begin("old-process");
	conf.durability = DURABLE_PROCESS;
	(void)open_as(true);
	store_close(&store);
	journal = file_of("journal.mdb");
	(void)unlink(journal);
	make_plain("journal.mdb", facts_tables);
	make_plain("journal.mdb", journal_tables);
	check_converted("process");
	free(journal);
	end();
}

/* ---- the epoch ---- */

static void change_journal(const char *what, void (*change)(const char *path))
{
	static int n;
	char folder[32];

	(void)snprintf(folder, sizeof(folder), "epoch-%d", n++);
	begin(folder);
	(void)open_as(true);
	uint64_t epoch = store_epoch(store);
	(void)put(TABLE_IDS, "fact", "1");
	(void)put(TABLE_EVENTS, "event", "1");
	ok(open_as(true) && store_epoch(store) == epoch,
	    "%s: until then the epoch stays", what);
	store_close(&store);
	char *path = file_of("journal.mdb");
	change(path);
	free(path);
	ok(open_as(true), "%s: the server starts", what);
	ok(store_epoch(store) > epoch, "%s: the epoch is new", what);
	is_str(get(TABLE_EVENTS, "event"), NULL, "%s: events are gone", what);
	is_str(get(TABLE_IDS, "fact"), "1", "%s: facts are there", what);
	epoch = store_epoch(store);
	ok(open_as(false) && store_epoch(store) == epoch,
	    "%s: a worker has the same epoch", what);
	end();
}

static void vanish(const char *path)
{
	(void)unlink(path);
}

static void make_garbage(const char *path)
{
	scratch_write(path, "garbage", 7);
}

static void make_folder(const char *path)
{
	(void)unlink(path);
	(void)mkdir(path, 0700);
}

static void make_empty(const char *path)
{
	scratch_write(path, "", 0);
}

static void test_epoch(void)
{
	change_journal("a journal that vanished", vanish);
	change_journal("an empty one", make_empty);
	change_journal("one of garbage", make_garbage);
	change_journal("a folder in its place", make_folder);
	begin("replaced");
	(void)open_as(true);
	store_close(&store);
	char *path = file_of("journal.mdb");
	vanish(path);
	free(path);
	ok(!open_as(false) && strstr(err.text, "no epoch"),
	    "a worker does not go on in another journal: %s", err.text);
	end();
}

int main(void)
{
	char *log = scratch_path("log");

	(void)log_open(log);
	free(log);
	test_open();
	test_processes();
	test_order();
	test_append();
	test_delete_events();
	test_transactions();
	test_add();
	test_full();
	test_boot();
	test_mark_is_replaced();
	test_process_durability();
	test_changed_durability();
	test_move_without_room();
	test_damaged();
	test_short_but_whole();
	test_damaged_rows();
	test_moved_rows();
	test_meta_constants();
	test_meta_contents();
	test_meta_both();
	test_old_format();
	test_epoch();
	return done();
}
