/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_stdio.h"

#include "base/clock.h"
#include "base/line_queue.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/mcp_servers.h"
#include "core/stat.h"
#include "mcp/mcp_wire.h"
#include "net/loop.h"
#include "runner/runner.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* How much may wait for a program that does not read. */
#define WAITING_BYTES ((size_t)16 << 20)

struct stdio {
	struct mcp_wire wire;
	struct loop *loop;
	const char *name;
	struct runner *runner;
	struct line_queue lines;
	struct mcp_pace pace;
	struct loop_timer timer; /* while it is held back */
	struct loop_later later; /* tells that it is down */
	char why[120];
	bool is_down;
	bool is_held;
};

static struct stdio *stdio_of(struct mcp_wire *w)
{
	return (struct stdio *)(void *)w;
}

/* ---- what it says ---- */

static void go_down(struct stdio *s)
{
	if (s->is_down)
		return;
	s->is_down = true;
	loop_later_ask(s->loop, &s->later);
}

static void stdio_tell_down(void *arg)
{
	struct stdio *s = arg;

	s->wire.handlers->on_down(s->wire.arg, s->why);
}

static bool is_blank(const char *text, size_t len)
{
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return len == 0;
}

/* Take the lines that have come, until there were too many in this second. */
static void stdio_take_lines(struct stdio *s)
{
	enum line_state state = LINE_NONE;
	const char *text;
	size_t len;

	while (!s->is_down && mcp_pace_take(&s->pace, clock_mono_ms()) &&
	       (state = line_next(&s->lines, &text, &len)) != LINE_NONE) {
		if (state == LINE_TOO_LONG)
			s->wire.handlers->on_oversized(
			    s->wire.arg, -1, text, len);
		else if (!is_blank(text, len))
			s->wire.handlers->on_message(
			    s->wire.arg, -1, text, len);
	}
	s->is_held = s->pace.n > MCP_WIRE_MESSAGES_PER_S;
}

/* What was not taken waits here, and what was not read in the pipe. */
static void stdio_hold_back(struct stdio *s)
{
	if (!s->is_held || !s->runner)
		return;
	stat_add(mcp_held_back, 1);
	runner_pause(s->runner, true);
	loop_timer_set(s->loop, &s->timer, 1000 - clock_mono_ms() % 1000);
}

static void stdio_on_time(void *arg)
{
	struct stdio *s = arg;

	stdio_take_lines(s);
	if (!s->is_held && s->runner)
		runner_pause(s->runner, false);
	stdio_hold_back(s);
}

static void stdio_on_output(void *arg, const char *data, size_t len)
{
	struct stdio *s = arg;

	line_lend(&s->lines, data, len);
	stdio_take_lines(s);
	line_keep(&s->lines);
	stdio_hold_back(s);
}

static void stdio_on_complaint(void *arg, const char *text, size_t len)
{
	struct stdio *s = arg;

	log_info("mcp server=%s: %.*s", s->name, (int)len, text);
}

/* A program that only closes its output is ended, and comes here, too. */
static void stdio_on_end(void *arg, const struct runner_end *end)
{
	struct stdio *s = arg;
	char how[80];

	(void)runner_reason(end, how, sizeof how);
	(void)snprintf(s->why, sizeof s->why, "it has ended: %s", how);
	runner_kill(&s->runner);
	go_down(s);
}

static const struct runner_handlers stdio_handlers = {
    .on_output = stdio_on_output,
    .on_complaint = stdio_on_complaint,
    .on_end = stdio_on_end,
};

/* ---- what we say ---- */

static void stdio_send(struct mcp_wire *w, const struct mcp_out *out)
{
	struct stdio *s = stdio_of(w);
	bool is_taken =
	    s->runner &&
	    runner_write(s->runner, out->text, out->len, WAITING_BYTES) &&
	    runner_write(s->runner, "\n", 1, SIZE_MAX);

	if (is_taken || s->is_down)
		return;
	(void)snprintf(s->why, sizeof s->why, "it does not read its input");
	go_down(s);
}

static void stdio_forget(struct mcp_wire *w, int64_t id, bool is_answered)
{
	(void)w;
	(void)id;
	(void)is_answered;
}

static void stdio_close(struct mcp_wire **w)
{
	struct stdio *s = stdio_of(*w);

	*w = NULL;
	/* The end of its input asks a server to end. */
	if (s->is_down)
		runner_kill(&s->runner);
	else
		runner_retire(&s->runner);
	loop_timer_stop(s->loop, &s->timer);
	loop_later_cancel(&s->later);
	line_fini(&s->lines);
	free(s);
}

static const struct mcp_wire_ops stdio_ops = {
    .send = stdio_send,
    .forget = stdio_forget,
    .close = stdio_close,
};

struct mcp_wire *mcp_stdio_open(struct runner_place *place,
    const struct mcp_server *server, const struct mcp_wire_handlers *handlers,
    void *arg, struct err *err)
{
	struct stdio *s = mem_zero(sizeof *s);

	s->runner = runner_start(place, &stdio_handlers, s, err);
	if (!s->runner) {
		free(s);
		return NULL;
	}
	s->wire = (struct mcp_wire){&stdio_ops, handlers, arg};
	s->loop = place->loop;
	s->name = server->name;
	line_init(&s->lines, MCP_WIRE_MESSAGE_MAX);
	loop_timer_init(&s->timer, stdio_on_time, s);
	loop_later_init(&s->later, stdio_tell_down, s);
	runner_claim(s->runner, &stdio_handlers, s);
	return &s->wire;
}
