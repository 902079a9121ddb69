/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_admin.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/err.h"
#include "door/admin_change.h"
#include "door/door.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_sender.h"

#include <stdlib.h>
#include <string.h>

/* Changes that one client may have pending at once. */
#define MAX_CHANGES 8

/* How many characters of an unknown type are repeated. */
#define ECHO_CHARS 100

static const struct action {
	const char *type;
	const char *word;
	enum lists_action change;
} actions[] = {
    {"ADMIN_PROMOTE", "promote", LISTS_PROMOTE},
    {"ADMIN_DEMOTE", "demote", LISTS_DEMOTE},
    {"ADMIN_BLOCK", "block", LISTS_BLOCK},
    {"ADMIN_UNBLOCK", "unblock", LISTS_UNBLOCK},
    {"ADMIN_GET_LEVEL", "get_level", LISTS_LEVEL},
    {"ADMIN_ADD", "add_admin", LISTS_ADD_ADMIN},
    {"ADMIN_REMOVE", "remove_admin", LISTS_REMOVE_ADMIN},
};

/* A change whose result is pending. */
struct changing {
	struct list link;
	struct oip_conn *conn; /* NULL: the client left */
	const struct action *action;
	struct lists_change change;
};

/* Pending changes whose client has left; the list keeps them reachable. */
static struct list orphans = {&orphans, &orphans};

void oip_admin_forget(struct oip_conn *c)
{
	struct list *l;
	while ((l = list_shift(&c->admin_calls))) {
		list_entry(l, struct changing, link)->conn = NULL;
		list_append(&orphans, l);
	}
}

/* ---- changes ---- */

static void put_result(
    const struct changing *call, const struct lists_result *result)
{
	struct buf *out = oip_conn_frame();
	buf_printf(out, "{\"type\":\"ADMIN_RESULT\",\"action\":\"%s\",",
	    call->action->word);
	admin_change_put(out, &call->change, result);
	buf_char(out, '}');
	oip_conn_send(call->conn);
}

static void oip_admin_on_changed(
    void *arg, const struct lists_result *result, const struct err *err)
{
	struct changing *call = arg;
	if (call->conn && err)
		oip_conn_error(call->conn, err->text);
	else if (call->conn)
		put_result(call, result);
	list_remove(&call->link);
	free(call);
}

static bool is_busy(const struct oip_conn *c)
{
	size_t n = 0;
	list_each(it, &c->admin_calls) n++;
	return n >= MAX_CHANGES;
}

static void make_change(struct oip_conn *c, const struct action *action,
    const struct lists_change *change)
{
	struct changing *call = mem_zero(sizeof *call);
	call->conn = c;
	call->action = action;
	call->change = *change;
	list_append(&c->admin_calls, &call->link);
	access_change(c->setup->access, change, oip_admin_on_changed, call);
}

/* ---- frames ---- */

static void refuse_unknown(struct oip_conn *c, const struct json *type)
{
	struct buf name = {0}, text = {0};
	size_t len = 0;
	const char *s = json_str(type, &name, &len);
	buf_str(&text, "Unknown admin action: ");
	if (s)
		buf_append(&text, s, utf8_prefix(s, len, ECHO_CHARS));
	oip_conn_error(c, buf_cstr(&text));
	buf_fini(&name);
	buf_fini(&text);
}

static const struct action *oip_admin_find(const struct json *type)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (json_str_is(type, actions[i].type))
			return &actions[i];
	return NULL;
}

/* Act on a frame whose sender is verified; type is the type of the frame. */
static void oip_admin_act(struct oip_conn *c, const struct caller *caller,
    const struct json *type, const struct json *payload)
{
	const struct action *action = oip_admin_find(type);
	struct lists_change change = {
	    .action = action ? action->change : LISTS_LEVEL};
	struct err err;
	if (!caller->is_admin)
		oip_conn_error(c, "forbidden: admin only");
	else if (!action)
		refuse_unknown(c, type);
	else if (admin_change_may(caller, action->change, &err) != 0 ||
		 admin_change_read(&change, payload, &err) != 0)
		oip_conn_error(c, err.text);
	else if (is_busy(c))
		oip_conn_error(c, "too many calls at once; wait for a result");
	else
		make_change(c, action, &change);
}

static void oip_admin_on_verdict(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *verdict)
{
	if (verdict->err)
		oip_conn_deny(c, verdict->err);
	else
		oip_admin_act(c, verdict->caller, json_get(frame, "type"),
		    json_get(frame, "payload"));
}

/* On a socket with signed commands the payload is the command. */
static void on_command(struct oip_conn *c, const struct json *payload,
    const struct access_verdict *verdict)
{
	oip_admin_act(c, verdict->caller, json_get(payload, "type"), payload);
}

/*
 * Returns what is wrong with the payload besides its signature, or NULL. If the
 * payload has no type, a signature for a promotion could be reused for a block,
 * so it must at least name us as its recipient. A recipient that is named is
 * checked in any case.
 */
static const char *oip_admin_complaint(const struct json *frame)
{
	const struct json *payload = json_get(frame, "payload");
	if (json_get(payload, "type"))
		return oip_sender_has_type(payload, frame)
			   ? NULL
			   : "unauthorized: signed command type mismatch";
	if (json_type(json_get(payload, "to")) == JSON_NULL)
		return "unauthorized: wrong recipient";
	return NULL;
}

void oip_admin(struct oip_conn *c, const struct json *frame)
{
	struct access_ask ask = {
	    .use = ACCESS_ADMIN,
	    .late = oip_admin_complaint(frame),
	};
	if (c->is_v2)
		oip_auth_command(c, frame, on_command);
	else
		oip_auth_ask(c, frame, &ask, oip_admin_on_verdict);
}
