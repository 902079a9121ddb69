/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ons/ons_message.h"
#include "wrapper/backlog.h"
#include "wrapper/chunk.h"
#include "wrapper/doer.h"
#include "wrapper/order.h"

#include <stdlib.h>

/* What is kept of a text where the whole is too large for a message. */
#define MAX_CUT ((size_t)64 * 1024)

/* Ids of commands that ended; a request that comes again is recognised. */
#define MAX_ENDED 256

struct report {
	struct report_setup setup;
	char *ended[MAX_ENDED]; /* a ring */
	size_t n_ended;
	int64_t total_ms;
	int64_t n_documents;
};

/* Add a message and free both. */
static void send(struct report *r, struct buf *id, struct buf *text)
{
	backlog_add(
	    r->setup.backlog, buf_cstr(id), text->data, text->len, true);
	buf_fini(id);
	buf_fini(text);
	r->setup.on_news(r->setup.arg);
}

/* ---- states ---- */

void report_state(struct report *r, const struct order *x, enum ons_state state,
    int64_t position)
{
	struct buf text = {0}, id = {0};
	const struct ons_command_ack ack = {
	    .command = span_cstr(x->id), .state = state, .position = position};

	buf_printf(&id, "%s-%s", x->id, ons_state_name(state));
	ons_put_command_ack(&text, span_cstr(buf_cstr(&id)), clock_wall_ms(),
	    span_cstr(r->setup.agent_id), &ack);
	send(r, &id, &text);
}

static void put_end_id(struct buf *out, const char *id)
{
	buf_printf(out, "%s-complete", id);
}

static void remember(struct report *r, const char *id)
{
	char **at = &r->ended[r->n_ended++ % MAX_ENDED];

	free(*at);
	*at = mem_strdup(id);
}

static struct span cut(struct span s)
{
	return (struct span){s.text, utf8_cut(s.text, s.len, MAX_CUT)};
}

static void put_complete(
    struct report *r, struct buf *out, struct span id, struct ons_complete *c)
{
	int64_t now_ms = clock_wall_ms();
	struct span agent = span_cstr(r->setup.agent_id);

	ons_put_complete(out, id, now_ms, agent, c);
	if (out->len <= ONS_MAX_MESSAGE)
		return;
	buf_reset(out);
	c->error = cut(c->error);
	c->result = cut(c->result);
	ons_put_complete(out, id, now_ms, agent, c);
}

void report_end(
    struct report *r, const struct order *x, const struct doer_result *result)
{
	struct buf text = {0}, id = {0};
	struct ons_complete c = {
	    .command = span_cstr(x->id),
	    .state = result->state,
	    .has_exit_code = result->has_exit_code,
	    .exit_code = result->exit_code,
	    .duration_ms = x->began_ms ? clock_mono_ms() - x->began_ms : 0,
	    .tokens = x->n_tokens ? x->n_tokens : -1,
	    .error = span_cstr(x->why ? x->why : result->error),
	    .result = span_cstr(result->text),
	};

	put_end_id(&id, x->id);
	put_complete(r, &text, span_cstr(buf_cstr(&id)), &c);
	remember(r, x->id);
	r->total_ms += c.duration_ms;
	log_info("command=%s: %s duration_ms=%lld", x->id,
	    ons_state_name(result->state), (long long)c.duration_ms);
	send(r, &id, &text);
}

void report_refusal(struct report *r, struct span id, const char *why)
{
	struct order x = {.id = mem_strndup(id.len ? id.text : "", id.len)};

	report_end(
	    r, &x, &(struct doer_result){.state = ONS_FAILED, .error = why});
	free(x.id);
}

/* ---- output ---- */

static void send_output(
    struct report *r, struct order *x, bool is_errors, size_t n)
{
	struct buf *b = &x->output[is_errors];
	const struct backlog_output output = {
	    .command_id = x->id,
	    .sequence = ++x->sequence,
	    .is_errors = is_errors,
	    .text = b->data,
	    .len = n,
	};

	backlog_add_output(r->setup.backlog, &output);
	buf_consume(b, n);
	r->setup.on_news(r->setup.arg);
}

static void flush_stream(
    struct report *r, struct order *x, bool is_errors, bool is_end)
{
	size_t most = r->setup.chunk_bytes;
	struct buf *b = &x->output[is_errors];

	while (b->len > most) {
		size_t n = chunk_whole(b->data, most);
		send_output(r, x, is_errors, n ? n : most);
	}
	size_t n = is_end ? b->len : chunk_whole(b->data, b->len);
	if (n)
		send_output(r, x, is_errors, n);
}

void report_flush(struct report *r, struct order *x, bool is_end)
{
	flush_stream(r, x, false, is_end);
	flush_stream(r, x, true, is_end);
}

bool report_output(struct report *r, struct order *x, bool is_errors,
    const char *text, size_t len)
{
	/* What was written before on the other stream goes first. */
	if (x->output[!is_errors].len)
		flush_stream(r, x, !is_errors, false);
	buf_append(&x->output[is_errors], text, len);
	if (x->output[is_errors].len < r->setup.chunk_bytes)
		return false;
	flush_stream(r, x, is_errors, false);
	return true;
}

void report_event(
    struct report *r, struct order *x, const char *json, size_t len)
{
	struct buf text = {0}, id = {0};

	report_flush(r, x, false);
	const struct ons_event e = {
	    .command = span_cstr(x->id),
	    .sequence = ++x->sequence,
	    .event = {json, len},
	};
	buf_printf(&id, "%s-%lld", x->id, (long long)x->sequence);
	ons_put_event(&text, span_cstr(buf_cstr(&id)), clock_wall_ms(),
	    span_cstr(r->setup.agent_id), &e);
	send(r, &id, &text);
}

/* A name comes again when there is more to say of it. */
void report_document(struct report *r, struct order *x, enum ons_type type,
    const char *name, const char *json, size_t len)
{
	const struct ons_document d = {.payload = {json, len}};
	struct buf text = {0}, id = {0};

	report_flush(r, x, false);
	buf_printf(&id, "%s-%lld", name, (long long)++r->n_documents);
	ons_put_document(
	    &text, type, span_cstr(buf_cstr(&id)), clock_wall_ms(), &d);
	send(r, &id, &text);
}

/* ---- what has ended ---- */

bool report_knows(const struct report *r, struct span id)
{
	for (size_t i = 0; i < MAX_ENDED; i++)
		if (r->ended[i] && ons_is(id, r->ended[i]))
			return true;
	return false;
}

void report_unconfirmed(const struct report *r, struct buf *out)
{
	struct buf id = {0};

	for (size_t i = 0; i < MAX_ENDED && r->ended[i]; i++) {
		buf_reset(&id);
		put_end_id(&id, r->ended[i]);
		if (!backlog_has(r->setup.backlog, buf_cstr(&id)))
			continue;
		buf_char(out, ',');
		buf_json_str(out, r->ended[i]);
	}
	buf_fini(&id);
}

int64_t report_count(const struct report *r)
{
	return (int64_t)r->n_ended;
}

int64_t report_total_ms(const struct report *r)
{
	return r->total_ms;
}

/* ---- life ---- */

struct report *report_new(const struct report_setup *setup)
{
	struct report *r = mem_zero(sizeof *r);

	r->setup = *setup;
	return r;
}

void report_free(struct report **rp)
{
	struct report *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	for (size_t i = 0; i < MAX_ENDED; i++)
		free(r->ended[i]);
	free(r);
}
