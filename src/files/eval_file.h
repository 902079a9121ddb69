/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_EVAL_FILE_H
#define FILES_EVAL_FILE_H

/*
 * The text of eval files, as the Python package writes and reads them: an eval
 * has the turns of conversations that begin with the same prompt, each with its
 * latest run and what is left of earlier ones; a run file has the messages of
 * one run. Pure functions. What is written is YAML of which every value is also
 * JSON.
 */
#include "base/buf.h"
#include "base/json.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A turn that ended well. */
struct eval_turn {
	const struct record *record;
	const struct json *talk; /* the conversation, NULL: not known */
	const char *model;
};

/* The prompt that began the conversation: a view into the talk, the record or
 * scratch. data NULL when it cannot be known. */
struct store_span eval_file_first(
    const struct eval_turn *t, struct buf *scratch);

/*
 * Append the eval after this turn. before is what the file holds (NULL: there
 * is none). Returns the number of the run, or 0 when the file is to stay as it
 * is: it has this very turn, or a person wrote it.
 */
int64_t eval_file_write(
    struct buf *out, const struct json *before, const struct eval_turn *t);

/* Append the file of a run. agent says which program it was, cwd where. */
void eval_file_write_run(struct buf *out, const struct eval_turn *t,
    const char *agent, const char *cwd);

/* Whether an eval was made by a program, not by a person. */
bool eval_file_is_generated(const struct json *eval);

#endif
