/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "core/err.h"

static void test_set(void)
{
	struct err err;

	is_int(err_set(&err, ERR_FULL, "slot %d of %s", 7, "many"), -1,
	    "setting an error returns -1");
	is_int(err.code, ERR_FULL, "an error keeps its code");
	is_str(err.text, "slot 7 of many", "an error keeps its sentence");
	(void)err_set(&err, ERR_BAD_JSON, NULL);
	is_str(err.text, "Invalid JSON", "no sentence is the code's own");
	(void)err_set(&err, ERR_CONFIG, "%0600d", 1);
	is_int((int64_t)strlen(err.text), sizeof err.text - 1,
	    "a sentence that is too long is cut");
}

static void test_codes(void)
{
	static const struct {
		enum err_code code;
		int status;
		int rpc;
		bool is_retryable;
	} rows[] = {
	    {ERR_OK, 200, 0, false},
	    {ERR_BAD_REQUEST, 400, 0, false},
	    {ERR_UNAUTHORIZED, 401, 0, false},
	    {ERR_FORBIDDEN, 403, 0, false},
	    {ERR_MISCONFIGURED, 503, 0, false},
	    {ERR_NO_SESSION, 404, -32002, false},
	    {ERR_BUSY, 409, -32000, true},
	    {ERR_REUSED, 422, 0, false},
	    {ERR_TOO_LARGE, 413, 0, false},
	    {ERR_FULL, 503, -32000, true},
	    {ERR_DRAINING, 503, -32000, true},
	    {ERR_UNFINISHED, 500, -32603, false},
	    {ERR_AGENT, 500, -32603, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *text = err_text(rows[i].code);

		is_int(err_status(rows[i].code), rows[i].status,
		    "\"%s\" has its HTTP status", text);
		is_int(err_rpc(rows[i].code), rows[i].rpc,
		    "\"%s\" has its JSON-RPC code", text);
		ok(err_is_retryable(rows[i].code) == rows[i].is_retryable,
		    "\"%s\" says whether to try again", text);
	}
}

/* A client that is told to try again must have been told so by HTTP too. */
static void test_whole_table(void)
{
	bool has_text = true, is_sane = true, retries_fit = true;

	for (int i = 0; i < ERR_COUNT; i++) {
		enum err_code code = (enum err_code)i;
		int status = err_status(code);

		has_text = has_text && *err_text(code);
		is_sane = is_sane && status >= 200 && status < 600;
		retries_fit =
		    retries_fit && (!err_is_retryable(code) || status == 409 ||
				       status == 429 || status == 503);
	}
	ok(has_text, "each code has a text");
	ok(is_sane, "each code has an HTTP status");
	ok(retries_fit, "every retryable code is 409, 429 or 503");
}

static void test_reasons(void)
{
	bool has_word = true, has_status = true;

	for (int i = 0; i < REASON_COUNT; i++) {
		enum err_reason reason = (enum err_reason)i;
		const char *status = err_reason_status(reason);

		has_word = has_word && *err_reason_word(reason);
		has_status = has_status && (!strcmp(status, "failed") ||
					       !strcmp(status, "interrupted"));
	}
	ok(has_word, "each reason has a word");
	ok(has_status, "each reason ends as failed or interrupted");
	is_str(err_reason_word(REASON_INTERRUPTED), "interrupted",
	    "a turn whose process died is called interrupted");
	is_str(err_reason_status(REASON_INTERRUPTED), "interrupted",
	    "an interrupted turn is recorded as interrupted");
	is_str(err_reason_status(REASON_KILLED), "failed",
	    "an agent that dies alone has failed");
}

static void test_public(void)
{
	static const struct {
		enum err_code code;
		const char *text;
		const char *told;
	} cases[] = {
	    {ERR_BAD_REQUEST, "no prompt", "no prompt"},
	    {ERR_STORE, "store: cannot write /a: no room",
		"the store cannot take writes now; retry later"},
	    {ERR_AGENT, "cannot start /a", "Unable to run agent"},
	    {ERR_CONFIG, "/a: no key", "bad configuration"},
	    {ERR_RUNS, "full", "full"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err;
		(void)err_set(&err, cases[i].code, "%s", cases[i].text);
		is_str(err_public_text(&err), cases[i].told,
		    "what a client is told of \"%s\"", cases[i].text);
	}
}

int main(void)
{
	test_set();
	test_codes();
	test_whole_table();
	test_reasons();
	test_public();
	return done();
}
