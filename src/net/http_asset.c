/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_asset.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The weight of a coding that Accept-Encoding does not name. */
#define UNNAMED (-1)

/* As in Accept-Encoding, by enum http_coding. */
static const char *const names[HTTP_CODINGS] = {"identity", "gzip", "br"};

/* ---- the table ---- */

static int compare(const void *key, const void *member)
{
	const struct http_asset *asset = member;
	return strcmp(key, asset->path);
}

const struct http_asset *http_asset_find(
    const struct http_asset *table, size_t n, const char *path)
{
	return n ? bsearch(path, table, n, sizeof *table, compare) : NULL;
}

/* ---- Accept-Encoding ---- */

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* Returns a weight in thousandths: "1", "0.5". What is no weight is 0. */
static int weight_of(const char *p, const char *end)
{
	int weight = 0, unit = 1000;
	if (p == end || (*p != '0' && *p != '1'))
		return 0;
	weight = (*p++ - '0') * unit;
	if (p < end && *p == '.')
		p++;
	for (; p < end && isdigit((unsigned char)*p) && unit > 1; p++)
		weight += (*p - '0') * (unit /= 10);
	return p == end && weight <= 1000 ? weight : 0;
}

/* Returns the weight in the parameters of a coding: ";q=0.5". */
static int read_weight(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)end[-1]))
		end--;
	p = skip_space(p);
	if (p >= end)
		return 1000;
	p = skip_space(p + 1);
	if (end - p < 2 || strncasecmp(p, "q=", 2) != 0)
		return 0;
	return weight_of(p + 2, end);
}

static void read_weights(int *weights, int *others, const char *list)
{
	while (*list) {
		const char *name = list + strspn(list, " \t,");
		size_t len = strcspn(name, " \t,;");
		const char *end = name + strcspn(name, ",");
		int weight = read_weight(name + len, end);
		if (len == 1 && *name == '*')
			*others = weight;
		for (size_t i = 0; i < HTTP_CODINGS; i++) {
			if (len == strlen(names[i]) &&
			    strncasecmp(name, names[i], len) == 0)
				weights[i] = weight;
		}
		list = end;
	}
}

enum http_coding http_asset_choose(
    const struct http_asset *asset, const char *accept_encoding)
{
	int weights[HTTP_CODINGS] = {UNNAMED, UNNAMED, UNNAMED};
	int others = 0, most = 0;
	enum http_coding chosen = HTTP_CODING_NONE;
	if (!accept_encoding)
		return chosen;
	read_weights(weights, &others, accept_encoding);
	for (size_t i = 0; i < HTTP_CODINGS; i++) {
		int weight = weights[i] == UNNAMED ? others : weights[i];
		/* Codings stand in the order of their sizes: the last wins. */
		if (weight && weight >= most && asset->forms[i].data) {
			most = weight;
			chosen = (enum http_coding)i;
		}
	}
	return chosen;
}

/* ---- If-None-Match ---- */

bool http_asset_is_known(const char *if_none_match, const char *tag)
{
	const char *p = if_none_match;
	size_t len = strlen(tag);
	if (!p)
		return false;
	if (*skip_space(p) == '*')
		return true;
	while (*p) {
		p += strspn(p, " \t,");
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (strncmp(p, tag, len) == 0)
			return true;
		/* A tag may contain commas. */
		const char *close = *p == '"' ? strchr(p + 1, '"') : NULL;
		p = close ? close + 1 : p + strcspn(p, ",");
	}
	return false;
}
