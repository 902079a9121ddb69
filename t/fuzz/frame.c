/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes on a WebSocket. The first says in what pieces the others come: the
 * messages must be the same as if all came at once, within the limits, and
 * text must be UTF-8. What is sent back are whole frames.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "net/ws_int.h"

#define MAX_MESSAGE 200
#define MAX_FRAGMENTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct buf *heard = arg;
	size_t n = 1;

	expect(len <= MAX_MESSAGE);
	for (size_t i = 0; i < len && n; i += n)
		n = utf8_len(text + i, len - i);
	expect(n);
	buf_printf(heard, "text %zu ", len);
	buf_append(heard, text, len);
}

static void on_binary(void *arg)
{
	buf_str(arg, "binary ");
}

static void on_drain(void *arg)
{
	(void)arg;
}

static void on_gone(void *arg)
{
	(void)arg;
}

/* Control frames alone, each whole, and nothing after a close. */
static void check_output(const struct buf *out)
{
	size_t i = 0;
	bool is_closed = false;

	while (i < out->len) {
		expect(!is_closed && out->len - i >= 2);
		uint8_t opcode = (uint8_t)out->data[i];
		uint8_t len = (uint8_t)out->data[i + 1];
		expect(opcode == 0x88 || opcode == 0x8a);
		expect(len <= 125 && out->len - i - 2 >= len);
		is_closed = opcode == 0x88;
		i += 2u + len;
	}
}

static void write_later(void *arg)
{
	(void)arg; /* the kernel takes nothing */
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

static struct ws *open_socket(struct buf *heard)
{
	struct ws *w = calloc(1, sizeof(*w));

	expect(w);
	w->loop = loop;
	w->limits.max_message_bytes = MAX_MESSAGE;
	w->limits.max_fragments = MAX_FRAGMENTS;
	wire_take(&w->wire, &handlers, heard);
	w->is_waiting = true;
	loop_later_init(&w->flush, write_later, w);
	ws_in_init(w);
	return w;
}

/* Append what a peer says with these bytes in pieces of a size. */
static void hear(
    struct buf *heard, const uint8_t *data, size_t size, size_t piece)
{
	struct ws *w = open_socket(heard);

	while (size && !w->is_dead) {
		size_t n = size < piece ? size : piece;
		/* A copy of the exact size shows a read too far. */
		char *copy = malloc(n);
		expect(copy);
		memcpy(copy, data, n);
		ws_in_feed(w, copy, n);
		free(copy);
		expect(w->message.len <= MAX_MESSAGE);
		data += n;
		size -= n;
	}
	check_output(&w->out);
	loop_later_cancel(&w->flush);
	ws_in_fini(w);
	buf_fini(&w->out);
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0};

	if (!loop)
		loop = loop_new();
	if (size < 2)
		return 0;
	hear(&whole, data + 1, size - 1, size);
	hear(&pieces, data + 1, size - 1, data[0] % 32 + 1u);
	expect(whole.len == pieces.len);
	expect(!whole.len || !memcmp(whole.data, pieces.data, whole.len));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
