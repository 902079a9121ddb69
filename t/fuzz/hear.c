/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any lines as the frames of an agent: a client of libcoconnect, which answers
 * whatever it is asked, keeps a conversation that can be saved and loaded, and
 * its operation ends once. A line "!" is a broken connection that came back.
 */
#include "connect/hear.h"

#include <co_connect.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "connect/client.h"

#define ADDRESS \
	"0x3c8a9ec72d119b5fa03e9516242bcdac4496521dcf406baa89bf21b2e079a827"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void on_event(void *arg, struct co_client *c, const struct co_event *e)
{
	(void)arg;
	expect(strlen(e->json) == e->json_len && e->type && e->id);
	expect(co_begin_open(c, 0) == CO_ERR_STATE);
}

static struct co_client *begin(void)
{
	struct co_options o;
	struct co_prompt p;

	co_options_init(&o);
	o.flags = CO_KEYLESS;
	o.relay_url = "";
	o.on_event = on_event;
	struct co_client *c = co_connect(ADDRESS, &o, NULL);
	expect(c != NULL);
	co_prompt_init(&p, "hello");
	p.input_id = "i1";
	expect(co_begin_input(c, &p, CO_NO_TIMEOUT) == CO_OK);
	c->phase = PHASE_GREETING;
	return c;
}

/* Read all of it, and answer. */
static void answer(struct co_client *c)
{
	const struct co_question *q = co_question(c);
	size_t n = 0;

	expect((q != NULL) == (co_state(c) == CO_WAITING));
	if (!q)
		return;
	n += strlen(q->id) + strlen(q->text) + strlen(q->arguments);
	for (size_t i = 0; i < q->n_options; i++)
		n += strlen(q->options[i]);
	expect(n <= 4 * strlen(q->json) + 4);
	if (q->kind == CO_ASK)
		expect(
		    co_answer(c, q->n_options ? q->options[0] : "") == CO_OK);
	else if (q->kind == CO_APPROVAL)
		expect(co_approve(c, CO_REJECT_EXPLAIN, q->text) == CO_OK);
	else
		expect(co_review(c, q->text) == CO_OK);
	expect(!co_question(c));
}

static void hear(struct co_client *c, const char *line, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *frame = json_parse(&doc, line, len, 0, &why);

	if (frame && !c->fault.code)
		hear_frame(c, frame);
	json_fini(&doc);
}

static void check_saved(const struct co_client *c)
{
	char *saved = co_session_save(c);
	struct bookmark b = {.session = {0}};
	struct buf again = {0};

	expect(bookmark_load(&b, saved));
	bookmark_save(&b, &again);
	expect(!strcmp(buf_cstr(&again), saved));
	buf_fini(&again);
	bookmark_fini(&b);
	free(saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct co_client *c = begin();
	struct co_result r;
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);
		if (len == 1 && *at == '!')
			c->phase = PHASE_GREETING;
		else
			hear(c, at, len);
		answer(c);
		at += len + 1;
	}
	check_saved(c);
	expect(co_take(c, &r) == !client_is_busy(c));
	expect(!co_take(c, NULL));
	co_free(&c);
	return 0;
}
