/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/*
 * Standard output: answers, and lines of JSON. What comes from the agent is
 * written as it is, but made safe (cli/safe.h) if it goes to a terminal.
 */
#include <co_connect.h>

#include <stdbool.h>
#include <stddef.h>

/* Write an answer, with a line end behind it. */
void output_text(const char *text, size_t len);

/* Write a JSON value as one line. */
void output_json(const char *json, size_t len);

/*
 * Write how an operation ended as JSON: the frame that ended it or, if there
 * was none, {"type": "ERROR", "code": "timeout", "message": "..."}.
 */
void output_end(const struct co_result *result);

/* Whether everything has been written; false with errno. */
bool output_flush(void);

#endif
