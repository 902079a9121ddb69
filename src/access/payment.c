/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/payment.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/conf.h"
#include "core/err.h"
#include "fetch/fetch.h"
#include "identity/address.h"
#include "identity/ident_key.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER ((size_t)1024 * 1024)
#define MAX_TOKEN 8192
#define MAX_TRANSFER 200

#define OF_TRANSFER "transfer "

struct payment {
	const struct conf *conf;
	struct loop *loop;
	struct fetch *fetch; /* NULL until the first question */
	char *backend;	     /* no slash at the end */
	struct list calls;
	struct loop_later later; /* answers questions refused at once */
};

struct call {
	struct list link;
	struct payment *payment;
	struct fetch_call *fetch;
	char client[ADDRESS_SIZE];
	double price;
	bool is_refused;
	payment_fn *fn;
	void *arg;
};

/* ---- the end of a question ---- */

static void payment_free_call(struct call *c)
{
	fetch_forget(&c->fetch);
	list_remove(&c->link);
	free(c);
}

static void payment_tell(struct call *c, const char *receipt)
{
	payment_fn *fn = c->fn;
	void *arg = c->arg;
	payment_free_call(c);
	fn(arg, receipt);
}

static void payment_fail(struct call *c, const char *step, const char *why)
{
	log_warn("payment client=%s: %s: %.200s", c->client, step, why);
	payment_tell(c, NULL);
}

static void tell_refused(void *arg)
{
	struct payment *p = arg;
	list_each_safe(link, &p->calls)
	{
		struct call *c = list_entry(link, struct call, link);
		if (c->is_refused)
			payment_tell(c, NULL);
	}
}

/* Returns the members of an answer with status 200, or NULL with *why. */
static const struct json *members(
    struct json_doc *doc, const struct fetch_answer *answer, const char **why)
{
	struct json_error error;
	*why = "the answer is no JSON object";
	if (answer->error)
		*why = answer->error;
	else if (answer->status != 200)
		*why = "the status is not 200";
	if (answer->error || answer->status != 200)
		return NULL;
	const struct json *v =
	    json_parse(doc, answer->body, answer->body_len, 0, &error);
	return json_is(v, JSON_OBJECT) ? v : NULL;
}

/* ---- asking the backend ---- */

static void post(struct call *c, const char *path, const char *const *headers,
    const struct buf *body, fetch_fn *fn)
{
	struct payment *p = c->payment;
	struct buf url = {0};
	buf_printf(&url, "%s%s", p->backend, path);
	struct fetch_ask ask = {
	    .url = buf_cstr(&url),
	    .headers = headers,
	    .body = body->data,
	    .body_len = body->len,
	    .timeout_ms = PAYMENT_LIMIT_MS,
	    .max_bytes = MAX_ANSWER,
	};
	c->fetch = fetch_start(p->fetch, &ask, fn, c);
	buf_fini(&url);
}

/* ---- the second request: the transfer ---- */

/*
 * The backend's name for the transfer; "" if it gives none that can be stored.
 */
static void put_transfer(struct buf *out, const struct json *answer)
{
	static const char *const names[] = {"transfer_id", "transaction_id"};
	struct buf scratch = {0};
	for (size_t i = 0; i < sizeof names / sizeof *names && !out->len; i++) {
		const struct json *v = json_get(answer, names[i]);
		size_t len = 0;
		const char *id = json_is(v, JSON_NUMBER)
				     ? json_text(v, &len)
				     : json_str(v, &scratch, &len);
		if (len > 0 && len <= MAX_TRANSFER && !memchr(id, 0, len)) {
			buf_str(out, OF_TRANSFER);
			buf_append(out, id, len);
		}
	}
	buf_fini(&scratch);
}

static void payment_on_verified(void *arg, const struct fetch_answer *answer)
{
	struct call *c = arg;
	struct json_doc doc = {0};
	struct buf receipt = {0};
	const char *why;
	bool is_verified = false;
	c->fetch = NULL;
	const struct json *v = members(&doc, answer, &why);
	(void)json_bool(json_get(v, "verified"), &is_verified);
	if (is_verified)
		put_transfer(&receipt, v);
	if (!receipt.len)
		buf_printf(&receipt, "payer %s", c->client);
	json_fini(&doc);
	if (!v) {
		payment_fail(c, "verify", why);
	} else if (!is_verified) {
		payment_tell(c, NULL);
	} else {
		log_info("payment client=%s: verified", c->client);
		payment_tell(c, buf_cstr(&receipt));
	}
	buf_fini(&receipt);
}

static void ask_for_transfer(struct call *c, const char *token, size_t len)
{
	struct buf body = {0}, line = {0};
	char price[NUM_SIZE];
	num_repr(price, c->price);
	buf_printf(&line, "Authorization: Bearer %.*s", (int)len, token);
	buf_printf(&body, "{\"from_address\":\"%s\",\"min_amount\":%s}",
	    c->client, price);
	const char *const headers[] = {
	    "Content-Type: application/json", buf_cstr(&line), NULL};
	post(c, "/api/v1/onboard/verify", headers, &body, payment_on_verified);
	buf_fini(&body);
	buf_fini(&line);
}

/* ---- the first request: signing in ---- */

/* The token becomes part of a header, so it must be one word. */
static bool is_token(const char *token, size_t len)
{
	if (!token || !len || len > MAX_TOKEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (token[i] <= 0x20 || token[i] >= 0x7f)
			return false;
	return true;
}

static void on_signed_in(void *arg, const struct fetch_answer *answer)
{
	struct call *c = arg;
	struct json_doc doc = {0};
	struct buf scratch = {0};
	const char *why;
	size_t len = 0;
	c->fetch = NULL;
	const struct json *v = members(&doc, answer, &why);
	const char *token = json_str(json_get(v, "token"), &scratch, &len);
	if (!v)
		payment_fail(c, "sign in", why);
	else if (!is_token(token, len))
		payment_fail(c, "sign in", "the answer has no token");
	else
		ask_for_transfer(c, token, len);
	json_fini(&doc);
	buf_fini(&scratch);
}

static int put_proof(struct buf *body, const struct conf *conf, struct err *err)
{
	char signature[IDENT_KEY_SIGNATURE_SIZE];
	struct buf message = {0};
	const uint8_t *key =
	    ident_key_open(conf->co_dir, getenv("HOME"), conf->address, err);
	if (!key)
		return -1;
	buf_printf(&message, "ConnectOnion-Auth-%s-%lld", conf->address,
	    (long long)(clock_wall_ms() / 1000));
	ident_key_sign(signature, key, message.data, message.len);
	ident_key_close(&key);
	buf_printf(body,
	    "{\"public_key\":\"%s\",\"message\":\"%s\",\"signature\":\"%s\"}",
	    conf->address, buf_cstr(&message), signature);
	buf_fini(&message);
	return 0;
}

static void sign_in(struct call *c)
{
	static const char *const headers[] = {
	    "Content-Type: application/json", NULL};
	struct payment *p = c->payment;
	struct buf body = {0};
	struct err err;
	if (put_proof(&body, p->conf, &err) != 0) {
		log_warn("payment client=%s: %s", c->client, err.text);
		c->is_refused = true;
		loop_later_ask(p->loop, &p->later);
		return;
	}
	if (!p->fetch)
		/*
		 * Two per call: the second request begins before the first is
		 * freed.
		 */
		p->fetch = fetch_open(p->loop, 2 * (size_t)PAYMENT_MAX_CALLS);
	post(c, "/api/v1/auth", headers, &body, on_signed_in);
	buf_fini(&body);
}

/* ---- asking ---- */

static bool has_room(const struct payment *p, const char *client)
{
	size_t n = 0;
	list_each(link, &p->calls)
	{
		const struct call *c = list_entry(link, struct call, link);
		if (strcmp(c->client, client) == 0)
			return false;
		n++;
	}
	return n < PAYMENT_MAX_CALLS;
}

void payment_verify(struct payment *p, const char *client, double price,
    payment_fn *fn, void *arg)
{
	struct call *c = mem_zero(sizeof *c);
	bool is_welcome = has_room(p, client);
	c->payment = p;
	c->price = price;
	c->fn = fn;
	c->arg = arg;
	list_append(&p->calls, &c->link);
	if (is_welcome && address_parse(client, strlen(client), c->client)) {
		sign_in(c);
		return;
	}
	c->is_refused = true;
	loop_later_ask(p->loop, &p->later);
}

int64_t payment_keep_ms(const char *receipt)
{
	static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;
	bool is_transfer =
	    strncmp(receipt, OF_TRANSFER, strlen(OF_TRANSFER)) == 0;
	/* A payer may pay again one day; a transfer always stays the same. */
	return is_transfer ? 3650 * day_ms : day_ms;
}

/* ---- life cycle ---- */

static const char *is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

static const char *backend(void)
{
	static const char *const names[] = {"CONNECTONION_BACKEND_URL",
	    "OPENONION_API_URL", "OPENONION_BASE_URL"};
	const char *environment = is_set("ENVIRONMENT");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_set(names[i]))
			return is_set(names[i]);
	if (is_set("OPENONION_DEV") ||
	    (environment && strcmp(environment, "development") == 0))
		return "http://localhost:8000";
	return PAYMENT_BACKEND;
}

struct payment *payment_new(const struct conf *conf, struct loop *loop)
{
	struct payment *p = mem_zero(sizeof *p);
	const char *url = backend();
	size_t len = strlen(url);
	while (len && url[len - 1] == '/')
		len--;
	p->conf = conf;
	p->loop = loop;
	p->backend = mem_strndup(url, len);
	list_init(&p->calls);
	loop_later_init(&p->later, tell_refused, p);
	return p;
}

void payment_free(struct payment **pp)
{
	struct payment *p = *pp;
	*pp = NULL;
	if (!p)
		return;
	list_each_safe(link, &p->calls)
	    payment_free_call(list_entry(link, struct call, link));
	loop_later_cancel(&p->later);
	fetch_close(&p->fetch);
	free(p->backend);
	free(p);
}
