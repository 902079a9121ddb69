/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_asset.h"
#include "net/http_int.h"

#include <stdio.h>

#define KEEP_FOR_EVER "public, max-age=31536000, immutable"
#define ASK_EACH_TIME "no-cache"

/* Room for an ETag with its quotes and the suffix of its form. */
#define TAG_BYTES 64

/* By enum http_coding. */
static const struct {
	const char *name;   /* Content-Encoding; NULL: none */
	const char *suffix; /* of the ETag */
} codings[HTTP_CODINGS] = {{NULL, ""}, {"gzip", "-gz"}, {"br", "-br"}};

static void add_headers(struct http_req *req, const struct http_asset *asset,
    enum http_coding coding, const char *tag)
{
	http_add_header(req, "etag", tag);
	http_add_header(req, "vary", "accept-encoding");
	http_add_header(req, "cache-control",
	    asset->is_immutable ? KEEP_FOR_EVER : ASK_EACH_TIME);
	if (codings[coding].name)
		http_add_header(req, "content-encoding", codings[coding].name);
}

void http_reply_asset(struct http_req *req, const struct http_asset *asset)
{
	static h2o_generator_t done;
	char tag[TAG_BYTES];
	enum http_coding coding =
	    http_asset_choose(asset, http_header(req, "accept-encoding"));
	snprintf(
	    tag, sizeof tag, "\"%s%s\"", asset->tag, codings[coding].suffix);
	bool is_known =
	    http_asset_is_known(http_header(req, "if-none-match"), tag);
	bool has_body = !is_known && !http_is_head(req);
	add_headers(req, asset, is_known ? HTTP_CODING_NONE : coding, tag);
	h2o_req_t *q = http_req_finish(req);
	http_req_status(q, is_known ? 304 : 200, is_known ? NULL : asset->type);
	/* A 304 has no length: it would be that of the whole reply. */
	if (!is_known)
		q->res.content_length = asset->forms[coding].size;
	h2o_iovec_t body = h2o_iovec_init(
	    asset->forms[coding].data, asset->forms[coding].size);
	h2o_start_response(q, &done);
	h2o_send(q, &body, has_body ? 1 : 0, H2O_SEND_STATE_FINAL);
}
