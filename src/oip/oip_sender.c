/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_sender.h"

#include "base/buf.h"
#include "base/json.h"
#include "identity/address.h"

#include <stdlib.h>
#include <string.h>

static bool is_present(const struct json *frame, const char *key)
{
	return json_type(json_get(frame, key)) != JSON_NULL;
}

bool oip_sender_is_signed(const struct json *frame)
{
	return is_present(frame, "payload") || is_present(frame, "from") ||
	       is_present(frame, "signature");
}

bool oip_sender_is_from(const struct json *frame, const char *address)
{
	struct buf scratch = {0};
	char other[ADDRESS_SIZE];
	size_t len = 0;
	const char *from = json_str(json_get(frame, "from"), &scratch, &len);
	bool is_it = from && address_parse(from, len, other) &&
		     strcmp(other, address) == 0;

	buf_fini(&scratch);
	return is_it;
}

bool oip_sender_has_type(const struct json *payload, const struct json *frame)
{
	char *text = json_strdup(json_get(payload, "type"));
	bool is_it = text && json_str_is(json_get(frame, "type"), text);

	free(text);
	return is_it;
}

bool oip_sender_is_v2(const struct json *frame)
{
	int64_t n = 0;

	return json_int(json_get(json_get(frame, "payload"), "signed_commands"),
		   &n) &&
	       n == 1;
}
