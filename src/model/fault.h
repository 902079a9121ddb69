/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MODEL_FAULT_H
#define MODEL_FAULT_H

/*
 * What goes wrong with a provider, told to a struct completion. Whether
 * the same request may succeed later (is_transient) follows from the status:
 * 408, 409, 425, 429 and 5xx may, others do not.
 */
#include <stddef.h>

struct json;
struct completion;

/*
 * Parse an object into the completion's document. Invalid UTF-8 in it becomes
 * U+FFFD. Returns NULL, with the completion failed, if it is no JSON object.
 */
const struct json *fault_parse(
    struct completion *r, const char *text, size_t len);

/* The provider reported an error: {"error": {"message", "type", "code"}}. */
void fault_error(struct completion *r, long status, const struct json *object);

/* An answer with a status other than 200. body is any text. */
void fault_refused(
    struct completion *r, long status, const char *body, size_t len);

/*
 * The answer has ended. Without the model's own end the completion fails: as
 * empty, or as cut, which is transient.
 */
void fault_end(struct completion *r);

#endif
