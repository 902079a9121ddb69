/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/rpc.h"

#include "base/buf.h"
#include "base/json.h"
#include "wrapper/notes.h"

void rpc_read(struct rpc *r, const struct json *line)
{
	const struct json *id = json_get(line, "id");

	*r = (struct rpc){
	    .method = json_get(line, "method"),
	    .params = json_get(line, "params"),
	    .number = -1,
	    .result = json_get(line, "result"),
	    .error = json_get(line, "error"),
	};
	if (json_type(id) != JSON_NULL)
		r->id.text = json_text(id, &r->id.len);
	(void)json_int(id, &r->number);
}

void rpc_put_error(struct buf *out, const struct json *error)
{
	if (!notes_text(out, json_get(error, "message")))
		buf_str(out, "a request failed");
}

static void begin(struct buf *out, bool has_version)
{
	buf_str(out, has_version ? "{\"jsonrpc\":\"2.0\"," : "{");
}

void rpc_request(
    struct buf *out, bool has_version, int64_t number, const char *method)
{
	begin(out, has_version);
	buf_printf(out,
	    "\"id\":%lld,\"method\":\"%s\",\"params\":", (long long)number,
	    method);
}

void rpc_notify(struct buf *out, bool has_version, const char *method)
{
	begin(out, has_version);
	buf_printf(out, "\"method\":\"%s\",\"params\":", method);
}

static void begin_answer(struct buf *out, bool has_version, struct span id)
{
	begin(out, has_version);
	buf_str(out, "\"id\":");
	buf_append(out, id.text, id.len);
}

void rpc_answer(struct buf *out, bool has_version, struct span id)
{
	begin_answer(out, has_version, id);
	buf_str(out, ",\"result\":");
}

void rpc_end(struct buf *out)
{
	buf_str(out, "}\n");
}

void rpc_refuse(struct buf *out, bool has_version, struct span id)
{
	begin_answer(out, has_version, id);
	buf_str(out, ",\"error\":{\"code\":-32601,\"message\":"
		     "\"not supported\"}}\n");
}
