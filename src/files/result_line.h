/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_RESULT_LINE_H
#define FILES_RESULT_LINE_H

/*
 * One line of session_results.jsonl: a record as a compact JSON object with the
 * fields session_id, status, prompt, result, session, created, expires and
 * duration_ms. Pure functions.
 */
#include "base/buf.h"
#include "base/json.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Append the line of a record, with its newline. talk is the conversation (JSON
 * object); data NULL: none is known, and "session" only names the session and
 * its owner. Whatever talk contains, "requester" names the record's caller.
 */
void result_line_write(
    struct buf *out, const struct record *r, struct store_span talk);

/* A parsed line; {0} before the first. */
struct result_line {
	/*
	 * Views into the line or into 'texts'. A status of running also stands
	 * for waiting_approval. created_ms 0: missing. expires_ms 0: never.
	 */
	struct record record;
	struct store_span talk; /* JSON object; data NULL: none */
	struct json_doc doc;
	struct buf texts[4];
	struct buf text; /* scratch space for a reader of the file */
};

/*
 * Parse a line into *l, which is {0} or was used before. Returns false if it is
 * not a record. Any field may be missing.
 */
bool result_line_read(struct result_line *l, const char *text, size_t len);

/* Free the memory used for reading. */
void result_line_fini(struct result_line *l);

#endif
