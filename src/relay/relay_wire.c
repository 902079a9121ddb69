/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "limits/quota.h"
#include "net/http.h"
#include "net/wire.h"
#include "relay/relay_int.h"
#include "relay/relay_stat.h"

#include <stddef.h>

#define MINUTE_MS 60000

bool relay_may(const struct relay *r, enum relay_quota kind, const char *who,
    int64_t per_minute, int64_t burst)
{
	struct quota q = {.burst = burst, .period_ms = MINUTE_MS};
	if (!per_minute)
		return true;
	/* A bucket refills in the time in which so many come. */
	q.period_ms = burst * MINUTE_MS / per_minute;
	return quota_take(r->heritage, kind, who, &q, 1, NULL);
}

void relay_say_error(struct wire *w, const char *text, const char *original)
{
	struct buf out = {0};
	buf_str(&out, "{\"type\":\"ERROR\",\"error\":");
	buf_json_str(&out, text);
	buf_str(&out, ",\"message\":");
	buf_json_str(&out, text);
	if (original) {
		buf_str(&out, ",\"original_type\":");
		buf_json_str(&out, original);
	}
	/* A host's link reads these of each frame. */
	buf_printf(&out,
	    ",\"timestamp\":%lld,\"session_id\":null,\"conn_id\":null}",
	    (long long)(clock_wall_ms() / 1000));
	wire_send(w, out.data, out.len);
	buf_fini(&out);
}

struct wire *relay_accept(
    const struct relay *r, struct http_req *req, const struct ws_limits *limits)
{
	if (!ws_is_handshake(req)) {
		ws_refuse(req);
		return NULL;
	}
	if (!relay_may(r, QUOTA_SOCKETS, http_place(req),
		r->conf->limit_sockets, r->conf->limit_sockets)) {
		relay_stat_add(limited_sockets, 1);
		http_reply_error(req, 429, "Rate limit exceeded");
		return NULL;
	}
	return ws_accept(req, limits);
}
