/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_schema.h"

#include "base/buf.h"
#include "base/json.h"
#include "t/unit/tap.h"

#define SCHEMA                                                            \
	"{\"type\":\"object\",\"required\":[\"path\"],\"properties\":{"   \
	"\"path\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5}," \
	"\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"       \
	"\"x\":{\"type\":[\"number\",\"boolean\"]},"                      \
	"\"mode\":{\"enum\":[\"a\",2,null]},"                             \
	"\"list\":{\"type\":\"array\",\"maxItems\":2,\"items\":"          \
	"{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{"     \
	"\"id\":{\"type\":\"string\"}},\"additionalProperties\":false}}}}"

static const struct {
	const char *args;
	const char *why; /* "": they fit */
} cases[] = {
    {"{\"path\":\"a\"}", ""},
    {"{\"path\":\"a\",\"other\":1}", ""},
    {"{\"path\":\"a\",\"n\":null}", ""},
    {"{\"path\":\"a\",\"n\":3.0}", ""},
    {"{\"path\":\"a\",\"x\":1.5,\"mode\":2.0}", ""},
    {"{\"path\":\"a\",\"x\":true,\"mode\":\"a\"}", ""},
    {"{\"path\":\"a\",\"list\":[{\"id\":\"x\"}]}", ""},
    {"{\"path\":\"\xe2\x82\xac\xe2\x82\xac\"}", ""},
    {"[]", "the arguments must be of type \"object\""},
    {"3", "the arguments must be of type \"object\""},
    {"{}", "argument 'path' is missing"},
    {"{\"path\":null}", "argument 'path' must be of type \"string\""},
    {"{\"path\":7}", "argument 'path' must be of type \"string\""},
    {"{\"path\":\"\"}", "argument 'path' must be at least 1 characters long"},
    {"{\"path\":\"abcdef\"}",
	"argument 'path' must be at most 5 characters long"},
    {"{\"path\":\"a\",\"n\":3.5}", "argument 'n' must be of type \"integer\""},
    {"{\"path\":\"a\",\"n\":0}", "argument 'n' must be at least 1"},
    {"{\"path\":\"a\",\"n\":10}", "argument 'n' must be at most 9"},
    {"{\"path\":\"a\",\"x\":\"1\"}",
	"argument 'x' must be of type [\"number\",\"boolean\"]"},
    {"{\"path\":\"a\",\"mode\":\"b\"}",
	"argument 'mode' must be one of [\"a\",2,null]"},
    {"{\"path\":\"a\",\"list\":[1]}",
	"argument 'list[0]' must be of type \"object\""},
    {"{\"path\":\"a\",\"list\":[{\"id\":\"x\"},{}]}",
	"argument 'list[1].id' is missing"},
    {"{\"path\":\"a\",\"list\":[{\"id\":\"x\",\"y\":1}]}",
	"argument 'list[0].y' is unknown"},
    {"{\"path\":\"a\",\"list\":[{\"id\":\"x\"},{\"id\":\"x\"},{\"id\":1}]}",
	"argument 'list' must be at most 2 items long"},
};

static const struct {
	const char *schema;
	const char *why;
} schemas[] = {
    {SCHEMA, ""},
    {"{\"type\":\"object\"}", ""},
    {"[]", "the arguments must have a mapping as schema"},
    {"{}", "the arguments must be of type \"object\""},
    {"{\"type\":\"string\"}", "the arguments must be of type \"object\""},
    {"{\"type\":\"object\",\"required\":\"x\"}",
	"the arguments must have a list of names as required"},
    {"{\"type\":\"object\",\"properties\":[]}",
	"the arguments must have a mapping as properties"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"text\"}}}",
	"argument 'a' must have as type null, boolean, number, integer, "
	"string, array, object or a list of these"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":\"x\"}}}",
	"argument 'a' must have a list as enum"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"items\":3}}}",
	"argument 'a[0]' must have a mapping as schema"},
};

static const struct json *parse(struct json_doc *doc, const char *text)
{
	struct json_error wrong;

	return json_parse(doc, text, strlen(text), 0, &wrong);
}

int main(void)
{
	struct json_doc schema = {0}, args = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf why = {0};
		bool fits = json_schema_fits(
		    parse(&schema, SCHEMA), parse(&args, cases[i].args), &why);

		is_str(buf_cstr(&why), cases[i].why,
		    "a schema %s the arguments %s",
		    *cases[i].why ? "refuses" : "takes", cases[i].args);
		ok(fits == !*cases[i].why,
		    "a fault is told exactly if %s do not fit", cases[i].args);
		buf_fini(&why);
	}
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		struct buf why = {0};

		(void)json_schema_is_valid(
		    parse(&schema, schemas[i].schema), &why);
		is_str(buf_cstr(&why), schemas[i].why, "%s %s",
		    schemas[i].schema,
		    *schemas[i].why ? "is refused as a schema"
				    : "is a schema of arguments");
		buf_fini(&why);
	}
	json_fini(&schema);
	json_fini(&args);
	return done();
}
