/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/talking.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/operation.h"
#include "cli/output.h"
#include "cli/read_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a prompt from the standard input. */
#define MAX_PROMPT ((size_t)16 << 20)

/* ---- the end of a turn ---- */

static void show_question(struct cli *cli, struct co_client *c)
{
	const struct co_question *q = co_question(c);
	bool is_approval = q && q->kind == CO_APPROVAL;

	screen_fail(&cli->screen, "the agent asks: %s%s%s", q ? q->text : "",
	    is_approval ? " " : "", is_approval ? q->arguments : "");
	if (q && q->kind == CO_APPROVAL)
		screen_fail(&cli->screen,
		    "--approve once, session or reject answers it");
	else
		screen_fail(&cli->screen, "--answer TEXT answers it%s",
		    cli->session ? ", or the next prompt of this session" : "");
}

/* The agent's words are the same for all failures; the frame has a reason. */
static void show_words(struct cli *cli, const struct co_result *result)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *frame =
	    json_parse(&doc, result->json, result->json_len, 0, &why);
	char *reason = json_strdup(json_get(frame, "reason"));

	if (reason)
		screen_fail(&cli->screen, "%s (%s)", result->text, reason);
	else
		screen_fail(&cli->screen, "%s", result->text);
	free(reason);
	json_fini(&doc);
}

static void show_failure(
    struct cli *cli, struct co_client *c, const struct co_result *result)
{
	if (result->code == CO_ERR_QUESTION)
		show_question(cli, c);
	else if (result->code != CO_ERR_CANCELLED)
		show_words(cli, result);
	if (result->retry_after_ms > 0)
		screen_fail(&cli->screen, "try again in %lld s",
		    (long long)(result->retry_after_ms + 999) / 1000);
	if (result->code == CO_ERR_TIMEOUT)
		screen_fail(&cli->screen, "%s",
		    cli->session ? "--resume comes back to the turn"
				 : "--timeout SECONDS allows more");
	if (result->code == CO_ERR_AWAY && !cli->options->retries)
		screen_fail(&cli->screen,
		    "--retry N tries N times more: it may come back");
	if (result->code == CO_ERR_SEAL)
		screen_fail(
		    &cli->screen, "--clear talks to it without encryption");
}

static void show_end(
    struct cli *cli, struct co_client *c, const struct co_result *result)
{
	if (cli->options->is_json)
		output_end(result);
	else if (result->code == CO_OK)
		output_text(result->text, result->text_len);
	if (result->code != CO_OK)
		show_failure(cli, c, result);
}

/*
 * A turn that has not ended stays as its first event left it: who comes back
 * sees its events again, and is asked its question again.
 */
static void save_end(
    struct cli *cli, const struct partner *partner, enum co_code code)
{
	if (code == CO_OK || code == CO_ERR_AGENT)
		cli_save(cli, partner);
}

/* ---- turns ---- */

/* Tell the agent the mode of --mode, once. */
static enum exit_status set_mode(struct cli *cli, struct partner *partner)
{
	struct co_result result;
	enum exit_status status;

	if (!cli->options->mode || partner->has_mode)
		return STATUS_OK;
	status = operation_run(cli, partner->client,
	    co_begin_set_mode(
		partner->client, cli->options->mode, 0, cli_timeout_ms(cli)),
	    &result);
	partner->has_mode = status == STATUS_OK;
	if (status != STATUS_OK)
		show_failure(cli, partner->client, &result);
	return status;
}

/*
 * A session that was kept may have a turn that still runs, or asks. The prompt
 * answers its question; otherwise its end is awaited, so that the prompt begins
 * a turn of its own. Returns STATUS_OK with the prompt used (cli->reply is
 * NULL) or not.
 */
static enum exit_status settle(
    struct cli *cli, struct partner *partner, const char *text)
{
	struct co_result result;
	enum exit_status status;

	if (partner->is_settled || !cli_has_past(cli, partner))
		return STATUS_OK;
	partner->is_settled = true;
	cli->reply = text;
	status = operation_run(cli, partner->client,
	    co_begin_resume(partner->client, cli_timeout_ms(cli)), &result);
	if (result.code == CO_ERR_STATE)
		return STATUS_OK;
	if (!cli->reply || status != STATUS_OK)
		show_end(cli, partner->client, &result);
	else
		screen_say(&cli->screen, "The turn before has ended.");
	save_end(cli, partner, result.code);
	return status;
}

static enum exit_status prepare(
    struct cli *cli, struct partner *partner, const char *text)
{
	enum exit_status status = cli_connect(cli, partner);

	cli->reply = text;
	if (status == STATUS_OK)
		status = settle(cli, partner, text);
	if (status == STATUS_OK && cli->reply)
		status = set_mode(cli, partner);
	return status;
}

static enum exit_status give(
    struct cli *cli, struct partner *partner, const char *text, bool is_last)
{
	struct co_prompt prompt;
	struct co_result result;
	enum exit_status status = prepare(cli, partner, text);
	bool is_used = cli->reply == NULL;

	cli->reply = NULL;
	if (status != STATUS_OK || is_used)
		return status;
	co_prompt_init(&prompt, text);
	attachments_put(&cli->attachments, &prompt);
	status = operation_run(cli, partner->client,
	    co_begin_input(partner->client, &prompt, cli_timeout_ms(cli)),
	    &result);
	if (status == STATUS_UNREACHABLE && !is_last)
		screen_fail(&cli->screen, "%s: %s; the next one", partner->name,
		    result.text);
	else
		show_end(cli, partner->client, &result);
	save_end(cli, partner, result.code);
	return status;
}

enum exit_status talking_turn(struct cli *cli, const char *prompt)
{
	enum exit_status status = STATUS_UNREACHABLE;

	/* What is unreachable has got nothing, so another may be asked. */
	for (size_t i = 1; i <= cli->n_partners && status == STATUS_UNREACHABLE;
	     i++) {
		struct partner *partner = &cli->partners[cli->next];
		cli->next = (cli->next + 1) % cli->n_partners;
		status = give(cli, partner, prompt, i == cli->n_partners);
	}
	attachments_fini(&cli->attachments);
	return status;
}

enum exit_status talking_resume(struct cli *cli, bool is_optional)
{
	/* The one that had the last turn. */
	size_t last = (cli->next + cli->n_partners - 1) % cli->n_partners;
	struct partner *partner = &cli->partners[last];
	struct co_result result;
	enum exit_status status = cli_connect(cli, partner);

	if (status != STATUS_OK || (is_optional && !cli_has_past(cli, partner)))
		return status;
	partner->is_settled = true;
	status = operation_run(cli, partner->client,
	    co_begin_resume(partner->client, cli_timeout_ms(cli)), &result);
	if (result.code == CO_ERR_STATE && is_optional)
		return STATUS_OK;
	show_end(cli, partner->client, &result);
	save_end(cli, partner, result.code);
	return status;
}

/* ---- prompts of the standard input ---- */

static void trim_end(struct buf *text)
{
	while (text->len && strchr("\r\n", text->data[text->len - 1]))
		text->len--;
}

static enum exit_status take_text(struct cli *cli, const char *text, size_t len)
{
	const char *wrong = NULL;

	if (len == 0)
		wrong = "the prompt is empty";
	else if (strlen(text) != len)
		wrong = "the prompt has a NUL byte";
	else if (len > MAX_PROMPT)
		wrong = "the prompt has more than 16 MiB: send it as a --file";
	if (wrong) {
		screen_fail(&cli->screen, "%s", wrong);
		return STATUS_USAGE;
	}
	return talking_turn(cli, text);
}

static enum exit_status take_all(struct cli *cli)
{
	struct buf text = {0};
	char why[512];
	enum exit_status status = STATUS_USAGE;

	if (read_file("-", MAX_PROMPT, &text, why, sizeof why)) {
		trim_end(&text);
		status = take_text(cli, buf_cstr(&text), text.len);
	} else {
		screen_fail(&cli->screen, "%s", why);
	}
	buf_fini(&text);
	return status;
}

/* A prompt that failed at the agent does not keep the others away. */
static enum exit_status take_lines(struct cli *cli)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	enum exit_status first = STATUS_OK, status = STATUS_OK;

	while ((status == STATUS_OK || status == STATUS_FAILED) &&
	       (n = getline(&line, &size, stdin)) >= 0) {
		struct buf text = {.data = line, .len = (size_t)n};
		trim_end(&text);
		line[text.len] = '\0';
		if (text.len)
			status = take_text(cli, line, text.len);
		if (first == STATUS_OK)
			first = status;
	}
	free(line);
	return status == STATUS_OK ? first : status;
}

enum exit_status talking_batch(struct cli *cli)
{
	const char *text = cli->options->text;

	if (cli->options->is_resume)
		return talking_resume(cli, false);
	if (cli->options->is_lines)
		return take_lines(cli);
	if (text && strcmp(text, "-") != 0)
		return take_text(cli, text, strlen(text));
	return take_all(cli);
}
