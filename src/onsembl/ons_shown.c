/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_shown.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/percent.h"
#include "door/reply.h"
#include "identity/bearer.h"
#include "net/http.h"

char *ons_shown_token(struct http_req *req)
{
	struct buf text = {0};
	size_t len = 0;
	const char *header = bearer_token(http_header(req, "authorization"));
	if (header)
		return mem_strdup(header);
	const char *value = reply_query(req, "token", &len);
	if (!value)
		return NULL;
	percent_bytes(&text, value, len, true);
	return buf_steal(&text, NULL);
}
