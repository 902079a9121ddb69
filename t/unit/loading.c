/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/loading.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

static char *path;

static size_t seen; /* bytes of the log */

/* Whether the lines since the last call have these words; "": there are none. */
static bool logs(const char *words)
{
	size_t len;
	char *all = scratch_read(path, &len), *text = all + seen;
	bool has = *words ? strstr(text, words) != NULL : !*text;
	seen = len;
	free(all);
	return has;
}

static void hear(struct loading *l, const char *text)
{
	loading_hear(l, text, strlen(text));
}

/* One attempt that says this and fails; whether it is told. */
static bool fails(struct loading_past *past, const char *says, const char *why)
{
	struct loading l;

	loading_begin(&l, past);
	hear(&l, says);
	bool is_told = loading_failed(&l, why);
	loading_fini(&l);
	return is_told;
}

static void test_failures(void)
{
	static const struct {
		const char *says, *why;
		bool is_told;
		const char *name;
	} cases[] = {
	    {"line 3: no database", "exit 1", true, "the first failure"},
	    {"line 3: no database", "exit 1", false, "the same failure"},
	    {"line 42: no database", "exit 1", false, "another number"},
	    {"line 3: no database", "exit 1", false, "the same again"},
	    {"<object at 0x7fa3>", "exit 1", true, "another failure"},
	    {"<object at 0x55bcdef>", "exit 1", false, "another address"},
	    {"<object at 0x7fa3> here", "exit 1", true, "a longer text"},
	    {"<object at 0x7fa3> here", "signal", true, "another end"},
	};
	struct loading_past past = {.role = "agent"};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool is_told = fails(&past, cases[i].says, cases[i].why);
		ok(is_told == cases[i].is_told, "%s: it is %s", cases[i].name,
		    cases[i].is_told ? "told" : "not told");
		ok(logs(is_told ? cases[i].says : ""), "%s: so the log has %s",
		    cases[i].name, is_told ? "its lines" : "no line of it");
	}
	is_int(past.n_failed, 8, "all failures are counted");
	loading_forget(&past);
	ok(fails(&past, "<object at 0x7fa3> here", "signal"),
	    "a failure that was forgotten is told again");
	(void)logs("");
	loading_forget(&past);
}

static void test_success(void)
{
	struct loading_past past = {.role = "agent"};
	struct loading l;

	(void)fails(&past, "no database", "exit 1");
	(void)logs("");
	loading_begin(&l, &past);
	hear(&l, "a warning");
	ok(logs(""), "lines after a failure are kept");
	is_int(loading_succeeded(&l), 1, "a success counts the failures");
	ok(logs("a warning"), "lines of a success are told");
	loading_fini(&l);
	loading_begin(&l, &past);
	hear(&l, "hello");
	ok(logs("hello"), "lines after a success are told at once");
	loading_fini(&l);
	loading_forget(&past);
}

static void test_limits(void)
{
	static char line[LOADING_KEPT_MAX / 4 + 1];
	struct loading_past past = {.role = "agent"};
	struct loading l;

	memset(line, 'x', sizeof line - 1);
	(void)fails(&past, "no database", "exit 1");
	(void)logs("");
	loading_begin(&l, &past);
	for (int i = 0; i < 3; i++)
		hear(&l, line);
	ok(logs(""), "many lines are kept");
	hear(&l, line);
	ok(logs("xxx"), "too many lines are told");
	hear(&l, "and more");
	ok(logs("and more"), "what follows too many lines is told at once");
	ok(l.kept.len < LOADING_KEPT_MAX, "lines are kept up to a limit");
	loading_fini(&l);
	loading_begin(&l, &past);
	hear(&l, "slow");
	loading_show(&l);
	ok(logs("slow"), "lines of an attempt that takes long are told");
	loading_fini(&l);
	loading_forget(&past);
}

int main(void)
{
	path = scratch_path("log");
	if (log_open(path) != 0)
		return 1;
	test_failures();
	test_success();
	test_limits();
	free(path);
	return done();
}
