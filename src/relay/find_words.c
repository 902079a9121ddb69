/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/find_words.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The longest word of a query, in bytes. */
#define WORD_BYTES 64

/* ---- characters ---- */

/* Whether words of this script are not separated: Chinese, Japanese, Thai. */
static bool is_dense(uint32_t c)
{
	return (c >= 0x0e00 && c < 0x0e80) || (c >= 0x2e80 && c < 0xa000) ||
	       (c >= 0xf900 && c < 0xfb00) || (c >= 0x20000 && c < 0x32000);
}

/* Whether a character belongs to a word; others separate words. */
static bool is_letter(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') ||
	       (c >= 0xaa && c != 0xab && c != 0xbb && c != 0xd7 && c != 0xf7 &&
		   !(c >= 0x2000 && c < 0x2070) &&
		   !(c >= 0x3000 && c < 0x3004) &&
		   !(c >= 0x3008 && c < 0x3021) &&
		   !(c >= 0xff00 && c < 0xff10));
}

/*
 * Append a text for the index. Scripts without spaces between words are
 * indexed by characters, so these get spaces between them.
 */
static void put_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(text + i, len - i);
		bool is_apart = n > 1 && is_dense(utf8_get(text + i, n));
		if (!n) {
			i++;
			continue;
		}
		if (is_apart)
			buf_char(out, ' ');
		buf_append(out, text + i, n);
		if (is_apart)
			buf_char(out, ' ');
		i += n;
	}
	buf_char(out, ' ');
}

/* ---- what agents say ---- */

void find_words_put_json(struct buf *out, const struct json *v, size_t most)
{
	struct buf scratch = {0};
	size_t len;
	if (out->len > most)
		return;
	if (json_is(v, JSON_STRING)) {
		const char *text = json_str(v, &scratch, &len);
		put_text(out, text, len < most ? len : most);
	} else {
		for (const struct json *m = json_first(v); m; m = json_next(m))
			find_words_put_json(out, m, most);
	}
	buf_fini(&scratch);
}

/* ---- queries ---- */

/* Append one word as a phrase; its last part may continue. */
static void put_word(
    struct buf *out, const char *word, size_t len, const char *join)
{
	struct buf spaced = {0};
	if (out->len)
		buf_printf(out, " %s ", join);
	put_text(&spaced, word, len < WORD_BYTES ? len : WORD_BYTES);
	buf_char(out, '"');
	buf_append(out, spaced.data, spaced.len);
	buf_str(out, "\"*");
	buf_fini(&spaced);
}

size_t find_words_query(
    struct buf *out, const char *query, size_t len, const char *join)
{
	size_t begin = 0, n_words = 0;
	for (size_t i = 0; i <= len && n_words < FIND_WORDS_MOST;) {
		size_t n = i < len ? utf8_len(query + i, len - i) : 0;
		if (n && is_letter(utf8_get(query + i, n))) {
			i += n;
			continue;
		}
		if (i > begin) {
			put_word(out, query + begin, i - begin, join);
			n_words++;
		}
		i += n ? n : 1;
		begin = i;
	}
	return n_words;
}
