/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * An agent for co-hostd in C, with two tools; see co_agent(3).
 *
 *	cc -shared -fPIC -o agent.so agent.c
 *	co-hostd -a c:agent.so
 *
 * Prompts to try: "add 2 3", "note buy milk", "colour", "wait", or anything.
 */
#include <co_agent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- tools ---- */

static int add(struct co_turn *turn, const struct co_json *args)
{
	double a, b;

	if (!co_turn_number(turn, args, "a", &a) ||
	    !co_turn_number(turn, args, "b", &b))
		return co_turn_fail(turn, "a and b must be numbers");
	return co_turn_answer(turn, "%g", a + b);
}

static int write_note(struct co_turn *turn, const struct co_json *args)
{
	const char *text = co_turn_string(turn, args, "text");
	FILE *notes = text ? fopen("notes.txt", "a") : NULL;

	if (!text)
		return co_turn_fail(turn, "text must be a string");
	if (!notes || fprintf(notes, "%s\n", text) < 0 || fclose(notes) != 0)
		return co_turn_fail(turn, "notes.txt: %s", strerror(errno));
	return co_turn_answer(turn, "noted");
}

static const struct co_tool tools[] = {
    {
	.name = "add",
	.description = "Add two numbers",
	.schema = "{\"type\": \"object\", \"properties\": {"
		  "\"a\": {\"type\": \"number\"},"
		  "\"b\": {\"type\": \"number\"}},"
		  "\"required\": [\"a\", \"b\"]}",
	.call = add,
    },
    {
	.name = "write_note",
	.description = "Append a line to notes.txt",
	.schema = "{\"type\": \"object\", \"properties\": {"
		  "\"text\": {\"type\": \"string\"}},"
		  "\"required\": [\"text\"]}",
	.call = write_note,
	.flags = CO_TOOL_ASKS, /* the user has to approve it */
    },
};

/* ---- turns ---- */

static int run_add(struct co_turn *turn)
{
	const char *sum, *args;
	double a, b;

	if (sscanf(turn->prompt, "add %lf %lf", &a, &b) != 2)
		return co_turn_answer(turn, "Say: add NUMBER NUMBER");
	co_turn_thinking(turn, "This is a sum.");
	args = co_turn_format(turn, "{\"a\": %.17g, \"b\": %.17g}", a, b);
	int rc = co_turn_call(turn, "add", args, &sum);
	if (rc == CO_TURN_INTERRUPTED)
		return rc;
	return co_turn_answer(turn, "The sum is %s.", sum);
}

static int run_note(struct co_turn *turn)
{
	const char *result, *args;

	args = co_turn_format(turn, "{\"text\": %s}",
	    co_turn_quote(turn, turn->prompt + strlen("note ")));
	switch (co_turn_call(turn, "write_note", args, &result)) {
	case CO_TURN_OK:
		return co_turn_answer(turn, "I have noted it.");
	case CO_TURN_REJECTED:
		return co_turn_answer(turn, "Not noted: %s", result);
	case CO_TURN_INTERRUPTED:
		return CO_TURN_INTERRUPTED;
	default:
		return co_turn_fail(turn, "write_note: %s", result);
	}
}

static int run_colour(struct co_turn *turn)
{
	const char *const colours[] = {"red", "blue", NULL};
	const char *answer;
	int rc = co_turn_ask(turn, "Which colour?", colours, &answer);

	return rc == CO_TURN_OK ? co_turn_answer(turn, "You like %s.", answer)
				: rc;
}

/* Work until the user has had enough; prompts that come meanwhile join in. */
static int run_wait(struct co_turn *turn)
{
	const char *prompt;

	while (co_turn_wait(turn, 60000) == CO_TURN_OK)
		while ((prompt = co_turn_next_input(turn)))
			co_turn_assistant(turn, "You added: %s", prompt);
	return co_turn_answer(turn, "I stop.");
}

static int run(struct co_turn *turn)
{
	if (strncmp(turn->prompt, "add ", 4) == 0)
		return run_add(turn);
	if (strncmp(turn->prompt, "note ", 5) == 0)
		return run_note(turn);
	if (strcmp(turn->prompt, "colour") == 0)
		return run_colour(turn);
	if (strcmp(turn->prompt, "wait") == 0)
		return run_wait(turn);
	return co_turn_answer(turn, "You said: %s", turn->prompt);
}

static const struct co_agent agent = {
    CO_AGENT_INIT,
    .name = "example",
    .system_prompt = "You add numbers and take notes.",
    .tools = tools,
    .n_tools = sizeof tools / sizeof *tools,
    .run = run,
};

const struct co_agent *create_agent(const struct co_host *host)
{
	(void)host;
	return &agent;
}
