/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_mode.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/door.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"

#include <stdlib.h>
#include <string.h>

#define FULL_ACCESS "full-access"

/* The words that clients use, and the modes that they mean. */
static const struct alias {
	const char *word;
	const char *id;
} aliases[] = {
    {"read-only", "read-only"},
    {":read-only", "read-only"},
    {"safe", "read-only"},
    {"plan", "read-only"},
    {"default", "read-only"},
    {"auto", "auto"},
    {":workspace", "auto"},
    {"accept_edits", "auto"},
    {"auto_approve", "auto"},
    {FULL_ACCESS, FULL_ACCESS},
    {":danger-full-access", FULL_ACCESS},
    {"ulw", FULL_ACCESS},
    {"full_access", FULL_ACCESS},
};

/* A pending change; one per client. */
struct oip_mode_call {
	struct oip_conn *conn;
	struct session_mode_call *call;
	struct session_mode mode;
	const char *word; /* as the client sent it */
};

void oip_mode_offer(
    struct buf *out, const struct conf *conf, const struct session_mode *mode)
{
	buf_str(out, "{\"currentModeId\":");
	buf_json_str(out, mode->id);
	buf_str(out, ",\"turnsLeft\":");
	if (mode->turns_left)
		buf_int(out, mode->turns_left);
	else
		buf_str(out, "null");
	buf_str(out, ",\"availableModes\":["
		     "{\"id\":\"read-only\",\"name\":\"Read only\"},"
		     "{\"id\":\"auto\",\"name\":\"Auto\"}");
	if (conf->full_access_turns || strcmp(mode->id, FULL_ACCESS) == 0)
		buf_str(out,
		    ",{\"id\":\"" FULL_ACCESS "\",\"name\":\"Full access\"}");
	buf_str(out, "]}");
}

static const struct alias *find_alias(const struct json *word)
{
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
		if (json_str_is(word, aliases[i].word))
			return &aliases[i];
	}
	return NULL;
}

/* ---- the answer ---- */

static void oip_mode_refuse(
    struct oip_conn *c, enum err_code code, const char *text)
{
	struct err err;

	(void)err_set(&err, code, "%s", text);
	oip_conn_refuse(c, &err);
}

static void oip_mode_on_changed(void *arg, const struct err *err)
{
	struct oip_mode_call *call = arg;
	struct oip_conn *c = call->conn;

	c->mode_call = NULL;
	if (err) {
		oip_mode_refuse(
		    c, ERR_MODE_STORE, "Unable to change session mode");
	} else {
		oip_frame_mode(oip_conn_frame(), session_id(c->session),
		    call->word, call->mode.turns_left);
		oip_conn_send(c);
	}
	free(call);
}

void oip_mode_forget(struct oip_conn *c)
{
	if (!c->mode_call)
		return;
	session_mode_forget(&c->mode_call->call);
	free(c->mode_call);
	c->mode_call = NULL;
}

/* ---- mode_change ---- */

/* The number of turns of full access: as requested, within the ceiling. */
static int64_t turns_of(const struct conf *conf, const struct json *frame)
{
	int64_t n = 0;

	if (!json_int(json_get(frame, "turns"), &n) || n < 1 ||
	    n > conf->full_access_turns)
		return conf->full_access_turns;
	return n;
}

static void oip_mode_begin(
    struct oip_conn *c, const struct alias *alias, const struct json *frame)
{
	struct oip_mode_call *call = mem_zero(sizeof *call);

	call->conn = c;
	call->word = alias->word;
	call->mode.id = alias->id;
	if (strcmp(alias->id, FULL_ACCESS) == 0)
		call->mode.turns_left = turns_of(c->setup->conf, frame);
	call->call = session_set_mode(c->session, &call->mode,
	    c->caller.address, oip_mode_on_changed, call);
	if (call->call) {
		c->mode_call = call;
		return;
	}
	free(call);
	oip_mode_refuse(c, ERR_BUSY, err_text(ERR_BUSY));
}

/*
 * Full access is only for callers that may approve; others continue to be
 * asked.
 */
static bool is_offered(const struct oip_conn *c, const struct alias *alias)
{
	return strcmp(alias->id, FULL_ACCESS) != 0 ||
	       (c->setup->conf->full_access_turns > 0 && c->caller.is_known);
}

void oip_mode_change(struct oip_conn *c, const struct json *frame)
{
	const struct json *word = json_get(frame, "mode");
	const struct alias *alias = find_alias(word);
	struct err err;

	if (!c->session) {
		oip_conn_error(c, "mode change is unavailable");
	} else if (!alias) {
		struct buf text = {0};
		buf_str(&text, "Unsupported permission profile: ");
		oip_frame_repr(&text, word);
		oip_mode_refuse(c, ERR_MODE, buf_cstr(&text));
		buf_fini(&text);
	} else if (!oip_conn_may_answer(c, &err)) {
		oip_conn_refuse(c, &err);
	} else if (!is_offered(c, alias)) {
		oip_mode_refuse(
		    c, ERR_MODE, "Permission mode is not available");
	} else if (c->mode_call ||
		   session_status(c->session) == SESSION_RUNNING) {
		oip_mode_refuse(c, ERR_BUSY, err_text(ERR_BUSY));
	} else {
		oip_mode_begin(c, alias, frame);
	}
}
