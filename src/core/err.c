/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error_row {
	const char *text;
	int status;
	int rpc;
	bool is_retryable;
};

struct reason_row {
	const char *word;
	const char *status;
};

static const struct error_row errors[ERR_COUNT] = {
#define ERROR(code, status, rpc, retryable, text) \
	[ERR_##code] = {text, status, rpc, retryable},
#define REASON(code, word, status, doc)
#include "core/errors.tbl"
#undef ERROR
#undef REASON
};

static const struct reason_row reasons[REASON_COUNT] = {
#define ERROR(code, status, rpc, retryable, text)
#define REASON(code, word, status, doc) [REASON_##code] = {word, status},
#include "core/errors.tbl"
#undef ERROR
#undef REASON
};

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;
	err->code = code;
	err->retry_after_ms = 0;
	err->reason = NULL;
	if (!fmt) {
		(void)snprintf(
		    err->text, sizeof err->text, "%s", err_text(code));
		return -1;
	}
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return -1;
}

int err_status(enum err_code code)
{
	return errors[code].status;
}

int err_rpc(enum err_code code)
{
	return errors[code].rpc;
}

bool err_is_retryable(enum err_code code)
{
	return errors[code].is_retryable;
}

const char *err_text(enum err_code code)
{
	return errors[code].text;
}

const char *err_public_text(const struct err *err)
{
	bool is_public = err_status(err->code) < 500 || err->code == ERR_FULL ||
			 err->code == ERR_RUNS || err->code == ERR_CROWDED ||
			 err->code == ERR_DRAINING ||
			 err->code == ERR_UNFINISHED ||
			 err->code == ERR_MISCONFIGURED;
	return is_public && *err->text ? err->text : err_text(err->code);
}

const char *err_reason_word(enum err_reason reason)
{
	return reasons[reason].word;
}

enum err_reason err_reason_of(const char *word, size_t len)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (len == strlen(reasons[i].word) &&
		    memcmp(word, reasons[i].word, len) == 0)
			return (enum err_reason)i;
	return REASON_FAILED;
}

const char *err_reason_status(enum err_reason reason)
{
	return reasons[reason].status;
}
