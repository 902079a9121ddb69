/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any body of a POST: what is read of it lies inside it, and every packet of
 * Socket.IO is refused with a reason or is what it claims to be. The bytes also
 * stand for a query, and for a text that we send, which must be read as JSON.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "socketio/eio_packet.h"
#include "socketio/eio_request.h"
#include "socketio/sio_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static bool is_inside(struct span part, struct span whole)
{
	return part.text >= whole.text &&
	       part.text + part.len <= whole.text + whole.len;
}

static void check_packet(const struct sio_packet *p, struct span text)
{
	bool is_binary =
	    p->type == SIO_BINARY_EVENT || p->type == SIO_BINARY_ACK;
	expect(p->n_attachments <= SIO_MAX_ATTACHMENTS);
	expect(is_binary || !p->n_attachments);
	expect(sio_is_main(p) || is_inside(p->nsp, text));
	expect(!p->ack.text || is_inside(p->ack, text));
	expect(p->type != SIO_REFUSAL);
	if (p->type == SIO_EVENT || p->type == SIO_BINARY_EVENT)
		expect(!sio_name_is_reserved(json_first(p->json)));
}

static void check_message(struct span text)
{
	struct sio_packet p;
	struct json_doc doc = {0};
	const char *why;
	if (sio_packet_read(&p, &doc, text.text, text.len, &why))
		check_packet(&p, text);
	else
		expect(why && *why);
	json_fini(&doc);
}

static void check_body(struct span body)
{
	struct eio_payload payload = {.at = body.text, .left = body.len};
	struct eio_packet p;
	struct buf bytes = {0};
	while (eio_payload_next(&payload, &p, &bytes) == EIO_NEXT) {
		expect(p.type == EIO_BINARY || is_inside(p.data, body));
		if (p.type == EIO_MESSAGE)
			check_message(p.data);
	}
	expect(payload.n_packets <= EIO_MAX_PACKETS);
	buf_fini(&bytes);
}

static void check_query(const char *query)
{
	struct eio_wish wish;
	struct span whole = {query, strlen(query)};
	for (int kind = 0; kind < 4; kind++) {
		struct eio_request request = {query, kind & 1, kind & 2};
		if (eio_request_read(&wish, &request) == EIO_FINE)
			expect(!wish.sid.text || is_inside(wish.sid, whole));
	}
}

static void check_sent(const char *text)
{
	static const struct span nsp = {"/", 1};
	struct json_doc doc = {0};
	struct json_error error;
	struct buf out = {0};
	sio_put_refusal(&out, nsp, text, text);
	const struct json *v =
	    json_parse(&doc, out.data + 2, out.len - 2, 0, &error);
	expect(json_is(json_get(v, "message"), JSON_STRING));
	json_fini(&doc);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size lets the sanitizer see a read too far. */
	char *body = malloc(size ? size : 1);
	char *text = malloc(size + 1);

	expect(body && text);
	memcpy(body, data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	check_body((struct span){body, size});
	check_query(text);
	check_sent(text);
	free(body);
	free(text);
	return 0;
}
