/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/yaml_scalar.h"

#include "base/buf.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool yaml_scalar_is_among(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, text) == 0)
			return true;
	return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const true_words[] = {
    "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
static const char *const false_words[] = {
    "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};

static const char *after_sign(const char *s)
{
	return *s == '-' || *s == '+' ? s + 1 : s;
}

/*
 * Returns the parts of "190:20:30" after the first; NULL if it has another
 * form.
 */
static const char *after_sixties(const char *s)
{
	if (*s != ':')
		return NULL;
	while (*s == ':') {
		size_t n = strspn(++s, "0123456789");
		if (n < 1 || n > 2 || (n == 2 && *s > '5'))
			return NULL;
		s += n;
	}
	return s;
}

static bool is_whole(const char *s, const char *digits)
{
	return *s && s[strspn(s, digits)] == 0;
}

static bool is_int(const char *text)
{
	const char *s = after_sign(text);
	if (strcmp(s, "0") == 0)
		return true;
	if (*s == '0' && s[1] == 'b')
		return is_whole(s + 2, "01_");
	if (*s == '0' && s[1] == 'x')
		return is_whole(s + 2, "0123456789abcdefABCDEF_");
	if (*s == '0')
		return is_whole(s + 1, "01234567_");
	if (*s < '1' || *s > '9')
		return false;
	s += strspn(s, "0123456789_");
	const char *end = after_sixties(s);
	return !*s || (end && !*end);
}

static bool is_exponent_or_end(const char *s)
{
	if (!*s)
		return true;
	if ((*s != 'e' && *s != 'E') || (s[1] != '-' && s[1] != '+'))
		return false;
	return is_whole(s + 2, "0123456789");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_float(const char *text)
{
	const char *s = after_sign(text);
	if (*s == '.' && s == text && is_digit(s[1]))
		return is_exponent_or_end(s + 1 + strspn(s + 1, "0123456789_"));
	if (!is_digit(*s))
		return false;
	s += strspn(s, "0123456789_");
	const char *seconds = after_sixties(s);
	if (seconds)
		return *seconds == '.' &&
		       !seconds[1 + strspn(seconds + 1, "0123456789_")];
	return *s == '.' &&
	       is_exponent_or_end(s + 1 + strspn(s + 1, "0123456789_"));
}

static bool is_endless(const char *text)
{
	static const char *const inf[] = {".inf", ".Inf", ".INF", NULL};
	static const char *const nan[] = {".nan", ".NaN", ".NAN", NULL};
	return yaml_scalar_is_among(after_sign(text), inf) ||
	       yaml_scalar_is_among(text, nan);
}

enum yaml_kind yaml_scalar_kind(const char *text)
{
	if (yaml_scalar_is_among(text, null_words))
		return YAML_NULL;
	if (yaml_scalar_is_among(text, true_words) ||
	    yaml_scalar_is_among(text, false_words))
		return YAML_BOOL;
	if (is_int(text))
		return YAML_INT;
	return is_float(text) || is_endless(text) ? YAML_FLOAT : YAML_STR;
}

static void without_underscores(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (*s != '_')
			buf_char(out, *s);
}

/* Write digits in a base as a decimal; numbers beyond int64_t are rejected. */
static int put_based(
    struct buf *out, bool is_negative, const char *digits, unsigned base)
{
	uint64_t v = 0;
	for (const char *s = digits; *s; s++) {
		unsigned d = is_digit(*s) ? (unsigned)(*s - '0')
					  : (unsigned)((*s | 32) - 'a' + 10);
		if (v > ((uint64_t)INT64_MAX - d) / base)
			return -1;
		v = v * base + d;
	}
	buf_int(out, is_negative ? -(int64_t)v : (int64_t)v);
	return *digits ? 0 : -1;
}

/* "1:30" is ninety. */
static int put_sixties(struct buf *out, bool is_negative, const char *s)
{
	int64_t v = 0;
	while (*s) {
		char *end;
		int64_t part = strtoll(s, &end, 10);
		if (__builtin_mul_overflow(v, 60, &v) ||
		    __builtin_add_overflow(v, part, &v))
			return -1;
		s = *end == ':' ? end + 1 : end;
	}
	buf_int(out, is_negative ? -v : v);
	return 0;
}

static int put_digits(struct buf *out, bool is_negative, const char *s)
{
	if (strchr(s, ':'))
		return put_sixties(out, is_negative, s);
	if (s[0] == '0' && s[1] == 'b')
		return put_based(out, is_negative, s + 2, 2);
	if (s[0] == '0' && s[1] == 'x')
		return put_based(out, is_negative, s + 2, 16);
	if (s[0] == '0')
		return put_based(out, is_negative, s, 8);
	if (is_negative)
		buf_char(out, '-');
	buf_str(out, s);
	return 0;
}

static int put_int(struct buf *out, const char *text)
{
	struct buf plain = {0};
	without_underscores(&plain, after_sign(text));
	int rc = put_digits(out, *text == '-', buf_cstr(&plain));
	buf_fini(&plain);
	return rc;
}

static int put_sixties_float(struct buf *out, bool is_negative, const char *s)
{
	double v = 0;
	while (*s) {
		char *end;
		v = v * 60 + strtod(s, &end);
		s = *end == ':' ? end + 1 : end;
	}
	if (!isfinite(v))
		return -1;
	buf_printf(out, "%s%.17g", is_negative ? "-" : "", v);
	return 0;
}

/* JSON needs a digit on both sides of the point, and no extra leading zeros. */
static void put_spelled(struct buf *out, const char *s)
{
	while (*s == '0' && is_digit(s[1]))
		s++;
	if (*s == '.')
		buf_char(out, '0');
	size_t n = strcspn(s, ".") + 1;
	buf_append(out, s, n);
	if (!is_digit(s[n]))
		buf_char(out, '0');
	buf_str(out, s + n);
}

static int put_float(struct buf *out, const char *text)
{
	struct buf plain = {0};
	bool is_negative = *text == '-';
	int rc = 0;
	if (is_endless(text))
		return -1;
	without_underscores(&plain, after_sign(text));
	if (strchr(buf_cstr(&plain), ':')) {
		rc = put_sixties_float(out, is_negative, buf_cstr(&plain));
	} else {
		if (is_negative)
			buf_char(out, '-');
		put_spelled(out, buf_cstr(&plain));
	}
	buf_fini(&plain);
	return rc;
}

int yaml_scalar_put(
    struct buf *out, enum yaml_kind kind, const char *text, size_t len)
{
	switch (kind) {
	case YAML_NULL:
		buf_str(out, "null");
		return 0;
	case YAML_BOOL:
		buf_str(out,
		    yaml_scalar_is_among(text, true_words) ? "true" : "false");
		return 0;
	case YAML_INT:
		return put_int(out, text);
	case YAML_FLOAT:
		return put_float(out, text);
	case YAML_STR:
		buf_json(out, text, len);
		return 0;
	}
	return -1;
}
