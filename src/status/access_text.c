/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/access_text.h"

#include "base/clock.h"
#include "status/access_log.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

/* The longest text in a line before escaping, which makes 3 bytes of one. */
#define MAX_PATH_TEXT 256
#define MAX_WORD 80
#define MAX_METHOD 16

/* Names, punctuation, the time and numbers take less than this. */
#define MAX_REST 256

_Static_assert(3 * (4 * MAX_WORD + MAX_METHOD + MAX_PATH_TEXT) + MAX_REST <=
		   ACCESS_TEXT_MAX,
    "a line of nothing but escapes fits");

static char *put(char *p, const char *s)
{
	size_t len = strlen(s);
	memcpy(p, s, len);
	return p + len;
}

static char *put_number(char *p, uint64_t n, int least)
{
	char digits[20];
	int len = 0;
	for (; n || len < least; n /= 10)
		digits[len++] = (char)('0' + n % 10);
	while (len)
		*p++ = digits[--len];
	return p;
}

/* Append a text; what is not plain in it becomes %XX, as in URLs. */
static char *put_text(char *p, const char *s, size_t len, size_t most)
{
	static const char hex[] = "0123456789ABCDEF";
	if (!s || !len) {
		*p++ = '-';
		return p;
	}
	for (size_t i = 0; i < len && i < most; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
			*p++ = (char)c;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}

static char *put_word(char *p, const char *s)
{
	return put_text(p, s, s ? strlen(s) : 0, MAX_WORD);
}

static char *put_time(char *p)
{
	static _Thread_local time_t last = -1;
	static _Thread_local char text[24];
	int64_t now_ms = clock_wall_ms();
	time_t second = (time_t)(now_ms / 1000);
	struct tm tm;
	if (second != last) {
		if (!gmtime_r(&second, &tm) ||
		    !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
			text[0] = '\0';
		last = second;
	}
	p = put(p, text);
	*p++ = '.';
	p = put_number(p, (uint64_t)(now_ms % 1000), 3);
	*p++ = 'Z';
	return p;
}

static char *put_ms(char *p, int64_t us)
{
	uint64_t positive = us > 0 ? (uint64_t)us : 0;
	p = put_number(p, positive / 1000, 1);
	*p++ = '.';
	return put_number(p, positive % 1000, 3);
}

static char *put_plain(char *p, const struct access_line *l, unsigned slot)
{
	p = put_time(p);
	*p++ = ' ';
	p = put_word(p, l->peer);
	*p++ = ' ';
	p = put_word(p, l->who);
	*p++ = ' ';
	p = put_text(p, l->method, l->method_len, MAX_METHOD);
	*p++ = ' ';
	p = put_text(p, l->path, l->path_len, MAX_PATH_TEXT);
	*p++ = ' ';
	p = put_number(p, (uint64_t)l->status, 1);
	p = put_number(put(p, " in="), l->bytes_in, 1);
	p = put_number(put(p, " out="), l->bytes_out, 1);
	p = put_ms(put(p, " ms="), l->took_us);
	p = put_text(put(p, " route="), l->route, l->route_len, MAX_WORD);
	p = put_number(put(p, " worker="), slot, 1);
	p = put_text(put(p, " id="), l->id, l->id_len, MAX_WORD);
	*p++ = '\n';
	return p;
}

static char *put_json(char *p, const struct access_line *l, unsigned slot)
{
	p = put_time(put(p, "{\"time\":\""));
	p = put_word(put(p, "\",\"peer\":\""), l->peer);
	p = put_word(put(p, "\",\"who\":\""), l->who);
	p = put_text(
	    put(p, "\",\"method\":\""), l->method, l->method_len, MAX_METHOD);
	p = put_text(
	    put(p, "\",\"path\":\""), l->path, l->path_len, MAX_PATH_TEXT);
	p = put_number(put(p, "\",\"status\":"), (uint64_t)l->status, 1);
	p = put_number(put(p, ",\"in\":"), l->bytes_in, 1);
	p = put_number(put(p, ",\"out\":"), l->bytes_out, 1);
	p = put_ms(put(p, ",\"ms\":"), l->took_us);
	p = put_text(put(p, ",\"route\":\""), l->route, l->route_len, MAX_WORD);
	p = put_number(put(p, "\",\"worker\":"), slot, 1);
	p = put_text(put(p, ",\"id\":\""), l->id, l->id_len, MAX_WORD);
	return put(p, "\"}\n");
}

size_t access_text(
    char *out, const struct access_line *line, unsigned slot, bool is_json)
{
	char *end = (is_json ? put_json : put_plain)(out, line, slot);
	return (size_t)(end - out);
}
