/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/tool_call.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "files/activity.h"
#include "limits/limits.h"
#include "session/session_int.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

struct session_exec {
	struct agent_sink sink; /* first member: what the agent sees of us */
	struct list link;	/* in all->execs, then in all->execs_done */
	struct session *session;
	const struct named_agent *named; /* the agent that has the tool */
	struct agent_turn *agent;
	session_exec_fn *fn;
	void *arg;
	struct limits_held held;
	int64_t started_ms;
	bool is_over;
	bool has_failed;
	struct buf text;
};

/* The sink is the first member. */
static struct session_exec *tool_call_of(struct agent_sink *s)
{
	return (struct session_exec *)(void *)s;
}

static void tool_call_end(
    struct session_exec *x, bool has_failed, const char *text, size_t len)
{
	struct sessions *all = x->session->all;
	if (x->is_over)
		return;
	x->is_over = true;
	x->has_failed = has_failed;
	buf_append(&x->text, text, len);
	list_remove(&x->link);
	list_append(&all->execs_done, &x->link);
	all->setup.ask_flush(all->setup.arg);
}

/* A tool call has no events. */
static bool sink_emit(struct agent_sink *s, struct draft *d)
{
	(void)s;
	(void)d;
	return true;
}

static void sink_finish(struct agent_sink *s, const char *result, size_t len,
    const char *session, size_t session_len)
{
	(void)session; /* it belongs to no conversation */
	(void)session_len;
	tool_call_end(tool_call_of(s), false, result, len);
}

/* The tool's own message is for the caller; a fault is for the operator. */
static void sink_fail(
    struct agent_sink *s, enum err_reason reason, const char *detail)
{
	struct session_exec *x = tool_call_of(s);
	const char *text = err_text(ERR_AGENT);
	if (reason == REASON_FAILED && detail)
		text = detail;
	else
		log_warn("session=%s: EXEC failed reason=%s: %.200s",
		    x->session->id, err_reason_word(reason),
		    detail ? detail : "");
	tool_call_end(x, true, text, strlen(text));
}

static void sink_log(struct agent_sink *s, const char *text, size_t len)
{
	const struct session *session = tool_call_of(s)->session;
	activity_line(session->all->activity, session->id, text, len);
}

static const struct agent_sink_ops sink_ops = {
    .emit = sink_emit,
    .finish = sink_finish,
    .fail = sink_fail,
    .log = sink_log,
};

static void free_exec(struct session_exec *x)
{
	struct sessions *all = x->session->all;
	list_remove(&x->link);
	all->n_execs--;
	if (x->agent)
		x->named->kind->free(&x->agent);
	limits_drop(all->setup.limits, &x->held);
	session_close(&x->session);
	buf_fini(&x->text);
	free(x);
}

/* Returns the agent of the session; NULL if the server no longer has it. */
static const struct named_agent *agent_of(const struct session *s)
{
	const struct agent_dir *agents = s->all->setup.agents;
	struct store_key key = store_key1(s->number);
	const struct named_agent *named = agent_dir_find(agents, NULL, 0);
	struct store_txn txn;
	struct store_span row;
	struct record r;
	struct err err;
	store_read(s->all->setup.store, &txn, STORE_FACTS);
	if (store_get(&txn, TABLE_SESSIONS, key.bytes, 8, &row) &&
	    record_decode(&r, row) && r.turn)
		named = agent_dir_find(agents, r.agent.data, r.agent.len);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
	return named;
}

/* Whether one more call may run; its slots are recorded in *held. */
static bool may_run(struct sessions *all, const struct named_agent *named,
    const struct session_tool *tool, struct limits_held *held, struct err *err)
{
	struct limits_who who = {
	    tool->caller, tool->peer, tool->peer_is_loopback};
	if (!named || !named->kind->exec)
		err_set(
		    err, ERR_BAD_REQUEST, "this agent has no tools to call");
	else if (all->is_draining)
		err_set(err, ERR_DRAINING, NULL);
	else if (session_is_crowded(all))
		err_set(err, ERR_RUNS, NULL);
	else
		return limits_hold(all->setup.limits, LIMITS_RUNS, &who, held,
			   err) == 0;
	return false;
}

struct session_exec *session_exec(struct session *s,
    const struct session_tool *tool, session_exec_fn *fn, void *arg,
    struct err *err)
{
	struct sessions *all = s->all;
	const struct named_agent *named = agent_of(s);
	struct agent_exec what = {
	    .session_id = s->id,
	    .tool = tool->name,
	    .args = tool->args,
	    .args_len = tool->args_len,
	    .is_owner = tool->is_owner,
	};
	struct limits_held held = {0};
	if (!may_run(all, named, tool, &held, err))
		return NULL;
	struct session_exec *x = mem_zero(sizeof *x);
	x->sink.ops = &sink_ops;
	x->session = session_ref(s);
	x->fn = fn;
	x->arg = arg;
	x->held = held;
	x->started_ms = clock_mono_ms();
	list_append(&all->execs, &x->link);
	all->n_execs++;
	x->named = named;
	x->agent = named->kind->exec(named->agent, &what, &x->sink);
	named->kind->run(x->agent);
	return x;
}

void session_exec_cancel(struct session_exec **x)
{
	if (*x)
		free_exec(*x);
	*x = NULL;
}

void tool_call_flush(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->execs_done))) {
		struct session_exec *x =
		    list_entry(l, struct session_exec, link);
		struct session_exec_result result = {
		    .has_failed = x->has_failed,
		    .text = x->text.data ? x->text.data : "",
		    .len = x->text.len,
		    .duration_ms = clock_mono_ms() - x->started_ms,
		};
		x->fn(x->arg, &result);
		free_exec(x);
	}
}

void tool_call_free_all(struct sessions *all)
{
	list_each_safe(it, &all->execs)
	    free_exec(list_entry(it, struct session_exec, link));
	list_each_safe(done, &all->execs_done)
	    free_exec(list_entry(done, struct session_exec, link));
}
