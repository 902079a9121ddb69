/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/questions.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/editor.h"
#include "cli/safe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How many options may be chosen at once. */
#define MAX_CHOICES 64

#define GOOD_PLAN "Looks good, proceed"

/* ---- the words of an answer ---- */

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (*text == ' ' || *text == '\t')
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

/* An option may be named by its text or its number; other texts are free. */
static const char *choice(const struct co_question *q, const char *text)
{
	char *end;
	unsigned long n;

	for (size_t i = 0; i < q->n_options; i++)
		if (strcmp(q->options[i], text) == 0)
			return text;
	n = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && n >= 1 &&
	    n <= q->n_options)
		return q->options[n - 1];
	return text;
}

/* Several are separated by commas, unless the whole is an option. */
static void answer_many(
    struct co_client *c, const struct co_question *q, char *text)
{
	const char *chosen[MAX_CHOICES];
	size_t n = 0;
	char *save = NULL;

	for (size_t i = 0; i < q->n_options; i++)
		if (strcmp(q->options[i], text) == 0)
			chosen[n++] = text;
	for (char *one = n ? NULL : strtok_r(text, ",", &save);
	     one && n < MAX_CHOICES; one = strtok_r(NULL, ",", &save))
		chosen[n++] = choice(q, trim(one));
	(void)co_answer_many(c, chosen, n); /* the question may be gone */
}

static void answer(
    struct co_client *c, const struct co_question *q, const char *given)
{
	char *copy = mem_strdup(given), *text = trim(copy);

	/* The question may be gone by now: then so is the need to answer. */
	if (q->kind == CO_PLAN)
		(void)co_review(c, *text ? text : GOOD_PLAN);
	else if (q->is_multiple)
		answer_many(c, q, text);
	else
		(void)co_answer(c, choice(q, text));
	free(copy);
}

/* Whether the words decide. */
static bool approve(struct co_client *c, const char *given)
{
	static const struct {
		const char *word;
		enum co_verdict verdict;
	} rows[] = {
	    {"y", CO_APPROVE_ONCE},
	    {"yes", CO_APPROVE_ONCE},
	    {"once", CO_APPROVE_ONCE},
	    {"s", CO_APPROVE_SESSION},
	    {"session", CO_APPROVE_SESSION},
	    {"n", CO_REJECT},
	    {"no", CO_REJECT},
	    {"q", CO_REJECT_STOP},
	    {"stop", CO_REJECT_STOP},
	};
	char *copy = mem_strdup(given), *text = trim(copy);
	bool is_decided = true;
	size_t i = 0;

	while (i < sizeof rows / sizeof *rows &&
	       strcasecmp(rows[i].word, text) != 0)
		i++;
	if (i < sizeof rows / sizeof *rows)
		(void)co_approve(c, rows[i].verdict, NULL);
	else if (strncasecmp(text, "n ", 2) == 0)
		(void)co_approve(c, CO_REJECT_EXPLAIN, trim(text + 2));
	else
		is_decided = false;
	free(copy);
	return is_decided;
}

/* ---- without the user ---- */

static bool approve_by_option(struct cli *cli, struct co_client *c)
{
	static const enum co_verdict verdicts[] = {
	    [CLI_ONCE] = CO_APPROVE_ONCE,
	    [CLI_SESSION] = CO_APPROVE_SESSION,
	    [CLI_REJECT] = CO_REJECT,
	};
	enum cli_approval approval = cli->options->approval;

	if (approval == CLI_ASK)
		return false;
	(void)co_approve(c, verdicts[approval], NULL);
	return true;
}

/* The prompt that was given is the answer, if it can be. */
static bool answer_by_prompt(
    struct cli *cli, struct co_client *c, const struct co_question *q)
{
	if (q->kind != CO_APPROVAL)
		answer(c, q, cli->reply);
	else if (!approve(c, cli->reply))
		return false;
	cli->reply = NULL;
	return true;
}

static bool answer_by_option(
    struct cli *cli, struct co_client *c, const struct co_question *q)
{
	const struct cli_list *answers = &cli->options->answers;

	if (cli->reply)
		return answer_by_prompt(cli, c, q);
	if (q->kind == CO_APPROVAL)
		return approve_by_option(cli, c);
	if (cli->n_answered == answers->n)
		return false;
	answer(c, q, answers->items[cli->n_answered++]);
	return true;
}

/* ---- with the user ---- */

static void show_options(struct cli *cli, const struct co_question *q)
{
	struct buf text = {0};

	for (size_t i = 0; i < q->n_options; i++) {
		buf_printf(&text, "  %zu  ", i + 1);
		safe_line(&text, q->options[i], strlen(q->options[i]));
		buf_char(&text, '\n');
	}
	screen_text(&cli->screen, text.data, text.len);
	buf_fini(&text);
}

static void show_description(struct cli *cli, const struct co_question *q)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scratch = {0};
	size_t len;
	const struct json *root =
	    json_parse(&doc, q->json, strlen(q->json), 0, &why);
	const char *text =
	    json_str(json_get(root, "description"), &scratch, &len);

	if (text)
		screen_text(&cli->screen, text, len);
	buf_fini(&scratch);
	json_fini(&doc);
}

/* All of it is shown, uncut: it is what the user decides about. */
static void show(struct cli *cli, const struct co_question *q)
{
	struct buf text = {0};

	if (q->kind == CO_PLAN)
		buf_str(&text, "The plan:\n");
	else
		buf_str(&text, q->kind == CO_ASK ? "? " : "? May I use ");
	buf_str(&text, q->text);
	if (q->kind == CO_APPROVAL) {
		buf_char(&text, ' ');
		safe_json(&text, q->arguments, strlen(q->arguments));
	}
	screen_text(&cli->screen, text.data, text.len);
	buf_fini(&text);
	if (q->kind == CO_APPROVAL)
		show_description(cli, q);
	show_options(cli, q);
}

static const char *prompt_for(const struct co_question *q)
{
	if (q->kind == CO_APPROVAL)
		return "approve: y once, s session, n [why], q stop> ";
	if (q->kind == CO_PLAN)
		return "Enter: go on, or what to change> ";
	return q->is_multiple ? "answer (several: 1, 2)> " : "answer> ";
}

/* Called while the user types: whether the question is still open. */
static bool serve(void *arg)
{
	struct co_client *c = arg;

	co_step(c);
	return co_state(c) == CO_WAITING;
}

static enum questions_end take(
    struct cli *cli, struct co_client *c, const struct buf *line, bool *is_done)
{
	const struct co_question *q = co_question(c);
	char *text = mem_strndup(line->len ? line->data : "", line->len);

	*is_done = true;
	if (!q)
		screen_say(&cli->screen, "The question is not open any more.");
	else if (q->kind == CO_APPROVAL)
		*is_done = approve(c, text);
	else if (*text || q->kind == CO_PLAN)
		answer(c, q, text);
	else
		*is_done = false;
	free(text);
	return QUESTION_ANSWERED;
}

static enum questions_end ask(struct cli *cli, struct co_client *c)
{
	struct buf line = {0};
	enum questions_end end = QUESTION_ANSWERED;
	bool is_done = false;

	editor_serve(cli->editor, co_fd(c), serve, c);
	while (!is_done) {
		const struct co_question *q = co_question(c);
		if (!q)
			break;
		switch (editor_read(cli->editor, prompt_for(q), &line)) {
		case EDITOR_LINE:
			end = take(cli, c, &line, &is_done);
			break;
		case EDITOR_CANCELLED:
			is_done = true;
			break;
		case EDITOR_STOPPED:
			end = QUESTION_STOPPED;
			is_done = true;
			break;
		case EDITOR_EOF:
		case EDITOR_LEFT:
			end = QUESTION_LEFT;
			is_done = true;
			break;
		}
	}
	editor_serve(cli->editor, -1, NULL, NULL);
	buf_fini(&line);
	return end;
}

enum questions_end questions_answer(struct cli *cli, struct co_client *c)
{
	const struct co_question *q = co_question(c);

	if (!q || answer_by_option(cli, c, q))
		return QUESTION_ANSWERED;
	if (!cli->editor)
		return QUESTION_OPEN;
	screen_idle(&cli->screen);
	show(cli, q);
	return ask(cli, c);
}
