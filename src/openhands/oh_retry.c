/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_retry.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"

static uint32_t add_string(uint32_t digest, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);
	digest = enc_crc32c(digest, text ? text : "", text ? len : 0);
	digest = enc_crc32c(digest, &len, sizeof len);
	buf_fini(&scratch);
	return digest;
}

uint32_t oh_retry_digest(const struct json *content, const struct json *images)
{
	uint32_t digest = add_string(0, content);
	for (const struct json *v = json_first(images); v; v = json_next(v))
		digest = add_string(digest, v);
	return digest ? digest : 1;
}

void oh_retry_acked(
    struct oh_retry *retry, uint32_t digest, int64_t came_ms, int64_t now_ms)
{
	if (now_ms - came_ms < OH_RETRY_LATE_MS)
		return;
	retry->digest = digest;
	retry->until_ms = now_ms + OH_RETRY_WINDOW_MS;
}

bool oh_retry_is_known(
    const struct oh_retry *retry, uint32_t digest, int64_t now_ms)
{
	return retry->digest == digest && now_ms < retry->until_ms;
}
