/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "core/agent.h"
#include "core/agent_dir.h"

struct agent {
	struct agent_about about;
};

static const struct agent_about *about_of(const struct agent *a)
{
	return &a->about;
}

static const struct agent_kind kind = {.name = "fake", .about = about_of};
static const struct agent_kind other = {.name = "other", .about = about_of};
static struct agent first = {{.name = "first"}}, second = {{.name = "second"}};

static const struct named_agent *find(struct agent_dir *d, const char *name)
{
	return agent_dir_find(d, name, strlen(name));
}

static void test_default(void)
{
	struct agent_dir *d = agent_dir_new(&kind, &first);
	const struct named_agent *a = agent_dir_find(d, NULL, 0);

	ok(a && a->kind == &kind && a->agent == &first,
	    "the default agent is found without a name");
	is_str(a->name, "", "the default has no name");
	is_str(agent_dir_about(a)->name, "first", "the default says who it is");
	ok(!find(d, "first"),
	    "the name that an agent gives itself does not find it");
	agent_dir_free(&d);
	ok(!d, "freeing a directory clears the pointer");
	agent_dir_free(&d);
}

static void test_named(void)
{
	struct agent_dir *d = agent_dir_new(&kind, &first);
	struct err err;

	is_int(agent_dir_add(d, "b", &other, &second, &err), 0,
	    "an agent is added under a name");
	is_int(agent_dir_add(d, "bb", &kind, &first, &err), 0,
	    "one agent may have two names");
	const struct named_agent *a = find(d, "b");
	ok(a && a->kind == &other && a->agent == &second,
	    "an agent is found by its name");
	is_str(
	    agent_dir_about(a)->name, "second", "a named agent says who it is");
	ok(agent_dir_find(d, "bb", 1) == a, "a name need not end with NUL");
	ok(!find(d, "B") && !find(d, "c"), "no other name finds it");
	is_int(agent_dir_add(d, "b", &kind, &first, &err), -1,
	    "a name that is taken is refused");
	is_str(err.text, "there is an agent 'b' already",
	    "the refusal of a taken name has the name");
	ok(find(d, "b") == a, "the agent of a taken name stays");
	agent_dir_free(&d);
}

static void test_bad_names(void)
{
	static const struct {
		const char *name, *what;
	} cases[] = {
	    {"", "an empty name is refused"},
	    {"a b", "a name with a space is refused"},
	    {"a/b", "a name with a slash is refused"},
	    {"\xc3\xa4", "a name beyond ASCII is refused"},
	    {"12345678901234567890123456789012"
	     "123456789012345678901234567890123",
		"a name of 65 bytes is refused"},
	};
	struct agent_dir *d = agent_dir_new(&kind, &first);
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(agent_dir_add(d, cases[i].name, &kind, &first, &err) != 0 &&
			err.code == ERR_CONFIG,
		    "%s", cases[i].what);
	agent_dir_free(&d);
}

int main(void)
{
	test_default();
	test_named();
	test_bad_names();
	return done();
}
