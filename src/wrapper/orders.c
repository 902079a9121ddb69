/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/orders.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "ons/ons_order.h"
#include "ons/ons_report.h"
#include "wrapper/agent_settings.h"
#include "wrapper/backlog.h"
#include "wrapper/chunk.h"
#include "wrapper/doer.h"
#include "wrapper/env.h"
#include "wrapper/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids of commands that ended; a request that comes again is recognised. */
#define MAX_ENDED 256

struct orders {
	struct orders_setup setup;
	struct list waiting[ONS_N_PRIORITIES];
	size_t n_waiting;
	struct order *current; /* NULL: the agent is free */
	struct loop_timer flush;
	struct loop_timer limit;
	struct loop_later next;
	char *ended[MAX_ENDED]; /* a ring */
	size_t n_ended;
	int64_t total_ms;
	bool is_flushing; /* the timer is set */
	bool is_held;	  /* the agent is not read from */
	bool is_paused;	  /* by AGENT_CONTROL */
	bool is_finishing;
};

static struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

static bool is_id(const char *id, struct span span)
{
	return ons_is(span, id);
}

/* ---- what the server is told ---- */

static void news(struct orders *o)
{
	o->setup.handlers->on_news(o->setup.arg);
}

static void acknowledge(
    struct orders *o, const struct order *x, enum ons_state state, int64_t at)
{
	struct buf text = {0}, id = {0};
	const struct ons_command_ack ack = {
	    .command = span_of(x->id), .state = state, .position = at};

	buf_printf(&id, "%s-%s", x->id, ons_state_name(state));
	ons_put_command_ack(&text, span_of(buf_cstr(&id)), clock_wall_ms(),
	    span_of(o->setup.agent_id), &ack);
	backlog_add(o->setup.backlog, buf_cstr(&id), text.data, text.len, true);
	buf_fini(&id);
	buf_fini(&text);
	news(o);
}

static void put_complete_id(struct buf *out, const char *id)
{
	buf_printf(out, "%s-complete", id);
}

static void complete(
    struct orders *o, const struct order *x, const struct doer_result *r)
{
	struct buf text = {0}, id = {0};
	const struct ons_complete c = {
	    .command = span_of(x->id),
	    .state = r->state,
	    .has_exit_code = r->has_exit_code,
	    .exit_code = r->exit_code,
	    .duration_ms = x->began_ms ? clock_mono_ms() - x->began_ms : 0,
	    .tokens = -1,
	    .error = span_of(x->why ? x->why : r->error),
	    .result = span_of(r->text),
	};

	put_complete_id(&id, x->id);
	ons_put_complete(&text, span_of(buf_cstr(&id)), clock_wall_ms(),
	    span_of(o->setup.agent_id), &c);
	backlog_add(o->setup.backlog, buf_cstr(&id), text.data, text.len, true);
	buf_fini(&id);
	buf_fini(&text);
	free(o->ended[o->n_ended % MAX_ENDED]);
	o->ended[o->n_ended++ % MAX_ENDED] = mem_strdup(x->id);
	o->total_ms += c.duration_ms;
	log_info("command=%s: %s duration_ms=%lld", x->id,
	    ons_state_name(r->state), (long long)c.duration_ms);
	news(o);
}

static void refuse(struct orders *o, struct span id, const char *why)
{
	struct order x = {.id = mem_strndup(id.len ? id.text : "", id.len)};

	complete(
	    o, &x, &(struct doer_result){.state = ONS_FAILED, .error = why});
	free(x.id);
}

/* ---- output ---- */

static void send_output(
    struct orders *o, struct order *x, bool is_errors, size_t n)
{
	struct buf *b = &x->output[is_errors];
	const struct backlog_output output = {
	    .command_id = x->id,
	    .sequence = ++x->sequence,
	    .is_errors = is_errors,
	    .text = b->data,
	    .len = n,
	};

	backlog_add_output(o->setup.backlog, &output);
	buf_consume(b, n);
	news(o);
}

/* All that is whole; at the end of the command, all. */
static void flush_stream(
    struct orders *o, struct order *x, bool is_errors, bool is_end)
{
	size_t most = (size_t)o->setup.settings->chunk_bytes;
	struct buf *b = &x->output[is_errors];

	while (b->len > most) {
		size_t n = chunk_whole(b->data, most);
		send_output(o, x, is_errors, n ? n : most);
	}
	size_t n = is_end ? b->len : chunk_whole(b->data, b->len);
	if (n)
		send_output(o, x, is_errors, n);
}

static void flush_all(struct orders *o, struct order *x, bool is_end)
{
	flush_stream(o, x, false, is_end);
	flush_stream(o, x, true, is_end);
}

static void on_flush(void *arg)
{
	struct orders *o = arg;

	o->is_flushing = false;
	if (o->current)
		flush_all(o, o->current, false);
	orders_balance(o);
}

static void on_output(void *arg, bool is_errors, const char *text, size_t len)
{
	struct orders *o = arg;
	struct order *x = o->current;

	/* What was written before on the other stream goes first. */
	if (x->output[!is_errors].len)
		flush_stream(o, x, !is_errors, false);
	buf_append(&x->output[is_errors], text, len);
	if (x->output[is_errors].len >=
	    (size_t)o->setup.settings->chunk_bytes) {
		flush_stream(o, x, is_errors, false);
		orders_balance(o);
	} else if (!o->is_flushing) {
		o->is_flushing = true;
		loop_timer_set(
		    o->setup.loop, &o->flush, o->setup.settings->flush_ms);
	}
}

static void on_event(void *arg, const char *json, size_t len)
{
	struct orders *o = arg;
	struct order *x = o->current;
	struct buf text = {0}, id = {0};

	flush_all(o, x, false);
	const struct ons_event e = {
	    .command = span_of(x->id),
	    .sequence = ++x->sequence,
	    .event = {json, len},
	};
	buf_printf(&id, "%s-%lld", x->id, (long long)x->sequence);
	ons_put_event(&text, span_of(buf_cstr(&id)), clock_wall_ms(),
	    span_of(o->setup.agent_id), &e);
	backlog_add(o->setup.backlog, buf_cstr(&id), text.data, text.len, true);
	buf_fini(&id);
	buf_fini(&text);
	news(o);
}

/*
 * While the server is connected, a full backlog holds the command. While it is
 * not, the command goes on, and its oldest output is dropped.
 */
void orders_balance(struct orders *o)
{
	bool is_full = backlog_bytes(o->setup.backlog) >
		       (size_t)o->setup.settings->outage_bytes / 2;
	bool is_held = is_full && o->setup.handlers->is_connected(o->setup.arg);

	if (!o->current || is_held == o->is_held)
		return;
	o->is_held = is_held;
	o->setup.doer->ops->pause(o->setup.doer, is_held);
}

/* ---- one after the other ---- */

static struct order *take_next(struct orders *o)
{
	for (int i = 0; i < ONS_N_PRIORITIES; i++) {
		struct list *link = list_shift(&o->waiting[i]);
		if (!link)
			continue;
		o->n_waiting--;
		return list_entry(link, struct order, link);
	}
	return NULL;
}

static bool begin_task(
    struct orders *o, struct order *x, char *why, size_t size)
{
	char **env = env_for_command(x->env);
	struct doer *a = o->setup.doer;
	const struct doer_task task = {
	    .text = x->text,
	    .args = x->args,
	    .envp = env,
	    .dir = x->dir,
	};

	bool is_begun = a->ops->begin(a, &task, why, size);
	env_free(env);
	return is_begun;
}

static void begin(struct orders *o, struct order *x)
{
	char why[300];

	x->began_ms = clock_mono_ms();
	o->current = x;
	o->is_held = false;
	acknowledge(o, x, ONS_EXECUTING, 0);
	log_info("command=%s: begins", x->id);
	if (begin_task(o, x, why, sizeof why)) {
		if (x->time_limit_ms)
			loop_timer_set(
			    o->setup.loop, &o->limit, x->time_limit_ms);
		return;
	}
	o->current = NULL;
	complete(
	    o, x, &(struct doer_result){.state = ONS_FAILED, .error = why});
	order_free(&x);
	loop_later_ask(o->setup.loop, &o->next);
}

static void begin_next(void *arg)
{
	struct orders *o = arg;

	if (o->current)
		return;
	struct order *x = o->is_paused || o->is_finishing ? NULL : take_next(o);
	if (x)
		begin(o, x);
	else if (o->is_finishing)
		o->setup.handlers->on_idle(o->setup.arg);
}

static void on_end(void *arg, const struct doer_result *result)
{
	struct orders *o = arg;
	struct order *x = o->current;

	flush_all(o, x, true);
	loop_timer_stop(o->setup.loop, &o->limit);
	o->current = NULL;
	struct doer_result r = *result;
	if (x->is_cancelled)
		r.state = x->why ? ONS_FAILED : ONS_CANCELLED;
	complete(o, x, &r);
	order_free(&x);
	loop_later_ask(o->setup.loop, &o->next);
}

static const struct doer_handlers doer_handlers = {
    .on_output = on_output,
    .on_event = on_event,
    .on_end = on_end,
};

/* ---- cancelling ---- */

static void cancel_current(struct orders *o, bool is_forced, const char *why)
{
	struct doer *a = o->setup.doer;

	o->current->is_cancelled = true;
	o->current->why = why;
	if (o->is_held)
		a->ops->pause(a, o->is_held = false);
	if (is_forced)
		a->ops->kill(a);
	else
		a->ops->cancel(a);
}

static void cancel_waiting(struct orders *o, struct order *x)
{
	list_remove(&x->link);
	o->n_waiting--;
	complete(o, x, &(struct doer_result){.state = ONS_CANCELLED});
	order_free(&x);
}

static void on_limit(void *arg)
{
	struct orders *o = arg;

	if (o->current)
		cancel_current(o, false, "the time limit was exceeded");
}

static struct order *find_waiting(const struct orders *o, struct span id)
{
	for (int i = 0; i < ONS_N_PRIORITIES; i++)
		list_each(link, &o->waiting[i])
		{
			struct order *x = list_entry(link, struct order, link);
			if (is_id(x->id, id))
				return x;
		}
	return NULL;
}

static void cancel_all(struct orders *o, bool is_forced)
{
	struct order *x;

	while ((x = take_next(o))) {
		o->n_waiting++; /* cancel_waiting() subtracts it */
		cancel_waiting(o, x);
	}
	if (o->current)
		cancel_current(o, is_forced, NULL);
}

/* ---- messages ---- */

static bool has_ended(const struct orders *o, struct span id)
{
	for (size_t i = 0; i < MAX_ENDED; i++)
		if (o->ended[i] && is_id(o->ended[i], id))
			return true;
	return false;
}

static void enqueue(struct orders *o, struct order *x)
{
	bool must_wait = o->current || o->is_paused || o->n_waiting;

	list_append(&o->waiting[x->priority], &x->link);
	o->n_waiting++;
	if (must_wait)
		acknowledge(o, x, ONS_QUEUED, (int64_t)o->n_waiting);
	loop_later_ask(o->setup.loop, &o->next);
}

/* A request that comes again is not run again. */
static bool is_known(const struct orders *o, struct span id)
{
	return (o->current && is_id(o->current->id, id)) ||
	       find_waiting(o, id) || has_ended(o, id);
}

static void on_request(
    struct orders *o, const struct ons_message *m, struct ons_reader *r)
{
	struct ons_request q;
	char why[300];
	const char *fault = ons_read_request(&q, r, m);

	if (fault) {
		log_warn("server: its COMMAND_REQUEST %s", fault);
		if (q.command.len)
			refuse(o, q.command, fault);
		return;
	}
	if (q.command.len && is_known(o, q.command))
		return;
	if (o->n_waiting >= ORDERS_MAX_WAITING || o->is_finishing) {
		refuse(o, q.command,
		    o->is_finishing ? "this agent is stopping"
				    : "64 commands are waiting already");
		return;
	}
	struct order *x =
	    order_new(&q, o->setup.settings->dir, why, sizeof why);
	if (x)
		enqueue(o, x);
	else
		refuse(o, q.command, why);
}

static void on_cancel(
    struct orders *o, const struct ons_message *m, struct ons_reader *r)
{
	struct ons_cancel c;
	const char *fault = ons_read_cancel(&c, r, m);
	struct order *x = fault ? NULL : find_waiting(o, c.command);

	if (fault)
		log_warn("server: its COMMAND_CANCEL %s", fault);
	else if (x)
		cancel_waiting(o, x);
	else if (o->current && is_id(o->current->id, c.command))
		cancel_current(o, c.is_forced, NULL);
}

static void on_control(
    struct orders *o, const struct ons_message *m, struct ons_reader *r)
{
	struct ons_control c;
	const char *fault = ons_read_control(&c, r, m);

	if (fault) {
		log_warn("server: its AGENT_CONTROL %s", fault);
		return;
	}
	log_info("server: it asks for %s", ons_action_name(c.action));
	switch (c.action) {
	case ONS_STOP:
		o->setup.handlers->on_stop(
		    o->setup.arg, c.is_graceful, c.timeout_ms);
		break;
	case ONS_RESTART:
		if (o->current)
			cancel_current(o, true, NULL);
		else
			o->setup.doer->ops->kill(o->setup.doer);
		break;
	case ONS_PAUSE:
	case ONS_RESUME:
		o->is_paused = c.action == ONS_PAUSE;
		loop_later_ask(o->setup.loop, &o->next);
		break;
	}
}

static void on_stimulus(
    struct orders *o, const struct ons_message *m, struct ons_reader *r)
{
	struct ons_stimulus s;
	struct json_doc doc = {0};
	struct json_error error;
	const char *fault = ons_read_stimulus(&s, r, m);

	if (!fault && o->current && is_id(o->current->id, s.command))
		o->setup.doer->ops->tell(
		    o->setup.doer, json_parse(&doc, s.stimulus.text,
				       s.stimulus.len, 0, &error));
	json_fini(&doc);
}

void orders_take(
    struct orders *o, const struct ons_message *m, struct ons_reader *r)
{
	switch (m->type) {
	case ONS_COMMAND_REQUEST:
		on_request(o, m, r);
		break;
	case ONS_COMMAND_CANCEL:
		on_cancel(o, m, r);
		break;
	case ONS_AGENT_CONTROL:
		on_control(o, m, r);
		break;
	case ONS_EMERGENCY_STOP:
		log_warn("server: emergency stop");
		cancel_all(o, true);
		break;
	case ONS_AGENT_STIMULUS:
		on_stimulus(o, m, r);
		break;
	default:
		log_debug("server: a message of type \"%.*s\" is ignored",
		    (int)m->name.len, m->name.text);
		break;
	}
}

/* ---- life ---- */

static void put_active(struct buf *out, const char *id)
{
	buf_str(out, out->data[out->len - 1] == '[' ? "" : ",");
	buf_json_str(out, id);
}

static void put_ended(const struct orders *o, struct buf *out)
{
	struct buf id = {0};

	for (size_t i = 0; i < MAX_ENDED && o->ended[i]; i++) {
		buf_reset(&id);
		put_complete_id(&id, o->ended[i]);
		if (backlog_has(o->setup.backlog, buf_cstr(&id)))
			put_active(out, o->ended[i]);
	}
	buf_fini(&id);
}

void orders_active(const struct orders *o, struct buf *out)
{
	buf_char(out, '[');
	if (o->current)
		put_active(out, o->current->id);
	for (int i = 0; i < ONS_N_PRIORITIES; i++)
		list_each(link, &o->waiting[i])
		    put_active(out, list_entry(link, struct order, link)->id);
	put_ended(o, out);
	buf_char(out, ']');
}

void orders_finish(struct orders *o, bool is_graceful)
{
	o->is_finishing = true;
	if (!is_graceful)
		cancel_all(o, false);
	loop_later_ask(o->setup.loop, &o->next);
}

void orders_kill(struct orders *o)
{
	cancel_all(o, true);
}

struct orders *orders_new(const struct orders_setup *setup)
{
	struct orders *o = mem_zero(sizeof *o);

	o->setup = *setup;
	for (int i = 0; i < ONS_N_PRIORITIES; i++)
		list_init(&o->waiting[i]);
	loop_timer_init(&o->flush, on_flush, o);
	loop_timer_init(&o->limit, on_limit, o);
	loop_later_init(&o->next, begin_next, o);
	setup->doer->handlers = &doer_handlers;
	setup->doer->arg = o;
	return o;
}

void orders_free(struct orders **op)
{
	struct orders *o = *op;
	struct order *x;

	*op = NULL;
	if (!o)
		return;
	while ((x = take_next(o)))
		order_free(&x);
	order_free(&o->current);
	for (size_t i = 0; i < MAX_ENDED; i++)
		free(o->ended[i]);
	loop_timer_stop(o->setup.loop, &o->flush);
	loop_timer_stop(o->setup.loop, &o->limit);
	loop_later_cancel(&o->next);
	free(o);
}

int64_t orders_count(const struct orders *o)
{
	return (int64_t)o->n_ended;
}

int64_t orders_total_ms(const struct orders *o)
{
	return o->total_ms;
}
