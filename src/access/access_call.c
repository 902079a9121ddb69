/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access_int.h"

#include "access/gate.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/stat.h"

#include <stdlib.h>

/* A full queue has room again in a moment. */
#define RETRY_MS 1000

static const struct access_rules rules_of[] = {
    [ACCESS_CONNECT] =
	{
	    .needs_recipient = true,
	    .is_claimed = true,
	    .asks_policy = true,
	    .used = "unauthorized: this CONNECT was already used",
	},
    [ACCESS_AGAIN] =
	{
	    .needs_recipient = true,
	    .is_claimed = true,
	    .refuses_blocked = true,
	    .used = "unauthorized: this CONNECT was already used",
	},
    [ACCESS_INPUT] =
	{
	    .is_claimed = true,
	    .asks_policy = true,
	    .used = "unauthorized: signature already used",
	},
    [ACCESS_SPOKEN] =
	{
	    .is_claimed = true,
	    .refuses_blocked = true,
	    .asks_of_prompts = true,
	    .used = "unauthorized: signature already used",
	},
    [ACCESS_READ] = {.asks_policy = true},
    [ACCESS_COMMAND] =
	{
	    .needs_recipient = true,
	    .is_claimed = true,
	    .refuses_blocked = true,
	    .asks_of_prompts = true,
	    .used = "unauthorized: signed command already used",
	},
    [ACCESS_ONBOARD] =
	{
	    .is_claimed = true,
	    .refuses_blocked = true,
	    .used = "unauthorized: signature already used",
	},
    [ACCESS_ADMIN] =
	{
	    .is_claimed = true,
	    .used = "unauthorized: signature already used",
	},
    [ACCESS_STATUS] =
	{
	    .needs_recipient = true,
	    .is_claimed = true,
	    .used = "unauthorized: signature already used",
	},
};

const struct access_rules *access_rules(enum access_use use)
{
	return &rules_of[use];
}

/* ---- life cycle ---- */

struct access_call *access_call_new(struct access *a, enum access_use use,
    const char *peer, access_fn *fn, void *arg)
{
	struct access_call *q = mem_zero(sizeof *q);
	q->access = a;
	q->use = use;
	q->fn = fn;
	q->arg = arg;
	q->peer = mem_strdup(peer);
	q->caller = CALLER_NOBODY;
	list_init(&q->ready);
	list_append(&a->calls, &q->link);
	return q;
}

void access_call_free(struct access_call *q)
{
	list_remove(&q->link);
	list_remove(&q->ready);
	free(q->invite_code);
	free(q->prompt);
	free(q->peer);
	free(q);
}

/* ---- the verdict ---- */

void access_call_tell(struct access_call *q)
{
	struct access_verdict v = {
	    .caller = &q->caller,
	    .err = q->is_refused ? &q->err : NULL,
	    .may_onboard = q->may_onboard,
	};
	access_fn *fn = q->fn;
	q->fn = NULL;
	if (fn)
		fn(q->arg, &v);
	access_call_free(q);
}

void access_call_tell_later(struct access_call *q)
{
	struct access *a = q->access;
	list_append(&a->ready, &q->ready);
	a->setup.wake(a->setup.arg);
}

void access_call_refuse(
    struct access_call *q, enum err_code code, const char *text)
{
	q->is_refused = true;
	(void)err_set(&q->err, code, "%s", text);
}

void access_busy(struct err *err, bool is_own_queue)
{
	stat_add(limited_signatures, 1);
	if (is_own_queue)
		(void)err_set(err, ERR_LIMIT,
		    "too many signatures from one address wait to be "
		    "verified: %d; retry in 1 s",
		    GATE_MAX_QUEUED);
	else
		(void)err_set(err, ERR_CROWDED, NULL);
	err->retry_after_ms = RETRY_MS;
}
