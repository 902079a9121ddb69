/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

/*
 * The head of a request as it came. The library takes the first of two
 * Content-Lengths, the last of two Hosts, and Transfer-Encoding before both,
 * and keeps none of the others: a proxy before us may take another one, and
 * then the end of one request is the beginning of one that it never saw. So
 * what two readers may take differently is refused (RFC 9112 sections 3.2, 5.1,
 * 5.2 and 6.3). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * What is wrong with a head, up to its empty line; NULL: nothing. Whatever
 * stands behind it is not looked at. is_1_0: it is HTTP/1.0, in which Host may
 * be missing and Transfer-Encoding does not exist. The text is static.
 */
const char *http_head_fault(const char *head, size_t len, bool is_1_0);

#endif
