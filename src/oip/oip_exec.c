/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_exec.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/permit.h"
#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"
#include "oip/oip_limit.h"

#include <stdlib.h>
#include <string.h>

/* Calls that one client may have running at once. */
#define MAX_EXECS 8

/* The longest exec_id, as JSON text, that is repeated in the answer. */
#define ECHO_BYTES 512

/* The longest name of a tool, in bytes. */
#define TOOL_BYTES 200

/* A running call. */
struct oip_exec_call {
	struct list link;
	struct oip_conn *conn;
	struct session_exec *exec;
	char *id;   /* exec_id as JSON text */
	char *tool; /* as JSON text */
};

static void oip_exec_free_call(struct oip_exec_call *call)
{
	list_remove(&call->link);
	call->conn->n_execs--;
	free(call->id);
	free(call->tool);
	free(call);
}

void oip_exec_forget(struct oip_conn *c)
{
	list_each_safe(it, &c->execs)
	{
		struct oip_exec_call *call =
		    list_entry(it, struct oip_exec_call, link);
		session_exec_cancel(&call->exec);
		oip_exec_free_call(call);
	}
}

static void on_result(void *arg, const struct session_exec_result *result)
{
	struct oip_exec_call *call = arg;

	oip_frame_exec_result(oip_conn_frame(), call->id, call->tool, result);
	oip_conn_send(call->conn);
	oip_exec_free_call(call);
}

/* Longer names are not repeated. */
static char *oip_exec_text_of(const struct json *v)
{
	size_t len = 0;
	const char *text = v ? json_text(v, &len) : NULL;

	return text && len <= ECHO_BYTES ? mem_strndup(text, len)
					 : mem_strdup("null");
}

static void oip_exec_refuse(
    struct oip_conn *c, const struct json *frame, const char *why)
{
	oip_frame_exec_error(oip_conn_frame(), frame, why);
	oip_conn_send(c);
}

static void oip_exec_run(struct oip_conn *c, const struct json *frame,
    const char *tool_name, const struct json *args)
{
	struct session_tool tool = {
	    .name = tool_name,
	    .args = "{}",
	    .args_len = 2,
	    .is_owner = c->caller.is_admin,
	    .caller = c->caller.address,
	    .peer = c->wire->peer,
	    .peer_is_loopback = c->wire->peer_is_loopback,
	};
	struct err err;
	struct oip_exec_call *call = mem_zero(sizeof *call);

	if (args)
		tool.args = json_text(args, &tool.args_len);
	console_exec(tool_name, tool.args, tool.args_len);
	call->conn = c;
	call->id = oip_exec_text_of(json_get(frame, "exec_id"));
	call->tool = oip_exec_text_of(json_get(frame, "tool"));
	list_append(&c->execs, &call->link);
	c->n_execs++;
	call->exec = session_exec(c->session, &tool, on_result, call, &err);
	if (call->exec)
		return;
	oip_exec_free_call(call);
	oip_exec_refuse(c, frame, err.text);
}

/* Whether the agent has no tool of this name; if so, write the list to *why. */
static bool is_unknown(
    const struct agent_about *about, const char *tool, struct buf *why)
{
	const char *sep = "";

	buf_printf(why, "unknown tool '%s' (available: [", tool);
	for (const char *const *t = about->tools; t && *t; t++) {
		if (strcmp(*t, tool) == 0)
			return false;
		buf_printf(why, "%s'%s'", sep, *t);
		sep = ", ";
	}
	buf_str(why, "])");
	return true;
}

/*
 * Whether any object in the arguments has a duplicate key. One parser uses the
 * first and another the last, so what was permitted might not be what runs.
 */
static bool has_doubled(const struct json *args)
{
	static struct json_doc doc;
	struct json_error why;
	size_t len;
	const char *text = json_text(args, &len);
	bool is_unique =
	    json_parse(&doc, text, len, JSON_UNIQUE_KEYS, &why) != NULL;

	json_fini(&doc);
	return !is_unique;
}

static const char *unfit(const struct oip_conn *c, const char *tool,
    const struct json *args, struct buf *why)
{
	struct err err;

	if (!tool || !*tool || strlen(tool) > TOOL_BYTES)
		return "tool required";
	if (!c->caller.address[0])
		return "forbidden: exec requires an authenticated caller";
	if (!c->caller.is_known) {
		buf_printf(why,
		    "forbidden: exec requires a contact or admin, you are %s",
		    c->caller.level);
		return buf_cstr(why);
	}
	if (args && !json_is(args, JSON_OBJECT))
		return "args must be an object";
	if (args && has_doubled(args))
		return "args must not name a member twice";
	if (c->n_execs >= MAX_EXECS)
		return "too many calls at once; wait for a result";
	if (oip_limit_input(c, 0, &err) != 0) {
		buf_str(why, err.text);
		return buf_cstr(why);
	}
	if (!permit_allows(c->setup->permit, tool, args, why))
		return buf_cstr(why);
	buf_reset(why);
	return is_unknown(c->setup->about, tool, why) ? buf_cstr(why) : NULL;
}

void oip_exec(struct oip_conn *c, const struct json *frame)
{
	char *tool = json_strdup(json_get(frame, "tool"));
	const struct json *args = json_get(frame, "args");
	struct buf why = {0};

	if (!c->session) {
		oip_conn_error(c, "authenticate first (send CONNECT)");
	} else {
		args = json_type(args) == JSON_NULL ? NULL : args;
		const char *text = unfit(c, tool, args, &why);
		if (text)
			oip_exec_refuse(c, frame, text);
		else
			oip_exec_run(c, frame, tool, args);
	}
	buf_fini(&why);
	free(tool);
}
