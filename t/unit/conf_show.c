/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conf_show.h"

#include "base/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "t/unit/tap.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void set(struct conf *c, const char *key, const char *value)
{
	struct err err;
	ok(conf_set(c, "option -o", key, value, &err) == 0, "%s can be set",
	    key);
}

/* Whether the settings shown contain this text. */
static bool shows(const struct conf *c, const char *what)
{
	struct buf out = {0};
	conf_show_json(&out, c);
	bool is_there = strstr(buf_cstr(&out), what) != NULL;
	buf_fini(&out);
	return is_there;
}

static void test_origins(void)
{
	struct conf c;
	conf_init(&c);
	set(&c, "max_runs", "7");
	ok(shows(&c, "{\"key\":\"max_runs\",\"value\":7,\"default\":10000,"
		     "\"origin\":\"option\",\"where\":\"option -o\","
		     "\"change\":\"reload\"}"),
	    "a setting is shown with its value, its default and its source");
	ok(shows(&c, "{\"key\":\"port\",\"value\":8000,\"default\":8000,"
		     "\"origin\":\"default\",\"where\":\"\","
		     "\"change\":\"restart\"}"),
	    "a default is shown as one");
	conf_fini(&c);
}

static void test_masks(void)
{
	static const struct {
		const char *key, *value, *hidden, *shown;
	} cases[] = {
	    {"mcp_servers",
		"{\"a\":{\"command\":\"x\",\"env\":{\"PLAIN\":\"hidden\"}}}",
		"hidden", "\"command\":\"x\""},
	    {"mcp_servers",
		"{\"a\":{\"url\":\"https://u:hidden@h.example/p\"}}", "hidden",
		"https://***@h.example/p"},
	    {"base_url", "https://u:hidden@h.example/v1", "hidden",
		"https://***@h.example/v1"},
	    {"agent", "exec:prog --api-key hidden --fast", "hidden",
		"exec:prog --api-key *** --fast"},
	    {"agent", "exec:env API_TOKEN=hidden prog", "hidden",
		"API_TOKEN=*** prog"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf c;
		conf_init(&c);
		set(&c, cases[i].key, cases[i].value);
		ok(!shows(&c, cases[i].hidden), "a secret in %s is masked",
		    cases[i].key);
		ok(shows(&c, cases[i].shown), "the rest of %s is shown",
		    cases[i].key);
		conf_fini(&c);
	}
}

/* Children get the settings of the master with their sources. */
static void test_passing_on(void)
{
	struct conf c, copy;
	struct err err;
	int fd = memfd_create("settings", MFD_CLOEXEC);
	conf_init(&c);
	conf_init(&copy);
	set(&c, "max_runs", "7");
	is_int(conf_save(&c, fd), 0, "settings are passed on");
	is_int(conf_load(&copy, fd, &err), 0, "settings are read again");
	ok(shows(&copy, "\"value\":7,\"default\":10000,\"origin\":\"option\","
			"\"where\":\"option -o\""),
	    "the sources of settings are passed on");
	ok(shows(&copy, "{\"key\":\"port\",\"value\":8000,\"default\":8000,"
			"\"origin\":\"default\""),
	    "a default is passed on as one");
	close(fd);
	conf_fini(&copy);
	conf_fini(&c);
}

static void test_difference(void)
{
	struct conf runs, now;
	struct buf out = {0};
	struct err err;
	conf_init(&runs);
	conf_init(&now);
	is_int(conf_show_difference(&out, &runs, &now), 0,
	    "equal settings have no difference");
	ok(conf_preset(&now, "host.yaml line 3", "max_runs", "9", &err) == 0,
	    "max_runs is changed");
	is_int(conf_show_difference(&out, &runs, &now), 1,
	    "a changed setting is a difference");
	is_str(buf_cstr(&out),
	    "-max_runs: 10000\n"
	    "+max_runs: 9  # host.yaml line 3\n",
	    "a difference shows both values");
	buf_reset(&out);
	set(&runs, "max_runs", "5");
	is_int(conf_show_difference(&out, &runs, &now), 0,
	    "what an option sets is not compared");
	buf_fini(&out);
	conf_fini(&now);
	conf_fini(&runs);
}

int main(void)
{
	test_origins();
	test_masks();
	test_passing_on();
	test_difference();
	return done();
}
