/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/rest.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "fetch/fetch.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 15000
#define MAX_BYTES ((size_t)64 * 1024)
#define MAX_DURATION_S (366 * 86400)

struct rest {
	struct fetch *fetch;
	char *base;
	rest_fn *fn;
	void *arg;
};

struct rest *rest_open(struct loop *loop, const char *server)
{
	struct rest *r = mem_zero(sizeof *r);
	struct buf base = {0};
	struct url url;
	const char *why;

	if (url_parse(&url, server, &why) != 0)
		panic("rest: the URL was checked: it %s", why);
	buf_str(&base, url.is_secure ? "https://" : "http://");
	url_put_host(&base, &url, true);
	url_fini(&url);
	r->base = buf_steal(&base, NULL);
	r->fetch = fetch_open(loop, 1);
	return r;
}

void rest_close(struct rest **rp)
{
	struct rest *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	fetch_close(&r->fetch);
	free(r->base);
	free(r);
}

static void on_answer(void *arg, const struct fetch_answer *answer)
{
	struct rest *r = arg;
	struct json_doc doc = {0};
	struct json_error error;

	if (answer->error)
		r->fn(r->arg, 0, NULL, answer->error);
	else
		r->fn(r->arg, answer->status,
		    json_parse(&doc, answer->body, answer->body_len, 0, &error),
		    NULL);
	json_fini(&doc);
}

void rest_post(
    struct rest *r, const char *path, const char *body, rest_fn *fn, void *arg)
{
	static const char *const headers[] = {
	    "Content-Type: application/json", NULL};
	struct buf url = {0};

	r->fn = fn;
	r->arg = arg;
	buf_printf(&url, "%s%s", r->base, path);
	(void)fetch_start(r->fetch,
	    &(struct fetch_ask){
		.url = buf_cstr(&url),
		.headers = headers,
		.body = body,
		.body_len = strlen(body),
		.timeout_ms = TIMEOUT_MS,
		.max_bytes = MAX_BYTES,
	    },
	    on_answer, r);
	buf_fini(&url);
}

int64_t rest_duration_ms(
    const struct json *answer, const char *name, int64_t default_s)
{
	int64_t s = default_s;

	(void)json_int(json_get(answer, name), &s);
	if (s < 1)
		s = 1;
	return (s < MAX_DURATION_S ? s : MAX_DURATION_S) * 1000;
}
