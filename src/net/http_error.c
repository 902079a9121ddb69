/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The library answers some requests itself, before any handler: a body that is
 * too large, broken chunks, an unknown expectation. It replies in plain text; a
 * filter on the path that it uses for them makes these replies look like ours.
 */
#include "net/http_int.h"

#include <string.h>

struct error_filter {
	h2o_filter_t super;
	struct http *http;
};

struct error_body {
	h2o_ostream_t super;
	struct http *http;
	const char *text;
};

static const char *http_error_text_of(int status)
{
	switch (status) {
	case 404:
		return "{\"error\": \"not found\"}";
	case 413:
		return "{\"error\": \"Request body too large\"}";
	case 417:
		return "{\"error\": \"expectation failed\"}";
	default:
		return "{\"error\": \"bad request\"}";
	}
}

static void http_error_send_text(h2o_ostream_t *self, h2o_req_t *q,
    libh2o_piece *bufs, size_t n_bufs, h2o_send_state_t state)
{
	(void)bufs; /* the library's text */
	struct error_body *body = (struct error_body *)self;
	/*
	 * The library sends its error in one piece, and nothing in reply to
	 * HEAD.
	 */
	libh2o_piece text = libh2o_piece_of(body->text, strlen(body->text));
	h2o_socket_t *sock = http_conn_of(q)->sock;
	h2o_ostream_send_next(self, q, &text, n_bufs ? 1 : 0, state);
	http_linger(body->http, sock);
}

static void on_setup(h2o_filter_t *self, h2o_req_t *q, h2o_ostream_t **slot)
{
	struct error_filter *f = (struct error_filter *)self;
	if (libh2o_is_handled(q)) {
		h2o_setup_next_ostream(q, slot);
		return;
	}
	struct error_body *body = libh2o_add_ostream(q, sizeof *body, slot);
	body->super.do_send = http_error_send_text;
	body->http = f->http;
	body->text = http_error_text_of(q->res.status);
	q->res.headers.size = 0;
	http_req_head(q, q->res.status, "application/json");
	q->res.content_length = strlen(body->text);
	http_count(f->http->setup.refused_total, 1);
	h2o_setup_next_ostream(q, &body->super.next);
}

void http_error_install(h2o_pathconf_t *path, struct http *h)
{
	struct error_filter *f = (void *)h2o_create_filter(path, sizeof *f);
	f->super.on_setup_ostream = on_setup;
	f->http = h;
}
