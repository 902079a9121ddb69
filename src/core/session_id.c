/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/session_id.h"

#include "base/utf8.h"

bool session_id_is_valid(const char *id, size_t len)
{
	if (!len || len > SESSION_ID_MAX)
		return false;
	for (size_t at = 0; at < len;) {
		size_t n = utf8_len(id + at, len - at);
		if (!n || (unsigned char)id[at] < 0x20 || id[at] == 0x7f)
			return false;
		at += n;
	}
	return true;
}
