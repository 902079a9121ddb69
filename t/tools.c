/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* An agent in C that has only tools. t/58-c-tools.t hosts it. */
#include <co_agent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((size_t)300000)

static int add(struct co_turn *turn, const struct co_json *args)
{
	int64_t a, b;

	if (!co_turn_integer(turn, args, "a", &a) ||
	    !co_turn_integer(turn, args, "b", &b))
		return co_turn_fail(turn, "a and b must be numbers");
	return co_turn_answer(turn, "%d", (int)(a + b));
}

static int crash(struct co_turn *turn, const struct co_json *args)
{
	(void)turn;
	(void)args;
	return raise(SIGSEGV);
}

static int large(struct co_turn *turn, const struct co_json *args)
{
	char *text = malloc(LARGE);

	(void)args;
	if (!text)
		abort();
	(void)memset(text, 'x', LARGE);
	int rc = co_turn_answer_text(turn, text, LARGE);
	free(text);
	return rc;
}

static int sleep_long(struct co_turn *turn, const struct co_json *args)
{
	(void)args;
	(void)sleep(1000);
	return co_turn_answer(turn, "slept");
}

static int ask(struct co_turn *turn, const struct co_json *args)
{
	const char *const options[] = {"red", "blue", NULL};
	const char *answer;

	(void)args;
	int rc = co_turn_ask(turn, "Which?", options, &answer);
	int denied = co_turn_approve(turn, "x", NULL, NULL, NULL);
	return rc == CO_TURN_OK ? co_turn_answer(turn, "%s %d", answer, denied)
				: rc;
}

#define ANY "{\"type\": \"object\"}"

static const struct co_tool tools[] = {
    {"add", "Add two numbers", ANY, add, CO_TOOL_READ_ONLY},
    {"crash", "Crash", ANY, crash, 0},
    {"large", "Say much", ANY, large, 0},
    {"sleep", "Sleep", ANY, sleep_long, 0},
    {"ask", "Ask", ANY, ask, 0},
};

const struct co_agent *create_agent(const struct co_host *host)
{
	static const struct co_agent agent = {
	    CO_AGENT_INIT,
	    .name = "tools",
	    .system_prompt = "You add.",
	    .tools = tools,
	    .n_tools = sizeof tools / sizeof *tools,
	};

	(void)host;
	return &agent;
}
