/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * What the programs of agents write, as it was recorded (t/golden/wrapper), and
 * what becomes of it. A line of a recording begins with what it is:
 *
 *	prompt, answer, interrupt	what the user does
 *	<	a line of the program
 *	>	a line to the program
 *	=	an event, and the end of a turn
 *
 * The last two follow from the others. UPDATE_GOLDEN=1 writes them anew.
 */
#include "wrapper/dialect.h"

#include "base/json.h"
#include "t/unit/golden.h"
#include "t/unit/tap.h"

/* What the recording should be. */
static struct buf made;

static void on_event(void *arg, const char *json, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;

	(void)arg;
	ok(json_parse(&doc, json, len, JSON_UNIQUE_KEYS, &error) != NULL,
	    "an event is valid JSON, without a key that comes twice");
	json_fini(&doc);
	buf_printf(&made, "= %.*s\n", (int)len, json);
}

static void on_end(void *arg, bool is_success, const char *text)
{
	(void)arg;
	buf_printf(&made, "= end %s ", is_success ? "well" : "badly");
	buf_json_str(&made, text);
	buf_char(&made, '\n');
}

static void on_failure(void *arg, const char *text)
{
	(void)arg;
	buf_printf(&made, "= failure %s\n", text);
}

static const struct dialect_handlers handlers = {
    .on_event = on_event, .on_end = on_end, .on_failure = on_failure};

/* Whether the line begins with this word; *rest is what follows. */
static bool has_word(const char *line, const char *word, const char **rest)
{
	size_t n = strlen(word);

	*rest = line + n + 1;
	return strncmp(line, word, n) == 0 &&
	       (line[n] == ' ' || line[n] == '\n');
}

static void with_json(struct dialect *d, const char *text, size_t len,
    void (*fn)(struct dialect *d, const struct json *v))
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v = json_parse(&doc, text, len, 0, &error);

	if (!v)
		printf("# not JSON: %.*s\n", (int)len, text);
	fn(d, v);
	json_fini(&doc);
}

/* Returns whether the line is one of those that are made. */
static bool play(struct dialect *d, const char *line, size_t len)
{
	const char *rest;

	if (*line == '>' || *line == '=')
		return true;
	buf_append(&made, line, len + 1);
	if (has_word(line, "prompt", &rest))
		d->ops->prompt(d, rest, len - 7);
	else if (has_word(line, "answer", &rest))
		with_json(d, rest, len - 7, d->ops->answer);
	else if (has_word(line, "interrupt", &rest))
		(void)d->ops->interrupt(d);
	else if (has_word(line, "<", &rest))
		with_json(d, rest, len - 2, d->ops->take);
	return false;
}

static void note_output(struct dialect *d)
{
	const char *end, *at = buf_cstr(&d->out);

	for (; (end = strchr(at, '\n')); at = end + 1)
		buf_printf(&made, "> %.*s\n", (int)(end - at), at);
	buf_reset(&d->out);
}

static void replay(const char *name, struct dialect *d)
{
	struct buf recording = {0};
	char path[100];
	const char *end;

	(void)snprintf(path, sizeof path, "wrapper/%s", name);
	golden_read(&recording, path);
	buf_reset(&made);
	d->handlers = &handlers;
	d->ops->start(d, "/work");
	note_output(d);
	for (const char *at = buf_cstr(&recording); (end = strchr(at, '\n'));
	     at = end + 1)
		if (!play(d, at, (size_t)(end - at)))
			note_output(d);
	if (getenv("UPDATE_GOLDEN"))
		ok(golden_write(&made, path), "the recording is written");
	else
		ok(made.len > 0 && made.len == recording.len &&
			memcmp(made.data, recording.data, made.len) == 0,
		    "what %s says becomes the events of its recording", name);
	d->ops->free(d);
	buf_fini(&recording);
}

/* Anything may come, at any time. */
static void test_odd_lines(struct dialect *(*make)(void), const char *name)
{
	static const char *const lines[] = {"{}", "[]", "1", "null",
	    "{\"type\":\"assistant\"}", "{\"type\":\"user\",\"message\":7}",
	    "{\"type\":\"assistant\",\"message\":{\"content\":[1,{},null]}}",
	    "{\"type\":\"control_request\"}",
	    "{\"type\":\"control_request\",\"request\":{\"subtype\":"
	    "\"can_use_tool\",\"input\":{}}}",
	    "{\"type\":\"result\"}", "{\"id\":1}", "{\"id\":2,\"result\":{}}",
	    "{\"id\":3,\"error\":{}}", "{\"method\":\"item/started\"}",
	    "{\"method\":\"item/completed\",\"params\":{\"item\":{\"type\":"
	    "\"commandExecution\"}}}",
	    "{\"method\":\"turn/completed\"}", "{\"method\":\"x\",\"id\":9}",
	    "{\"method\":\"session/update\",\"params\":{\"update\":{"
	    "\"sessionUpdate\":\"tool_call\"}}}",
	    "{\"method\":\"session/request_permission\",\"id\":8}",
	    "{\"method\":\"item/tool/requestUserInput\",\"id\":7}",
	    "{\"type\":\"APPROVAL_RESPONSE\"}",
	    "{\"type\":\"ASK_USER_RESPONSE\"}"};
	struct dialect *d = make();

	d->handlers = &handlers;
	d->ops->start(d, "/");
	d->ops->prompt(d, "x", 1);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		with_json(d, lines[i], strlen(lines[i]), d->ops->take);
		with_json(d, lines[i], strlen(lines[i]), d->ops->answer);
	}
	(void)d->ops->interrupt(d);
	d->ops->free(d);
	ok(true, "lines of any form do no harm to %s", name);
}

/* What an approval for the session becomes. */
static void test_lasting(struct dialect *d, const char *const *lines,
    const char *want, const char *name)
{
	static const char answer[] =
	    "{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true,"
	    "\"scope\":\"session\"}";

	d->handlers = &handlers;
	d->ops->start(d, "/");
	for (; *lines; lines++)
		with_json(d, *lines, strlen(*lines), d->ops->take);
	buf_reset(&d->out);
	with_json(d, answer, sizeof answer - 1, d->ops->answer);
	ok(strstr(buf_cstr(&d->out), want) != NULL,
	    "an approval for the session is told to %s", name);
	d->ops->free(d);
}

static void test_scopes(void)
{
	static const char *const claude[] = {
	    "{\"type\":\"control_request\",\"request_id\":\"r\",\"request\":{"
	    "\"subtype\":\"can_use_tool\",\"tool_name\":\"Bash\",\"input\":{}}"
	    "}",
	    NULL};
	static const char *const codex[] = {
	    "{\"method\":\"item/commandExecution/requestApproval\",\"id\":0,"
	    "\"params\":{}}",
	    NULL};
	static const char *const acp[] = {
	    "{\"method\":\"session/request_permission\",\"id\":0,\"params\":{"
	    "\"toolCall\":{\"toolCallId\":\"t\"},\"options\":["
	    "{\"kind\":\"allow_once\",\"optionId\":\"one\"},"
	    "{\"kind\":\"allow_always\",\"optionId\":\"all\"}]}}",
	    NULL};

	test_lasting(claude_new(), claude,
	    "\"rules\":[{\"toolName\":\"Bash\"}],\"behavior\":\"allow\","
	    "\"destination\":\"session\"",
	    "claude");
	test_lasting(
	    codex_new(), codex, "\"decision\":\"acceptForSession\"", "codex");
	test_lasting(acp_new(), acp, "\"optionId\":\"all\"", "gemini");
}

/* The event that a question becomes. */
static void test_question(
    struct dialect *d, const char *line, bool is_multiple, const char *name)
{
	struct buf want = {0};

	buf_printf(&want,
	    "= {\"type\":\"ask_user\",\"question\":\"Which?\","
	    "\"options\":[\"red\",\"\"],\"multi_select\":%s}\n",
	    is_multiple ? "true" : "false");
	buf_reset(&made);
	d->handlers = &handlers;
	d->ops->start(d, "/");
	with_json(d, line, strlen(line), d->ops->take);
	ok(strstr(buf_cstr(&made), buf_cstr(&want)) != NULL,
	    "a question of %s has a text and labels to choose from", name);
	d->ops->free(d);
	buf_fini(&want);
}

static void test_questions(void)
{
	test_question(claude_new(),
	    "{\"type\":\"control_request\",\"request_id\":\"r\",\"request\":{"
	    "\"subtype\":\"can_use_tool\",\"tool_name\":\"AskUserQuestion\","
	    "\"input\":{\"questions\":[{\"question\":\"Which?\","
	    "\"multiSelect\":true,\"options\":[{\"label\":\"red\"},{}]}]}}}",
	    true, "claude");
	test_question(codex_new(),
	    "{\"method\":\"item/tool/requestUserInput\",\"id\":7,\"params\":{"
	    "\"questions\":[{\"id\":\"q\",\"question\":\"Which?\",\"options\":["
	    "{\"label\":\"red\"},{}]}]}}",
	    false, "codex");
}

/* What a program says that takes no prompt. */
static void test_failure(
    struct dialect *d, const char *answer, const char *want, const char *name)
{
	static const char first[] = "{\"id\":1,\"result\":{}}";

	buf_reset(&made);
	d->handlers = &handlers;
	d->ops->start(d, "/");
	d->ops->prompt(d, "x", 1);
	with_json(d, first, sizeof first - 1, d->ops->take);
	with_json(d, answer, strlen(answer), d->ops->take);
	ok(strcmp(buf_cstr(&made), want) == 0,
	    "%s fails without a conversation: %s", name, answer);
	d->ops->free(d);
}

static void test_failures(void)
{
	static const char refusal[] =
	    "{\"id\":2,\"error\":{\"message\":\"log in first\"}}";
	static const char nothing[] = "{\"id\":2,\"result\":{}}";

	test_failure(acp_new(), refusal, "= failure log in first\n", "gemini");
	test_failure(
	    acp_new(), nothing, "= failure a request failed\n", "gemini");
	test_failure(codex_new(), refusal, "= failure log in first\n", "codex");
	test_failure(
	    codex_new(), nothing, "= failure a request failed\n", "codex");
}

int main(void)
{
	replay("claude", claude_new());
	replay("codex", codex_new());
	replay("gemini", acp_new());
	test_odd_lines(claude_new, "claude");
	test_odd_lines(codex_new, "codex");
	test_odd_lines(acp_new, "gemini");
	test_scopes();
	test_questions();
	test_failures();
	buf_fini(&made);
	return done();
}
