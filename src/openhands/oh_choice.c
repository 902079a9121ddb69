/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_choice.h"

#include "base/buf.h"
#include "base/json.h"
#include "session/session.h"

#include <string.h>

/* No question has as many options as a number with more digits. */
#define MAX_DIGITS 6

struct choice {
	struct buf *out;
	const char *text;
	size_t len;
	uint64_t question;
	size_t number; /* from 1 */
	bool is_found;
};

/* Returns the number that the text is, or 0. */
static size_t read_number(const char *text, size_t len)
{
	size_t n = 0;
	while (len && text[len - 1] == ' ')
		len--;
	if (len > MAX_DIGITS)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (size_t)(text[i] - '0');
	}
	return n;
}

static bool is_text(const struct json *option, const char *text, size_t len)
{
	struct buf scratch = {0};
	size_t n = 0;
	const char *s = json_str(option, &scratch, &n);
	bool is_it = s && n == len && memcmp(s, text, n) == 0;
	buf_fini(&scratch);
	return is_it;
}

static void put_option(struct choice *c, const struct json *option)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(option, &scratch, &len);
	if (!s)
		s = json_text(option, &len);
	buf_append(c->out, s, len);
	c->is_found = true;
	buf_fini(&scratch);
}

static void choose(struct choice *c, const struct json *options)
{
	const struct json *chosen = NULL;
	size_t n = 0;
	if (!json_is(options, JSON_ARRAY))
		return;
	for (const struct json *o = json_first(options); o; o = json_next(o)) {
		if (is_text(o, c->text, c->len))
			return; /* it is meant as it stands */
		if (++n == c->number)
			chosen = o;
	}
	if (chosen)
		put_option(c, chosen);
}

/* Called inside session_events(). */
static bool on_event(const struct event *ev, void *arg)
{
	struct choice *c = arg;
	struct json_doc doc = {0};
	struct buf text = {0};
	if (ev->seq == c->question && ev->type == EV_ASK_USER)
		choose(c, json_get(event_fields(ev, &doc, &text), "options"));
	json_fini(&doc);
	buf_fini(&text);
	return false;
}

bool oh_choice_find(
    struct buf *out, const struct session *s, const char *text, size_t len)
{
	struct choice c = {
	    .out = out,
	    .text = text,
	    .len = len,
	    .number = read_number(text, len),
	};
	if (!c.number || !session_is_waiting(s, EV_ASK_USER, &c.question))
		return false;
	const struct session_range range = {.from = c.question, .most = 1};
	(void)session_events(s, &range, on_event, &c); /* or it is no choice */
	return c.is_found;
}
