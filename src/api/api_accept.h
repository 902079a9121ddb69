/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_ACCEPT_H
#define API_API_ACCEPT_H

/* What media type a client wants (Accept, RFC 9110 section 12.5.1). */
#include <stdbool.h>
#include <stddef.h>

struct http_req;

/* How much one type is wanted, by the range that says it most exactly. */
struct api_accept {
	const char *type; /* "text/event-stream" */
	int exactness;	  /* 0: no range fits; 1: any, 2: text, 3: the type */
	int q;		  /* in thousandths; 0: not at all */
};

/* Take one header line, n bytes, into account. Ranges that are none are not. */
void api_accept_line(struct api_accept *a, const char *line, size_t n);

/*
 * Whether it wants an event stream rather than JSON: more, or as much and by
 * name. Who says nothing wants JSON.
 */
bool api_accept_is_stream(const struct http_req *req);

#endif
