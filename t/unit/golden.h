/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_GOLDEN_H
#define T_UNIT_GOLDEN_H

/*
 * Files of t/golden, and the journal that holds every kind of event
 * (journal.jsonl).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "core/event.h"

static inline FILE *golden_open(const char *name, const char *mode)
{
	const char *top = getenv("TOP_SRCDIR");
	struct buf path = {0};

	buf_printf(&path, "%s/t/golden/%s", top ? top : ".", name);
	FILE *f = fopen(buf_cstr(&path), mode);
	buf_fini(&path);
	return f;
}

/* Append a file; nothing if it is not there. */
static inline void golden_read(struct buf *text, const char *name)
{
	FILE *f = golden_open(name, "re");
	size_t n = 1;

	while (f && n > 0) {
		n = fread(buf_reserve(text, 65536), 1, 65536, f);
		text->len += n;
	}
	if (f)
		(void)fclose(f); /* only read */
}

static inline bool golden_write(const struct buf *text, const char *name)
{
	FILE *f = golden_open(name, "we");
	bool is_good = f && fwrite(text->data, 1, text->len, f) == text->len;

	return f && fclose(f) == 0 && is_good;
}

static inline enum event_type golden_type(const struct json *name)
{
	for (int i = 0; i < EV_COUNT; i++) {
		if (json_str_is(name, event_name((enum event_type)i)))
			return (enum event_type)i;
	}
	return EV_COUNT;
}

static inline void golden_event(struct event *ev, const struct json *line)
{
	int64_t n = 0;
	struct buf none = {0};

	memset(ev, 0, sizeof(*ev));
	(void)json_int(json_get(line, "seq"), &n);
	ev->seq = (uint64_t)n;
	(void)json_int(json_get(line, "turn"), &n);
	ev->turn = (uint32_t)n;
	(void)json_int(json_get(line, "time_us"), &ev->time_us);
	ev->type = golden_type(json_get(line, "type"));
	ev->id = json_str(json_get(line, "id"), &none, &ev->id_len);
	ev->body = json_text(json_get(line, "body"), &ev->body_len) + 1;
	ev->body_len -= 2;
}

/* Call fn for each event of the journal; ev is valid only inside. */
static inline void golden_journal(
    void (*fn)(const struct event *ev, void *arg), void *arg)
{
	struct buf journal = {0};
	const char *end;

	golden_read(&journal, "journal.jsonl");
	for (const char *at = buf_cstr(&journal); (end = strchr(at, '\n'));
	     at = end + 1) {
		struct json_doc doc = {0};
		struct json_error error;
		struct event ev;

		golden_event(
		    &ev, json_parse(&doc, at, (size_t)(end - at), 0, &error));
		fn(&ev, arg);
		json_fini(&doc);
	}
	buf_fini(&journal);
}

#endif
