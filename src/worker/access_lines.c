/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/access_lines.h"

#include "core/conf.h"
#include "net/http_access.h"
#include "status/access_log.h"

#include <string.h>

static void on_access(const struct http_access *a, void *arg)
{
	const struct access_line line = {
	    .peer = a->peer,
	    .who = a->who,
	    .method = a->method,
	    .method_len = a->method_len,
	    .path = a->path,
	    .path_len = a->path_len,
	    .route = a->route,
	    .route_len = a->route_len,
	    .id = a->id,
	    .id_len = a->id_len,
	    .status = a->status,
	    .bytes_in = a->bytes_in,
	    .bytes_out = a->bytes_out,
	    .took_us = a->took_us,
	};
	access_log_add(arg, &line);
}

struct access_log *access_lines_begin(const struct conf *c, unsigned slot)
{
	if (strcmp(c->access_log, "off") == 0)
		return NULL;
	struct access_log *log = access_log_open(
	    c->access_log, c->log_format == LOG_FORMAT_JSON, slot);
	http_access_to(on_access, log);
	return log;
}
