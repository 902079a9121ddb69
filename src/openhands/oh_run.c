/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_run.h"

#include "base/json.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/permit.h"
#include "door/console.h"
#include "door/door.h"
#include "engine/engine.h"
#include "limits/limits.h"
#include "openhands/oh_client.h"
#include "openhands/oh_event.h"
#include "openhands/oh_tool.h"
#include "socketio/sio_packet.h"

#include <stdlib.h>
#include <string.h>

/* A command that runs. */
struct run_call {
	struct list link;
	struct oh_client *client;
	struct session_exec *exec;
	char *command; /* as JSON text */
};

static void free_call(struct run_call *call)
{
	list_remove(&call->link);
	call->client->n_runs--;
	free(call->command);
	free(call);
}

void oh_run_forget(struct oh_client *c)
{
	list_each_safe(it, &c->runs)
	{
		struct run_call *call = list_entry(it, struct run_call, link);
		session_exec_cancel(&call->exec);
		free_call(call);
	}
}

/* Append an observation; it has no id, since it is not stored. */
static void put_observation(struct buf *out, const struct run_call *call,
    const struct session_exec_result *result)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};
	struct oh_tool tool;
	buf_printf(&text,
	    "{\"name\":\"run\",\"args\":{\"command\":%s},"
	    "\"result\":",
	    call->command);
	buf_json(&text, result->text, result->len);
	buf_char(&text, '}');
	const struct json *v = json_parse(&doc, text.data, text.len, 0, &why);
	oh_tool_init(&tool, json_get(v, "name"), json_get(v, "args"));
	buf_str(out, "{\"source\":\"agent\",\"message\":");
	oh_tool_put_outcome(
	    out, &tool, result->has_failed, json_get(v, "result"));
	buf_char(out, ',');
	oh_tool_put_observation(
	    out, &tool, result->has_failed, json_get(v, "result"));
	buf_char(out, '}');
	oh_tool_fini(&tool);
	json_fini(&doc);
	buf_fini(&text);
}

static void on_result(void *arg, const struct session_exec_result *result)
{
	struct run_call *call = arg;
	struct engine_side *side = call->client->side;
	struct buf out = {0};
	sio_begin_event(&out, "oh_event");
	put_observation(&out, call, result);
	sio_end_event(&out);
	free_call(call);
	engine_answer(side, out.data, out.len);
	buf_fini(&out);
}

/* Returns the agent's tool for commands, or NULL. */
static const char *find_shell(const struct agent_about *about)
{
	for (const char *const *t = about->tools; t && *t; t++)
		if (oh_tool_is_shell(*t))
			return *t;
	return NULL;
}

static int check_caller(const struct oh_client *c, struct err *err)
{
	if (!c->who.address[0])
		return err_set(err, ERR_FORBIDDEN,
		    "forbidden: run requires a client that signs");
	if (!c->who.is_known)
		return err_set(err, ERR_FORBIDDEN,
		    "forbidden: run requires a contact or admin, you are %s",
		    c->who.level);
	return 0;
}

static int check_limits(const struct oh_client *c, struct err *err)
{
	const struct limits_who who = {.caller = c->who.address};
	struct limits_verdict v;
	if (!engine_is_socket(c->side))
		return err_set(err, ERR_BAD_REQUEST,
		    "run requires a client with a WebSocket");
	if (c->n_runs >= OH_RUNS_MAX)
		return err_set(err, ERR_LIMIT,
		    "too many commands at once: %d; wait for a result",
		    OH_RUNS_MAX);
	if (limits_request(engine_setup(c->side)->limits, &who, 0, &v) == 0)
		return 0;
	*err = v.err;
	return -1;
}

static int check_permit(const struct oh_client *c, const char *tool,
    const struct json *args, struct err *err)
{
	struct buf why = {0};
	int rc = 0;
	if (!permit_allows(engine_setup(c->side)->permit, tool, args, &why))
		rc = err_set(err, ERR_FORBIDDEN, "%s", buf_cstr(&why));
	buf_fini(&why);
	return rc;
}

static int start(struct oh_client *c, struct session *s,
    const struct session_tool *tool, const struct json *command,
    struct err *err)
{
	size_t len = 0;
	const char *text = json_text(command, &len);
	struct run_call *call = mem_zero(sizeof *call);
	console_exec(tool->name, tool->args, tool->args_len);
	call->client = c;
	call->command = mem_strndup(text, len);
	list_append(&c->runs, &call->link);
	c->n_runs++;
	call->exec = session_exec(s, tool, on_result, call, err);
	if (!call->exec) {
		free_call(call);
		return -1;
	}
	return 0;
}

int oh_run(struct oh_client *c, struct session *s, const struct json *command,
    struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};
	size_t len = 0;
	const char *shell = find_shell(engine_setup(c->side)->about);
	if (!shell)
		return err_set(err, ERR_BAD_REQUEST,
		    "Action run is not supported in the current runtime: the "
		    "agent has no shell tool");
	if (check_caller(c, err) != 0 || check_limits(c, err) != 0)
		return -1;
	const char *json = json_text(command, &len);
	buf_str(&text, "{\"command\":");
	buf_append(&text, json, len);
	buf_char(&text, '}');
	const struct json *args =
	    json_parse(&doc, text.data, text.len, 0, &why);
	const struct session_tool tool = {
	    .name = shell,
	    .args = text.data,
	    .args_len = text.len,
	    .is_owner = c->who.is_admin,
	    .caller = c->who.address,
	    .peer = engine_peer(c->side),
	    .peer_is_loopback = engine_peer_is_loopback(c->side),
	};
	int rc = check_permit(c, shell, args, err);
	if (rc == 0)
		rc = start(c, s, &tool, command, err);
	json_fini(&doc);
	buf_fini(&text);
	return rc;
}
