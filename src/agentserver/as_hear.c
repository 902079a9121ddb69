/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_hear.h"

#include "agentserver/as_conn.h"
#include "agentserver/as_feed.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "net/wire.h"
#include "openhands/oh_key.h"

#include <stdlib.h>

static bool is_auth(const struct json *said)
{
	return json_str_is(json_get(said, "type"), "auth");
}

bool as_hear_key(const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scratch = {0};
	const struct json *said = json_parse(&doc, text, len, 0, &why);
	size_t n = 0;
	const char *key =
	    json_str(json_get(said, "session_api_key"), &scratch, &n);
	bool is_it = is_auth(said) && key && oh_key_is(key, n);
	json_fini(&doc);
	buf_fini(&scratch);
	return is_it;
}

void as_hear_complain(struct as_conn *c, const char *code, const char *detail)
{
	struct buf out = {0};
	if (c->form == AS_EVENTS) {
		as_event_put_error(&out, clock_wall_us(), code, detail);
	} else {
		buf_printf(&out,
		    "{\"type\":\"error\",\"code\":\"%s\",\"detail\":", code);
		buf_json_str(&out, detail);
		buf_char(&out, '}');
	}
	wire_send(c->wire, out.data, out.len);
	buf_fini(&out);
}

/* ---- messages ---- */

static void free_saying(struct as_saying *s)
{
	s->conn->n_sayings--;
	list_remove(&s->link);
	free(s);
}

static void on_said(void *arg, const struct err *err)
{
	struct as_saying *s = arg;
	struct as_conn *c = s->conn;
	free_saying(s);
	if (err)
		as_hear_complain(c, "refused", err_public_text(err));
}

void as_hear_forget(struct as_conn *c)
{
	list_each_safe(it, &c->sayings)
	{
		struct as_saying *s = list_entry(it, struct as_saying, link);
		as_run_forget(&s->run);
		free_saying(s);
	}
}

static void say(struct as_conn *c, const struct as_message *m)
{
	struct err err;
	const struct as_sender who = {
	    .peer = c->wire->peer,
	    .place = c->place,
	    .peer_is_loopback = c->wire->peer_is_loopback,
	};
	struct as_saying *s = mem_zero(sizeof *s);
	s->conn = c;
	c->n_sayings++;
	list_append(&c->sayings, &s->link);
	enum as_begun begun =
	    as_run(&s->run, &c->talk, m, &who, on_said, s, &err);
	if (begun == AS_FAILED)
		as_hear_complain(c, "refused", err_public_text(&err));
	if (begun != AS_PENDING)
		free_saying(s);
}

static void take_message(struct as_conn *c, const struct json *said)
{
	struct as_message m;
	struct err err;
	if (as_message_read(&m, said, true, &err) < 0) {
		as_hear_complain(c, "invalid_message", err.text);
	} else if (c->n_sayings >= AS_MOST_RUNS) {
		as_hear_complain(c, "refused",
		    "too many messages are on their way; wait for their "
		    "events");
	} else {
		m.wants_run = true;
		say(c, &m);
	}
	as_message_fini(&m);
}

void as_hear_text(struct as_conn *c, const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *said = json_parse(&doc, text, len, 0, &why);
	if (!said)
		as_hear_complain(c, "invalid_json", why.message);
	else if (!is_auth(said)) /* a client may show its key unasked */
		take_message(c, said);
	json_fini(&doc);
}
