/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_ASSET_H
#define NET_HTTP_ASSET_H

/*
 * A file that was compiled into the program, with its compressed forms, and the
 * reply to a request for it. Its bytes are sent from where they are, without a
 * copy, and live as long as the program.
 */
#include <stdbool.h>
#include <stddef.h>

struct http_req;

enum http_coding {
	HTTP_CODING_NONE,
	HTTP_CODING_GZIP,
	HTTP_CODING_BR,
};

#define HTTP_CODINGS (HTTP_CODING_BR + 1)

struct http_asset {
	const char *path;  /* "/assets/app-OS3KJQ.js" */
	const char *type;  /* Content-Type */
	const char *tag;   /* ETag of the plain form, without quotes */
	bool is_immutable; /* its path changes whenever its bytes do */
	struct {
		const char *data; /* NULL: there is no such form */
		size_t size;
	} forms[HTTP_CODINGS];
};

/*
 * Returns the asset of this path in a table that is sorted by path (strcmp()),
 * or NULL.
 */
const struct http_asset *http_asset_find(
    const struct http_asset *table, size_t n, const char *path);

/*
 * Returns the form to send to a client with this Accept-Encoding (NULL: none):
 * that with the greatest weight; of equal ones the smallest. The plain form is
 * sent if the client takes no other, even if it refuses that one too.
 */
enum http_coding http_asset_choose(
    const struct http_asset *asset, const char *accept_encoding);

/*
 * Whether a list of If-None-Match (NULL: none) contains this tag, which has its
 * quotes, or is "*". Weak tags match too.
 */
bool http_asset_is_known(const char *if_none_match, const char *tag);

/*
 * Reply with the asset, or with 304 if the client has it: ETag, Vary and
 * Cache-Control, which lets clients keep an immutable asset for a year, and ask
 * each time for another. There are no CORS headers. Ends the request.
 */
void http_reply_asset(struct http_req *req, const struct http_asset *asset);

#endif
