/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Answers of providers (t/golden/model/, the name begins with that of the
 * codec: .sse is a stream, .json a whole answer), each read as .want says;
 * requests as providers expect them; and refusals.
 */
#include "t/unit/tap.h"

#include <dirent.h>
#include <glob.h>

#include "base/json.h"
#include "base/sse.h"
#include "model/codec.h"
#include "model/fault.h"
#include "model/completion.h"

static const char *const status_names[] = {
    "unfinished", "complete", "full", "refused", "failed"};

/* ---- answers ---- */

static void read_file(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n;

	buf_reset(out);
	if (!f)
		return;
	while ((n = fread(buf_reserve(out, 4096), 1, 4096, f)) > 0)
		out->len += n;
	(void)fclose(f);
}

static void describe(struct buf *out, struct completion *r)
{
	buf_printf(out, "%s\n", status_names[r->status]);
	if (r->status == COMPLETION_FAILED)
		buf_printf(out, "error %s%s\n",
		    r->is_transient ? "(transient) " : "", r->error);
	if (r->thinking.len) {
		buf_str(out, "thinking ");
		buf_append(out, r->thinking.data, r->thinking.len);
		buf_char(out, '\n');
	}
	if (r->text.len) {
		buf_str(out, "text ");
		buf_append(out, r->text.data, r->text.len);
		buf_char(out, '\n');
	}
	for (size_t i = 0; i < r->n_calls; i++) {
		buf_printf(out, "call %s %s ",
		    r->calls[i].id ? r->calls[i].id : "-",
		    r->calls[i].name ? r->calls[i].name : "-");
		buf_append(out, r->calls[i].args.data, r->calls[i].args.len);
		if (r->calls[i].extra.len)
			buf_printf(
			    out, " extra %s", buf_cstr(&r->calls[i].extra));
		buf_char(out, '\n');
	}
	if (r->has_usage)
		buf_printf(out, "usage %lld (%lld cached) %lld\n",
		    (long long)r->input_tokens, (long long)r->cached_tokens,
		    (long long)r->output_tokens);
}

struct reading {
	const struct model_codec *codec;
	struct completion reply;
};

static bool on_event(void *arg, const char *name, const char *data, size_t len)
{
	struct reading *g = arg;

	return g->codec->take(&g->reply, name, data, len);
}

static void read_answer(
    struct reading *g, const struct buf *body, bool is_stream, size_t piece)
{
	struct sse s = {.max_bytes = 1 << 20, .fn = on_event, .arg = g};
	enum sse_result result = SSE_FED;

	if (!is_stream) {
		g->codec->take_whole(&g->reply, body->data, body->len);
	} else {
		for (size_t at = 0; at < body->len && result == SSE_FED;
		     at += piece)
			result = sse_feed(&s, body->data + at,
			    body->len - at < piece ? body->len - at : piece);
		if (result == SSE_FED)
			(void)sse_end(&s);
	}
	fault_end(&g->reply);
	sse_fini(&s);
}

static void check_golden(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const char *dot = strrchr(name, '.');
	struct buf body = {0}, want = {0}, got = {0}, to = {0};
	bool is_stream = strcmp(dot, ".sse") == 0;
	char codec[32];

	(void)snprintf(
	    codec, sizeof codec, "%.*s", (int)strcspn(name, "-"), name);
	read_file(&body, path);
	buf_append(&to, path, (size_t)(dot - path));
	buf_str(&to, ".want");
	read_file(&want, buf_cstr(&to));
	for (size_t piece = 1; piece <= 4096; piece *= 64) {
		struct reading g = {.codec = codec_find(codec)};
		read_answer(&g, &body, is_stream, piece);
		buf_reset(&got);
		describe(&got, &g.reply);
		if (getenv("WRITE_GOLDEN")) {
			FILE *f = fopen(buf_cstr(&to), "we");
			(void)fwrite(got.data, 1, got.len, f);
			(void)fclose(f);
		}
		is_str(buf_cstr(&got), buf_cstr(&want),
		    "%s is read, in pieces of %zu bytes", name, piece);
		completion_fini(&g.reply);
	}
	buf_fini(&body);
	buf_fini(&want);
	buf_fini(&got);
	buf_fini(&to);
}

static void test_goldens(void)
{
	static const char *const kinds[] = {"sse", "json"};
	const char *top = getenv("TOP_SRCDIR");
	char pattern[4096];

	for (size_t k = 0; k < 2; k++) {
		glob_t found;
		(void)snprintf(pattern, sizeof pattern,
		    "%s/t/golden/model/*.%s", top ? top : ".", kinds[k]);
		if (!ok(glob(pattern, 0, NULL, &found) == 0,
			"there are answers in .%s files", kinds[k]))
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			check_golden(found.gl_pathv[i]);
		globfree(&found);
	}
}

/* ---- limits ---- */

static void test_limits(void)
{
	struct completion r = {0};
	struct json_doc doc = {0};
	struct json_error why;
	static char text[(1 << 20) + 2];

	memset(text, 'x', sizeof text);
	text[0] = text[sizeof text - 1] = '"';
	const struct json *much = json_parse(&doc, text, sizeof text, 0, &why);
	for (int i = 0; i < 8; i++)
		completion_add_text(&r, much);
	is_int(r.status, COMPLETION_UNFINISHED, "an answer of 8 MiB is taken");
	completion_add_thinking(&r, much);
	is_str(r.error, "the model's answer is longer than 8 MiB",
	    "a longer answer fails");
	completion_fini(&r);
	json_fini(&doc);

	for (int i = 0; i < COMPLETION_MAX_CALLS; i++)
		(void)completion_call(&r, i);
	is_int(r.status, COMPLETION_UNFINISHED, "64 calls at once are taken");
	ok(!completion_call(&r, COMPLETION_MAX_CALLS),
	    "one more call is refused");
	is_str(r.error, "the model called more than 64 tools at once",
	    "the refusal says why");
	completion_fini(&r);
}

/* ---- refusals ---- */

static const struct {
	const char *title;
	long status;
	const char *body, *want;
	bool is_transient, is_context_full;
} refusals[] = {
    {"a wrong key", 401,
	"{\"error\":{\"message\":\"Incorrect API key\",\"type\":"
	"\"invalid_request_error\"}}",
	"the provider answered 401: \"Incorrect API key\"", false, false},
    {"a rate limit", 429, "{\"error\":{\"message\":\"slow down\"}}",
	"the provider answered 429: \"slow down\"", true, false},
    {"a conflict", 409, "", "the provider answered 409", true, false},
    {"a failure without JSON", 503, "<h1>bad\ngateway</h1>",
	"the provider answered 503: \"<h1>bad\\ngateway</h1>\"", true, false},
    {"an error in an array", 400,
	"[{\"error\":{\"code\":400,\"message\":\"no\"}}]",
	"the provider answered 400: \"no\"", false, false},
    {"a full context of OpenAI", 400,
	"{\"error\":{\"message\":\"too long\",\"code\":"
	"\"context_length_exceeded\"}}",
	"the provider answered 400: \"too long\"", false, true},
    {"a full context of Anthropic", 400,
	"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\","
	"\"message\":\"prompt is too long: 9 > 8\"}}",
	"the provider answered 400: \"prompt is too long: 9 > 8\"", false,
	true},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct completion r = {0};
		fault_refused(&r, refusals[i].status, refusals[i].body,
		    strlen(refusals[i].body));
		is_str(r.error, refusals[i].want, "%s is reported",
		    refusals[i].title);
		ok(r.is_transient == refusals[i].is_transient, "%s is %s",
		    refusals[i].title,
		    refusals[i].is_transient ? "transient" : "final");
		ok(r.is_context_full == refusals[i].is_context_full,
		    "%s %s the conversation's length", refusals[i].title,
		    refusals[i].is_context_full ? "is about" : "is not about");
		completion_fini(&r);
	}
}

/* ---- requests ---- */

static const char conversation[] =
    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Look\"},"
    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
    "\"data:image/png;base64,iVBO\"}}]},"
    "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"c1\","
    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
    "\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":\"function\",\"function\":{"
    "\"name\":\"f\",\"arguments\":\"oops\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"one\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"two\"},"
    "{\"role\":\"user\",\"content\":\"And?\"}]";

static const struct model_tool tool = {
    .name = "f", .description = "does", .schema = "{\"type\":\"object\"}"};

static void check_request(const char *codec, const char *want)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct buf got = {0};
	struct model_request request = {
	    .model = "m",
	    .system = "Be brief.",
	    .messages = json_parse(
		&doc, conversation, sizeof conversation - 1, 0, &error),
	    .tools = &tool,
	    .n_tools = 1,
	    .temperature = 0.5,
	    .max_tokens = 100,
	    .is_streamed = true,
	};

	codec_find(codec)->write(&got, &request);
	is_str(buf_cstr(&got), want, "a request in the form of %s", codec);
	json_fini(&doc);
	ok(json_parse(&doc, got.data, got.len, JSON_UNIQUE_KEYS, &error) !=
		NULL,
	    "a request in the form of %s is valid JSON", codec);
	buf_reset(&got);
	request = (struct model_request){.model = "m", .temperature = -1};
	codec_find(codec)->write(&got, &request);
	ok(json_parse(&doc, got.data, got.len, JSON_UNIQUE_KEYS, &error) !=
		NULL,
	    "the least request in the form of %s is valid JSON", codec);
	json_fini(&doc);
	buf_fini(&got);
}

static void test_requests(void)
{
	struct buf got = {0};

	buf_str(&got,
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
	    "\"Be brief.\"},");
	buf_append(&got, conversation + 1, sizeof conversation - 2);
	buf_str(&got,
	    ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
	    "\"temperature\":0.5,\"max_tokens\":100,\"tools\":[{\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"description\":"
	    "\"does\",\"parameters\":{\"type\":\"object\"}}}]}");
	check_request("openai", buf_cstr(&got));
	check_request("anthropic",
	    "{\"model\":\"m\",\"max_tokens\":100,\"system\":\"Be brief.\","
	    "\"temperature\":0.5,\"stream\":true,\"tools\":[{\"name\":\"f\","
	    "\"description\":\"does\",\"input_schema\":{\"type\":\"object\"}}],"
	    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
	    "\"text\":\"Look\"},{\"type\":\"image\",\"source\":{\"type\":"
	    "\"base64\",\"media_type\":\"image/png\",\"data\":\"iVBO\"}}]},"
	    "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\","
	    "\"id\":\"c1\",\"name\":\"f\",\"input\":{\"a\":1}},{\"type\":"
	    "\"tool_use\",\"id\":\"c2\",\"name\":\"f\",\"input\":{}}]},"
	    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
	    "\"tool_use_id\":\"c1\",\"content\":\"one\"},{\"type\":"
	    "\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"two\"},"
	    "{\"type\":\"text\",\"text\":\"And?\"}]}]}");
	buf_reset(&got);
	openai_codec.write(&got, &(struct model_request){.model = "m",
				     .temperature = -1,
				     .max_tokens = 7,
				     .has_max_completion_tokens = true});
	is_str(buf_cstr(&got),
	    "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":7}",
	    "OpenAI's own name for the limit of an answer is used for it");
	buf_reset(&got);
	openai_codec.write_key(&got, "k");
	is_str(buf_cstr(&got), "Authorization: Bearer k",
	    "the key in the form of openai is a bearer token");
	buf_reset(&got);
	anthropic_codec.write_key(&got, "k");
	is_str(buf_cstr(&got), "x-api-key: k",
	    "the key in the form of anthropic has a header of its own");
	buf_fini(&got);
	ok(!codec_find("other"), "an unknown form has no codec");
}

int main(void)
{
	test_goldens();
	test_limits();
	test_refusals();
	test_requests();
	return done();
}
