/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_TOOL_SPEC_H
#define CORE_TOOL_SPEC_H

/*
 * The setting tools: which built-in tools a model is offered, and commands that
 * are tools as well. It is a list whose members are names of built-in tools, or
 * mappings that declare a command:
 *   name		letters, digits, _ and -
 *   description	for the model
 *   argv		the program and its arguments; {NAME} stands for an
 *			argument of the call
 *   schema		JSON Schema of the arguments; none: an empty object
 *   timeout		seconds
 *   dir		working directory, relative to the project
 *   idempotent		it may run again after a crash
 *   read_only		it changes nothing
 * Without the setting all built-in tools are offered, and nothing else.
 */
#include "core/tool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* The limit on members of the list. */
#define TOOL_SPEC_MAX 200

/* How long a command may run if the setting does not say, in seconds. */
#define TOOL_SPEC_TIMEOUT_S 120
#define TOOL_SPEC_TIMEOUT_MAX_S 86400

struct tool_command {
	struct tool tool;
	char **argv; /* NULL-terminated */
	char *dir;   /* "" is the project */
	int64_t timeout_ms;
};

struct tool_spec {
	bool has_all_builtins;
	char *builtins[TOOL_SPEC_MAX + 1]; /* names, NULL-terminated */
	size_t n_builtins;
	struct tool_command *commands;
	size_t n_commands;
};

/*
 * Read the JSON text of the setting; "" is none. Returns 0, or -1 with
 * ERR_CONFIG, naming the member and what is wrong. *s must be {0}.
 */
int tool_spec_read(struct tool_spec *s, const char *text, struct err *err);

/* Whether this built-in tool is offered. */
bool tool_spec_offers(const struct tool_spec *s, const char *name);

/*
 * Returns the names of the tools that are offered. The list ends with NULL;
 * free() it, but not the names, which live as long as *s.
 */
const char **tool_spec_names(const struct tool_spec *s);

/* Free the contents. */
void tool_spec_fini(struct tool_spec *s);

/* Returns the length of the placeholder {NAME} at s; 0: there is none. */
size_t tool_spec_placeholder(const char *s);

/* Whether a tool with this name is built in. */
bool tool_spec_is_builtin(const char *name);

#endif
