/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_describe.h"

#include "api/asyncapi.h"
#include "api/openapi.h"
#include "net/http.h"

/* They change with the program only. */
static void reply(struct http_req *req, const char *text, size_t size)
{
	http_add_header(req, "cache-control", "no-cache");
	http_reply(req, 200, "application/json", text, size);
}

void api_describe_openapi(struct http_req *req, void *arg)
{
	(void)arg;
	reply(req, openapi_json, openapi_size);
}

void api_describe_asyncapi(struct http_req *req, void *arg)
{
	(void)arg;
	reply(req, asyncapi_json, asyncapi_size);
}
