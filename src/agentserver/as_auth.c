/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_auth.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/percent.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "openhands/oh_key.h"

#include <stdlib.h>
#include <string.h>

/* A request whose verdict is pending. */
struct asking {
	struct http_req *req;
	struct access_call *call;
	as_auth_fn *fn;
	void *arg;
	as_auth_no_fn *no;
};

static enum as_shown judge(const char *text, size_t len)
{
	if (!oh_key_is_set())
		return AS_SHOWN_NOTHING;
	return oh_key_is(text, len) ? AS_SHOWN_KEY : AS_SHOWN_WRONG;
}

enum as_shown as_auth_shown(struct http_req *req)
{
	struct buf text = {0};
	size_t len = 0;
	const char *value = reply_query(req, "session_api_key", &len);
	const char *header = http_header(req, "x-session-api-key");
	enum as_shown shown = AS_SHOWN_NOTHING;
	if (value) {
		percent_bytes(&text, value, len, true);
		shown = judge(buf_cstr(&text), text.len);
	} else if (header) {
		shown = judge(header, strlen(header));
	}
	buf_fini(&text);
	return shown;
}

static void on_gone(void *arg)
{
	struct asking *a = arg;
	access_forget(&a->call);
	free(a);
}

static void on_verdict(void *arg, const struct access_verdict *verdict)
{
	struct asking *a = arg, old = *a;
	http_on_gone(a->req, NULL, NULL);
	free(a);
	if (verdict->err)
		old.no(old.req, err_public_text(verdict->err));
	else
		old.fn(old.req, old.arg);
}

void as_auth_ask(struct http_req *req, const struct door_setup *setup,
    as_auth_fn *fn, void *arg, as_auth_no_fn *no)
{
	const struct access_ask ask = {
	    .use = ACCESS_CONNECT,
	    .peer = http_peer(req),
	    .place = http_place(req),
	};
	if (oh_key_is_set() || access_is_open(setup->access)) {
		fn(req, arg);
		return;
	}
	struct asking *a = mem_zero(sizeof *a);
	a->req = req;
	a->fn = fn;
	a->arg = arg;
	a->no = no;
	http_on_gone(req, on_gone, a);
	a->call = access_ask(setup->access, &ask, on_verdict, a);
}
