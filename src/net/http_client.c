/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Who sent a request, according to what trusted proxies say about it
 * (http_proxy.h).
 */
#include "net/http_int.h"

#include <string.h>

/* Of what proxies say about a client, this many trailing bytes are compared. */
#define PLACE_BYTES 200

/* Join all X-Forwarded-For lines into one list. */
static void join_chain(struct http_forwarded *out, h2o_req_t *q)
{
	const h2o_headers_t *headers = &q->headers;
	h2o_iovec_t all = {NULL, 0};
	ssize_t at = -1;
	while ((at = h2o_find_header(headers, H2O_TOKEN_X_FORWARDED_FOR, at)) !=
	       -1) {
		h2o_iovec_t line = headers->entries[at].value;
		if (all.base)
			all = h2o_concat(&q->pool, all,
			    h2o_iovec_init(H2O_STRLIT(",")), line);
		else
			all = line;
	}
	out->chain = all.base;
	out->chain_len = all.len;
}

/*
 * Returns the last line of a forwarding header that we do not interpret; the
 * nearest proxy wrote it. Its base is NULL if there is none.
 */
static h2o_iovec_t find_other(const h2o_headers_t *headers)
{
	static const char *const names[] = {"forwarded", "x-real-ip"};
	h2o_iovec_t last = {NULL, 0};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		ssize_t at = -1;
		while ((at = h2o_find_header_by_str(
			    headers, names[i], strlen(names[i]), at)) != -1)
			last = headers->entries[at].value;
	}
	return last;
}

void http_client_of(
    struct http_conn *c, h2o_req_t *q, struct http_client *client)
{
	struct http_forwarded forwarded = {
	    .has_other = find_other(&q->headers).base != NULL,
	};
	join_chain(&forwarded, q);
	http_proxy_client(client, &c->http->proxies, &c->addr, &forwarded);
	/*
	 * A foreign name that resolves to us is how a page pretends to be
	 * local.
	 */
	client->is_loopback =
	    client->is_loopback &&
	    http_origin_host_is_ours(&c->http->pages, q->input.authority.base,
		q->input.authority.len);
}

const struct http_client *http_req_client(const struct http_req *req)
{
	if (req->client)
		return req->client;
	struct http_client *client = libh2o_alloc(req->h2o, sizeof *client);
	http_client_of(req->conn, req->h2o, client);
	/* A cache: it does not change the request for any reader. */
	((struct http_req *)(uintptr_t)req)->client = client;
	return client;
}

const char *http_peer(const struct http_req *req)
{
	return http_req_client(req)->text;
}

/* Returns the end of a list, where the nearest proxies are. */
static h2o_iovec_t tail_of(const char *text, size_t len)
{
	size_t cut = len > PLACE_BYTES ? len - PLACE_BYTES : 0;
	return text ? h2o_iovec_init(text + cut, len - cut)
		    : h2o_iovec_init(H2O_STRLIT(""));
}

const char *http_place(const struct http_req *req)
{
	const struct http_client *client = http_req_client(req);
	h2o_req_t *q = req->h2o;
	struct http_forwarded said = {.chain = NULL};
	if (!client->is_vague)
		return client->text;
	join_chain(&said, q);
	h2o_iovec_t other = find_other(&q->headers);
	return h2o_concat(&q->pool,
	    h2o_iovec_init(client->text, strlen(client->text)),
	    h2o_iovec_init(H2O_STRLIT(" for ")),
	    tail_of(said.chain, said.chain_len),
	    h2o_iovec_init(H2O_STRLIT(" or ")), tail_of(other.base, other.len))
	    .base;
}

bool http_peer_is_loopback(const struct http_req *req)
{
	return http_req_client(req)->is_loopback;
}
