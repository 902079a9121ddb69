/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A client of libcoconnect for the stories: what it reads, it does, and all that
 * happens is a line of its output.
 *
 *	talker ADDRESS [OPTION=VALUE ...]
 *
 * Options: relay, direct, key (64 hex digits), co_dir, seal (never, possible),
 * keyless, no_direct, retries, session, session_id, last_event_id, invite_code,
 * max_bytes, loop (step by step instead of blocking calls), timeout.
 *
 * Commands, one a line: open; input TEXT; big N (an input with a file of N
 * bytes); image N; again (the last input's name and text); resume; call TOOL
 * JSON; mode MODE; info; find TEXT; answer TEXT; answers A|B; approve VERDICT
 * [WHY]; review TEXT; wait; save; reset; timeout MS; on interrupt TYPE (at the
 * next event of this type), on cancel TYPE, on answer TEXT (at each question).
 */
#include <co_connect.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct co_client *agent;
static struct co_options options;
static int64_t timeout_ms = 20000;
static int is_loop;
static char on_what[16], on_type[64], on_text[256];

static void put_json(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned)(unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void put_member(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	put_json(text);
}

static void on_event(
    void *arg, struct co_client *c, const struct co_event *event)
{
	(void)arg;
	printf("{\"what\":\"event\",\"len\":%zu", event->json_len);
	put_member("type", event->type);
	put_member("id", event->id);
	printf(",\"event\":%s}\n", event->json);
	if (!strcmp(on_what, "answer") && co_question(c))
		printf("{\"what\":\"answered\",\"code\":\"%s\"}\n",
		    co_code_name(co_answer(c, on_text)));
	if (strcmp(on_type, event->type) != 0)
		return;
	if (!strcmp(on_what, "interrupt"))
		(void)co_interrupt(c);
	if (!strcmp(on_what, "cancel"))
		co_cancel(c);
	*on_type = '\0';
}

static void on_connection(
    void *arg, struct co_client *c, const struct co_connection *news)
{
	static const char *const ways[] = {
	    "lookup", "rejected", "connecting", "open", "broken", "retry"};

	(void)arg;
	(void)c;
	printf("{\"what\":\"way\",\"way\":\"%s\",\"relayed\":%d,"
	       "\"sealed\":%d,\"delay_ms\":%lld",
	    ways[news->way], news->is_relayed, news->is_sealed,
	    (long long)news->delay_ms);
	put_member("where", news->where);
	put_member("why", news->why);
	puts("}");
}

static void show(enum co_code code, const struct co_result *r)
{
	const struct co_question *q = co_question(agent);

	printf("{\"what\":\"result\",\"code\":\"%s\",\"same\":%s",
	    co_code_name(code), code == r->code ? "true" : "false");
	put_member("text", r->text);
	put_member("error", co_error_text(agent));
	put_member("session_id", co_session_id(agent));
	put_member("agent", co_agent_address(agent));
	printf(",\"json\":%s", *r->json ? r->json : "null");
	if (q) {
		printf(",\"kind\":%d,\"multiple\":%d", (int)q->kind,
		    q->is_multiple);
		put_member("question", q->text);
		put_member("arguments", q->arguments);
		printf(",\"options\":[");
		for (size_t i = 0; i < q->n_options; i++) {
			if (i)
				putchar(',');
			put_json(q->options[i]);
		}
		putchar(']');
	}
	puts("}");
}

/* The event-driven way to the same result. */
static enum co_code loop(enum co_code begun, struct co_result *r)
{
	struct pollfd p = {co_fd(agent), POLLIN, 0};

	memset(r, 0, sizeof *r);
	r->code = begun;
	r->text = co_error_text(agent);
	r->json = "";
	while (begun == CO_OK && !co_take(agent, r)) {
		(void)poll(&p, 1, -1);
		co_step(agent);
	}
	return r->code;
}

static enum co_code input(const char *text, size_t file, size_t image)
{
	struct co_prompt prompt;
	struct co_file f, i;
	struct co_result r;
	enum co_code code;
	char *bytes = malloc(file + image + 8);

	memset(bytes, 'x', file + image + 8);
	memset(&f, 0, sizeof f);
	co_prompt_init(&prompt, text);
	f.name = "big.bin";
	f.data = bytes;
	f.len = file;
	i = f;
	i.len = image;
	if (file) {
		prompt.files = &f;
		prompt.n_files = 1;
	}
	if (image) {
		memcpy(bytes, "\x89PNG\r\n\x1a\n", 8);
		prompt.images = &i;
		prompt.n_images = 1;
	}
	code = is_loop ? loop(co_begin_input(agent, &prompt, timeout_ms), &r)
		       : co_input(agent, &prompt, timeout_ms, &r);
	free(bytes);
	show(code, &r);
	return code;
}

static enum co_verdict verdict_of(const char *word)
{
	static const char *const words[] = {
	    "once", "session", "reject", "explain", "stop"};
	int i = 0;

	while (i < 4 && strcmp(words[i], word) != 0)
		i++;
	return (enum co_verdict)i;
}

static enum co_code answer_many(char *rest)
{
	const char *texts[16];
	size_t n = 0;

	for (char *t = strtok(rest, "|"); t && n < 16; t = strtok(NULL, "|"))
		texts[n++] = t;
	return co_answer_many(agent, texts, n);
}

static void say(enum co_code code)
{
	printf("{\"what\":\"code\",\"code\":\"%s\"", co_code_name(code));
	put_member("error", co_error_text(agent));
	puts("}");
}

/* Operations that have a result. Returns 0 if the word is none of them. */
static int operate(const char *word, char *rest)
{
	struct co_result r;
	enum co_code code;
	char *more = strchr(rest, ' ');

	if (!strcmp(word, "input"))
		return input(rest, 0, 0), 1;
	if (!strcmp(word, "big"))
		return input("files", (size_t)atol(rest), 0), 1;
	if (!strcmp(word, "image"))
		return input("images", 0, (size_t)atol(rest)), 1;
	if (!strcmp(word, "open"))
		code = is_loop ? loop(co_begin_open(agent, timeout_ms), &r)
			       : co_open(agent, timeout_ms, &r);
	else if (!strcmp(word, "resume"))
		code = is_loop ? loop(co_begin_resume(agent, timeout_ms), &r)
			       : co_resume(agent, timeout_ms, &r);
	else if (!strcmp(word, "mode"))
		code = co_set_mode(agent, rest, 0, timeout_ms, &r);
	else if (!strcmp(word, "info"))
		code = is_loop ? loop(co_begin_info(agent, timeout_ms), &r)
			       : co_info(agent, timeout_ms, &r);
	else if (!strcmp(word, "find"))
		code = is_loop
			   ? loop(co_begin_find(agent, rest, timeout_ms), &r)
			   : co_find(agent, rest, timeout_ms, &r);
	else if (!strcmp(word, "wait"))
		code =
		    is_loop ? loop(CO_OK, &r) : co_wait(agent, timeout_ms, &r);
	else if (!strcmp(word, "call")) {
		if (more)
			*more++ = '\0';
		code = co_call(agent, rest, more, timeout_ms, &r);
	} else
		return 0;
	show(code, &r);
	return 1;
}

static void command(char *line)
{
	char *rest = strchr(line, ' '), *more;

	rest = rest ? (*rest++ = '\0', rest) : line + strlen(line);
	if (operate(line, rest))
		return;
	more = strchr(rest, ' ');
	if (!strcmp(line, "answer"))
		say(co_answer(agent, rest));
	else if (!strcmp(line, "answers"))
		say(answer_many(rest));
	else if (!strcmp(line, "review"))
		say(co_review(agent, rest));
	else if (!strcmp(line, "approve")) {
		if (more)
			*more++ = '\0';
		say(co_approve(agent, verdict_of(rest), more));
	} else if (!strcmp(line, "save")) {
		char *saved = co_session_save(agent);
		printf("{\"what\":\"saved\",\"saved\":%s}\n", saved);
		free(saved);
	} else if (!strcmp(line, "reset"))
		say(co_reset(agent));
	else if (!strcmp(line, "timeout"))
		timeout_ms = atol(rest);
	else if (!strcmp(line, "on") && more) {
		*more++ = '\0';
		snprintf(on_what, sizeof on_what, "%s", rest);
		snprintf(on_type, sizeof on_type, "%.63s", more);
		snprintf(on_text, sizeof on_text, "%s", more);
	} else
		printf("{\"what\":\"unknown\"}\n");
}

static void set_option(const char *key, const char *value)
{
	static unsigned char seed[32];

	if (!strcmp(key, "relay"))
		options.relay_url = value;
	else if (!strcmp(key, "direct"))
		options.direct_url = value;
	else if (!strcmp(key, "co_dir"))
		options.co_dir = value;
	else if (!strcmp(key, "session"))
		options.session = value;
	else if (!strcmp(key, "session_id"))
		options.session_id = value;
	else if (!strcmp(key, "last_event_id"))
		options.last_event_id = value;
	else if (!strcmp(key, "invite_code"))
		options.invite_code = value;
	else if (!strcmp(key, "retries"))
		options.retries = (unsigned)atoi(value);
	else if (!strcmp(key, "open_timeout"))
		options.open_timeout_ms = atol(value);
	else if (!strcmp(key, "max_bytes"))
		options.max_message_bytes = (size_t)atol(value);
	else if (!strcmp(key, "keyless"))
		options.flags |= CO_KEYLESS;
	else if (!strcmp(key, "no_direct"))
		options.flags |= CO_NO_DIRECT;
	else if (!strcmp(key, "seal"))
		options.seal = !strcmp(value, "never") ? CO_SEAL_NEVER
						       : CO_SEAL_IF_POSSIBLE;
	else if (!strcmp(key, "loop"))
		is_loop = 1;
	else if (!strcmp(key, "timeout"))
		timeout_ms = atol(value);
	else if (!strcmp(key, "key")) {
		for (size_t i = 0; i < sizeof seed; i++) {
			char hex[3] = {value[2 * i], value[2 * i + 1], 0};
			seed[i] = (unsigned char)strtoul(hex, NULL, 16);
		}
		options.key = seed;
	}
}

int main(int argc, char **argv)
{
	static char line[1 << 16];
	struct co_error error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	co_options_init(&options);
	options.on_event = on_event;
	options.on_connection = on_connection;
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (value)
			*value++ = '\0';
		set_option(argv[i], value ? value : "");
	}
	agent =
	    co_connect(argc > 1 && *argv[1] ? argv[1] : NULL, &options, &error);
	if (!agent) {
		printf("{\"what\":\"none\",\"code\":\"%s\"",
		    co_code_name(error.code));
		put_member("error", error.text);
		puts("}");
		return 1;
	}
	printf("{\"what\":\"client\"");
	put_member("address", co_own_address(agent));
	puts("}");
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		command(line);
	}
	co_free(&agent);
	return 0;
}
