/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_reply.h"

#include "core/err.h"
#include "door/reply.h"

void as_reply_err(struct http_req *req, const struct err *err)
{
	reply_retry_after(req, err);
	reply_detail(req, err_status(err->code), err_public_text(err));
}
