/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A buf is a growing run of bytes. It lives in its owner's memory; {0} is a
 * valid empty buf that owns nothing. It may hold NUL bytes; len counts what is
 * there. data is NULL until the first append. Running out of memory ends the
 * process. Not thread-safe: one buf, one thread at a time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* Free the bytes and make *b empty again. */
void buf_fini(struct buf *b);

/* Forget the bytes, keep the memory. */
void buf_reset(struct buf *b);

/*
 * Make room for n more bytes and return where they go. The caller writes at
 * most n and then adds what it wrote to b->len.
 */
char *buf_reserve(struct buf *b, size_t n);

/* Append n bytes at p (p may be NULL when n is 0). */
void buf_append(struct buf *b, const void *p, size_t n);

/* Append a C string, without its NUL. */
void buf_str(struct buf *b, const char *s);

/* Append one byte. */
void buf_char(struct buf *b, char c);

/* Append a decimal integer. */
void buf_int(struct buf *b, int64_t v);

/* Append what printf would write. */
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Append what vprintf would write. */
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * Append n bytes of text as a JSON string, with its quotes (RFC 8259 section
 * 7). Bytes that are not UTF-8 become U+FFFD; control characters are escaped.
 * The result is always valid JSON.
 */
void buf_json(struct buf *b, const char *s, size_t n);

/* As buf_json, for a C string; NULL becomes null. */
void buf_json_str(struct buf *b, const char *s);

/* Remove the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);

/* Give the bytes, NUL-terminated, to the caller (free()); *b becomes empty. */
char *buf_steal(struct buf *b, size_t *len);

/* A NUL-terminated view of the bytes, valid until the next change. */
const char *buf_cstr(struct buf *b);

#endif
