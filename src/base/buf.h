/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A buf is a growing array of bytes. The struct lives in its owner's memory;
 * {0} is a valid empty buf that owns nothing. It may hold NUL bytes; len is the
 * number of bytes in it. data is NULL until the first append. Running out of
 * memory ends the process (base/mem.h). Not thread-safe: use one buf from one
 * thread at a time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* Free the bytes; *b is then {0} again. */
void buf_fini(struct buf *b);

/* Set the length to 0 and keep the memory. */
void buf_reset(struct buf *b);

/*
 * Make room for n more bytes and return a pointer to it. The caller writes at
 * most n bytes there and then adds the number written to b->len. The pointer is
 * valid until the next call that changes the buf.
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

/*
 * Append JSON as one line: those from a client may have line breaks between
 * their tokens, which become spaces.
 */
void buf_json_line(struct buf *b, const char *json, size_t len);

/* As buf_json; s NULL becomes null. */
void buf_json_or_null(struct buf *b, const char *s, size_t n);

/* As buf_json, for a C string; NULL becomes null. */
void buf_json_str(struct buf *b, const char *s);

/* Remove the first n bytes (n <= len); the rest moves to the front. */
void buf_consume(struct buf *b, size_t n);

/*
 * Return the bytes, NUL-terminated, and leave *b as {0}. The caller frees them
 * with free(). *len is their number without the NUL; len may be NULL.
 */
char *buf_steal(struct buf *b, size_t *len);

/* Returns a NUL-terminated view of the bytes, valid until the next change. */
const char *buf_cstr(struct buf *b);

#endif
