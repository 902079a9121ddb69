/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any text as a token, as credentials, as an action of a user, and, if it is a
 * JSON object, as the fields of each kind of event: an action is refused with a
 * reason or has what it needs, what is signed has a payload or a signature, and
 * what is shown of an event is JSON.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "openhands/oh_action.h"
#include "openhands/oh_event.h"
#include "openhands/oh_retry.h"
#include "openhands/oh_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_token(const struct json *credentials, const char *token)
{
	struct json_doc doc = {0};
	struct buf mem = {0};
	const struct json *v = oh_token_read(&doc, &mem, credentials, token);
	expect(!v || json_get(v, "payload") || json_get(v, "signature"));
	json_fini(&doc);
	buf_fini(&mem);
}

static void check_action(const struct json *said)
{
	struct oh_action action;
	oh_action_read(&action, said);
	switch (action.wish) {
	case OH_WISH_BAD:
		expect(action.why && *action.why);
		break;
	case OH_WISH_MESSAGE:
		expect(json_is(action.content, JSON_STRING));
		expect(!action.images || json_count(action.images));
		expect(oh_retry_digest(action.content, action.images) != 0);
		break;
	case OH_WISH_RUN:
		expect(json_is(action.content, JSON_STRING));
		expect(!json_str_is(action.content, ""));
		break;
	case OH_WISH_STOP:
	case OH_WISH_CONFIRM:
	case OH_WISH_REJECT:
	case OH_WISH_NOTHING:
		break;
	}
}

static void check_json(const struct buf *out)
{
	struct json_doc doc = {0};
	struct json_error why;
	expect(json_parse(&doc, out->data, out->len, 0, &why) != NULL);
	json_fini(&doc);
}

static void check_views(const struct event *ev, enum oh_dialect dialect)
{
	const struct oh_context context = {.dialect = dialect, .cause = 3};
	for (unsigned view = 0; view < VIEWS; view++) {
		struct oh_change change;
		struct buf out = {0};
		if (oh_event_change(&change, ev, view))
			oh_event_put_change(&out, &change, dialect);
		else if (!oh_event_put(&out, ev, view, &context))
			continue;
		check_json(&out);
		buf_fini(&out);
	}
}

/* The text between the braces of an object is the body of an event. */
static void check_events(const char *text, size_t len)
{
	for (int type = 0; type < EV_COUNT; type++) {
		struct buf out = {0};
		const struct event ev = {
		    .seq = 7,
		    .type = (enum event_type)type,
		    .id = "",
		    .body = text + 1,
		    .body_len = len - 2,
		    .first_view = 9,
		    .views = (1u << VIEWS) - 1,
		};
		check_views(&ev, OH_DOC);
		check_views(&ev, OH_UI);
		if (oh_event_put_status(&out, &ev))
			check_json(&out);
		buf_fini(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc = {0};
	struct json_error why;
	char *text = malloc(size + 1);
	expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_token(NULL, text);
	const struct json *v = json_parse(&doc, text, size, 0, &why);
	check_token(v, "");
	check_action(v);
	if (json_is(v, JSON_OBJECT)) {
		size_t len = 0;
		const char *object = json_text(v, &len);
		check_events(object, len);
	}
	json_fini(&doc);
	free(text);
	return 0;
}
