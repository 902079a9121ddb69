/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_asset.h"
#include "t/unit/tap.h"

static const struct http_asset table[] = {
    {"/assets/a.js", "text/javascript", "aaaa", true,
	{{"plain", 5}, {"gzi", 3}, {"b", 1}}},
    {"/assets/b.png", "image/png", "bbbb", true, {{"plain", 5}}},
    {"/index.html", "text/html", "cccc", false, {{"plain", 5}, {"gzi", 3}}},
};

#define N (sizeof table / sizeof table[0])

static void test_find(void)
{
	ok(http_asset_find(table, N, "/assets/a.js") == &table[0] &&
		http_asset_find(table, N, "/index.html") == &table[2],
	    "an asset is found by its path");
	ok(!http_asset_find(table, N, "/assets/") &&
		!http_asset_find(table, N, "/assets/a.js/") &&
		!http_asset_find(table, N, "/assets/../index.html"),
	    "other paths have no asset");
	ok(!http_asset_find(table, 0, "/index.html"),
	    "an empty table has no asset");
}

static void test_choice(void)
{
	static const struct {
		const char *accepts;
		enum http_coding all; /* of an asset in all forms */
	} cases[] = {
	    {NULL, HTTP_CODING_NONE},
	    {"", HTTP_CODING_NONE},
	    {"identity", HTTP_CODING_NONE},
	    {"gzip", HTTP_CODING_GZIP},
	    {"gzip, deflate, br, zstd", HTTP_CODING_BR},
	    {"br,gzip", HTTP_CODING_BR},
	    {"BR", HTTP_CODING_BR},
	    {"x-br, brotli", HTTP_CODING_NONE},
	    {"br;q=0, gzip", HTTP_CODING_GZIP},
	    {"br;q=0.000, gzip;q=0.001", HTTP_CODING_GZIP},
	    {"br ; q=0.5 , gzip; Q=0.8", HTTP_CODING_GZIP},
	    {"br;q=0.8, gzip;q=0.8", HTTP_CODING_BR},
	    {"gzip;q=0.5, identity", HTTP_CODING_NONE},
	    {"gzip;q=0.5, identity;q=0.2", HTTP_CODING_GZIP},
	    {"gzip;q=0, br;q=0, identity;q=0", HTTP_CODING_NONE},
	    {"*", HTTP_CODING_BR},
	    {"*;q=0", HTTP_CODING_NONE},
	    {"br;q=0, *", HTTP_CODING_GZIP},
	    {"gzip, *;q=0", HTTP_CODING_GZIP},
	    {"br;q=2", HTTP_CODING_NONE},
	    {"br;q=", HTTP_CODING_NONE},
	    {"br;q=0.5x, gzip", HTTP_CODING_GZIP},
	    {"br;level=3, gzip", HTTP_CODING_GZIP},
	    {"br;", HTTP_CODING_NONE},
	    {",, ,br,", HTTP_CODING_BR},
	    {";q=1, gzip", HTTP_CODING_GZIP},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		is_int(http_asset_choose(&table[0], cases[i].accepts),
		    cases[i].all, "the form is chosen for Accept-Encoding: %s",
		    cases[i].accepts ? cases[i].accepts : "(none)");
	is_int(http_asset_choose(&table[2], "br, gzip;q=0.1"), HTTP_CODING_GZIP,
	    "a form that does not exist is not chosen");
	is_int(http_asset_choose(&table[1], "br, gzip"), HTTP_CODING_NONE,
	    "an asset without compressed forms is sent as it is");
}

static void test_known(void)
{
	static const struct {
		const char *list;
		bool is_known;
	} cases[] = {
	    {NULL, false},
	    {"", false},
	    {"*", true},
	    {" *", true},
	    {"\"abc-br\"", true},
	    {"W/\"abc-br\"", true},
	    {"w/\"abc-br\"", false},
	    {"\"abc\"", false},
	    {"\"abc-br", false},
	    {"abc-br", false},
	    {"\"x\", \"abc-br\"", true},
	    {"\"x\",W/\"y\" ,W/\"abc-br\"", true},
	    {"\"a,\", \"abc-br\"", true},
	    {"\"x, \"abc-br\"", false},
	    {"junk, \"abc-br\"", true},
	    {"\"x\"junk\"abc-br\"", false},
	    {"W/", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ok(http_asset_is_known(cases[i].list, "\"abc-br\"") ==
			cases[i].is_known,
		    "If-None-Match: %s %s the tag \"abc-br\"",
		    cases[i].list ? cases[i].list : "(none)",
		    cases[i].is_known ? "contains" : "does not contain");
}

int main(void)
{
	test_find();
	test_choice();
	test_known();
	return done();
}
