/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_COMMAND_H
#define TOOLS_TOOL_COMMAND_H

/*
 * From the arguments of a call to the program that it runs. The arguments fit
 * the schema of the tool.
 */
#include "core/err.h"
#include "tools/tool_program.h"
#include "tools/tool_root.h"

struct json;
struct tool_command;

/* The longest word of a command: what Linux passes to a program. */
#define TOOL_COMMAND_WORD 131000

/* The built-in tool bash. Returns 0, or -1 with an error for the model. */
int tool_command_bash(struct tool_program_plan *plan,
    const struct tool_root *root, const struct json *args, struct err *err);

/*
 * A command of the setting tools: {NAME} in argv becomes the argument of this
 * name, a string as it is, other values as JSON, and nothing if it is absent;
 * the program gets all arguments as a line of JSON on its standard input.
 * Returns 0, or -1 with an error for the model.
 */
int tool_command_declared(struct tool_program_plan *plan,
    const struct tool_root *root, const struct tool_command *command,
    const struct json *args, struct err *err);

#endif
