/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_accept.h"

#include "base/span.h"
#include "net/http.h"

#include <string.h>

/* Take what precedes the separator, which cannot be inside quoted text here. */
static bool api_accept_take(
    struct span *rest, char separator, struct span *part)
{
	if (!rest->text)
		return false;
	const char *end =
	    rest->len ? memchr(rest->text, separator, rest->len) : NULL;
	size_t n = end ? (size_t)(end - rest->text) : rest->len;
	*part = span_trim((struct span){rest->text, n});
	rest->len -= end ? n + 1 : n;
	rest->text = end ? end + 1 : NULL;
	return true;
}

/* Parse "0", "1" or "0.5", up to three digits. Returns thousandths, or -1. */
static int read_q(struct span s)
{
	int q = 0, unit = 1000;
	if (!s.len || (s.text[0] != '0' && s.text[0] != '1') || s.len > 5 ||
	    (s.len > 1 && s.text[1] != '.'))
		return -1;
	q = (s.text[0] - '0') * unit;
	for (size_t i = 2; i < s.len; i++) {
		if (s.text[i] < '0' || s.text[i] > '9')
			return -1;
		q += (s.text[i] - '0') * (unit /= 10);
	}
	return q > 1000 ? -1 : q;
}

static int exactness_of(struct span range, const char *type)
{
	size_t family = strcspn(type, "/") + 1;
	if (span_is_like(range, type))
		return 3;
	if (range.len == family + 1 && range.text[family] == '*' &&
	    strncasecmp(range.text, type, family) == 0)
		return 2;
	return span_is_like(range, "*/*") ? 1 : 0;
}

/* Returns the weight of a range with these parameters; -1: malformed. */
static int weight_of(struct span params)
{
	struct span part;
	while (api_accept_take(&params, ';', &part))
		if (part.len > 2 &&
		    span_is_like((struct span){part.text, 2}, "q="))
			return read_q(
			    (struct span){part.text + 2, part.len - 2});
	return 1000;
}

void api_accept_line(struct api_accept *a, const char *line, size_t n)
{
	struct span rest = {line, n}, item, range;
	while (api_accept_take(&rest, ',', &item)) {
		(void)api_accept_take(&item, ';', &range);
		int exactness = exactness_of(range, a->type);
		int q = weight_of(item);
		if (q < 0 || exactness < a->exactness || !exactness)
			continue;
		a->q = exactness > a->exactness || q > a->q ? q : a->q;
		a->exactness = exactness;
	}
}

static void on_header(
    void *arg, const char *name, size_t name_len, const char *value, size_t len)
{
	static const char accept[] = "accept";
	struct api_accept *both = arg;
	if (name_len != sizeof accept - 1 ||
	    memcmp(name, accept, name_len) != 0)
		return;
	api_accept_line(&both[0], value, len);
	api_accept_line(&both[1], value, len);
}

bool api_accept_is_stream(const struct http_req *req)
{
	struct api_accept both[2] = {
	    {.type = "text/event-stream"}, {.type = "application/json"}};
	http_each_header(req, on_header, both);
	const struct api_accept *stream = &both[0], *json = &both[1];
	return stream->q > json->q ||
	       (stream->q && stream->q == json->q && stream->exactness == 3);
}
