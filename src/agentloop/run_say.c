/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/clock.h"

#include <string.h>

void run_go(struct agent_turn *t)
{
	loop_later_ask(t->agent->loop, &t->later);
}

struct draft *run_begin(struct agent_turn *t, enum event_type type)
{
	event_begin(&t->draft, type, t->input->turn);
	return &t->draft;
}

void run_str(struct agent_turn *t, const char *field, const char *text)
{
	event_str(&t->draft, field, text, strlen(text));
}

bool run_is_of_trace(enum event_type type)
{
	return type != EV_ASSISTANT_DELTA && type != EV_TERMINAL_OUTPUT &&
	       event_class(type) == EVENT_STREAM;
}

void run_emit(struct agent_turn *t)
{
	struct draft *d = &t->draft;

	if (run_is_of_trace(d->type))
		memory_note(&t->memory, event_name(d->type), d->id,
		    strlen(d->id), clock_wall_us(), d->body.data, d->body.len);
	t->n_emitted++;
	if (!t->sink->ops->emit(t->sink, d))
		t->is_full = true;
}

void run_log(struct agent_turn *t, const char *fmt, ...)
{
	struct buf line = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	t->sink->ops->log(t->sink, line.data, line.len);
	buf_fini(&line);
}

void run_put_usage(struct buf *out, const struct run_usage *u)
{
	buf_printf(out,
	    "{\"input_tokens\":%lld,\"output_tokens\":%lld,"
	    "\"cached_tokens\":%lld,\"cache_write_tokens\":0,"
	    "\"total_tokens\":%lld,\"cost\":%.6f}",
	    (long long)u->input, (long long)u->output, (long long)u->cached,
	    (long long)(u->input + u->output), u->cost);
}
