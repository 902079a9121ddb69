/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access.h"

#include "access/access_int.h"
#include "access/gate.h"
#include "access/payment.h"
#include "access/policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "identity/digest.h"
#include "identity/signed.h"
#include "limits/network.h"

#include <stdlib.h>
#include <string.h>

/* ---- the signature ---- */

static void on_gate(struct gate_job *job, enum gate_result result)
{
	struct access_call *q = job->arg;
	switch (result) {
	case GATE_OK:
		if (q->late)
			access_call_refuse(q, ERR_UNAUTHORIZED, q->late);
		else
			access_admit(q);
		if (q->is_waiting)
			return;
		break;
	case GATE_INVALID:
		access_call_refuse(
		    q, ERR_UNAUTHORIZED, "unauthorized: invalid signature");
		break;
	case GATE_USED:
		access_call_refuse(
		    q, ERR_UNAUTHORIZED, access_rules(q->use)->used);
		break;
	case GATE_UNAVAILABLE:
		access_call_refuse(q, ERR_MISCONFIGURED, ACCESS_UNAVAILABLE);
		break;
	case GATE_BUSY:
	case GATE_CROWDED:
		access_busy(&q->err, result == GATE_CROWDED);
		q->is_refused = true;
		break;
	}
	access_call_tell(q);
}

static uint64_t hash_of(const char *peer)
{
	uint8_t digest[16];
	uint64_t hash;
	digest_of(digest, peer, strlen(peer));
	memcpy(&hash, digest, sizeof hash);
	return hash;
}

/*
 * The queue in which a job takes its turn: one per network. Behind a relay, or
 * a proxy on this machine, there may be many callers, which are told apart by
 * the address that they claim: unverified, but better than nothing.
 */
static uint64_t queue_of(const char *peer, bool is_relayed, const char *from)
{
	char network[NETWORK_SIZE];
	if (is_relayed || network_class(peer) == IP_LOOPBACK)
		return hash_of(from);
	network_name(network, peer);
	return hash_of(network);
}

static struct gate_job *access_make_job(struct access_call *q,
    const struct access_ask *ask, const struct signed_head *head)
{
	struct gate_job *job = gate_job();
	const char *payload = json_text(head->payload, &job->payload_len);
	job->payload = mem_strndup(payload, job->payload_len);
	memcpy(job->key, head->key, sizeof job->key);
	memcpy(job->signature, head->signature, sizeof job->signature);
	memcpy(job->use.digest, head->digest, sizeof job->use.digest);
	job->is_claimed =
	    access_rules(ask->use)->is_claimed && !ask->late && !ask->is_sealed;
	job->use.until_ms = (int64_t)((head->timestamp + SIGNED_WINDOW) * 1000);
	/* Requests through a relay all come from one place. */
	job->use.has_grace = ask->may_repeat && !ask->is_relayed;
	job->use.peer = hash_of(ask->place ? ask->place : ask->peer);
	job->queue = queue_of(ask->peer, ask->is_relayed, head->from);
	job->done = on_gate;
	job->arg = q;
	return job;
}

/* The checks of spec 3.6 that precede the signature itself. */
static int check_head(struct access *a, const struct access_ask *ask,
    struct signed_head *head, struct err *err)
{
	const struct conf *conf = a->setup.conf;
	if (signed_from(head, ask->payload, ask->from, ask->signature, err) !=
	    0)
		return -1;
	if (ask->use != ACCESS_ADMIN &&
	    lists_is_blacklisted(a->lists, head->from, err))
		return -1;
	if (signed_read(head, err) != 0 ||
	    signed_fresh(head, (double)clock_wall_ms() / 1000, err) != 0)
		return -1;
	if (ask->may_name_recipient && !ask->is_relayed &&
	    signed_is_to_name(head, a->setup.name))
		return 0;
	return signed_recipient(
	    head, conf->address, access_rules(ask->use)->needs_recipient, err);
}

static void keep_prompt(struct access_call *q, const struct access_ask *ask)
{
	const struct json *prompt = json_get(ask->payload, "prompt");
	if (q->access->setup.conf->trust_sees_prompt)
		q->prompt = json_strdup(prompt ? prompt : ask->prompt);
}

static void check_signature(struct access_call *q, const struct access_ask *ask)
{
	struct access *a = q->access;
	struct signed_head head;
	if (check_head(a, ask, &head, &q->err) != 0) {
		q->is_refused = true;
		access_call_tell_later(q);
		return;
	}
	memcpy(q->caller.address, head.from, sizeof head.from);
	q->is_signed = true;
	q->invite_code = json_strdup(json_get(ask->payload, "invite_code"));
	keep_prompt(q, ask);
	gate_push(a->gate, access_make_job(q, ask, &head));
}

/* ---- asking ---- */

struct access_call *access_ask(
    struct access *a, const struct access_ask *ask, access_fn *fn, void *arg)
{
	struct access_call *q =
	    access_call_new(a, ask->use, ask->peer, fn, arg);
	q->late = ask->late;
	q->is_relayed = ask->is_relayed;
	if (!ask->caller && (ask->payload || ask->from || ask->signature)) {
		check_signature(q, ask);
		return q;
	}
	if (ask->caller) {
		q->caller = *ask->caller;
		q->is_signed = q->caller.address[0];
		keep_prompt(q, ask);
		access_admit(q);
	} else if (access_rules(ask->use)->asks_policy)
		access_admit(q);
	else
		access_call_refuse(
		    q, ERR_UNAUTHORIZED, err_text(ERR_UNAUTHORIZED));
	if (!q->is_waiting)
		access_call_tell_later(q);
	return q;
}

struct seal_call *access_seal(struct access *a,
    const struct access_sealing *sealing, seal_call_fn *fn, void *arg,
    struct err *err)
{
	char *from = json_strdup(json_get(sealing->frame, "from"));
	struct seal_ask ask = {
	    .host = &a->host,
	    .frame = sealing->frame,
	    .queue =
		queue_of(sealing->peer, sealing->is_relayed, from ? from : ""),
	};
	free(from);
	return seal_call_new(a->gate, &ask, fn, arg, err);
}

void access_forget(struct access_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}

/* ---- life cycle ---- */

struct access *access_new(const struct access_setup *setup, struct err *err)
{
	struct policy *policy = policy_open(setup->conf, err);
	struct lists *lists = policy ? lists_open(setup->conf, err) : NULL;
	if (!lists) {
		policy_close(&policy);
		return NULL;
	}
	struct access *a = mem_zero(sizeof *a);
	a->setup = *setup;
	a->host = (struct seal_host){setup->conf->address, setup->secret_key};
	a->policy = policy;
	a->lists = lists;
	a->payment = payment_new(setup->conf, setup->loop);
	a->gate = gate_new(setup->store, setup->wake, setup->arg);
	list_init(&a->calls);
	list_init(&a->ready);
	access_changes_open(a);
	return a;
}

void access_free(struct access **ap)
{
	struct access *a = *ap;
	*ap = NULL;
	if (!a)
		return;
	gate_free(&a->gate);
	access_changes_close(a);
	payment_free(&a->payment);
	list_each_safe(it, &a->calls)
	    access_call_free(list_entry(it, struct access_call, link));
	lists_close(&a->lists);
	policy_close(&a->policy);
	free(a);
}

void access_collect(struct access *a)
{
	struct list *l;
	/* Whatever is judged now was sent before. */
	lists_begin_batch(a->lists);
	gate_collect(a->gate);
	lists_end_batch(a->lists);
	access_changes_collect(a);
	while ((l = list_shift(&a->ready)))
		access_call_tell(list_entry(l, struct access_call, ready));
}

void access_tick(struct access *a)
{
	gate_tick(a->gate);
	access_changes_tick(a);
}
