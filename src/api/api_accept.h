/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_ACCEPT_H
#define API_API_ACCEPT_H

/* The media type that a client prefers (Accept, RFC 9110 section 12.5.1). */
#include <stdbool.h>
#include <stddef.h>

struct http_req;

/*
 * The weight of one type, taken from the most specific range that matches it.
 */
struct api_accept {
	const char *type; /* "text/event-stream" */
	int exactness;	  /* matched by 0: none, 1: any, 2: text, 3: the type */
	int q;		  /* in thousandths; 0: not acceptable */
};

/*
 * Take one header line of n bytes into account. Malformed ranges are ignored.
 */
void api_accept_line(struct api_accept *a, const char *line, size_t n);

/*
 * Whether the client prefers an event stream to JSON: by a higher weight, or by
 * the same weight if the stream is named explicitly. Without Accept the answer
 * is JSON.
 */
bool api_accept_is_stream(const struct http_req *req);

#endif
