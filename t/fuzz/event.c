/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes in the place of stored events, records and claims: they are
 * refused, or what is viewed lies within them. Their checksum is also put
 * right, so that what is behind it is reached. The same bytes as JSON from an
 * agent become an event that survives being stored, and that one flipped bit
 * makes unreadable.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"
#include "core/event.h"
#include "store/record.h"

/* Where a stored event keeps its checksum, of all else with this 0. */
#define EVENT_CRC_AT 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* A copy of the exact size lets the sanitizer see a read too far. */
static char *copy_of(const void *data, size_t size)
{
	char *copy = calloc(1, size ? size : 1);

	expect(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* Whether n bytes at p lie within the row. */
static bool is_within(const char *row, size_t size, const char *p, size_t n)
{
	return p >= row && n <= size && p + n <= row + size;
}

static void check_event(const char *row, size_t size)
{
	struct event ev;

	if (!event_decode(&ev, row, size))
		return;
	expect((unsigned)ev.type < EV_COUNT);
	expect(is_within(row, size, ev.id, ev.id_len));
	expect(is_within(row, size, ev.body, ev.body_len));
	struct json_doc doc = {0};
	struct buf text = {0};
	(void)event_fields(&ev, &doc, &text); /* the body may be any bytes */
	json_fini(&doc);
	buf_fini(&text);
}

static void check_span(const char *row, size_t size, const struct store_span *s)
{
	expect(!s->data || is_within(row, size, s->data, s->len));
}

static void check_record(const char *row, size_t size)
{
	struct record r;

	if (!record_decode(&r, (struct store_span){row, size}))
		return;
	expect((unsigned)r.status < RECORD_STATUS_COUNT);
	check_span(row, size, &r.id);
	check_span(row, size, &r.caller);
	check_span(row, size, &r.prompt);
	check_span(row, size, &r.result);
	check_span(row, size, &r.reason);
	check_span(row, size, &r.extra);
}

static void check_claim(const char *row, size_t size)
{
	struct claim c;

	if (!record_decode_claim(&c, (struct store_span){row, size}))
		return;
	expect((unsigned)c.status < RECORD_STATUS_COUNT);
	check_span(row, size, &c.id);
	check_span(row, size, &c.result);
	check_span(row, size, &c.reason);
}

static void check_all(const char *row, size_t size)
{
	check_event(row, size);
	check_record(row, size);
	check_claim(row, size);
}

static void check_sealed_event(const uint8_t *data, size_t size)
{
	char *row = copy_of(data, size);
	uint32_t crc = 0;

	if (size >= EVENT_CRC_AT + sizeof(crc)) {
		memcpy(row + EVENT_CRC_AT, &crc, sizeof(crc));
		crc = enc_crc32c(0, row, size);
		memcpy(row + EVENT_CRC_AT, &crc, sizeof(crc));
	}
	check_all(row, size);
	free(row);
}

static void check_sealed_row(const uint8_t *data, size_t size)
{
	char *row = copy_of(data, size);
	uint32_t crc;

	if (size >= sizeof(crc)) {
		crc = enc_crc32c(0, row + sizeof(crc), size - sizeof(crc));
		memcpy(row, &crc, sizeof(crc));
	}
	check_all(row, size);
	free(row);
}

/* Store what an agent said, read it, damage it. */
static void check_stored(struct draft *d, size_t flip)
{
	struct buf row = {0}, text = {0};
	struct json_doc doc = {0};
	struct event ev;

	event_encode(&row, d, 1);
	expect(event_decode(&ev, row.data, row.len));
	expect(ev.type == d->type && ev.turn == d->turn);
	expect(ev.body_len == d->body.len);
	expect(!ev.body_len || !memcmp(ev.body, d->body.data, ev.body_len));
	expect(json_is(event_fields(&ev, &doc, &text), JSON_OBJECT));
	flip %= row.len * 8;
	row.data[flip / 8] = (char)(row.data[flip / 8] ^ (1 << flip % 8));
	expect(!event_decode(&ev, row.data, row.len));
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&row);
}

static void check_said(const uint8_t *data, size_t size)
{
	char *text = copy_of(data, size);
	struct json_doc doc = {0};
	struct json_error why;
	struct draft d = {0};
	struct err err;
	const struct json *v = json_parse(&doc, text, size, 0, &why);

	if (json_is(v, JSON_OBJECT)) {
		if (event_from_json(&d, 1, v, &err) == 0)
			check_stored(&d, size * 7919);
		else
			expect(err.code == ERR_BAD_REQUEST && *err.text);
	}
	event_fini(&d);
	json_fini(&doc);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *row = copy_of(data, size);

	check_all(row, size);
	free(row);
	check_sealed_event(data, size);
	check_sealed_row(data, size);
	check_said(data, size);
	return 0;
}
