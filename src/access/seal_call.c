/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/seal_call.h"

#include "access/gate.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/seal.h"

#include <stdlib.h>
#include <string.h>

/* Owned by its job, so it lives as long as the thread may use it. */
struct seal_call {
	const struct seal_host *host;
	struct seal_hello hello;
	struct seal seal;
	struct buf reply;
	struct err err;
	int rc;
	seal_call_fn *fn; /* NULL: cancelled */
	void *arg;
};

static void seal_call_drop(void *owned)
{
	struct seal_call *q = owned;

	seal_fini(&q->seal);
	buf_fini(&q->reply);
	free(q);
}

/* On the gate's thread: the signature is valid. */
static void accept_it(struct gate_job *job)
{
	struct seal_call *q = job->arg;

	q->rc = seal_accept(&q->seal, &q->hello, q->host, &q->reply, &q->err);
}

static void seal_call_refuse(struct seal_call *q, const char *why)
{
	struct err err;

	(void)err_set(&err, ERR_UNAUTHORIZED, "seal refused: %s", why);
	q->fn(q->arg, NULL, NULL, 0, &err);
}

static void on_gate(struct gate_job *job, enum gate_result result)
{
	struct seal_call *q = job->arg;

	if (!q->fn)
		return;
	if (result == GATE_INVALID)
		seal_call_refuse(q, "SEAL signature does not verify");
	else if (result != GATE_OK)
		seal_call_refuse(q, "the host is too busy");
	else if (q->rc != 0)
		q->fn(q->arg, NULL, NULL, 0, &q->err);
	else
		q->fn(q->arg, &q->seal, q->reply.data, q->reply.len, NULL);
}

static struct gate_job *seal_call_make_job(
    struct seal_call *q, struct buf *payload)
{
	struct gate_job *job = gate_job();

	memcpy(job->key, q->hello.key, sizeof job->key);
	memcpy(job->signature, q->hello.signature, sizeof job->signature);
	job->payload = buf_steal(payload, &job->payload_len);
	job->work = accept_it;
	job->done = on_gate;
	job->arg = q;
	job->owned = q;
	job->drop = seal_call_drop;
	return job;
}

struct seal_call *seal_call_new(struct gate *gate, const struct seal_ask *ask,
    seal_call_fn *fn, void *arg, struct err *err)
{
	const struct seal_host *host = ask->host;
	struct buf payload = {0};
	struct seal_call *q;

	if (!host->secret_key) {
		(void)err_set(err, ERR_UNAUTHORIZED, "this host cannot seal");
		return NULL;
	}
	q = mem_zero(sizeof *q);
	q->host = host;
	q->fn = fn;
	q->arg = arg;
	if (seal_read(&q->hello, &payload, ask->frame, host->address,
		(double)clock_wall_ms() / 1000, err) != 0) {
		seal_call_drop(q);
		return NULL;
	}
	struct gate_job *job = seal_call_make_job(q, &payload);
	job->queue = ask->queue;
	gate_push(gate, job);
	return q;
}

void seal_call_forget(struct seal_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}
