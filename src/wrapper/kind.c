/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/kind.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wrapper/agent_settings.h"
#include "wrapper/assistant.h"
#include "wrapper/dialect.h"
#include "wrapper/env.h"
#include "wrapper/pane.h"
#include "wrapper/private_file.h"
#include "wrapper/shell.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a program of this name can be executed, by its path or in PATH. */
static bool is_program(const char *name)
{
	const char *path = getenv("PATH");
	struct buf file = {0};
	bool is_found = strchr(name, '/') && access(name, X_OK) == 0;

	while (path && *path && !strchr(name, '/') && !is_found) {
		size_t n = strcspn(path, ":");
		buf_reset(&file);
		buf_printf(&file, "%.*s/%s", (int)n, path, name);
		is_found = access(buf_cstr(&file), X_OK) == 0;
		path += n + (path[n] == ':');
	}
	buf_fini(&file);
	return is_found;
}

static bool has_login(const struct agent_settings *s)
{
	return s->auth_type && strcmp(s->auth_type, "subscription") == 0;
}

/*
 * With a subscription, the program has a login of its own, and a key in the
 * environment would be used instead: those with keys are the first of a list.
 */
static const char *const *kept_of(
    const struct kind *k, const struct agent_settings *s)
{
	return has_login(s) ? k->kept + k->n_keys : k->kept;
}

/* The program and its arguments, for the one agent of this process. */
static char **make_argv(const char *const *from, const struct agent_settings *s)
{
	static char **argv;
	size_t n = 0;

	while (from[n])
		n++;
	argv = mem_zero((n + 1) * sizeof *argv);
	for (size_t i = 0; i < n; i++)
		argv[i] = mem_strdup(i || !s->program ? from[i] : s->program);
	return argv;
}

static struct doer *make_pane(struct loop *loop, const struct kind *k,
    const struct agent_settings *s, char **env)
{
	return pane_new(&(struct pane_setup){
	    .loop = loop,
	    .name = k->name,
	    .argv = make_argv(k->screen_argv, s),
	    .envp = env,
	    .dir = s->dir,
	    .has_bar = s->has_bar,
	});
}

static struct doer *make_shell(struct loop *loop, const struct kind *k,
    const struct agent_settings *s, char *why, size_t size)
{
	(void)why;
	(void)size;
	if (s->is_interactive)
		return make_pane(loop, k, s, env_for_command(NULL));
	return shell_new(loop);
}

static struct doer *make_assistant(struct loop *loop, const struct kind *k,
    const struct agent_settings *s, char *why, size_t size)
{
	const char *program = s->program ? s->program : k->argv[0];

	if (!is_program(program)) {
		(void)snprintf(why, size,
		    "there is no program \"%s\"; install it (npm install -g "
		    "%s), or use --agent-command",
		    program, k->package);
		return NULL;
	}
	if (s->is_interactive)
		return make_pane(
		    loop, k, s, env_for_agent(kept_of(k, s), k->more));
	return assistant_new(&(struct assistant_setup){
	    .loop = loop,
	    .name = k->name,
	    .argv = make_argv(k->argv, s),
	    .kept = kept_of(k, s),
	    .more = k->more,
	    .dir = s->dir,
	    .dialect = k->dialect,
	});
}

/* ---- the programs: onsembl-agent(1) says what is set, and why ---- */

static const char *const shell_argv[] = {"sh", NULL};

/* At a terminal as well, each has to ask for permissions. */
static const char *const claude_screen[] = {
    "claude", "--permission-mode", "default", NULL};
static const char *const codex_screen[] = {"codex", "--no-daemon", "-a",
    "on-request", "-s", "workspace-write", "-c",
    "check_for_update_on_startup=false", "-c", "analytics.enabled=false", NULL};
static const char *const gemini_screen[] = {
    "gemini", "--approval-mode", "default", NULL};

static const char *const claude_argv[] = {"claude", "-p", "--input-format",
    "stream-json", "--output-format", "stream-json", "--verbose",
    "--permission-prompt-tool", "stdio", "--permission-mode", "default", NULL};
static const char *const claude_kept[] = {"ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_*", "ANTHROPIC_SMALL_*", "ANTHROPIC_CUSTOM_*",
    "ANTHROPIC_BEDROCK_*", "ANTHROPIC_VERTEX_*", "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_*", "AWS_*",
    "GOOGLE_APPLICATION_CREDENTIALS", NULL};
static char *const claude_more[] = {(char[]){"DISABLE_AUTOUPDATER=1"},
    (char[]){"DISABLE_TELEMETRY=1"}, (char[]){"DISABLE_ERROR_REPORTING=1"},
    (char[]){"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1"}, NULL};

/* On-request approvals and the sandbox are asked for in thread/start. */
static const char *const codex_argv[] = {"codex", "app-server", "-c",
    "check_for_update_on_startup=false", "-c", "analytics.enabled=false", "-c",
    "shell_environment_policy.ignore_default_excludes=false", NULL};
static const char *const codex_kept[] = {"OPENAI_API_KEY", "CODEX_API_KEY",
    "OPENAI_BASE_URL", "OPENAI_ORGANIZATION", "OPENAI_PROJECT",
    "AZURE_OPENAI_*", "CODEX_HOME", NULL};
static char *const codex_more[] = {NULL};

static const char *const gemini_argv[] = {
    "gemini", "--acp", "--approval-mode", "default", NULL};
static const char *const gemini_kept[] = {"GEMINI_API_KEY", "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_*", "GOOGLE_GENAI_*",
    "GOOGLE_APPLICATION_CREDENTIALS", "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
    "GEMINI_MODEL", NULL};
static char *const gemini_more[] = {
    (char[]){"GEMINI_CLI_TRUST_WORKSPACE=true"}, NULL};

/*
 * It would ask for the way to log in, report its use, and update itself. It
 * reads these settings only where it trusts the folder: onsembl-agent(1).
 */
#define GEMINI_SETTINGS                                          \
	"{\"privacy\":{\"usageStatisticsEnabled\":false},"       \
	"\"telemetry\":{\"enabled\":false},"                     \
	"\"general\":{\"enableAutoUpdate\":false,"               \
	"\"enableAutoUpdateNotification\":false},\"security\":{" \
	"\"environmentVariableRedaction\":{\"enabled\":true}"

static struct doer *make_gemini(struct loop *loop, const struct kind *k,
    const struct agent_settings *s, char *why, size_t size)
{
	bool has_key = getenv("GEMINI_API_KEY") && !has_login(s);
	const char *file = private_file("settings.json",
	    has_key ? GEMINI_SETTINGS ",\"auth\":{\"selectedType\":"
				      "\"gemini-api-key\"}}}\n"
		    : GEMINI_SETTINGS "}}\n");

	if (!file || setenv("GEMINI_CLI_SYSTEM_SETTINGS_PATH", file, 1) != 0) {
		(void)snprintf(why, size, "cannot write a temporary file: %s",
		    strerror(errno));
		return NULL;
	}
	return make_assistant(loop, k, s, why, size);
}

static const struct kind kinds[] = {
    {.name = "mock", .make = make_shell, .screen_argv = shell_argv},
    {
	.name = "claude",
	.package = "@anthropic-ai/claude-code",
	.make = make_assistant,
	.dialect = claude_new,
	.argv = claude_argv,
	.screen_argv = claude_screen,
	.kept = claude_kept,
	.n_keys = 2,
	.more = claude_more,
    },
    {
	.name = "codex",
	.package = "@openai/codex",
	.make = make_assistant,
	.dialect = codex_new,
	.argv = codex_argv,
	.screen_argv = codex_screen,
	.kept = codex_kept,
	.n_keys = 2,
	.more = codex_more,
    },
    {
	.name = "gemini",
	.package = "@google/gemini-cli",
	.make = make_gemini,
	.dialect = acp_new,
	.argv = gemini_argv,
	.screen_argv = gemini_screen,
	.kept = gemini_kept,
	.n_keys = 2,
	.more = gemini_more,
    },
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
