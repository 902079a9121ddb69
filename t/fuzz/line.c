/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes from a process: each line is refused, or is an event that a journal
 * can keep. The first byte is the size of the chunks that they come in.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/line.h"
#include "base/line_queue.h"
#include "runner/scribe.h"
#include "base/json.h"
#include "core/stimulus_line.h"

#define LINE_MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_event(struct draft *d)
{
	struct buf stored = {0}, text = {0};
	struct json_doc doc = {0};
	struct event ev;

	event_encode(&stored, d, 1);
	expect(event_decode(&ev, stored.data, stored.len));
	expect(json_is(event_fields(&ev, &doc, &text), JSON_OBJECT));
	expect(event_class(ev.type) == EVENT_STREAM);
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&stored);
}

/*
 * What a process is told is one line of JSON, whatever the fields of the event.
 */
static void check_stimulus(const char *text, size_t len, enum event_type type)
{
	struct event ev = {.type = type,
	    .id = "\n\"",
	    .id_len = 2,
	    .body = text,
	    .body_len = len};
	struct buf out = {0};
	struct json_doc doc = {0};
	struct json_error error;

	if (stimulus_line(&out, &ev)) {
		expect(
		    memchr(out.data, '\n', out.len) == out.data + out.len - 1);
		expect(json_is(json_parse(&doc, out.data, out.len, 0, &error),
		    JSON_OBJECT));
	}
	json_fini(&doc);
	buf_fini(&out);
}

static void check_line(struct line *l, const char *text, size_t len)
{
	struct err err;

	expect(len <= LINE_MAX_BYTES && !memchr(text, '\n', len));
	check_stimulus(text, len, EV_ANSWER);
	check_stimulus(text, len, EV_MORE_INPUT);
	if (line_read(l, text, len, 1, &err) != 0) {
		expect(err.code == ERR_BAD_REQUEST);
		return;
	}
	if (l->kind == LINE_EVENT)
		check_event(&l->draft);
	expect(l->kind != LINE_OUTPUT || l->result);
	expect(l->kind != LINE_ERROR || l->message);
}

static void hear(void *arg, const char *text, size_t len)
{
	(void)arg;
	expect(len <= SCRIBE_LINE_MAX && !memchr(text, '\n', len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_queue q;
	struct line l = {0};
	struct scribe s = {0};
	enum line_state state = LINE_NONE;
	const char *text;
	size_t len;

	if (size < 1)
		return 0;
	size_t chunk = (size_t)data[0] + 1;
	line_init(&q, LINE_MAX_BYTES);
	for (size_t i = 1; i < size && state != LINE_TOO_LONG; i += chunk) {
		size_t n = size - i < chunk ? size - i : chunk;
		line_lend(&q, (const char *)data + i, n);
		scribe_feed(&s, (const char *)data + i, n, 0, hear, NULL);
		while ((state = line_next(&q, &text, &len)) == LINE_WHOLE)
			check_line(&l, text, len);
		line_keep(&q);
	}
	scribe_end(&s, hear, NULL);
	line_free(&l);
	line_fini(&q);
	return 0;
}
