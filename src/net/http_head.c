/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_head.h"

#include "base/span.h"

#include <string.h>

/* What has been read so far of how a request is framed. */
struct framing {
	unsigned hosts;
	unsigned lengths;
	unsigned encodings;
	bool is_length_good; /* the last one */
	bool is_chunked;     /* the last one */
};

/* Take the next line from *rest; returns false if no complete line is left. */
static bool http_head_take_line(struct span *rest, struct span *line)
{
	const char *end =
	    rest->len ? memchr(rest->text, '\n', rest->len) : NULL;
	if (!end)
		return false;
	line->text = rest->text;
	line->len = (size_t)(end - rest->text);
	rest->text += line->len + 1;
	rest->len -= line->len + 1;
	if (line->len && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool is_number(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.text[i] < '0' || s.text[i] > '9')
			return false;
	return s.len > 0;
}

static void http_head_note(
    struct framing *f, struct span name, struct span value)
{
	if (span_is_like(name, "host")) {
		f->hosts++;
	} else if (span_is_like(name, "content-length")) {
		f->lengths++;
		f->is_length_good = is_number(value);
	} else if (span_is_like(name, "transfer-encoding")) {
		f->encodings++;
		f->is_chunked = span_is_like(value, "chunked");
	}
}

/* Read one header line. Returns what is wrong with it, or NULL. */
static const char *http_head_read_line(struct framing *f, struct span line)
{
	const char *colon = memchr(line.text, ':', line.len);
	if (span_is_blank(*line.text))
		return "a header goes on in a second line";
	if (!colon)
		return "a header has no colon";
	size_t n = (size_t)(colon - line.text);
	struct span name = {line.text, n};
	struct span value = {colon + 1, line.len - n - 1};
	if (!n || span_is_blank(name.text[n - 1]))
		return "a header has a space before its colon";
	http_head_note(f, name, span_trim(value));
	return NULL;
}

static const char *judge(const struct framing *f, bool is_1_0)
{
	if (f->hosts > 1)
		return "Host is there twice";
	if (!f->hosts && !is_1_0)
		return "Host is missing";
	if (f->lengths > 1)
		return "Content-Length is there twice";
	if (f->lengths && f->encodings)
		return "Content-Length is there beside Transfer-Encoding";
	if (f->lengths && !f->is_length_good)
		return "Content-Length is no number";
	if (f->encodings && is_1_0)
		return "HTTP/1.0 has no Transfer-Encoding";
	if (f->encodings > 1 || (f->encodings && !f->is_chunked))
		return "Transfer-Encoding is not chunked";
	return NULL;
}

const char *http_head_fault(const char *head, size_t len, bool is_1_0)
{
	struct span rest = {head, len}, line;
	struct framing f = {0};
	/* An empty line may precede a request. */
	while (http_head_take_line(&rest, &line) && !line.len)
		;
	while (http_head_take_line(&rest, &line) && line.len) {
		const char *fault = http_head_read_line(&f, line);
		if (fault)
			return fault;
	}
	return judge(&f, is_1_0);
}
