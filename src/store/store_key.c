/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include <string.h>

struct store_key store_key1(uint64_t a)
{
	struct store_key k = {{0}};
	a = __builtin_bswap64(a);
	memcpy(k.bytes, &a, 8);
	return k;
}

struct store_key store_key2(uint64_t a, uint64_t b)
{
	struct store_key k = store_key1(a);
	b = __builtin_bswap64(b);
	memcpy(k.bytes + 8, &b, 8);
	return k;
}

uint64_t store_number(const void *bytes)
{
	uint64_t v;
	memcpy(&v, bytes, 8);
	return __builtin_bswap64(v);
}
