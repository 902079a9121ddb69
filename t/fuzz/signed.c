/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as a signed request, as JSON and as the headers and target of an
 * HTTP request: each is refused with a reason, or what it claims can be used.
 * What is rebuilt of HTTP is JSON that goes the same way.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/signed.h"
#include "identity/signed_http.h"

#define NOW 1702234567
#define HOST \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void expect_refusal(const struct err *err)
{
	static const char head[] = "unauthorized: ";

	expect(err->code == ERR_UNAUTHORIZED);
	expect(!strncmp(err->text, head, strlen(head)));
	expect(strlen(err->text) > strlen(head));
}

static bool is_read(struct signed_head *h, const struct json *v)
{
	struct err err;
	const struct json *payload = json_get(v, "payload");
	const struct json *from = json_get(v, "from");
	const struct json *signature = json_get(v, "signature");

	if (signed_from(h, payload, from, signature, &err) == 0 &&
	    signed_read(h, &err) == 0)
		return true;
	expect_refusal(&err);
	return false;
}

static void check_request(const struct json *v)
{
	char address[ADDRESS_SIZE];
	struct signed_head h;
	struct err err;

	if (!is_read(&h, v))
		return;
	expect(address_parse(h.from, strlen(h.from), address));
	expect(!strcmp(address, h.from));
	expect(isfinite(h.timestamp));
	if (signed_fresh(&h, NOW, &err) < 0)
		expect_refusal(&err);
	int any = signed_recipient(&h, HOST, false, &err);
	int ours = signed_recipient(&h, HOST, true, &err);
	expect(any == 0 || ours < 0);
	expect(!signed_is_to_name(&h, "agent") || any < 0);
}

static void check_text(const char *text, size_t len, bool is_ours)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    json_parse(&doc, text, len, JSON_UNIQUE_KEYS, &error);

	expect(v || !is_ours);
	if (v)
		check_request(v);
	json_fini(&doc);
}

/* The next line, as a C string of its own (free()); NULL if it is empty. */
static char *take_line(const char **at, const char *end)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));
	size_t len = (size_t)((nl ? nl : end) - *at);
	char *line = len ? strndup(*at, len) : NULL;

	*at += nl ? len + 1 : len;
	return line;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void check_http(const struct signed_http *r)
{
	struct buf text = {0};
	struct err err;

	(void)signed_http_get(&text, r); /* it is JSON either way */
	check_text(text.data, text.len, true);
	buf_reset(&text);
	(void)signed_http_legacy(&text, r); /* as above */
	check_text(text.data, text.len, true);
	buf_reset(&text);
	if (signed_http_publisher(&text, r, &err) == 0)
		check_text(text.data, text.len, true);
	else
		expect_refusal(&err);
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	char *lines[7];

	check_text(at, size, false);
	for (int i = 0; i < 7; i++)
		lines[i] = take_line(&at, end);
	const struct signed_http r = {.method = "GET",
	    .path = or_empty(lines[0]),
	    .query = or_empty(lines[1]),
	    .body = at,
	    .body_len = (size_t)(end - at),
	    .timestamp = lines[2],
	    .from = lines[3],
	    .signature = lines[4],
	    .to = lines[5],
	    .request_id = lines[6]};
	check_http(&r);
	for (int i = 0; i < 7; i++)
		free(lines[i]);
	return 0;
}
