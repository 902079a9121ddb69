/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_shown.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/span.h"
#include "door/reply.h"
#include "identity/bearer.h"
#include "net/http.h"

#include <string.h>

static char *copy(struct span token)
{
	return token.len ? mem_strndup(token.text, token.len) : NULL;
}

char *ons_shown_token(struct http_req *req)
{
	struct buf text = {0};
	size_t len = 0;
	const char *header = bearer_token(http_header(req, "authorization"));
	if (header)
		return copy(span_trim((struct span){header, strlen(header)}));
	const char *value = reply_query(req, "token", &len);
	if (value)
		percent_bytes(&text, value, len, true);
	char *token = copy((struct span){text.data, text.len});
	buf_fini(&text);
	return token;
}
