/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/proof.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/signed.h"
#include "proc/crew.h"
#include "relay/tunnel.h"

#include <stdlib.h>
#include <string.h>

struct proof {
	struct crew_job job;
	struct buf text;
	char to[ADDRESS_SIZE];
	char signer[ADDRESS_SIZE];
	double now;
	void (*fn)(void *arg, const char *signer); /* NULL: forgotten */
	void *arg;
};

/* ---- on a thread ---- */

static bool is_proven(
    struct proof *p, struct signed_head *h, const struct json *root)
{
	struct err err;
	size_t len;
	if (signed_from(h, json_get(root, "payload"), json_get(root, "from"),
		json_get(root, "signature"), &err) != 0 ||
	    signed_read(h, &err) != 0 || signed_fresh(h, p->now, &err) != 0 ||
	    signed_recipient(h, p->to, false, &err) != 0)
		return false;
	const char *payload = json_text(h->payload, &len);
	return signed_verify(h->key, h->signature, payload, len);
}

static void proof_run(struct crew_job *job)
{
	struct proof *p = list_entry(job, struct proof, job);
	struct json_doc doc = {0};
	struct json_error why;
	struct signed_head head;
	const struct json *root =
	    json_parse(&doc, p->text.data, p->text.len, JSON_UNIQUE_KEYS, &why);
	if (json_is(root, JSON_OBJECT) && is_proven(p, &head, root))
		memcpy(p->signer, head.from, sizeof p->signer);
	json_fini(&doc);
}

/* ---- on the loop ---- */

static void proof_free(struct proof *p)
{
	buf_fini(&p->text);
	free(p);
}

static void proof_done(struct crew_job *job)
{
	struct proof *p = list_entry(job, struct proof, job);
	if (p->fn)
		p->fn(p->arg, p->signer);
	proof_free(p);
}

struct proof *proof_begin(struct crew *crew, const struct buf *connect,
    const char *to, void (*fn)(void *arg, const char *signer), void *arg)
{
	if (connect->len > PROOF_BYTES)
		return NULL;
	struct proof *p = mem_zero(sizeof *p);
	p->job = (struct crew_job){.run = proof_run, .done = proof_done};
	p->fn = fn;
	p->arg = arg;
	p->now = (double)clock_wall_ms() / 1000;
	memcpy(p->to, to, sizeof p->to);
	buf_append(&p->text, connect->data, connect->len);
	if (crew_run(crew, &p->job))
		return p;
	proof_free(p);
	return NULL;
}

void proof_forget(struct proof **p)
{
	if (*p)
		(*p)->fn = NULL;
	*p = NULL;
}

void proof_asked(char *out, const struct buf *status)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scratch = {0};
	size_t len = 0;
	const struct json *root =
	    json_parse(&doc, status->data, status->len, 0, &why);
	const struct json *id =
	    json_get(json_get(root, "session"), "session_id");
	const char *text = json_str(id, &scratch, &len);
	if (!text || len > TUNNEL_SESSION_ID || memchr(text, 0, len))
		len = 0;
	if (len)
		memcpy(out, text, len);
	out[len] = '\0';
	buf_fini(&scratch);
	json_fini(&doc);
}
