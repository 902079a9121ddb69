/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/orders.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "ons/ons_order.h"
#include "wrapper/account.h"
#include "wrapper/agent_settings.h"
#include "wrapper/backlog.h"
#include "wrapper/doer.h"
#include "wrapper/env.h"
#include "wrapper/order.h"
#include "wrapper/render.h"
#include "wrapper/report.h"
#include "wrapper/workdir.h"

#include <stdio.h>
#include <stdlib.h>

struct orders {
	struct orders_setup setup;
	struct report *report;
	struct account *account;
	struct list waiting[ONS_N_PRIORITIES];
	size_t n_waiting;
	struct order *current; /* NULL: the agent is free */
	struct order *own;     /* what it writes then has the agent's id */
	struct loop_timer flush;
	struct loop_timer limit;
	struct loop_later next;
	enum render_question asked; /* by what runs; of the next command */
	bool is_flushing;	    /* the timer is set */
	bool is_held;		    /* the agent is not read from */
	bool is_paused;		    /* by AGENT_CONTROL */
	bool is_finishing;
};

/* ---- output ---- */

static struct order *speaker(struct orders *o)
{
	return o->current ? o->current : o->own;
}

/*
 * What comes after a pause is sent at once, and what follows within the interval
 * together.
 */
static void flush(struct orders *o)
{
	report_flush(o->report, speaker(o), false);
	o->is_flushing = true;
	loop_timer_set(o->setup.loop, &o->flush, o->setup.settings->flush_ms);
}

static void on_flush(void *arg)
{
	struct orders *o = arg;
	const struct order *x = speaker(o);

	o->is_flushing = false;
	if (x->output[0].len || x->output[1].len)
		flush(o);
	orders_balance(o);
}

static void on_output(void *arg, bool is_errors, const char *text, size_t len)
{
	struct orders *o = arg;

	if (report_output(o->report, speaker(o), is_errors, text, len))
		orders_balance(o);
	else if (!o->is_flushing)
		flush(o);
}

/* For a server that knows only terminals. */
static void show_event(struct orders *o, const struct json *event)
{
	struct buf text = {0};

	o->asked = render_event(&text, event);
	if (text.len)
		(void)report_output(
		    o->report, o->current, false, text.data, text.len);
	report_flush(o->report, o->current, false);
	buf_fini(&text);
}

static bool is_question(const struct json *event)
{
	const struct json *type = json_get(event, "type");

	return json_str_is(type, "ask_user") ||
	       json_str_is(type, "approval_needed") ||
	       json_str_is(type, "plan_review");
}

static void tell_event(
    struct orders *o, const struct json *event, const char *json, size_t len)
{
	struct order *x = o->current;

	report_event(o->report, x, json, len);
	if (is_question(event))
		x->asked = x->sequence;
}

static void on_event(void *arg, const char *json, size_t len)
{
	struct orders *o = arg;
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *event = json_parse(&doc, json, len, 0, &error);

	if (o->setup.handlers->takes_events(o->setup.arg))
		tell_event(o, event, json, len);
	else
		show_event(o, event);
	account_take(o->account, event);
	json_fini(&doc);
	orders_balance(o);
}

/*
 * While the server is connected, a full backlog holds the command. While it is
 * not, the command goes on, and its oldest output is dropped; but events cannot
 * be dropped, so that many of them hold it, too.
 */
void orders_balance(struct orders *o)
{
	bool is_connected = o->setup.handlers->is_connected(o->setup.arg);
	bool is_held = backlog_is_full(o->setup.backlog, !is_connected);

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

	report_flush(o->report, o->own, true);
	x->began_ms = clock_mono_ms();
	o->current = x;
	o->asked = RENDER_NOTHING;
	o->is_held = false;
	report_state(o->report, x, ONS_EXECUTING, 0);
	account_begin(
	    o->account, x, !o->setup.handlers->takes_events(o->setup.arg));
	log_info("command=%s: begins", x->id);
	if (begin_task(o, x, why, sizeof why)) {
		if (x->time_limit_ms)
			loop_timer_set(
			    o->setup.loop, &o->limit, x->time_limit_ms);
		return;
	}
	o->current = NULL;
	account_end(o->account,
	    &(struct doer_result){.state = ONS_FAILED, .error = why});
	report_end(o->report, x,
	    &(struct doer_result){.state = ONS_FAILED, .error = why});
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

	report_flush(o->report, x, true);
	loop_timer_stop(o->setup.loop, &o->limit);
	o->current = NULL;
	struct doer_result r = *result;
	if (x->is_cancelled)
		r.state = x->why ? ONS_FAILED : ONS_CANCELLED;
	account_end(o->account, &r);
	workdir_keep();
	report_end(o->report, x, &r);
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

/* It is in no list. */
static void drop(struct orders *o, struct order *x, enum ons_state state)
{
	report_end(o->report, x, &(struct doer_result){.state = state});
	order_free(&x);
}

static void cancel_waiting(struct orders *o, struct order *x)
{
	list_remove(&x->link);
	o->n_waiting--;
	drop(o, x, ONS_CANCELLED);
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
			if (ons_is(id, x->id))
				return x;
		}
	return NULL;
}

static void cancel_all(struct orders *o, bool is_forced)
{
	struct order *x;

	while ((x = take_next(o)))
		drop(o, x, ONS_CANCELLED);
	if (o->current)
		cancel_current(o, is_forced, NULL);
}

/* ---- messages ---- */

static void enqueue(struct orders *o, struct order *x)
{
	bool must_wait = o->current || o->is_paused || o->n_waiting;

	list_append(&o->waiting[x->priority], &x->link);
	o->n_waiting++;
	if (must_wait)
		report_state(o->report, x, ONS_QUEUED, (int64_t)o->n_waiting);
	loop_later_ask(o->setup.loop, &o->next);
}

/* A request that comes again is not run again. */
static bool is_known(const struct orders *o, struct span id)
{
	return (o->current && ons_is(id, o->current->id)) ||
	       find_waiting(o, id) || report_knows(o->report, id);
}

static void tell(struct orders *o, const char *json, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;

	o->setup.doer->ops->tell(
	    o->setup.doer, json_parse(&doc, json, len, 0, &error));
	json_fini(&doc);
}

/* What a person types when something was asked is no command of its own. */
static void answer(struct orders *o, struct order *x)
{
	struct buf line = {0};

	render_answer(&line, o->asked, x->text);
	o->asked = RENDER_NOTHING;
	tell(o, line.data, line.len);
	buf_fini(&line);
	drop(o, x, ONS_COMPLETED);
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
			report_refusal(o->report, q.command, fault);
		return;
	}
	if (q.command.len && is_known(o, q.command))
		return;
	if (o->n_waiting >= ORDERS_MAX_WAITING || o->is_finishing) {
		(void)snprintf(why, sizeof why,
		    "%d commands are waiting already", ORDERS_MAX_WAITING);
		report_refusal(o->report, q.command,
		    o->is_finishing ? "this agent is stopping" : why);
		return;
	}
	struct order *x =
	    order_new(&q, o->setup.settings->dir, why, sizeof why);
	if (x && o->current && o->asked != RENDER_NOTHING)
		answer(o, x);
	else if (x)
		enqueue(o, x);
	else
		report_refusal(o->report, q.command, why);
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
	else if (o->current && ons_is(c.command, o->current->id))
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
	const char *fault = ons_read_stimulus(&s, r, m);

	if (fault || !o->current || !ons_is(s.command, o->current->id))
		return;
	/* A server that has lost a worker repeats answers. */
	if (s.asked && s.asked != o->current->asked)
		return;
	if (s.asked)
		o->current->asked = 0;
	tell(o, s.stimulus.text, s.stimulus.len);
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
	buf_char(out, ',');
	buf_json_str(out, id);
}

void orders_active(const struct orders *o, struct buf *out)
{
	struct buf ids = {0};

	if (o->current)
		put_active(&ids, o->current->id);
	for (int i = 0; i < ONS_N_PRIORITIES; i++)
		list_each(link, &o->waiting[i])
		    put_active(&ids, list_entry(link, struct order, link)->id);
	report_unconfirmed(o->report, &ids);
	buf_char(out, '[');
	if (ids.len)
		buf_append(out, ids.data + 1, ids.len - 1);
	buf_char(out, ']');
	buf_fini(&ids);
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
	o->own = mem_zero(sizeof *o->own);
	o->own->id = mem_strdup(setup->agent_id);
	o->report = report_new(&(struct report_setup){
	    .backlog = setup->backlog,
	    .agent_id = setup->agent_id,
	    .chunk_bytes = (size_t)setup->settings->chunk_bytes,
	    .on_news = setup->handlers->on_news,
	    .arg = setup->arg,
	});
	o->account = account_new(o->report, setup->agent_id);
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
	order_free(&o->own);
	account_free(&o->account);
	report_free(&o->report);
	loop_timer_stop(o->setup.loop, &o->flush);
	loop_timer_stop(o->setup.loop, &o->limit);
	loop_later_cancel(&o->next);
	free(o);
}

int64_t orders_count(const struct orders *o)
{
	return report_count(o->report);
}

int64_t orders_total_ms(const struct orders *o)
{
	return report_total_ms(o->report);
}
