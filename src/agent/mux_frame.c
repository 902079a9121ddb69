/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_frame.h"

#include <string.h>

/* 19 digits always fit. */
#define DIGITS 19

bool mux_frame_split(struct mux_frame *f, const char *line, size_t len)
{
	uint64_t number = 0;
	size_t n = 0;

	while (n < len && n < DIGITS && line[n] >= '0' && line[n] <= '9')
		number = number * 10 + (uint64_t)(line[n++] - '0');
	if (n == 0 || n == len || line[n] != ' ' || (*line == '0' && n > 1))
		return false;
	*f = (struct mux_frame){number, line + n + 1, len - n - 1};
	return true;
}

static enum mux_frame_type type_of(const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum mux_frame_type type;
	} types[] = {
	    {"OUTPUT", MUX_FRAME_END},
	    {"ERROR", MUX_FRAME_END},
	    {"EXEC_RESULT", MUX_FRAME_END},
	    {"LOST", MUX_FRAME_LOST},
	    {"RETURN", MUX_FRAME_RETURN},
	    {"READY", MUX_FRAME_READY},
	    {"RETIRE", MUX_FRAME_RETIRE},
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strlen(types[i].word) == len &&
		    memcmp(types[i].word, word, len) == 0)
			return types[i].type;
	return MUX_FRAME_LINE;
}

/* Returns the word after {"type":" if the frame begins so, else NULL. */
static const char *find_word(const struct mux_frame *f, size_t *len)
{
	static const char begin[] = "{\"type\":";
	size_t n = sizeof begin - 1;

	if (f->len < n || memcmp(f->json, begin, n) != 0)
		return NULL;
	n += n < f->len && f->json[n] == ' '; /* as Python writes it */
	if (n == f->len || f->json[n] != '"')
		return NULL;
	const char *word = f->json + n + 1;
	const char *end = memchr(word, '"', f->len - n - 1);
	if (!end || memchr(word, '\\', (size_t)(end - word)))
		return NULL;
	*len = (size_t)(end - word);
	return word;
}

enum mux_frame_type mux_frame_type(
    const struct mux_frame *f, struct json_doc *doc)
{
	struct buf scratch = {0};
	struct json_error why;
	size_t len = 0;
	const char *word = find_word(f, &len);

	if (word)
		return type_of(word, len);
	const struct json *o = json_parse(doc, f->json, f->len, 0, &why);
	if (!json_is(o, JSON_OBJECT))
		return MUX_FRAME_BAD;
	word = json_str(json_get(o, "type"), &scratch, &len);
	enum mux_frame_type type = word ? type_of(word, len) : MUX_FRAME_LINE;
	buf_fini(&scratch);
	return type;
}

size_t mux_frame_head(char out[MUX_FRAME_HEAD], uint64_t number)
{
	char digits[MUX_FRAME_HEAD];
	size_t n = sizeof digits;

	digits[--n] = ' ';
	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) && n);
	memcpy(out, digits + n, sizeof digits - n);
	return sizeof digits - n;
}
