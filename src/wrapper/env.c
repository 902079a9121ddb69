/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/env.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What no program gets: secrets, and marks of another agent around us. */
static const char *const hidden[] = {
    "ONSEMBL_*",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_*",
    "CLAUDECODE",
    "OPENAI_API_KEY",
    "CODEX_*",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_CLI*",
    "AI_AGENT",
    NULL,
};

/* What every program needs. */
static const char *const common[] = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "XDG_*",
    "TERM",
    "COLORTERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    NULL,
};

static bool is_named(const char *variable, const char *const *names)
{
	size_t n = strcspn(variable, "=");

	for (; *names; names++) {
		size_t len = strlen(*names);
		bool is_open = len && (*names)[len - 1] == '*';

		len -= is_open;
		if ((is_open ? n >= len : n == len) &&
		    strncmp(variable, *names, len) == 0)
			return true;
	}
	return false;
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

struct env {
	char **list;
	size_t n;
};

static struct env env_new(char *const *more)
{
	size_t room = count(environ) + count(more) + 1;

	return (struct env){.list = mem_zero(room * sizeof(char *))};
}

static void put(struct env *e, const char *variable)
{
	e->list[e->n++] = mem_strdup(variable);
}

/* A later variable of the same name replaces an earlier one. */
static void put_over(struct env *e, const char *variable)
{
	size_t n = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < e->n; i++) {
		if (strncmp(e->list[i], variable, n) != 0)
			continue;
		free(e->list[i]);
		e->list[i] = mem_strdup(variable);
		return;
	}
	put(e, variable);
}

char **env_for_command(char *const *more)
{
	struct env e = env_new(more);

	for (size_t i = 0; environ[i]; i++)
		if (!is_named(environ[i], hidden))
			put(&e, environ[i]);
	for (size_t i = 0; more && more[i]; i++)
		put_over(&e, more[i]);
	return e.list;
}

char **env_for_agent(const char *const *names, char *const *more)
{
	struct env e = env_new(more);

	for (size_t i = 0; environ[i]; i++)
		if (is_named(environ[i], common) || is_named(environ[i], names))
			put(&e, environ[i]);
	for (size_t i = 0; more && more[i]; i++)
		put_over(&e, more[i]);
	return e.list;
}

void env_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}
