/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_uuid.h"

#include "base/buf.h"
#include "base/enc.h"
#include "identity/digest.h"
#include "ons/ons_message.h"

#include <stdio.h>
#include <string.h>

void ons_uuid_of(char out[ONS_UUID], const char *kind, const char *name)
{
	uint8_t d[DIGEST_SIZE];
	struct buf text = {0};
	size_t n = 0;
	if (enc_is_uuid(name, strlen(name))) {
		memcpy(out, name, ONS_UUID);
		return;
	}
	buf_printf(&text, "%s %s", kind, name);
	digest_of(d, text.data, text.len);
	buf_fini(&text);
	d[6] = (uint8_t)(0x80 | (d[6] & 0x0f)); /* version 8 of RFC 9562 */
	d[8] = (uint8_t)(0x80 | (d[8] & 0x3f)); /* its variant */
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		if (enc_uuid_has_dash(n))
			out[n++] = '-';
		(void)snprintf(out + n, 3, "%02x", d[i]);
		n += 2;
	}
}

bool ons_uuid_is(struct span text, const char *kind, const char *name)
{
	char uuid[ONS_UUID];
	if (ons_is(text, name))
		return true;
	if (text.len != ONS_UUID - 1)
		return false;
	ons_uuid_of(uuid, kind, name);
	return ons_is(text, uuid);
}
