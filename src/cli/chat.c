/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/chat.h"

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/editor.h"
#include "cli/interrupts.h"
#include "cli/operation.h"
#include "cli/session_file.h"
#include "cli/talking.h"

#include <stdio.h>
#include <string.h>

/* Of a prompt of several lines. */
#define MAX_PROMPT ((size_t)1 << 20)

/* ---- commands ---- */

typedef bool command_fn(struct cli *cli, const char *argument);

static bool help(struct cli *cli, const char *argument);

static bool attach(struct cli *cli, const char *path, bool is_image)
{
	char why[512];

	if (!*path)
		screen_say(&cli->screen, "Name a file.");
	else if (attachments_add(
		     &cli->attachments, path, is_image, why, sizeof why))
		screen_say(&cli->screen, "It goes with the next prompt.");
	else
		screen_fail(&cli->screen, "%s", why);
	return true;
}

static bool attach_file(struct cli *cli, const char *argument)
{
	return attach(cli, argument, false);
}

static bool attach_image(struct cli *cli, const char *argument)
{
	return attach(cli, argument, true);
}

static bool forget(struct cli *cli, const char *argument)
{
	(void)argument;
	for (size_t i = 0; i < cli->n_partners; i++)
		if (cli->partners[i].client)
			(void)co_reset(cli->partners[i].client); /* is idle */
	attachments_fini(&cli->attachments);
	if (cli->session)
		session_file_clear(cli->session);
	screen_say(&cli->screen, "A new conversation.");
	return true;
}

static bool set_mode(struct cli *cli, const char *mode)
{
	struct co_result result;
	enum exit_status status;

	if (!*mode) {
		screen_say(&cli->screen,
		    "Name a mode: read-only, auto or full-access.");
		return true;
	}
	for (size_t i = 0; i < cli->n_partners; i++) {
		struct partner *partner = &cli->partners[i];
		if (cli_connect(cli, partner) != STATUS_OK)
			continue;
		status = operation_run(cli, partner->client,
		    co_begin_set_mode(
			partner->client, mode, 0, cli_timeout_ms(cli)),
		    &result);
		if (status != STATUS_OK)
			screen_fail(&cli->screen, "%s", result.text);
		else
			screen_say(&cli->screen, "mode: %s", result.text);
	}
	return true;
}

static bool quit(struct cli *cli, const char *argument)
{
	(void)cli;
	(void)argument;
	return false;
}

static const struct {
	const char *word, *argument, *help;
	command_fn *fn;
} commands[] = {
    {"/help", "", "this text", help},
    {"/file", " FILE", "send a file with the next prompt", attach_file},
    {"/image", " FILE", "send an image with the next prompt", attach_image},
    {"/mode", " MODE", "read-only, auto or full-access", set_mode},
    {"/reset", "", "begin a new conversation", forget},
    {"/quit", "", "leave, as Ctrl-D does", quit},
};

static bool help(struct cli *cli, const char *argument)
{
	(void)argument;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		char left[32];
		(void)snprintf(left, sizeof left, "%s%s", commands[i].word,
		    commands[i].argument);
		screen_say(&cli->screen, "%s: %s", left, commands[i].help);
	}
	screen_say(&cli->screen,
	    "A line that ends with a backslash goes on in the next. Ctrl-C "
	    "interrupts the agent, and again leaves. Other lines that begin "
	    "with / are for the agent.");
	return true;
}

/* Returns the command's function and argument, or NULL: it is a prompt. */
static command_fn *find_command(const char *line, const char **argument)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		size_t n = strlen(commands[i].word);
		if (strncmp(line, commands[i].word, n) != 0 ||
		    (line[n] && line[n] != ' '))
			continue;
		*argument = line + n + strspn(line + n, " ");
		return commands[i].fn;
	}
	return NULL;
}

/* ---- lines ---- */

/* Called while the user types: the connections stay open. */
static bool serve(void *arg)
{
	co_step(arg);
	return true;
}

static void serve_next(struct cli *cli)
{
	struct co_client *c = cli->partners[cli->next].client;

	if (c)
		editor_serve(cli->editor, co_fd(c), serve, c);
	else
		editor_serve(cli->editor, -1, NULL, NULL);
}

/* Whether the line goes on: its backslash becomes a line end. */
static bool goes_on(struct buf *text)
{
	if (!text->len || text->data[text->len - 1] != '\\' ||
	    text->len > MAX_PROMPT)
		return false;
	text->data[text->len - 1] = '\n';
	return true;
}

static enum editor_end read_prompt(struct cli *cli, struct buf *text)
{
	struct buf line = {0};
	enum editor_end end;

	buf_reset(text);
	do {
		end =
		    editor_read(cli->editor, text->len ? "... " : "> ", &line);
		buf_append(text, line.data, line.len);
	} while (end == EDITOR_LINE && goes_on(text));
	buf_fini(&line);
	return end;
}

/* Whether to stay. */
static bool take_line(struct cli *cli, const char *line)
{
	const char *argument;
	command_fn *command = find_command(line, &argument);

	if (!line[strspn(line, " \t\n")])
		return true;
	editor_remember(cli->editor, line);
	if (command)
		return command(cli, argument);
	/* Its failure has been shown, and the next one may be better. */
	(void)talking_turn(cli, line);
	return !cli->is_leaving;
}

static enum exit_status loop(struct cli *cli)
{
	struct buf text = {0};
	enum editor_end end;
	bool was_stopped = false, stays = true;

	while (stays) {
		serve_next(cli);
		end = read_prompt(cli, &text);
		editor_serve(cli->editor, -1, NULL, NULL);
		if (end == EDITOR_LINE) {
			stays = take_line(cli, buf_cstr(&text));
			was_stopped = cli->is_stopped;
		} else if (end == EDITOR_STOPPED &&
			   (text.len || !was_stopped)) {
			was_stopped = text.len == 0;
			if (was_stopped)
				screen_say(&cli->screen,
				    "Ctrl-C again, or Ctrl-D, leaves.");
		} else {
			cli->is_leaving |= end != EDITOR_EOF;
			stays = false;
		}
	}
	buf_fini(&text);
	return cli->is_leaving ? STATUS_INTERRUPTED : STATUS_OK;
}

/* ---- the beginning ---- */

static void on_hide(void *arg, bool is_hidden)
{
	struct cli *cli = arg;

	editor_hide(cli->editor, is_hidden);
}

/* A mistake in the address is told before the first prompt is typed. */
static enum exit_status greet(struct cli *cli)
{
	struct partner *partner = &cli->partners[cli->next];
	struct co_result result;
	enum exit_status status = cli_connect(cli, partner);

	if (status != STATUS_OK || cli->n_partners > 1)
		return status;
	status = operation_run(cli, partner->client,
	    co_begin_open(partner->client, cli_timeout_ms(cli)), &result);
	if (status == STATUS_OK)
		screen_say(&cli->screen, "Talking to %s. /help, or Ctrl-D.",
		    *co_agent_address(partner->client)
			? co_agent_address(partner->client)
			: partner->name);
	else
		screen_fail(&cli->screen, "%s", result.text);
	return status;
}

static enum exit_status begin(struct cli *cli)
{
	enum exit_status status = talking_resume(cli, true);

	return status == STATUS_OK ? greet(cli) : status;
}

enum exit_status chat_run(struct cli *cli)
{
	enum exit_status status;

	screen_on_hide(&cli->screen, on_hide, cli);
	interrupts_hold();
	status = begin(cli);
	/* A turn that was left running and failed is no reason to leave. */
	if (!cli->is_leaving &&
	    (status == STATUS_OK || status == STATUS_FAILED))
		status = loop(cli);
	interrupts_release();
	return cli->is_leaving ? STATUS_INTERRUPTED : status;
}
