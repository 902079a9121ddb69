/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/msg.h"

static const char *const names[MSG_COUNT] = {
    [MSG_NONE] = "NONE",
#define MESSAGE(code, from, to, fields, doc) [MSG_##code] = #code,
#include "core/messages.tbl"
#undef MESSAGE
};

const char *msg_name(unsigned type)
{
	return type < MSG_COUNT ? names[type] : "unknown";
}
