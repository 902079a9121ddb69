/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/ansi.h"

#include <string.h>

#define ESC '\033'
#define CAN '\030'
#define SUB '\032'

/* ---- the parts ---- */

static void hold(struct ansi *a, char c, ansi_fn *fn, void *arg)
{
	buf_char(&a->held, c);
	if (a->held.len < ANSI_MAX_SEQUENCE)
		return;
	fn(arg, ANSI_PIECE, a->held.data, a->held.len);
	buf_reset(&a->held);
	a->is_long = true;
}

static void end_sequence(
    struct ansi *a, enum ansi_kind kind, ansi_fn *fn, void *arg)
{
	enum ansi_kind told = a->is_long ? ANSI_PIECE : kind;

	a->state = ANSI_IN_TEXT;
	a->is_long = a->is_after_escape = false;
	if (a->held.len)
		fn(arg, told, a->held.data, a->held.len);
	buf_reset(&a->held);
}

static void begin_sequence(struct ansi *a)
{
	buf_reset(&a->held);
	buf_char(&a->held, ESC);
	a->is_long = a->is_after_escape = false;
	a->state = ANSI_IN_ESCAPE;
}

/* ---- the states ---- */

static void take_escape(struct ansi *a, char c, ansi_fn *fn, void *arg)
{
	hold(a, c, fn, arg);
	if (a->held.len == 2 && c == '[')
		a->state = ANSI_IN_CONTROL;
	else if (a->held.len == 2 && c && strchr("]PX^_", c))
		a->state = ANSI_IN_STRING;
	else if (c < ' ' || c > '/') /* no intermediate byte */
		end_sequence(a, ANSI_SHORT, fn, arg);
}

static void take_control(struct ansi *a, char c, ansi_fn *fn, void *arg)
{
	hold(a, c, fn, arg);
	if (c >= '@' && c <= '~')
		end_sequence(a, ANSI_CONTROL, fn, arg);
}

/* A string ends with BEL, or with ESC and a backslash. */
static void take_string(struct ansi *a, char c, ansi_fn *fn, void *arg)
{
	if (c == ESC) {
		a->is_after_escape = true;
		return;
	}
	if (a->is_after_escape && c != '\\') {
		/* It has no end, and another sequence begins. */
		end_sequence(a, ANSI_PIECE, fn, arg);
		begin_sequence(a);
		take_escape(a, c, fn, arg);
		return;
	}
	if (a->is_after_escape)
		hold(a, ESC, fn, arg);
	hold(a, c, fn, arg);
	if (c == '\a' || a->is_after_escape)
		end_sequence(a, ANSI_STRING, fn, arg);
}

static void take(struct ansi *a, char c, ansi_fn *fn, void *arg)
{
	if (c == CAN || c == SUB) {
		hold(a, c, fn, arg);
		end_sequence(a, ANSI_PIECE, fn, arg);
	} else if (c == ESC && a->state != ANSI_IN_STRING) {
		begin_sequence(a); /* the one before was incomplete */
	} else if (a->state == ANSI_IN_ESCAPE) {
		take_escape(a, c, fn, arg);
	} else if (a->state == ANSI_IN_CONTROL) {
		take_control(a, c, fn, arg);
	} else {
		take_string(a, c, fn, arg);
	}
}

void ansi_feed(
    struct ansi *a, const char *text, size_t len, ansi_fn *fn, void *arg)
{
	for (size_t i = 0; i < len;) {
		if (a->state != ANSI_IN_TEXT) {
			take(a, text[i++], fn, arg);
			continue;
		}
		const char *esc = memchr(text + i, ESC, len - i);
		size_t end = esc ? (size_t)(esc - text) : len;
		if (end > i)
			fn(arg, ANSI_TEXT, text + i, end - i);
		if (esc)
			begin_sequence(a);
		i = end + (esc != NULL);
	}
}

bool ansi_is_between(const struct ansi *a)
{
	return a->state == ANSI_IN_TEXT;
}

void ansi_fini(struct ansi *a)
{
	buf_fini(&a->held);
	*a = (struct ansi){0};
}
