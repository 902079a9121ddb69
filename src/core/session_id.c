/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/session_id.h"

bool session_id_is_valid(const char *id, size_t len)
{
	if (!len || len > SESSION_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f)
			return false;
	return true;
}
