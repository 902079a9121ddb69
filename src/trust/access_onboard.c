/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "trust/access_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "trust/gate.h"
#include "trust/ident.h"
#include "trust/payment.h"
#include "trust/policy.h"

#include <string.h>

/* ---- changing the lists ---- */

struct access_changing {
	struct access *access;
	struct lists_change change;
	struct lists_result result;
	struct err err;
	int rc;
	access_change_fn *fn;
	void *arg;
};

/* On the gate's thread. */
static void do_change(struct gate_job *job)
{
	struct access_changing *c = job->arg;
	const struct conf *conf = c->access->setup.conf;
	c->rc = lists_change(
	    conf->co_dir, conf->address, &c->change, &c->result, &c->err);
}

static void on_changed(struct gate_job *job, enum gate_result result)
{
	struct access_changing *c = job->arg;
	if (result != GATE_OK) {
		/* The thread may still be at it: it keeps what it writes to. */
		struct err err;
		if (result == GATE_UNAVAILABLE)
			(void)err_set(
			    &err, ERR_MISCONFIGURED, ACCESS_UNAVAILABLE);
		else
			access_busy(&err, false);
		c->fn(c->arg, NULL, &err);
		return;
	}
	c->fn(c->arg, c->rc == 0 ? &c->result : NULL,
	    c->rc == 0 ? NULL : &c->err);
}

void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg)
{
	struct access_changing *c = mem_zero(sizeof *c);
	struct gate_job *job = gate_job();
	c->access = a;
	c->change = *change;
	c->fn = fn;
	c->arg = arg;
	job->is_verified = true;
	job->work = do_change;
	job->done = on_changed;
	job->arg = c;
	job->owned = c;
	gate_push(a->gate, job);
}

/* ---- onboarding ---- */

static void submit_code(struct access_call *q)
{
	struct access *a = q->access;
	if (access_may_guess(q) &&
	    policy_code_fits(a->policy, q->invite_code)) {
		access_promote(q);
		return;
	}
	access_note_guess(q);
	access_call_refuse(q, ERR_FORBIDDEN, "Invalid invite code");
}

static void refuse_payment(struct access_call *q)
{
	access_call_refuse(q, ERR_FORBIDDEN, "Insufficient payment");
	access_call_tell(q);
}

static void on_receipt_claimed(struct gate_job *job, enum gate_result result)
{
	if (result == GATE_OK)
		access_promote(job->arg);
	else
		refuse_payment(job->arg);
}

/* One transfer lets one caller in, once. */
static void on_paid(void *arg, const char *receipt)
{
	struct access_call *q = arg;
	if (!receipt) {
		refuse_payment(q);
		return;
	}
	struct gate_job *job = gate_job();
	ident_digest16(job->digest, receipt, strlen(receipt));
	job->is_verified = true;
	job->is_claimed = true;
	job->until_ms = clock_wall_ms() + payment_keep_ms(receipt);
	job->done = on_receipt_claimed;
	job->arg = q;
	gate_push(q->access->gate, job);
}

static void submit_payment(struct access_call *q)
{
	struct access *a = q->access;
	q->is_waiting = true;
	payment_verify(
	    a->payment, q->caller.address, policy_price(a->policy), on_paid, q);
}

/* What the client says it paid is a claim, but it must be an amount. */
static bool has_amount(const struct json *payload)
{
	double amount;
	return json_double(json_get(payload, "payment"), &amount) && amount > 0;
}

struct access_call *access_onboard(struct access *a, const char *address,
    const struct json *payload, const char *peer, access_fn *fn, void *arg)
{
	struct access_call *q =
	    access_call_new(a, ACCESS_ONBOARD, peer, fn, arg);
	memcpy(q->caller.address, address, strlen(address) + 1);
	q->is_signed = true;
	q->invite_code = json_strdup(json_get(payload, "invite_code"));
	if (q->invite_code && *q->invite_code)
		submit_code(q);
	else if (has_amount(payload) && policy_price(a->policy) > 0)
		submit_payment(q);
	else if (has_amount(payload))
		access_call_refuse(q, ERR_FORBIDDEN, "Insufficient payment");
	else
		access_call_refuse(
		    q, ERR_BAD_REQUEST, "invite_code or payment required");
	if (!q->is_waiting)
		access_call_tell_later(q);
	return q;
}
