/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <pthread.h>

#include "base/lines.h"

static char said[4 * LINES_BYTES];
static size_t said_len;
static unsigned n_writes;

static void on_write(const char *bytes, size_t len)
{
	memcpy(said + said_len, bytes, len);
	said_len += len;
	said[said_len] = '\0';
	n_writes++;
}

static struct lines lines = {.write = on_write};
static struct lines others = {.write = on_write};

static void add(struct lines *l, const char *text)
{
	lines_add(l, text, strlen(text));
}

static void begin(bool is_keeping)
{
	lines_keep(is_keeping);
	said_len = n_writes = 0;
	said[0] = '\0';
}

static void test_at_once(void)
{
	begin(false);
	add(&lines, "a\n");
	is_str(said, "a\n", "a line is written at once unless lines are kept");
}

static void test_together(void)
{
	begin(true);
	add(&lines, "a\n");
	add(&lines, "b\n");
	is_str(said, "", "lines are kept until they are flushed");
	lines_flush();
	ok(!strcmp(said, "a\nb\n") && n_writes == 1,
	    "a flush writes kept lines together, in their order");
	lines_flush();
	is_int(n_writes, 1, "a second flush writes nothing");
	add(&others, "c\n");
	add(&lines, "d\n");
	lines_flush();
	ok(n_writes == 3 && strstr(said, "c\n") && strstr(said, "d\n"),
	    "one flush writes what is kept for all files");
	add(&lines, "e\n");
	lines_keep(false);
	ok(strstr(said, "e\n"), "lines are flushed when no more are kept");
}

static void test_full(void)
{
	static char line[LINES_BYTES + 2];
	begin(true);
	memset(line, 'x', LINES_BYTES / 2);
	line[LINES_BYTES / 2] = '\n';
	for (int i = 0; i < 3; i++)
		add(&lines, line);
	is_int(n_writes, 2,
	    "a line that has no room lets those before it be written");
	lines_flush();
	is_int(n_writes, 3, "the last kept line is flushed");
	add(&lines, "a\n");
	memset(line, 'y', LINES_BYTES);
	line[LINES_BYTES] = '\n';
	said_len = 0;
	add(&lines, line);
	ok(n_writes == 5 && said[0] == 'a' && said[2] == 'y',
	    "a line that never has room is written after those before it");
}

static void *in_thread(void *unused)
{
	add(&lines, "thread\n");
	lines_flush();
	return unused;
}

static void test_threads(void)
{
	pthread_t thread;
	begin(true);
	add(&lines, "loop\n");
	if (pthread_create(&thread, NULL, in_thread, NULL) != 0)
		abort();
	(void)pthread_join(thread, NULL);
	is_str(said, "thread\n",
	    "other threads write at once and leave kept lines alone");
	lines_keep(false);
	is_str(said, "thread\nloop\n",
	    "a thread that stops keeping lines writes them");
}

int main(void)
{
	test_at_once();
	test_together();
	test_full();
	test_threads();
	return done();
}
