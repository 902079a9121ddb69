/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_SINK_H
#define T_UNIT_FAKE_SINK_H

/*
 * A sink that remembers what an agent told it. Each event is kept in its stored
 * form, as a journal would. It lives in the test; sink_init() and sink_fini()
 * it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/agent.h"

struct kept {
	struct buf stored;
	struct event ev;
};

struct sink {
	struct agent_sink base;
	struct kept *events;
	size_t n;
	size_t cap;
	size_t room; /* emits until there is none */
	unsigned ends;
	bool has_failed;
	enum err_reason reason;
	struct buf result;
	struct buf session;
	struct buf detail;
	struct buf log;
};

static inline struct sink *sink_of(struct agent_sink *s)
{
	return (struct sink *)(void *)s;
}

/* Keep an event as the journal would. */
static inline void sink_keep(struct sink *s, struct draft *d)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->events = mem_realloc(s->events, s->cap * sizeof *s->events);
	}
	struct kept *k = &s->events[s->n++];
	memset(k, 0, sizeof *k);
	event_encode(&k->stored, d, clock_wall_us());
	if (!event_decode(&k->ev, k->stored.data, k->stored.len))
		abort();
	k->ev.seq = s->n;
}

static inline bool sink_emit(struct agent_sink *base, struct draft *d)
{
	struct sink *s = sink_of(base);

	if (s->ends)
		abort(); /* nothing may follow the end */
	sink_keep(s, d);
	event_fini(d);
	s->room -= s->room > 0;
	return s->room > 0;
}

static inline void sink_finish(struct agent_sink *base, const char *result,
    size_t len, const char *session, size_t session_len)
{
	struct sink *s = sink_of(base);

	s->ends++;
	buf_append(&s->result, result, len);
	buf_append(&s->session, session, session_len);
}

static inline void sink_fail(
    struct agent_sink *base, enum err_reason reason, const char *detail)
{
	struct sink *s = sink_of(base);

	s->ends++;
	s->has_failed = true;
	s->reason = reason;
	buf_str(&s->detail, detail);
}

static inline void sink_log(
    struct agent_sink *base, const char *text, size_t len)
{
	struct sink *s = sink_of(base);

	buf_append(&s->log, text, len);
	buf_char(&s->log, '\n');
}

/* The first prompt of a new conversation. */
static inline struct agent_input sink_input(const char *prompt)
{
	return (struct agent_input){
	    .session_id = "s-1",
	    .turn = 1,
	    .client_turn = 1,
	    .prompt = prompt,
	    .prompt_len = strlen(prompt),
	    .session = "{}",
	    .session_len = 2,
	    .images = "[]",
	    .images_len = 2,
	};
}

static inline void sink_init(struct sink *s)
{
	static const struct agent_sink_ops ops = {
	    .emit = sink_emit,
	    .finish = sink_finish,
	    .fail = sink_fail,
	    .log = sink_log,
	};

	*s = (struct sink){.base = {&ops}, .room = SIZE_MAX};
}

static inline void sink_fini(struct sink *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_fini(&s->events[i].stored);
	free(s->events);
	buf_fini(&s->result);
	buf_fini(&s->session);
	buf_fini(&s->detail);
	buf_fini(&s->log);
}

/* The names of all events, separated by spaces; valid until the next call. */
static inline const char *sink_names(const struct sink *s)
{
	static struct buf names;

	buf_reset(&names);
	for (size_t i = 0; i < s->n; i++) {
		buf_str(&names, i ? " " : "");
		buf_str(&names, event_name(s->events[i].ev.type));
	}
	return buf_cstr(&names);
}

/* Whether the body of event i contains this text. */
static inline bool sink_has(const struct sink *s, size_t i, const char *text)
{
	return i < s->n &&
	       memmem(s->events[i].ev.body, s->events[i].ev.body_len, text,
		   strlen(text)) != NULL;
}

#endif
