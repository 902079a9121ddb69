/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_MSG_H
#define CORE_MSG_H

/*
 * The messages between our processes (messages.tbl). They carry ids, never
 * payloads.
 */
#include <stdint.h>

#define MSG_VERSION 8

enum msg_type {
	MSG_NONE,
#define MESSAGE(code, from, to, fields, doc) MSG_##code,
#include "core/messages.tbl"
#undef MESSAGE
	MSG_COUNT
};

struct msg {
	uint16_t version;
	uint16_t type;
	uint16_t from_slot;
	uint16_t unused;
	uint32_t from_generation;
	uint32_t unused2;
	uint64_t a;
	uint64_t b;
	uint64_t c;
};

_Static_assert(
    sizeof(struct msg) == 40, "a message has the same size everywhere");

/* Returns the name of a type, such as "GREW". */
const char *msg_name(unsigned type);

#endif
