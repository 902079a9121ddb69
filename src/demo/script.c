/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/script.h"

#include "base/json.h"
#include "demo/sums.h"
#include "demo/talk.h"

#include <string.h>
#include <strings.h>

/* A part of the prompt. */
struct text {
	const char *at;
	size_t len;
};

/* What the demo agent can say in other languages. */
static const struct {
	const char *word;
	const char *language;
	const char *translation;
} dictionary[] = {
    {"hello", "Spanish", "Hola"},
    {"hello", "French", "Bonjour"},
    {"hello", "German", "Hallo"},
    {"hello", "Italian", "Ciao"},
    {"goodbye", "Spanish", "Adiós"},
    {"goodbye", "French", "Au revoir"},
    {"goodbye", "German", "Auf Wiedersehen"},
    {"goodbye", "Italian", "Arrivederci"},
    {"thank you", "Spanish", "Gracias"},
    {"thank you", "French", "Merci"},
    {"thank you", "German", "Danke"},
    {"thank you", "Italian", "Grazie"},
};

static struct text script_trim(struct text t)
{
	while (t.len && (*t.at == ' ' || *t.at == '\t' || *t.at == '\n')) {
		t.at++;
		t.len--;
	}
	while (t.len && strchr(" \t\r\n", t.at[t.len - 1]))
		t.len--;
	return t;
}

/* Strip the punctuation that ends a sentence. */
static struct text bare(struct text t)
{
	t = script_trim(t);
	while (t.len && strchr(" .?!", t.at[t.len - 1]))
		t.len--;
	return t;
}

static bool script_is_same(struct text t, const char *s)
{
	return t.len == strlen(s) && strncasecmp(t.at, s, t.len) == 0;
}

/* Whether t begins with the words (in any case), which are then removed. */
static bool script_take(struct text *t, const char *words)
{
	size_t n = strlen(words);

	if (t->len < n || strncasecmp(t->at, words, n) != 0)
		return false;
	t->at += n;
	t->len -= n;
	return true;
}

/* Whether t ends with the words (in any case), which are then removed. */
static bool take_end(struct text *t, const char *words)
{
	size_t n = strlen(words);

	if (t->len < n || strncasecmp(t->at + t->len - n, words, n) != 0)
		return false;
	t->len -= n;
	return true;
}

/* Take a whole decimal number up to max. Returns false if there is none. */
static bool take_number(struct text *t, int64_t max, int64_t *value)
{
	size_t n = 0;

	for (*value = 0; n < t->len && t->at[n] >= '0' && t->at[n] <= '9'; n++)
		if ((*value = *value * 10 + (t->at[n] - '0')) > max)
			return false;
	if (n == 0 || (n < t->len && t->at[n] != ' '))
		return false;
	*t = script_trim((struct text){t->at + n, t->len - n});
	return true;
}

static void script_answer(
    struct script *s, const char *before, struct text t, const char *after)
{
	buf_str(&s->answer, before);
	buf_append(&s->answer, t.at, t.len);
	buf_str(&s->answer, after);
}

static void add_argument(struct script *s, const char *name, struct text t)
{
	buf_char(&s->args, s->args.len ? ',' : '{');
	buf_json_str(&s->args, name);
	buf_char(&s->args, ':');
	buf_json(&s->args, t.at, t.len);
}

static void use_tool(struct script *s, const char *tool, struct text found)
{
	s->kind = SCRIPT_TOOL;
	s->tool = tool;
	buf_char(&s->args, '}');
	buf_append(&s->found, found.at, found.len);
}

/* ---- examples of the documents ---- */

/* With is_question the answer repeats the sum, as in the documents. */
static bool calculate(struct script *s, struct text sum, bool is_question)
{
	double value = 0;
	enum sums_outcome outcome = sums_eval(sum.at, sum.len, &value);
	char text[SUMS_TEXT_SIZE] = "not defined";

	if (outcome == SUMS_NOT_ONE)
		return false;
	if (outcome == SUMS_OK)
		sums_text(text, value);
	add_argument(s, "expression", sum);
	use_tool(s, "calculate", (struct text){text, strlen(text)});
	s->has_failed = outcome != SUMS_OK;
	if (s->has_failed) {
		script_answer(s, "", sum, " is not defined.");
	} else if (is_question) {
		script_answer(s, "The result of ", sum, " is ");
		buf_printf(&s->answer, "%s.", text);
	} else {
		buf_printf(&s->answer, "The result is %s", text);
	}
	return true;
}

static bool read_sum(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	t = bare(t);
	bool is_question =
	    script_take(&t, "what is ") || script_take(&t, "what's ");
	if (!is_question && !script_take(&t, "calculate "))
		return false;
	return calculate(s, script_trim(t), is_question);
}

static bool is_sum_answer(const char *text, size_t len)
{
	return script_take(&(struct text){text, len}, "the result ");
}

static void go_on_from(struct script *s, const char *last, size_t len,
    char operator, struct text by)
{
	double value;
	char before[SUMS_TEXT_SIZE];
	struct buf sum = {0};

	if (!last || !sums_last(last, len, &value)) {
		buf_str(
		    &s->answer, "There is no earlier result to go on from.");
		return;
	}
	sums_text(before, value);
	bool is_sum = by.len && strcspn(by.at, "+-*/") < by.len;
	buf_printf(&sum, is_sum ? "%s %c (" : "%s %c ", before, operator);
	buf_append(&sum, by.at, by.len);
	buf_str(&sum, is_sum ? ")" : "");
	(void)calculate(s, (struct text){sum.data, sum.len}, false);
	buf_fini(&sum);
}

/* "Multiply that by 2": "that" is the latest result of this conversation. */
static bool read_more_sum(struct script *s, struct text t, struct talk *talk)
{
	char operator= 0;
	double ignored;

	t = bare(t);
	if (script_take(&t, "multiply that by "))
		operator= '*';
	else if (script_take(&t, "divide that by "))
		operator= '/';
	else if (script_take(&t, "add ") && take_end(&t, " to that"))
		operator= '+';
	else if (script_take(&t, "subtract ") && take_end(&t, " from that"))
		operator= '-';
	if (!operator|| sums_eval(t.at, t.len, &ignored) != SUMS_OK)
		return false;
	size_t len = 0;
	const char *last = talk_find(talk, "assistant", is_sum_answer, &len);
	go_on_from(s, last, len, operator, t);
	return true;
}

static bool read_weather(struct script *s, struct text t, struct talk *talk)
{
	struct buf found = {0};

	(void)talk;
	t = bare(t);
	if (!script_take(&t, "what's the weather in ") &&
	    !script_take(&t, "what is the weather in "))
		return false;
	buf_str(&found, "Weather in ");
	buf_append(&found, t.at, t.len);
	buf_str(&found, ": Sunny, 72°F");
	add_argument(s, "city", t);
	use_tool(s, "get_weather", (struct text){found.data, found.len});
	buf_append(&s->answer, found.data, found.len);
	buf_fini(&found);
	return true;
}

static bool is_name_told(const char *text, size_t len)
{
	return script_take(&(struct text){text, len}, "my name is ");
}

static bool script_read_name(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	t = bare(t);
	if (!script_take(&t, "my name is "))
		return false;
	script_answer(s, "Nice to meet you, ", t, "!");
	return true;
}

static bool read_name_asked(struct script *s, struct text t, struct talk *talk)
{
	if (!script_is_same(bare(t), "what is my name") &&
	    !script_is_same(bare(t), "what's my name"))
		return false;
	struct text told = {0};
	told.at = talk_find(talk, "user", is_name_told, &told.len);
	if (!told.at) {
		buf_str(&s->answer, "You have not told me your name.");
		return true;
	}
	(void)script_take(&told, "my name is ");
	script_answer(s, "Your name is ", bare(told), "");
	return true;
}

static bool read_translate(struct script *s, struct text t, struct talk *talk)
{
	const size_t n = sizeof dictionary / sizeof *dictionary;
	size_t to, i;

	(void)talk;
	t = bare(t);
	if (!script_take(&t, "translate "))
		return false;
	for (to = t.len; to >= 4 && strncasecmp(t.at + to - 4, " to ", 4); to--)
		;
	if (to < 4)
		return false;
	struct text word = script_trim((struct text){t.at, to - 4});
	struct text language =
	    script_trim((struct text){t.at + to, t.len - to});
	for (i = 0; i < n; i++)
		if (script_is_same(word, dictionary[i].word) &&
		    script_is_same(language, dictionary[i].language))
			break;
	const char *found = i < n ? dictionary[i].translation : "unknown";
	add_argument(s, "text", word);
	add_argument(s, "to", language);
	use_tool(s, "translate", (struct text){found, strlen(found)});
	s->has_failed = i == n;
	if (i < n)
		buf_str(&s->answer, found);
	else
		script_answer(s, "I cannot translate \"", word, "\".");
	return true;
}

/* ---- commands ---- */

static bool read_echo(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (t.len < 5 || memcmp(t.at, "echo ", 5) != 0)
		return false;
	buf_append(&s->answer, t.at + 5, t.len - 5);
	return true;
}

/*
 * Whether t is the command (spelled exactly) with an argument, which remains in
 * t.
 */
static bool take_command(struct text *t, const char *command)
{
	size_t n = strlen(command);

	*t = script_trim(*t);
	if (t->len <= n || memcmp(t->at, command, n) != 0 || t->at[n] != ' ')
		return false;
	*t = script_trim((struct text){t->at + n, t->len - n});
	return t->len > 0;
}

static bool read_think(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "think") ||
	    !take_number(&t, SCRIPT_COUNT_MAX, &s->count) || t.len)
		return false;
	s->kind = SCRIPT_THINK;
	buf_printf(&s->answer, "I thought %lld times.", (long long)s->count);
	return true;
}

static bool read_stream(struct script *s, struct text t, struct talk *talk)
{
	int64_t count, pause_ms = 0;

	(void)talk;
	if (!take_command(&t, "stream") ||
	    !take_number(&t, SCRIPT_COUNT_MAX, &count))
		return false;
	if (t.len &&
	    (!take_number(&t, SCRIPT_PAUSE_MAX_MS, &pause_ms) || t.len))
		return false;
	s->kind = SCRIPT_STREAM;
	s->count = count;
	s->pause_ms = pause_ms;
	buf_printf(&s->answer, "Streamed %lld steps.", (long long)count);
	return true;
}

static bool read_sleep(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "sleep") ||
	    !take_number(&t, SCRIPT_PAUSE_MAX_MS, &s->pause_ms) || t.len)
		return false;
	s->kind = SCRIPT_SLEEP;
	buf_printf(&s->answer, "Slept %lld ms.", (long long)s->pause_ms);
	return true;
}

static void read_choices(struct script *s, struct text t)
{
	while (s->n_choices < SCRIPT_CHOICES_MAX) {
		const char *bar = memchr(t.at, '|', t.len);
		size_t len = bar ? (size_t)(bar - t.at) : t.len;
		struct text one = script_trim((struct text){t.at, len});
		s->choices[s->n_choices++] =
		    (struct script_choice){one.at, one.len};
		if (!bar)
			break;
		t.len -= len + 1;
		t.at = bar + 1;
	}
}

static bool read_ask(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "ask"))
		return false;
	s->kind = SCRIPT_ASK;
	read_choices(s, t);
	return true;
}

static bool read_plan(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "plan"))
		return false;
	s->kind = SCRIPT_PLAN;
	read_choices(s, t);
	return true;
}

static bool read_approve(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "approve"))
		return false;
	s->kind = SCRIPT_APPROVE;
	s->text = t.at;
	s->len = t.len;
	return true;
}

static bool read_events(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	t = script_trim(t);
	if (t.len != 6 || memcmp(t.at, "events", 6) != 0)
		return false;
	s->kind = SCRIPT_EVENTS;
	buf_str(&s->answer, "These were the other events.");
	return true;
}

static bool read_fail(struct script *s, struct text t, struct talk *talk)
{
	(void)talk;
	if (!take_command(&t, "fail"))
		return false;
	s->kind = SCRIPT_FAIL;
	s->text = t.at;
	s->len = t.len;
	return true;
}

/*
 * The first reader that recognises the prompt wins. Echo is first because it is
 * the most frequent.
 */
static bool (*const readers[])(struct script *, struct text, struct talk *) = {
    read_echo, read_think, read_stream, read_sleep, read_ask, read_approve,
    read_plan, read_events, read_fail, read_sum, read_more_sum, read_weather,
    script_read_name, read_name_asked, read_translate};

/* ---- anything else ---- */

/* The decoded size of the base64 part of a data URL. */
static size_t image_bytes(const char *url, size_t len)
{
	const char *comma = memchr(url, ',', len);
	if (!comma)
		return len;
	size_t n = len - (size_t)(comma + 1 - url);
	size_t padding = 0;
	while (padding < 2 && padding < n && url[len - 1 - padding] == '=')
		padding++;
	return n / 4 * 3 - (n / 4 ? padding : 0);
}

/* The media type of a data URL. */
static struct text image_type(const char *url, size_t len)
{
	struct text t = {url, len};

	if (!script_take(&t, "data:"))
		return (struct text){"image", 5};
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] == ';' || t.at[i] == ',')
			t.len = i;
	return t;
}

static void say_image(struct script *s, size_t number, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *url = json_str(v, &scratch, &len);

	buf_printf(&s->answer, "\nImage %zu: ", number);
	if (url) {
		struct text type = image_type(url, len);
		buf_append(&s->answer, type.at, type.len);
		buf_printf(&s->answer, " (%zu bytes)", image_bytes(url, len));
	}
	buf_fini(&scratch);
}

static void say_images(struct script *s, const struct agent_input *input)
{
	struct json_doc doc = {0};
	struct json_error error;
	size_t number = 0;

	if (input->images_len <= 2)
		return;
	const struct json *images =
	    json_parse(&doc, input->images, input->images_len, 0, &error);
	for (const struct json *v = json_first(images); v; v = json_next(v))
		say_image(s, ++number, v);
	json_fini(&doc);
}

static void say_back(struct script *s, const struct agent_input *input)
{
	script_answer(s,
	    "You said: ", (struct text){input->prompt, input->prompt_len}, "");
	say_images(s, input);
	for (size_t i = 0; i < input->n_files; i++)
		buf_printf(&s->answer, "\nFile %s (%lld bytes)",
		    input->files[i].name,
		    (long long)input->files[i].size_bytes);
}

void script_read(
    struct script *s, const struct agent_input *input, struct talk *talk)
{
	struct text prompt = {input->prompt, input->prompt_len};

	for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
		if (readers[i](s, prompt, talk))
			return;
	s->kind = SCRIPT_SAY;
	say_back(s, input);
}

void script_fini(struct script *s)
{
	buf_fini(&s->args);
	buf_fini(&s->found);
	buf_fini(&s->answer);
}
