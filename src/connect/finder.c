/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/finder.h"

#include "base/json.h"
#include "base/mem.h"
#include "connect/http_get.h"
#include "connect/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The time for each question, as the published clients have it. */
#define TIMEOUT_MS 3000

#define MAX_BYTES ((size_t)1 << 20)

enum state { ASKED, GOOD, BAD };

/* One endpoint. */
struct probe {
	struct finder *finder;
	char *base;
	struct http_get_call *call; /* NULL: answered */
	enum state state;
	struct buf info;
	char address[ADDRESS_SIZE];
};

struct finder {
	struct http_get *http;
	char wanted[ADDRESS_SIZE];
	bool takes_clear;
	struct http_get_call *lookup; /* NULL: answered, or not asked */
	struct buf record;
	struct probe probes[WAY_MAX];
	size_t n_probes;
	bool is_other;
	char why[320];
	void (*on_rejected)(void *arg, const char *where, const char *why);
	void *arg;
};

static void reject(struct finder *f, const char *where, const char *why)
{
	(void)snprintf(f->why, sizeof f->why, "%s: %s", where, why);
	if (f->on_rejected)
		f->on_rejected(f->arg, where, why);
}

/* ---- the endpoints ---- */

/*
 * Whether an /info is that of the agent. Sets the address of the probe, and why
 * (size bytes) if it is not.
 */
static bool is_agent(struct probe *p, const struct http_get_answer *answer,
    char *why, size_t size)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    json_parse(&doc, answer->body, answer->len, 0, &error);
	char *text = json_strdup(json_get(v, "address"));
	const char *wanted = p->finder->wanted;
	bool is_good = text && address_parse(text, strlen(text), p->address) &&
		       (!*wanted || !strcmp(p->address, wanted));

	if (!is_good && *p->address) {
		p->finder->is_other = true;
		(void)snprintf(why, size, "it is the agent %s", p->address);
	} else if (!is_good) {
		(void)snprintf(why, size, "its /info has no address");
	}
	free(text);
	json_fini(&doc);
	return is_good;
}

static void on_info(void *arg, const struct http_get_answer *answer)
{
	struct probe *p = arg;
	char why[160] = "";

	p->call = NULL;
	p->state = BAD;
	if (!answer->status)
		(void)snprintf(why, sizeof why, "%s", answer->why);
	else if (answer->status != 200)
		(void)snprintf(why, sizeof why, "its /info is answered by %ld",
		    answer->status);
	else if (is_agent(p, answer, why, sizeof why))
		p->state = GOOD;
	if (p->state == GOOD)
		buf_append(&p->info, answer->body, answer->len + 1);
	else
		reject(p->finder, p->base, why);
}

/* Ask all at once: the dead ones then cost their time only once. */
static void probe(struct finder *f, char *base)
{
	struct probe *p = &f->probes[f->n_probes++];
	struct buf url = {0};

	buf_printf(&url, "%s/info", base);
	p->finder = f;
	p->base = base;
	p->call = http_get_start(
	    f->http, buf_cstr(&url), TIMEOUT_MS, MAX_BYTES, on_info, p);
	buf_fini(&url);
}

/* ---- the relay ---- */

static void read_record(struct finder *f, const struct http_get_answer *answer)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    json_parse(&doc, answer->body, answer->len, 0, &why);
	char *bases[WAY_MAX];
	bool is_online = true;

	if (json_is(v, JSON_OBJECT)) {
		buf_append(&f->record, answer->body, answer->len + 1);
		(void)json_bool(json_get(v, "online"), &is_online);
	}
	size_t n = is_online ? way_choose(bases, v, f->takes_clear) : 0;
	for (size_t i = 0; i < n; i++)
		probe(f, bases[i]);
	json_fini(&doc);
}

static void on_record(void *arg, const struct http_get_answer *answer)
{
	struct finder *f = arg;

	f->lookup = NULL;
	if (answer->status == 200)
		read_record(f, answer);
	else if (answer->status)
		(void)snprintf(f->why, sizeof f->why,
		    "the relay answers %ld to the look-up", answer->status);
	else
		(void)snprintf(
		    f->why, sizeof f->why, "the relay: %s", answer->why);
}

static void look_up(struct finder *f, const char *relay)
{
	struct buf path = {0};

	buf_printf(&path, "/api/agents/%s", f->wanted);
	char *url = way_relay_http(relay, buf_cstr(&path));
	f->lookup =
	    http_get_start(f->http, url, TIMEOUT_MS, MAX_BYTES, on_record, f);
	free(url);
	buf_fini(&path);
}

/* ---- calls ---- */

struct finder *finder_start(const struct finder_setup *setup)
{
	struct finder *f = mem_zero(sizeof *f);

	f->http = setup->http;
	f->takes_clear = setup->takes_clear;
	f->on_rejected = setup->on_rejected;
	f->arg = setup->arg;
	memcpy(f->wanted, setup->address, sizeof f->wanted);
	if (setup->direct)
		probe(f, way_base(setup->direct));
	else if (setup->relay && *f->wanted)
		look_up(f, setup->relay);
	return f;
}

/* The first that is good counts, once those before it have failed. */
bool finder_is_done(const struct finder *f, struct finder_found *found)
{
	const struct probe *p = f->probes, *end = p + f->n_probes;

	if (f->lookup)
		return false;
	while (p < end && p->state == BAD)
		p++;
	if (p < end && p->state == ASKED)
		return false;
	*found = (struct finder_found){
	    .base = p < end ? p->base : NULL,
	    .info = p < end ? p->info.data : "",
	    .record = f->record.len ? f->record.data : "",
	    .is_other = f->is_other,
	    .why = f->why,
	};
	memcpy(found->address, p < end ? p->address : f->wanted,
	    sizeof found->address);
	return true;
}

void finder_free(struct finder **fp)
{
	struct finder *f = *fp;

	if (!f)
		return;
	*fp = NULL;
	http_get_cancel(&f->lookup);
	for (size_t i = 0; i < f->n_probes; i++) {
		http_get_cancel(&f->probes[i].call);
		free(f->probes[i].base);
		buf_fini(&f->probes[i].info);
	}
	buf_fini(&f->record);
	free(f);
}
