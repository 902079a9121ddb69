/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_conn_int.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/mcp_servers.h"
#include "core/stat.h"
#include "mcp/mcp_http.h"
#include "mcp/mcp_stdio.h"
#include "mcp/mcp_wire.h"

#include <stdlib.h>

#define MAX_RETRY_MS 60000

/* What any program needs of our environment. */
#define COMMON_VARIABLES \
	"PATH, HOME, USER, LOGNAME, SHELL, TERM, TMPDIR, TZ, LANG, LC_*"

/* After so many failures in a row, the tools are not offered any more. */
#define FAILURES_UNTIL_BROKEN 3

/* ---- failure ---- */

static void fail_requests(struct mcp_conn *c, struct list *requests)
{
	struct list *link;
	struct list failed;

	/* A callback may ask again: that is for the next attempt. */
	list_init(&failed);
	while ((link = list_shift(requests)) != NULL)
		list_append(&failed, link);
	while ((link = list_shift(&failed)) != NULL) {
		struct mcp_request *r =
		    list_entry(link, struct mcp_request, link);
		struct buf why = {0};
		buf_printf(&why, "The MCP server %s failed: %s%s",
		    mcp_conn_name(c), c->why,
		    r->id >= 0 ? ". The tool may have done its work" : "");
		c->n_requests--;
		r->ops->on_failed(r->arg, buf_cstr(&why));
		buf_fini(&why);
	}
}

static void drop_wire(struct mcp_conn *c)
{
	if (c->wire)
		c->wire->ops->close(&c->wire);
	mcp_tools_fini(&c->next_tools);
	c->list_id = c->listen_id = c->step_id = c->discover_id = -1;
	loop_timer_stop(c->setup.loop, &c->timer);
	loop_timer_stop(c->setup.loop, &c->relist);
	loop_timer_stop(c->setup.loop, &c->idle);
}

static void on_later(void *arg)
{
	struct mcp_conn *c = arg;

	drop_wire(c);
	stat_add(mcp_failures, 1);
	c->delay_ms = backoff(c->delay_ms, c->setup.retry_ms, MAX_RETRY_MS);
	log_warn("mcp server=%s: %s; next attempt in %lld ms", mcp_conn_name(c),
	    c->why, (long long)c->delay_ms);
	if (++c->failures >= FAILURES_UNTIL_BROKEN) {
		mcp_tools_fini(&c->tools);
		c->is_loaded = false;
	}
	c->step = STEP_WAITING;
	c->is_failing = false;
	loop_timer_set(c->setup.loop, &c->timer, c->delay_ms);
	fail_requests(c, &c->sent);
	fail_requests(c, &c->waiting);
}

/* ---- opening ---- */

static struct mcp_wire *open_wire(struct mcp_conn *c, struct err *err)
{
	const struct mcp_conn_setup *setup = &c->setup;

	if (!c->is_program)
		return mcp_http_open(setup->loop, setup->fetch, setup->server,
		    &mcp_conn_handlers, c);
	stat_add(mcp_starts, 1);
	return mcp_stdio_open(
	    &c->place, setup->server, &mcp_conn_handlers, c, err);
}

static void begin(struct mcp_conn *c)
{
	struct err err = {0};

	if (c->wire)
		return;
	c->complaints = 0;
	c->late.version[0] = '\0';
	c->wire = open_wire(c, &err);
	if (c->wire)
		mcp_conn_say_discover(c);
	else
		mcp_conn_fail(c, "%s", err.text);
}

/* ---- time ---- */

static void on_step_time(void *arg)
{
	struct mcp_conn *c = arg;
	long long ms = (long long)c->setup.connect_ms;

	switch (c->step) {
	case STEP_WAITING:
		begin(c);
		return;
	case STEP_DISCOVER:
		/* Some programs do not answer what they do not know. */
		if (c->is_program)
			mcp_conn_say_initialize(c);
		else
			mcp_conn_fail(c, "no answer within %lld ms", ms);
		return;
	case STEP_INITIALIZE:
		mcp_conn_fail(c, "no answer to initialize within %lld ms", ms);
		return;
	case STEP_READY:
		mcp_conn_fail(c, "no list of tools within %lld ms", ms);
		return;
	case STEP_IDLE:
		break;
	}
}

static void on_relist_time(void *arg)
{
	struct mcp_conn *c = arg;

	if (c->step == STEP_READY && !c->is_failing)
		mcp_conn_relist(c);
}

static void on_idle_time(void *arg)
{
	struct mcp_conn *c = arg;

	if (c->is_failing)
		return;
	log_info("mcp server=%s: ended, for it was not used", mcp_conn_name(c));
	drop_wire(c);
	c->step = STEP_IDLE;
}

/* ---- requests ---- */

const char *mcp_conn_ask(struct mcp_conn *c, struct mcp_request *r)
{
	list_init(&r->link);
	if (c->n_requests == MCP_CONN_REQUESTS)
		return "too many calls of its tools are in progress";
	if (c->step == STEP_WAITING)
		return c->why;
	r->id = -1;
	r->was_repeated = false;
	c->n_requests++;
	loop_timer_stop(c->setup.loop, &c->idle);
	if (c->step == STEP_READY && !c->is_failing) {
		mcp_conn_send_request(c, r);
		return NULL;
	}
	list_append(&c->waiting, &r->link);
	if (c->step == STEP_IDLE)
		begin(c);
	return NULL;
}

void mcp_conn_withdraw(struct mcp_conn *c, struct mcp_request *r)
{
	list_remove(&r->link);
	c->n_requests--;
	if (r->id >= 0 && c->wire && !c->is_failing)
		mcp_conn_say_cancelled(c, r);
	mcp_conn_rest(c);
}

void mcp_conn_reply(struct mcp_conn *c, struct span id, const char *result)
{
	struct buf text = {0};

	mcp_message_put_result(&text, id, result);
	if (c->wire && !c->is_failing)
		mcp_conn_say_answer(c, &text);
	buf_fini(&text);
}

/* ---- life ---- */

enum toolbox_load mcp_conn_load(const struct mcp_conn *c)
{
	if (c->is_loaded)
		return TOOLBOX_LOADED;
	return c->failures ? TOOLBOX_BROKEN : TOOLBOX_LOADING;
}

const struct mcp_tools *mcp_conn_tools(const struct mcp_conn *c)
{
	return &c->tools;
}

static void set_up_program(struct mcp_conn *c)
{
	const struct mcp_server *server = c->setup.server;

	source_exec_init(
	    &c->source, c->setup.spec, (const char *const *)server->argv);
	source_exec_name_variables(&c->source, COMMON_VARIABLES);
	source_exec_add_variables(&c->source, server->env);
	c->place = (struct runner_place){
	    .loop = c->setup.loop,
	    .crew = c->setup.crew,
	    .source = &c->source.base,
	};
	list_init(&c->place.all);
}

struct mcp_conn *mcp_conn_open(const struct mcp_conn_setup *setup)
{
	struct mcp_conn *c = mem_zero(sizeof *c);

	c->setup = *setup;
	c->is_program = setup->server->argv != NULL;
	c->discover_id = c->step_id = c->listen_id = c->list_id = -1;
	list_init(&c->waiting);
	list_init(&c->sent);
	loop_later_init(&c->later, on_later, c);
	loop_timer_init(&c->timer, on_step_time, c);
	loop_timer_init(&c->relist, on_relist_time, c);
	loop_timer_init(&c->idle, on_idle_time, c);
	if (c->is_program)
		set_up_program(c);
	begin(c);
	return c;
}

void mcp_conn_close(struct mcp_conn **cp)
{
	struct mcp_conn *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	drop_wire(c);
	loop_later_cancel(&c->later);
	mcp_tools_fini(&c->tools);
	if (c->is_program) {
		runner_clear(&c->place);
		source_exec_fini(&c->source);
	}
	free(c);
}
