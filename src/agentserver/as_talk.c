/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_talk.h"

#include "agentserver/as_event.h"
#include "agentserver/as_id.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/err.h"
#include "door/door.h"
#include "openhands/oh_key.h"
#include "session/session.h"

#include <string.h>

/* ---- opening ---- */

/* Whether there is a session of this id; *err is set if not. */
static bool exists(
    const struct door_setup *setup, const char *id, struct err *err)
{
	struct buf memory = {0};
	struct session_record r;
	int rc =
	    session_look(setup->sessions, id, strlen(id), &memory, &r, err);
	buf_fini(&memory);
	/* Its first turn may not have a record yet. */
	return rc == 0 || session_peek(setup->sessions, id, strlen(id), "") ==
			      SESSION_RUNNING;
}

static int open_session(struct as_talk *t, const char *id, struct err *err)
{
	enum session_status status;
	bool has_record;
	t->session = session_open(
	    t->setup->sessions, id, strlen(id), "", &status, &has_record, err);
	if (t->session)
		return 0;
	return err->code == ERR_NO_SESSION ? err_set(err, ERR_NOT_FOUND, NULL)
					   : -1;
}

static void as_talk_init(
    struct as_talk *t, const struct door_setup *setup, const char *uuid)
{
	*t = (struct as_talk){.setup = setup};
	memcpy(t->uuid, uuid, sizeof t->uuid);
}

int as_talk_open(struct as_talk *t, const struct door_setup *setup,
    const char *uuid, struct err *err)
{
	char digits[AS_ID_DIGITS];
	as_talk_init(t, setup, uuid);
	if (exists(setup, uuid, err))
		return open_session(t, uuid, err);
	if (err->code != ERR_NOT_FOUND)
		return -1;
	as_id_digits(digits, uuid);
	return exists(setup, digits, err) ? open_session(t, digits, err) : -1;
}

int as_talk_begin(struct as_talk *t, const struct door_setup *setup,
    const char *uuid, bool *is_new, struct err *err)
{
	*is_new = false;
	if (as_talk_open(t, setup, uuid, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	*is_new = true;
	as_talk_init(t, setup, uuid);
	return open_session(t, uuid, err);
}

uint64_t as_talk_salt(const struct as_talk *t)
{
	return as_id_salt(session_id(t->session), session_number(t->session),
	    session_epoch(t->setup->sessions));
}

bool as_talk_is_held(const struct as_talk *t, const char *place)
{
	const struct session_guest who = {.caller = "", .place = place};
	/* If there is a key, nobody comes in without it. */
	return oh_key_is_set() || session_is_held(t->session, &who);
}

void as_talk_close(struct as_talk *t)
{
	if (t->session)
		session_close(&t->session);
}

/* ---- status ---- */

/* Goes backwards to the beginning of the turn. */
static bool find_interrupt(const struct event *ev, void *arg)
{
	bool *is_found = arg;
	*is_found = ev->type == EV_INTERRUPT;
	return !*is_found && ev->type != EV_INPUT;
}

/*
 * Whether the user stopped the latest turn, which ends soon after that. A turn
 * whose process died has the same reason, and no such event.
 */
static bool was_stopped(const struct session *s)
{
	const struct session_range range = {
	    .is_backwards = true, .most = AS_EVENT_LOOK_BACK};
	bool is_found = false;
	(void)session_events(s, &range, find_interrupt, &is_found);
	return is_found;
}

static const char *running_status(const struct session *s)
{
	uint64_t question;
	if (session_is_waiting(s, EV_APPROVAL_NEEDED, &question))
		return "waiting_for_confirmation";
	if (session_is_waiting(s, EV_ASK_USER, &question) ||
	    session_is_waiting(s, EV_PLAN_REVIEW, &question))
		return "finished";
	return "running";
}

static const char *status_of(
    const struct as_talk *t, const struct session_record *r)
{
	bool is_done = strcmp(r->status, "done") == 0;
	if (!r->turn)
		return "idle";
	/* The next process is about to take the turn over. */
	if (strcmp(r->status, "running") == 0)
		return "running";
	if ((is_done || strcmp(r->status, "interrupted") == 0) &&
	    was_stopped(t->session))
		return "paused";
	return is_done ? "finished" : "error";
}

/*
 * Read the record ("" and zeroes if there is none), and return the status. The
 * registry is asked first: a turn that ends meanwhile has ended in the record.
 */
static const char *read_talk(
    const struct as_talk *t, struct buf *memory, struct session_record *r)
{
	struct err err;
	bool is_running = session_status(t->session) == SESSION_RUNNING;
	const char *id = session_id(t->session);
	if (session_look(t->setup->sessions, id, strlen(id), memory, r, &err) <
	    0)
		*r = (struct session_record){.status = "", .prompt = ""};
	return is_running ? running_status(t->session) : status_of(t, r);
}

const char *as_talk_status(const struct as_talk *t)
{
	struct buf memory = {0};
	struct session_record r;
	const char *status = read_talk(t, &memory, &r);
	buf_fini(&memory);
	return status;
}

/* ---- what the server tells ---- */

static void put_agent(struct buf *out, const struct as_talk *t)
{
	struct buf model = {0};
	buf_printf(&model, "co-hostd/%s", t->setup->name);
	buf_str(out, "{\"kind\":\"Agent\",\"tools\":[],\"llm\":{\"model\":");
	buf_json(out, model.data, model.len);
	buf_str(out, ",\"usage_id\":\"agent\"}}");
	buf_fini(&model);
}

static void put_json(struct buf *out, const struct json *value)
{
	size_t len;
	const char *text = json_text(value, &len);
	buf_append(out, text, len);
}

static void put_times(struct buf *out, const struct session_record *r)
{
	int64_t now = clock_wall_ms(); /* of one that has no record yet */
	buf_str(out, ",\"created_at\":");
	as_event_put_time(out, (r->began_ms ? r->began_ms : now) * 1000);
	buf_str(out, ",\"updated_at\":");
	as_event_put_time(out, (r->updated_ms ? r->updated_ms : now) * 1000);
}

void as_talk_put_created(struct buf *out, const struct as_talk *t,
    const struct json *agent, const struct json *workspace)
{
	struct buf memory = {0};
	struct session_record r;
	const char *status = read_talk(t, &memory, &r);
	buf_printf(
	    out, "{\"id\":\"%s\",\"execution_status\":\"%s\"", t->uuid, status);
	buf_str(out, ",\"agent\":");
	if (agent)
		put_json(out, agent);
	else
		put_agent(out, t);
	buf_str(out, ",\"workspace\":");
	if (workspace)
		put_json(out, workspace);
	else
		buf_str(out, "{\"kind\":\"LocalWorkspace\",\"working_dir\":"
			     "\"workspace\"}");
	put_times(out, &r);
	buf_str(out, ",\"title\":");
	if (r.title_len)
		buf_json(out, r.title, r.title_len);
	else
		buf_str(out, "null");
	buf_str(out,
	    ",\"persistence_dir\":\"\",\"max_iterations\":500,"
	    "\"stuck_detection\":false,"
	    "\"confirmation_policy\":{\"kind\":\"NeverConfirm\"},"
	    "\"security_analyzer\":null,\"activated_knowledge_skills\":[],"
	    "\"invoked_skills\":[],\"stats\":{\"usage_to_metrics\":{}},"
	    "\"secret_registry\":{\"secret_sources\":{}},\"client_tools\":[],"
	    "\"tool_module_qualnames\":{},\"tags\":{}}");
	buf_fini(&memory);
}

void as_talk_put_info(struct buf *out, const struct as_talk *t)
{
	as_talk_put_created(out, t, NULL, NULL);
}
