/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a client of OpenHands has signed, and where it may be. */
#include "openhands/oh_token.h"

#include "base/buf.h"
#include "base/json.h"

#include "t/unit/tap.h"

/* {"payload":1}, {"signature":1} and {"other":1} */
#define PAYLOAD "eyJwYXlsb2FkIjoxfQ"
#define SIGNATURE "eyJzaWduYXR1cmUiOjF9"
#define OTHER "eyJvdGhlciI6MX0"

static void test_read(void)
{
	static const struct {
		const char *name, *credentials, *token, *is_read;
	} cases[] = {
	    {"nothing", "null", "", NULL},
	    {"credentials without a signature", "{\"x\":1}", "", NULL},
	    {"signed credentials", "{\"payload\":2}", PAYLOAD,
		"{\"payload\":2}"},
	    {"credentials with a signature alone", "{\"signature\":2}", "",
		"{\"signature\":2}"},
	    {"the member token", "{\"token\":\"" SIGNATURE "\"}", PAYLOAD,
		"{\"signature\":1}"},
	    {"the member session_api_key",
		"{\"session_api_key\":\"" SIGNATURE "\"}", "",
		"{\"signature\":1}"},
	    {"a member of another kind", "{\"token\":5}", PAYLOAD,
		"{\"payload\":1}"},
	    {"a key in the member token", "{\"token\":\"a key\"}", "", NULL},
	    {"a token", "null", PAYLOAD, "{\"payload\":1}"},
	    {"a padded token", "null", PAYLOAD "==", "{\"payload\":1}"},
	    {"a token of three parts", "null", "eyJ9.eyJ9.c2ln", NULL},
	    {"a token that is cut", "null", "eyJwYXlsb2FkIjoxf", NULL},
	    {"a token with another object", "null", OTHER, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_doc said = {0}, doc = {0};
		struct json_error why;
		struct buf mem = {0};
		size_t len = 0;
		const char *text = cases[i].credentials;
		const struct json *v = oh_token_read(&doc, &mem,
		    json_parse(&said, text, strlen(text), 0, &why),
		    cases[i].token);
		const char *found = v ? json_text(v, &len) : NULL;
		char *read = found ? strndup(found, len) : NULL;
		is_str(read, cases[i].is_read, "what is signed is found: %s",
		    cases[i].name);
		free(read);
		json_fini(&said);
		json_fini(&doc);
		buf_fini(&mem);
	}
}

static void test_long(void)
{
	struct json_doc doc = {0};
	struct buf mem = {0};
	char token[OH_TOKEN_MAX + 5];
	memset(token, 'A', sizeof token - 1);
	memcpy(token, "ey", 2);
	token[sizeof token - 1] = '\0';
	ok(!oh_token_read(&doc, &mem, NULL, token),
	    "a token that is too long is none");
	json_fini(&doc);
	buf_fini(&mem);
}

int main(void)
{
	test_read();
	test_long();
	return done();
}
