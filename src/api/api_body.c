/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_body.h"

#include "base/json.h"
#include "core/err.h"
#include "net/http.h"

#include <string.h>
#include <strings.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/*
 * A small compressed body may expand to any size, and none of our clients
 * compresses, so compression is not supported at all.
 */
static bool is_coded(const struct http_req *req)
{
	const char *coding = http_header(req, "content-encoding");
	return coding && *coding && strcasecmp(coding, "identity") != 0;
}

const struct json *api_body_json(
    struct http_req *req, struct json_doc *doc, struct err *err)
{
	static const size_t mark = sizeof BYTE_ORDER_MARK - 1;
	struct json_error why;
	size_t len;
	const char *text = http_body(req, &len);
	if (len && is_coded(req)) {
		http_add_header(req, "accept-encoding", "identity");
		(void)err_set(err, ERR_CODING, NULL);
		return NULL;
	}
	if (len >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
		text += mark;
		len -= mark;
	}
	const struct json *root = len ? json_parse(doc, text, len, 0, &why)
				      : json_parse(doc, "{}", 2, 0, &why);
	if (!root)
		(void)err_set(err, ERR_BAD_JSON, NULL);
	return root;
}
