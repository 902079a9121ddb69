/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

/*
 * A check of a request head in its raw form. The library takes the first of two
 * Content-Lengths, the last of two Hosts, prefers Transfer-Encoding to both,
 * and drops the others. A proxy in front of us may choose differently; then
 * what is the end of one request for us is the beginning of one that it never
 * saw (request smuggling). So every head that two readers may parse differently
 * is refused (RFC 9112 sections 3.2, 5.1, 5.2 and 6.3). Pure function.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * Returns what is wrong with a head, up to its empty line, as a static text, or
 * NULL if nothing is. Bytes after the empty line are ignored. is_1_0: the
 * request is HTTP/1.0, in which Host is optional and Transfer-Encoding does not
 * exist.
 */
const char *http_head_fault(const char *head, size_t len, bool is_1_0);

#endif
