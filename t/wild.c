/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * An agent in C that does what the first word of its prompt says, and most of it
 * is bad. t/58-c-agent.t hosts it.
 */
#include <co_agent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG ((size_t)1 << 20)

/* ---- tools ---- */

static int echo(struct co_turn *turn, const struct co_json *args)
{
	return co_turn_answer(
	    turn, "%s %d", co_turn_source(turn, args, NULL), turn->is_owner);
}

static int bytes(struct co_turn *turn, const struct co_json *args)
{
	int64_t n = 0;
	char *text;

	(void)co_turn_integer(turn, args, "n", &n);
	text = malloc((size_t)n + 1);
	if (!text)
		abort();
	(void)memset(text, 0xff, (size_t)n);
	int rc = co_turn_answer_text(turn, text, (size_t)n);
	free(text);
	return rc;
}

static int question(struct co_turn *turn, const struct co_json *args)
{
	const char *answer;

	(void)args;
	return co_turn_ask(turn, "Sure?", NULL, &answer);
}

static int broken(struct co_turn *turn, const struct co_json *args)
{
	(void)args;
	return co_turn_fail(turn, "it is \"broken\"");
}

#define ANY "{\"type\": \"object\"}"

static const struct co_tool tools[] = {
    {.name = "echo", .description = "", .schema = ANY, .call = echo},
    {.name = "bytes", .description = "", .schema = ANY, .call = bytes},
    {.name = "question", .description = "", .schema = ANY, .call = question},
    {.name = "broken", .description = "", .schema = ANY, .call = broken},
};

/* ---- ends ---- */

static int crash(struct co_turn *turn)
{
	(void)turn;
	return raise(SIGSEGV);
}

static int die(struct co_turn *turn)
{
	(void)turn;
	abort();
}

static int leave(struct co_turn *turn)
{
	(void)turn;
	exit(0);
}

static int loop(struct co_turn *turn)
{
	co_turn_thinking(turn, "for ever");
	for (volatile unsigned i = 0; i < 2; i %= 2)
		i++;
	return CO_TURN_OK;
}

/* Use more memory than the limit, and no more than the machine can spare. */
static int eat(struct co_turn *turn)
{
	for (int i = 0; i < 400; i++) {
		char *more = malloc(BIG);
		if (!more)
			abort();
		(void)memset(more, i, BIG);
		co_turn_log(turn, "%d MiB at %p", i, (void *)more);
	}
	return loop(turn);
}

static int fail(struct co_turn *turn)
{
	return co_turn_fail(turn, "on purpose");
}

static int odd(struct co_turn *turn)
{
	(void)turn;
	return 77;
}

/* ---- results ---- */

static int big(struct co_turn *turn)
{
	char *text = malloc(BIG);

	if (!text)
		abort();
	(void)memset(text, 'x', BIG);
	int rc = co_turn_answer_text(turn, text, BIG);
	free(text);
	return rc;
}

static int garbage(struct co_turn *turn)
{
	co_turn_thinking(turn, "a\xff%s", "\x01");
	return co_turn_answer_text(turn, "\xc3(\0\xf0\x9f", 5);
}

static int print(struct co_turn *turn)
{
	printf("{\"type\": \"OUTPUT\", \"result\": \"forged\"}\n");
	fprintf(stderr, "to stderr\n");
	co_turn_log(turn, "to the log");
	return co_turn_answer(turn, "stdin %d", getchar());
}

static int forget(struct co_turn *turn)
{
	static int n;

	return co_turn_answer(turn, "%d", ++n);
}

/* ---- events ---- */

static int events(struct co_turn *turn)
{
	const struct co_step steps[] = {
	    {"dig", "high", "completed"}, {"build", NULL, NULL}};
	int rcs[5];

	rcs[0] =
	    co_turn_emit(turn, "weather", "{\"sky\": \"grey\",\n\"n\": 1}");
	rcs[1] = co_turn_emit(turn, "weather", "[]");
	rcs[2] = co_turn_emit(turn, "tool_call", "{\"name\": 1}");
	rcs[3] = co_turn_emit(turn, "OUTPUT", "{\"result\": \"no\"}");
	rcs[4] = co_turn_emit(turn, "ask_user", "{\"question\": \"?\"}");
	co_turn_plan(turn, steps, 2);
	co_turn_assistant(turn, "%d%%", 50);
	return co_turn_answer(
	    turn, "%d %d %d %d %d", rcs[0], rcs[1], rcs[2], rcs[3], rcs[4]);
}

static int calls(struct co_turn *turn)
{
	static const struct {
		const char *tool, *args;
	} all[] = {{"echo", "{\"a\": [1, null]}"}, {"echo", "[1]"},
	    {"none", "{}"}, {"broken", NULL}, {"bytes", "{\"n\": 2}"}};
	const char *text = "";

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *result;
		int rc = co_turn_call(turn, all[i].tool, all[i].args, &result);
		text = co_turn_format(turn, "%s%d %s|", text, rc, result);
	}
	return co_turn_answer(turn, "%s", text);
}

static void *call_in_thread(void *arg)
{
	struct co_turn *turn = arg;
	const char *result;

	for (int i = 0; i < 50; i++)
		if (co_turn_is_interrupted(turn) ||
		    co_turn_call(turn, "echo", NULL, &result) != CO_TURN_OK ||
		    strcmp(result, "{} 0") != 0)
			return turn;
	return NULL;
}

static int threads(struct co_turn *turn)
{
	pthread_t all[4];
	int bad = 0;

	for (int i = 0; i < 4; i++)
		if (pthread_create(&all[i], NULL, call_in_thread, turn) != 0)
			abort();
	for (int i = 0; i < 4; i++) {
		void *said;
		(void)pthread_join(all[i], &said);
		bad += said != NULL;
	}
	return co_turn_answer(turn, "%d bad", bad);
}

/* ---- the user ---- */

static int several(struct co_turn *turn)
{
	const char *const options[] = {"a", "b", "c", NULL};
	const char *answer;
	int rc = co_turn_ask_several(turn, "Which?", options, &answer);

	return rc == CO_TURN_OK ? co_turn_answer(turn, "%s", answer) : rc;
}

static int approve(struct co_turn *turn)
{
	struct co_approval a;
	int rc =
	    co_turn_approve(turn, "rm", "{\"path\": \"x\"}", "Remove x", &a);

	return co_turn_answer(
	    turn, "%d %s/%s/%s", rc, a.scope, a.mode, a.feedback);
}

static int review(struct co_turn *turn)
{
	const char *message;
	int rc = co_turn_review_plan(turn, "1. dig", &message);

	return co_turn_answer(turn, "%d %s", rc, message);
}

static int patient(struct co_turn *turn)
{
	const char *prompt, *heard = "";

	co_turn_thinking(turn, "ready");
	while (co_turn_wait(turn, -1) == CO_TURN_OK)
		while ((prompt = co_turn_next_input(turn)))
			heard = co_turn_format(turn, "%s<%s>", heard, prompt);
	return co_turn_answer(turn, "heard %s", heard);
}

static int busy(struct co_turn *turn)
{
	co_turn_thinking(turn, "busy");
	while (!co_turn_is_interrupted(turn))
		usleep(1000);
	return CO_TURN_INTERRUPTED;
}

/* ---- the session ---- */

static int input(struct co_turn *turn)
{
	const struct co_json *messages =
	    co_turn_member(turn, turn->session, "messages");
	const struct co_json *v;
	int n = 0;

	for (v = co_turn_first(turn, messages); v; v = co_turn_next(turn, v))
		n++;
	return co_turn_answer(turn, "%d %zu %s %s %d", (int)turn->number,
	    turn->prompt_len, co_turn_text(turn, turn->images, NULL),
	    co_turn_string(turn, co_turn_first(turn, turn->files), "name"), n);
}

static int keep(struct co_turn *turn)
{
	static const char session[] =
	    "{\"messages\": [{\"role\": \"user\",\n\"content\": \"mine\"}]}";

	if (co_turn_set_session(turn, "[]") != CO_TURN_INVALID)
		return co_turn_fail(turn, "an array was accepted");
	if (co_turn_set_session(turn, session) != CO_TURN_OK)
		return CO_TURN_FAILED;
	return co_turn_answer(turn, "kept");
}

static int quote(struct co_turn *turn)
{
	const char *json = co_turn_format(turn, "[%s, %s, 1.5, true, 7]",
	    co_turn_quote(turn, turn->prompt), co_turn_quote(turn, NULL));
	const struct co_json *v = co_turn_parse(turn, json, strlen(json));
	const char *types = "";

	for (v = co_turn_first(turn, v); v; v = co_turn_next(turn, v))
		types = co_turn_format(
		    turn, "%s%d", types, (int)co_turn_type(turn, v));
	return co_turn_answer(
	    turn, "%s %d", types, co_turn_parse(turn, "{", 1) == NULL);
}

static const struct {
	const char *word;
	int (*run)(struct co_turn *turn);
} steps[] = {
    {"crash", crash},
    {"abort", die},
    {"exit", leave},
    {"loop", loop},
    {"eat", eat},
    {"fail", fail},
    {"odd", odd},
    {"big", big},
    {"garbage", garbage},
    {"print", print},
    {"forget", forget},
    {"events", events},
    {"calls", calls},
    {"threads", threads},
    {"several", several},
    {"approve", approve},
    {"review", review},
    {"patient", patient},
    {"busy", busy},
    {"input", input},
    {"keep", keep},
    {"quote", quote},
};

static int run(struct co_turn *turn)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strncmp(turn->prompt, steps[i].word,
			strlen(steps[i].word)) == 0)
			return steps[i].run(turn);
	return co_turn_answer(turn, "%s", (const char *)turn->data);
}

const struct co_agent *create_agent(const struct co_host *host)
{
	static char data[] = "hello";
	static const struct co_agent agent = {
	    CO_AGENT_INIT,
	    .name = "wild",
	    .model = "none",
	    .tools = tools,
	    .n_tools = sizeof tools / sizeof *tools,
	    .run = run,
	    .data = data,
	};

	return host->abi == CO_AGENT_ABI ? &agent : NULL;
}
