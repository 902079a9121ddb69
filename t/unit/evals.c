/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Eval files: their names, their text, and the folder. */
#include "t/unit/tap.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/yaml.h"
#include "files/eval_text.h"
#include "files/evals.h"
#include "t/unit/scratch.h"

static struct conf conf;
static struct evals *evals;
static uint32_t turns;

static void begin(const char *folder)
{
	conf_init(&conf);
	free(conf.co_dir);
	conf.co_dir = scratch_path("%s", folder);
	(void)mkdir(conf.co_dir, 0700);
	evals = evals_new(&conf, "model-1");
}

static void end(void)
{
	evals_free(&evals);
	conf_fini(&conf);
}

static struct store_span span(const char *text)
{
	return (struct store_span){text, text ? strlen(text) : 0};
}

/* A turn of a session that ended with this answer. */
static void turn(
    uint32_t n, const char *prompt, const char *result, const char *talk)
{
	struct record r = {
	    .number = 1,
	    .turn = ++turns,
	    .client_turn = n,
	    .status = RECORD_DONE,
	    .updated_ms = clock_wall_ms(),
	    .duration_ms = 12,
	    .id = span("s-1"),
	    .caller = span(""),
	    .prompt = span(prompt),
	    .result = span(result),
	};
	evals_turn(evals, &r, span(talk));
}

/* Whether a file of the folder holds a text; NULL: whether it is there. */
static bool has(const char *name, const char *text)
{
	struct buf path = {0};
	size_t len;
	buf_printf(&path, "%s/evals/%s", conf.co_dir, name);
	char *all = scratch_read(buf_cstr(&path), &len);
	bool found = text ? strstr(all, text) != NULL
			  : access(buf_cstr(&path), F_OK) == 0;
	buf_fini(&path);
	free(all);
	return found;
}

static bool is_yaml(const char *name)
{
	struct buf path = {0}, out = {0};
	struct err err;
	size_t len;
	buf_printf(&path, "%s/evals/%s", conf.co_dir, name);
	char *all = scratch_read(buf_cstr(&path), &len);
	int rc = len ? yaml_to_json(&out, all, len, name, &err) : -1;
	if (rc != 0)
		printf("# %s\n%s\n", len ? err.text : "empty", all);
	free(all);
	buf_fini(&path);
	buf_fini(&out);
	return rc == 0;
}

static void test_names(void)
{
	static const struct {
		const char *prompt, *name;
	} cases[] = {
	    {"What is 25 x 4?", "what_is_25_x_4"},
	    {"  hello,  World ", "hello_world"},
	    {"../../etc/passwd", "etc_passwd"},
	    {"写一个爬虫", "写一个爬虫"},
	    {"Привет, Мир", "привет_мир"},
	    {"ÉTÉ «à»", "été_à"},
	    {"", "default"},
	    {"?!…", "default"},
	    {"\xff\xfe", "default"},
	    {"snake_case", "snake_case"},
	    {"one two three four five six seven eight nine ten eleven twelve",
		"one_two_three_four_five_six_seven_eight_nine_ten"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		eval_text_name(&out, cases[i].prompt, strlen(cases[i].prompt));
		is_str(buf_cstr(&out), cases[i].name, "'%s' becomes %s",
		    cases[i].prompt, cases[i].name);
		buf_fini(&out);
	}
}

#define TALK_1                                                            \
	"{\"messages\":[{\"role\":\"system\",\"content\":\"be\\nkind\"}," \
	"{\"role\":\"user\",\"content\":\"hi there\"}],\"turn\":1,"       \
	"\"trace\":[{\"type\":\"user_input\",\"turn\":1},"                \
	"{\"type\":\"llm_result\",\"usage\":{\"input_tokens\":10,"        \
	"\"output_tokens\":5,\"cost\":0.00123}},"                         \
	"{\"type\":\"tool_result\",\"name\":\"greet\","                   \
	"\"args\":{\"name\":\"Alice\",\"n\":3}}]}"
#define TALK_2                                                         \
	"{\"messages\":[{\"role\":\"user\",\"content\":\"hi there\"}," \
	"{\"role\":\"assistant\",\"content\":\"A\"},"                  \
	"{\"role\":\"user\",\"content\":\"more\"}],\"turn\":2}"

static void test_turns(void)
{
	begin("turns");
	turn(1, "hi there", "A", TALK_1);
	ok(is_yaml("hi_there.yaml"), "an eval is YAML");
	ok(has("hi_there.yaml", "name: \"hi_there\"\n") &&
		has("hi_there.yaml", "runs: 1\nmodel: \"model-1\"\n"),
	    "an eval names itself, its runs and its model");
	ok(has("hi_there.yaml", "- input: \"hi there\"\n  run: 1\n"
				"  output: \"A\"\n") &&
		has("hi_there.yaml",
		    "tools_called: [\"greet(name='Alice', n=3)\"]"),
	    "an eval has the turn with its tools");
	ok(has("hi_there.yaml", "\\\"tokens\\\": 15, \\\"cost\\\": 0.0012, "
				"\\\"duration_ms\\\": 12"),
	    "an eval has the cost of the turn");
	turn(2, "more", "B", TALK_2);
	ok(is_yaml("hi_there.yaml") && has("hi_there.yaml", "runs: 1\n") &&
		has("hi_there.yaml", "- input: \"more\"\n"),
	    "a second turn of the conversation joins its first run");
	turn(1, "hi there", "C", TALK_1);
	ok(is_yaml("hi_there.yaml") && has("hi_there.yaml", "runs: 2\n") &&
		has("hi_there.yaml", "output: \"C\"") &&
		!has("hi_there.yaml", "output: \"A\"") &&
		has("hi_there.yaml", "history: [{\"run\": 1, \"status\": \"\""),
	    "the same prompt again is a second run, with the first in its "
	    "history");
	ok(has("hi_there/run_2.yaml", NULL) && is_yaml("hi_there/run_1.yaml"),
	    "each run has its file");
	ok(has("hi_there/run_1.yaml",
	       "messages: |\n  [\n    {\"role\":\"user\","
	       "\"content\":\"hi there\"},\n"),
	    "the file of a run has a message in each line");
	ok(has("hi_there/run_2.yaml", "system_prompt: \"be\\nkind\"\n"),
	    "the file of a run has the system prompt");
	turns--;
	turn(1, "hi there", "C", TALK_1);
	ok(has("hi_there.yaml", "runs: 2\n"),
	    "a turn that is told twice counts once");
	turn(1, "Hi! There?", "D", NULL);
	ok(has("hi_there.yaml", "runs: 1\n") &&
		!has("hi_there.yaml", "output: \"C\""),
	    "another prompt of the same file name begins the eval anew");
	turn(2, "x", "E", NULL);
	ok(!has("x.yaml", NULL),
	    "a turn of a conversation that is not known is left out");
	end();
}

static void test_odd_text(void)
{
	begin("odd");
	turn(1, "odd",
	    "a: b # \"q\" \\ \x01\x7f \xc2\x85 \xe2\x80\xa8 \xef\xbf\xbe "
	    "\xf0\x9f\x98\x80 - |\n\ttab",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"\xe2\x80\xa8"
	    "\xf0\x9f\x98\x80\\n\"}]}");
	ok(is_yaml("odd.yaml") && is_yaml("odd/run_1.yaml"),
	    "the files are YAML whatever an agent says");
	ok(has("odd.yaml", "\xf0\x9f\x98\x80 - |\\n\\ttab"),
	    "an eval keeps what the agent said");
	end();
}

static void test_others(void)
{
	static const char authored[] =
	    "name: mine\nagent: agent.py\nturns: []\n";
	begin("others");
	char *dir = scratch_path("others/evals"),
	     *path = scratch_path("others/evals/mine.yaml"),
	     *bad = scratch_path("others/evals/bad.yaml");
	(void)mkdir(dir, 0700);
	scratch_write(path, authored, strlen(authored));
	turn(1, "mine", "A", NULL);
	ok(has("mine.yaml", authored), "an eval written by a person is kept");
	scratch_write(bad, "a: [", 4);
	turn(1, "bad", "A", NULL);
	ok(has("bad.yaml.broken", "a: [") && has("bad.yaml", "runs: 1"),
	    "a file that cannot be read is put aside");
	free(dir);
	free(path);
	free(bad);
	end();
}

/* The number of runs that a file tells of. */
static long runs_of(const char *name)
{
	struct buf path = {0};
	size_t len;
	buf_printf(&path, "%s/evals/%s", conf.co_dir, name);
	char *all = scratch_read(buf_cstr(&path), &len);
	const char *at = strstr(all, "runs: ");
	long runs = at ? strtol(at + 6, NULL, 10) : 0;
	buf_fini(&path);
	free(all);
	return runs;
}

static void test_limits(void)
{
	char *long_text = calloc(1, 300001);
	begin("limits");
	memset(long_text, 'x', 300000);
	for (int i = 0; i < 25; i++)
		turn(1, "run", long_text, "{}");
	ok(!has("run/run_5.yaml", NULL) && has("run/run_6.yaml", NULL) &&
		has("run/run_25.yaml", NULL),
	    "twenty runs are kept");
	ok(is_yaml("run.yaml"),
	    "long answers are cut, so the file can be read");
	/* A machine that is slow just now takes more than a second. */
	int64_t began_ms = clock_mono_ms();
	for (int i = 0; i < 100; i++)
		turn(1, "many", "x", NULL);
	bool is_slow = clock_mono_ms() - began_ms > 300;
	long runs = runs_of("many.yaml");
	ok(runs >= 20 && (runs < 100 || is_slow),
	    "some of too many turns in a second are left out");
	free(long_text);
	end();
}

/* Pass over the rate: a new folder object begins to count anew. */
static void test_trim(void)
{
	begin("trim");
	for (int i = 0; i < 505; i++) {
		char prompt[16];
		(void)snprintf(prompt, sizeof prompt, "p %d", i);
		if (i % 40 == 0) {
			evals_free(&evals);
			evals = evals_new(&conf, "m");
		}
		turn(1, prompt, "x", NULL);
	}
	ok(!has("p_0.yaml", NULL) && !has("p_0", NULL) &&
		!has("p_4.yaml", NULL) && has("p_5.yaml", NULL) &&
		has("p_504.yaml", NULL),
	    "five hundred evals are kept, the newest");
	end();
}

int main(void)
{
	char *log = scratch_path("log");
	(void)log_open(log);
	free(log);
	test_names();
	test_turns();
	test_odd_text();
	test_others();
	test_limits();
	test_trim();
	return done();
}
