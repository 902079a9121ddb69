/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/signed.h"
#include "identity/signed_http.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

/* Who signed the vectors, and for whom. */
#define CLIENT \
	"0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define HOST \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

/* V10-A and V11-A of t/vectors.json. */
#define GET_SIGNATURE                                                      \
	"296ef80c71e535fdae2f3677a5d70b4ac8a73d97f82a2e46c9f496e9afa99f65" \
	"afe21a0cedd95c907acc11f222193ea0237104a3b3e228418b74bfccf4fba406"
#define PUBLISHER_SIGNATURE                                                \
	"a09c0f46fe314c8b990fb6a1ff920836102558dfa81f18307c96c49d361331a6" \
	"d33c3542e01f6080b729cbd78e03c6bde40d245b5cdc4ff14404ae03e21f4007"

#define SIGNER "\"from\":null,\"signature\":null}"

static struct signed_http get(const char *path, const char *timestamp)
{
	return (struct signed_http){.method = "GET",
	    .path = path,
	    .query = "",
	    .body = "",
	    .timestamp = timestamp};
}

static struct signed_http report(const char *query)
{
	return (struct signed_http){.method = "POST",
	    .path = "/contacts/report",
	    .query = query,
	    .body = "{\"x\":1}",
	    .body_len = 7,
	    .from = CLIENT,
	    .signature = PUBLISHER_SIGNATURE,
	    .timestamp = "1702234567",
	    .to = HOST,
	    .request_id = "00112233445566778899aabbccddeeff"};
}

/* Whether the request that a call wrote is signed. */
static bool verifies(const struct buf *request)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct signed_head h;
	struct err err;
	size_t len;
	const struct json *root =
	    json_parse(&doc, request->data, request->len, 0, &error);
	bool ok =
	    root &&
	    signed_from(&h, json_get(root, "payload"), json_get(root, "from"),
		json_get(root, "signature"), &err) == 0 &&
	    signed_read(&h, &err) == 0;

	if (ok) {
		const char *payload = json_text(h.payload, &len);
		ok = signed_verify(h.key, h.signature, payload, len);
	}
	json_fini(&doc);
	return ok;
}

static void test_get(void)
{
	static const struct {
		const char *path;
		const char *timestamp;
		const char *payload;
		bool is_fine;
	} cases[] = {
	    {"/sessions", "1702234567",
		"\"path\":\"/sessions\",\"timestamp\":1702234567", true},
	    {"/sessions", NULL, "\"path\":\"/sessions\",\"timestamp\":null",
		true},
	    {"/sessions", "0", "\"path\":\"/sessions\",\"timestamp\":0", true},
	    {"/sessions", "-5", "\"path\":\"/sessions\",\"timestamp\":-5",
		true},
	    {"/sessions", "", "\"path\":\"/sessions\",\"timestamp\":\"\"",
		false},
	    {"/", "1702234567.0",
		"\"path\":\"/\",\"timestamp\":\"1702234567.0\"", false},
	    {"/", "+1", "\"path\":\"/\",\"timestamp\":\"+1\"", false},
	    {"/", "01", "\"path\":\"/\",\"timestamp\":\"01\"", false},
	    {"/", "-", "\"path\":\"/\",\"timestamp\":\"-\"", false},
	    {"/", "1}", "\"path\":\"/\",\"timestamp\":\"1}\"", false},
	    {"/", "100000000000000000000000",
		"\"path\":\"/\",\"timestamp\":\"100000000000000000000000\"",
		false},
	    {"/a%20b%22+%c3%a9", "1",
		"\"path\":\"/a b\\\"+\xc3\xa9\",\"timestamp\":1", true},
	    {"/%ff%e2%82x%", "1",
		"\"path\":\"/\xef\xbf\xbd\xef\xbf\xbdx%\",\"timestamp\":1",
		true},
	};
	struct buf got = {0}, want = {0};

	for (size_t i = 0; i < N(cases); i++) {
		struct signed_http r = get(cases[i].path, cases[i].timestamp);
		buf_reset(&got);
		buf_reset(&want);
		is_int(signed_http_get(&got, &r), cases[i].is_fine,
		    "the timestamp %s is %s",
		    cases[i].timestamp ? cases[i].timestamp : "that is absent",
		    cases[i].is_fine ? "fine" : "no integer");
		buf_printf(&want,
		    "{\"payload\":{\"method\":\"GET\",%s}," SIGNER,
		    cases[i].payload);
		is_str(buf_cstr(&got), buf_cstr(&want),
		    "the payload of GET %s is as signed", cases[i].path);
	}
	struct signed_http r = get("/sessions", "1702234567");
	r.from = CLIENT;
	r.signature = GET_SIGNATURE;
	buf_reset(&got);
	ok(signed_http_get(&got, &r) && verifies(&got),
	    "a signed GET verifies");
	r.path = "/sessions/1";
	buf_reset(&got);
	ok(signed_http_get(&got, &r) && !verifies(&got),
	    "a signed GET does not verify for another path");
	buf_fini(&want);
	buf_fini(&got);
}

static void test_legacy(void)
{
	static const struct {
		const char *timestamp;
		const char *text;
		bool is_fine;
	} cases[] = {
	    {"1702234567", "1702234567.0", true},
	    {"1702234567.5", "1702234567.5", true},
	    {"1.7e9", "1700000000.0", true},
	    {"+1", "1.0", true},
	    {NULL, "null", true},
	    {"", "\"\"", false},
	    {"nan", "\"nan\"", false},
	    {"inf", "\"inf\"", false},
	    {"0x10", "\"0x10\"", false},
	    {"1e999", "\"1e999\"", false},
	    {"1 ", "\"1 \"", false},
	    {"1.2.3", "\"1.2.3\"", false},
	    {"1111111111111111111111111", "\"1111111111111111111111111\"",
		false},
	};
	struct buf got = {0}, want = {0};

	for (size_t i = 0; i < N(cases); i++) {
		struct signed_http r = get("/admin/logs", cases[i].timestamp);
		buf_reset(&got);
		buf_reset(&want);
		is_int(signed_http_legacy(&got, &r), cases[i].is_fine,
		    "the old timestamp %s is %s",
		    cases[i].timestamp ? cases[i].timestamp : "that is absent",
		    cases[i].is_fine ? "fine" : "no number");
		buf_printf(&want, "{\"payload\":{\"timestamp\":%s}," SIGNER,
		    cases[i].text);
		is_str(buf_cstr(&got), buf_cstr(&want),
		    "the payload of the old timestamp %s is as signed",
		    cases[i].text);
	}
	buf_fini(&want);
	buf_fini(&got);
}

static void test_query(void)
{
	static const struct {
		const char *query;
		const char *text; /* NULL: cannot be used */
	} cases[] = {
	    {"", ""},
	    {"b=2&a=x%20y&a=", "a=&a=x+y&b=2"},
	    {"a", "a="},
	    {"=", "="},
	    {"&&a=1&&", "a=1"},
	    {"a=1=2", "a=1%3D2"},
	    {"a+b=c+d", "a+b=c+d"},
	    {"a=%2B%26%3d", "a=%2B%26%3D"},
	    {"a=%zz%4", "a=%25zz%254"},
	    {"x=~-._*!/", "x=~-._%2A%21%2F"},
	    {"z=1&\xc3\xa9=\xf0\x9f\x98\x80", "z=1&%C3%A9=%F0%9F%98%80"},
	    {"%c3%a9=1", "%C3%A9=1"},
	    {"a=%ff%e2%82", "a=%EF%BF%BD%EF%BF%BD"},
	    {"a=%f0%9f%98a%ed%a0%80",
		"a=%EF%BF%BDa%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
	    {"a=%e0%80", "a=%EF%BF%BD%EF%BF%BD"},
	    {"a=%00", "a=%00"},
	    {"ab=1&a=2&a%00=3", "a=2&a%00=3&ab=1"},
	    {"a=\xff", NULL},
	    {"a=\xc3", NULL},
	};
	struct buf got = {0}, want = {0};
	struct err err;

	for (size_t i = 0; i < N(cases); i++) {
		struct signed_http r = report(cases[i].query);
		buf_reset(&got);
		buf_reset(&want);
		int rc = signed_http_publisher(&got, &r, &err);
		buf_printf(&want, ",\"query\":\"%s\",",
		    cases[i].text ? cases[i].text : "");
		bool is_there = strstr(buf_cstr(&got), buf_cstr(&want)) != NULL;
		ok(cases[i].text ? rc == 0 && is_there : rc < 0 && !got.len,
		    "the query %s is %s", cases[i].query,
		    cases[i].text ? "written in one way" : "refused");
	}
	buf_fini(&want);
	buf_fini(&got);
}

static void test_publisher(void)
{
	struct signed_http r = report("b=2&a=x%20y&a=");
	struct buf got = {0}, query = {0};
	struct err err;

	ok(signed_http_publisher(&got, &r, &err) == 0 && verifies(&got),
	    "a publisher request verifies");
	r.body_len--;
	buf_reset(&got);
	ok(signed_http_publisher(&got, &r, &err) == 0 && !verifies(&got),
	    "a publisher request does not verify with another body");
	buf_reset(&got);
	r.request_id = NULL;
	ok(signed_http_publisher(&got, &r, &err) < 0,
	    "a publisher request without an id is refused");
	is_str(err.text, "unauthorized: request id required",
	    "the refusal of a publisher request without an id says so in its "
	    "text");
	r.request_id = "";
	ok(signed_http_publisher(&got, &r, &err) < 0,
	    "a publisher request with an empty id is refused");
	r.timestamp = "soon";
	ok(signed_http_publisher(&got, &r, &err) < 0,
	    "a publisher request with a wrong time is refused");
	is_str(err.text, "unauthorized: malformed signature headers",
	    "the wrong time of a publisher request is told first");
	ok(!got.len, "a refused publisher request writes nothing");

	r = report("");
	r.timestamp = NULL;
	ok(signed_http_publisher(&got, &r, &err) == 0,
	    "a publisher request without a time is refused later");
	for (int i = 0; i < SIGNED_HTTP_MAX_PAIRS; i++)
		buf_str(&query, "&a=1");
	r.query = buf_cstr(&query);
	ok(signed_http_publisher(&got, &r, &err) == 0,
	    "a publisher request with the most pairs is accepted");
	buf_str(&query, "&a=1");
	r.query = buf_cstr(&query);
	ok(signed_http_publisher(&got, &r, &err) < 0,
	    "a publisher request with too many pairs is refused");
	buf_fini(&query);
	buf_fini(&got);
}

int main(void)
{
	test_get();
	test_legacy();
	test_query();
	test_publisher();
	return done();
}
