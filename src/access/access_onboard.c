/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access_int.h"

#include "access/gate.h"
#include "access/payment.h"
#include "access/policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "identity/digest.h"

#include <string.h>

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

/* One transfer admits one caller, once. */
static void on_paid(void *arg, const char *receipt)
{
	struct access_call *q = arg;
	if (!receipt) {
		refuse_payment(q);
		return;
	}
	struct gate_job *job = gate_job();
	digest_of(job->use.digest, receipt, strlen(receipt));
	job->is_verified = true;
	job->is_claimed = true;
	job->use.until_ms = clock_wall_ms() + payment_keep_ms(receipt);
	job->use.is_lasting = true;
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

/* The amount that the client states proves nothing, but it must be a number. */
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
