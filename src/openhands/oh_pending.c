/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_pending.h"

#include "base/list.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/console.h"
#include "net/http.h"
#include "openhands/oh_asked.h"
#include "session/session.h"

#include <stdlib.h>

struct pending {
	struct list link;
	struct http_req *req;
	struct session *session;
	struct session_call *call;
	struct session_change *change;
	oh_pending_fn *reply;
};

static struct list all_pending = {&all_pending, &all_pending};

static void let_go(struct pending *p)
{
	if (p->call)
		session_forget(&p->call);
	session_change_forget(&p->change);
	session_close(&p->session);
	list_remove(&p->link);
	free(p);
}

static void on_gone(void *arg)
{
	let_go(arg);
}

static void finish(struct pending *p, const struct err *err)
{
	http_on_gone(p->req, NULL, NULL);
	p->reply(p->req, session_id(p->session), err);
	let_go(p);
}

static struct pending *begin(
    struct oh_asked *a, struct session *s, oh_pending_fn *reply)
{
	struct pending *p = mem_zero(sizeof *p);
	p->req = a->req;
	p->session = s;
	p->reply = reply;
	list_append(&all_pending, &p->link);
	http_on_gone(a->req, on_gone, p);
	return p;
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct pending *p = arg;
	p->call = NULL;
	finish(p, r->outcome == INPUT_REFUSED ? r->err : NULL);
}

void oh_pending_input(struct oh_asked *a, struct session *s,
    const struct session_input *in, oh_pending_fn *reply)
{
	struct pending *p = begin(a, s, reply);
	console_submit(s, in);
	p->call = session_input(s, in, on_receipt, p);
}

static void on_changed(void *arg, const struct err *err)
{
	struct pending *p = arg;
	p->change = NULL;
	finish(p, err);
}

void oh_pending_title(struct oh_asked *a, struct session *s, const char *title,
    size_t len, oh_pending_fn *reply)
{
	struct pending *p = begin(a, s, reply);
	p->change =
	    session_set_title(s, title, len, a->caller.address, on_changed, p);
}

void oh_pending_delete(
    struct oh_asked *a, struct session *s, oh_pending_fn *reply)
{
	struct pending *p = begin(a, s, reply);
	p->change = session_delete(s, on_changed, p);
}

void oh_pending_close_all(void)
{
	struct err err;
	(void)err_set(&err, ERR_DRAINING, NULL);
	list_each_safe(it, &all_pending)
	    finish(list_entry(it, struct pending, link), &err);
}
