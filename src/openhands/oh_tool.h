/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_TOOL_H
#define OPENHANDS_OH_TOOL_H

/*
 * A call of a tool in the words of OpenHands, which knows a few kinds of
 * actions by name and shows each in its own way: commands, files, Python, pages.
 * Every other tool is one of an MCP server. Pure functions; all texts are
 * borrowed.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;

struct oh_kind;

struct oh_tool {
	const struct oh_kind *kind;
	const struct json *name;
	const struct json *args;
	char *subject; /* the command, path, code or URL; "" if there is none */
};

/* Whether the tool of this name runs commands of a shell. */
bool oh_tool_is_shell(const char *name);

/* name is the tool's, a JSON string; args an object or absent. */
void oh_tool_init(
    struct oh_tool *tool, const struct json *name, const struct json *args);

/* Free what it holds. */
void oh_tool_fini(struct oh_tool *tool);

/* Append what is done, for people, as a JSON string. */
void oh_tool_put_message(struct buf *out, const struct oh_tool *tool);

/* Append the members "action" and "args". */
void oh_tool_put_action(
    struct buf *out, const struct oh_tool *tool, bool is_confirmed);

/* Append what was done, for people, as a JSON string. */
void oh_tool_put_outcome(struct buf *out, const struct oh_tool *tool,
    bool is_error, const struct json *content);

/* Append the members "observation", "content" and "extras". */
void oh_tool_put_observation(struct buf *out, const struct oh_tool *tool,
    bool is_error, const struct json *content);

#endif
