/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_request.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/event.h"
#include "oip/oip_conn.h"

void oip_request_put(struct buf *out, const struct json *frame)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *id =
	    json_str(json_get(frame, "request_id"), &scratch, &len);

	if (id && len <= EVENT_ID_MAX) {
		buf_str(out, ",\"request_id\":");
		buf_json(out, id, len);
	}
	buf_fini(&scratch);
}

void oip_request_refuse(
    struct oip_conn *c, const struct json *frame, const char *text)
{
	struct buf *out = oip_conn_frame();

	buf_str(out, "{\"type\":\"ERROR\",\"message\":");
	buf_json_str(out, text);
	oip_request_put(out, frame);
	buf_char(out, '}');
	oip_conn_send(c);
}
