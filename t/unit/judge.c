/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/judge.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <sys/mman.h>

#define FACTS "{\"identity\":null}"

/* ---- an agent that does what the test says ---- */

struct agent {
	struct list turns; /* those that run, the oldest first */
	int started;
	int execs; /* of them */
	int freed;
};

struct agent_turn {
	struct list link;
	struct agent *agent;
	struct agent_sink *sink;
	char *prompt;
};

static struct agent_turn *start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);
	t->agent = a;
	t->sink = sink;
	t->prompt = mem_strndup(input->prompt, input->prompt_len);
	list_append(&a->turns, &t->link);
	a->started++;
	return t;
}

static void run(struct agent_turn *t)
{
	(void)t;
}

static struct agent_turn *start_exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	struct agent_input input = {
	    .prompt = x->args, .prompt_len = x->args_len};
	ok(!x->tool, "the agent of host() is asked without a tool");
	a->execs++;
	return start(a, &input, sink);
}

static void free_turn(struct agent_turn **turn)
{
	struct agent_turn *t = *turn;
	list_remove(&t->link);
	t->agent->freed++;
	free(t->prompt);
	free(t);
	*turn = NULL;
}

static const struct agent_kind kind = {.name = "fake",
    .start = start,
    .exec = start_exec,
    .run = run,
    .free = free_turn};
static struct agent agent;

static struct agent_turn *oldest(void)
{
	if (list_is_empty(&agent.turns))
		abort();
	return list_entry(agent.turns.next, struct agent_turn, link);
}

static void finish(const char *result)
{
	struct agent_turn *t = oldest();
	t->sink->ops->finish(t->sink, result, strlen(result), NULL, 0);
}

static void fail(void)
{
	struct agent_turn *t = oldest();
	t->sink->ops->fail(t->sink, REASON_FAILED, "it fell over");
}

/* ---- a judge, and what it said ---- */

static struct judge *judge;
static int flushes;
static char said[4000];	  /* one word or reason after the other */
static const char *again; /* who is told asks for this key at once */

static void ask_flush(void *arg)
{
	(void)arg;
	flushes++;
}

static char same[] = "again";

static void on_said(void *arg, bool is_allowed, const char *reason)
{
	const char *name = arg;
	size_t n = strlen(said);
	(void)snprintf(said + n, sizeof said - n, "%s%s%s%s%s", n ? "; " : "",
	    name, is_allowed ? " yes" : " no", *reason ? ": " : "", reason);
	const char *key = again;
	again = NULL;
	if (key)
		judge_ask(judge, key, FACTS, on_said, same);
}

static void ask(const char *key, const char *name)
{
	judge_ask(judge, key, FACTS, on_said, (void *)(uintptr_t)name);
}

/* What was said since, in words. */
static const char *hear(void)
{
	static char text[sizeof said];
	for (int i = 0; flushes && i < 100; i++) {
		flushes = 0;
		judge_flush(judge);
	}
	memcpy(text, said, sizeof said);
	*said = '\0';
	return text;
}

static void begin(void)
{
	agent = (struct agent){.started = 0};
	list_init(&agent.turns);
	flushes = 0;
	*said = '\0';
	again = NULL;
	judge = judge_new(&kind, &agent, ask_flush, NULL);
}

static void end(void)
{
	judge_free(&judge);
	is_int(agent.freed, agent.started, "all its turns are freed");
}

/* ---- answers ---- */

static void test_answers(void)
{
	static const struct {
		const char *result, *says;
	} cases[] = {
	    {"{\"allow\":true,\"reason\":\"fine\"}", "a yes: fine"},
	    {"{\"allow\":true}", "a yes"},
	    {"{\"reason\":\"too new\",\"allow\":false}", "a no: too new"},
	    {"{\"allow\":false}", "a no"},
	    {"{\"allow\":false,\"reason\":7}", "a no"},
	    {" {\"allow\" : true} \n", "a yes"},
	    {"```json\n{\"allow\":true}\n```\n", "a yes"},
	    {"```\n{\"allow\":false}```", "a no"},
	    {"```\n```", "a no: " JUDGE_UNAVAILABLE},
	    {"``````\n", "a no: " JUDGE_UNAVAILABLE},
	    {"```{\"allow\":true}```", "a no: " JUDGE_UNAVAILABLE},
	    {"```\n{\"allow\":true}", "a no: " JUDGE_UNAVAILABLE},
	    {"ACCEPT", "a yes"},
	    {"ACCEPT: a friend", "a yes: a friend"},
	    {"REJECT", "a no"},
	    {"REJECT too new", "a no: too new"},
	    {"REJECT - too new\nand more", "a no: too new"},
	    {"REJECT\nbecause", "a no"},
	    {"", "a no: " JUDGE_UNAVAILABLE},
	    {"ACC", "a no: " JUDGE_UNAVAILABLE},
	    {"I ACCEPT", "a no: " JUDGE_UNAVAILABLE},
	    {"accept", "a no: " JUDGE_UNAVAILABLE},
	    {"ACCEPTABLE?", "a no: " JUDGE_UNAVAILABLE},
	    {"ACCEPTED", "a yes"},
	    {"\n ACCEPT.\r\n", "a yes"},
	    {"REJECTED: no, ACCEPT not", "a no: no, ACCEPT not"},
	    {"REJECTION? No, ACCEPT", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":false,\"reason\":\"a\\u0000b\"}", "a no: a"},
	    {"true", "a no: " JUDGE_UNAVAILABLE},
	    {"{}", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":1}", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":\"true\"}", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":null}", "a no: " JUDGE_UNAVAILABLE},
	    {"[{\"allow\":true}]", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":true", "a no: " JUDGE_UNAVAILABLE},
	    {"{\"allow\":false,\"allow\":true}", "a no: " JUDGE_UNAVAILABLE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		ask("k", "a");
		is_str(oldest()->prompt, FACTS, "the agent is told the facts");
		finish(cases[i].result);
		is_str(hear(), cases[i].says,
		    "an answer of the agent is understood: %zu", i);
		end();
	}
}

static void test_host(void)
{
	begin();
	judge_ask_host(judge);
	ask("k", "a");
	is_int(agent.execs, 1, "the agent of host() is asked once");
	is_str(
	    oldest()->prompt, FACTS, "the agent of host() is told the facts");
	finish("{\"allow\":false,\"reason\":\"not you\"}");
	is_str(hear(), "a no: not you",
	    "the answer of the agent of host() counts");
	end();
}

static void test_long_reason(void)
{
	char text[1000];
	begin();
	(void)snprintf(text, sizeof text, "REJECT %0900d", 1);
	ask("k", "a");
	finish(text);
	is_int((int64_t)strlen(hear()), 6 + 200, "a long reason is cut");
	end();
	begin();
	(void)snprintf(text, sizeof text, "REJECT %0199d\xc3\xa9", 1);
	ask("k", "a");
	finish(text);
	is_int((int64_t)strlen(hear()), 6 + 199,
	    "a long reason is cut between characters");
	end();
}

static void test_no_answer(void)
{
	begin();
	ask("k", "a");
	fail();
	is_str(hear(), "a no: " JUDGE_UNAVAILABLE,
	    "a failed turn of the agent is a no");
	int64_t asked_ms = clock_mono_ms();
	ask("k", "b");
	is_int(agent.started, 2,
	    "a failed turn is not remembered for the next question");
	pass_ms(JUDGE_LIMIT_MS / 2);
	judge_tick(judge);
	/* Time goes on by itself as well, on a slow machine beyond the limit. */
	ok(!flushes || clock_mono_ms() - asked_ms >= JUDGE_LIMIT_MS,
	    "the agent may take its time");
	pass_ms(JUDGE_LIMIT_MS / 2);
	judge_tick(judge);
	is_str(hear(), "b no: " JUDGE_UNAVAILABLE,
	    "an agent that takes too long is a no");
	is_int(agent.freed, 2, "an agent that takes too long is stopped");
	end();
}

/* ---- the memory ---- */

static void test_kept(void)
{
	begin();
	ask("k", "a");
	ask("k", "b");
	ask("other", "c");
	is_int(agent.started, 2,
	    "a question asked meanwhile waits for the running turn");
	finish("ACCEPT");
	is_str(hear(), "a yes; b yes",
	    "questions with the same key get the same answer");
	finish("REJECT");
	is_str(hear(), "c no", "each key has its own answer");
	ask("k", "d");
	is_str(said, "", "an answer never comes from inside the question");
	is_str(hear(), "d yes", "a yes is remembered");
	ask("other", "e");
	is_str(hear(), "e no", "a no is remembered");
	pass_ms(JUDGE_KEEP_MS + 1);
	ask("k", "f");
	is_int(agent.started, 3, "an answer is asked for again after its time");
	finish("REJECT");
	is_str(hear(), "f no", "a new answer may differ from the last");
	ask("k", "g");
	is_str(hear(), "g no", "the new answer is remembered");
	end();
}

static void test_asked_while_told(void)
{
	static const struct {
		const char *result, *says;
		int turns;
	} cases[] = {
	    {"ACCEPT", "a yes; b yes; again yes", 1},
	    {"what?", "a no: " JUDGE_UNAVAILABLE "; b no: " JUDGE_UNAVAILABLE,
		2},
	};
	for (size_t i = 0; i < 2; i++) {
		begin();
		ask("k", "a");
		ask("k", "b");
		again = "k";
		finish(cases[i].result);
		is_str(hear(), cases[i].says,
		    "a caller that was answered may ask again at once");
		is_int(agent.started, cases[i].turns,
		    "a caller that asks again at once gets the kept or a new "
		    "answer");
		if (agent.started == 2) {
			finish("ACCEPT");
			is_str(hear(), "again yes",
			    "a new answer comes after a failed one");
		}
		again = "k";
		ask("k", "c");
		is_str(hear(), "c yes; again yes",
		    "a kept answer comes each time");
		ask("k", "d");
		is_str(hear(), "d yes",
		    "an answer told to several callers stays kept");
		end();
	}
}

static void test_many(void)
{
	char key[24];
	begin();
	for (int i = 0; i < JUDGE_MAX_TURNS; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		ask(key, "a");
	}
	is_str(hear(), "", "many can be asked about at once");
	ask("more", "b");
	is_str(hear(), "b no: " JUDGE_UNAVAILABLE,
	    "a question above the limit of turns is a no");
	finish("ACCEPT");
	is_str(hear(), "a yes",
	    "another question may be asked when one is decided");
	ask("more", "c");
	is_int(agent.started, JUDGE_MAX_TURNS + 1, "there is room again");
	end();
}

static void test_bounded(void)
{
	char key[24];
	begin();
	for (int i = 0; i <= JUDGE_MAX_KEPT; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		ask(key, "a");
		finish("ACCEPT");
		(void)hear();
	}
	int before = agent.started;
	ask("k1", "b");
	is_int(agent.started, before, "many answers are kept");
	ask("k0", "c");
	is_int(agent.started, before + 1, "the oldest goes first");
	end();
}

int main(void)
{
	log_threshold(LOG_ERROR);
	follow_clock();
	test_answers();
	test_host();
	test_long_reason();
	test_no_answer();
	test_kept();
	test_asked_while_told();
	test_many();
	test_bounded();
	return done();
}
