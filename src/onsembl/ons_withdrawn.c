/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_withdrawn.h"

#include "door/door.h"
#include "onsembl/ons_token.h"

#define KIND "token of Onsembl"

#define MILLISECONDS 1000

static bool is_withdrawn(void *arg, const char *text, size_t len)
{
	const struct once_ask ask = {.kind = KIND, .text = text, .len = len};
	return once_is_claimed(arg, &ask);
}

void ons_withdrawn_watch(
    struct ons_token_keys *keys, const struct door_setup *setup)
{
	ons_token_ask(keys, is_withdrawn, setup->access);
}

bool ons_withdrawn_add(const struct door_setup *setup, const char *token,
    size_t len, const struct ons_claims *claims, const char *place, once_fn *fn,
    void *arg)
{
	const struct once_ask ask = {
	    .kind = KIND,
	    .text = token,
	    .len = len,
	    /* Until it would end by itself, whatever the clocks are. */
	    .until_ms = (claims->expires_s + ONS_TOKEN_TTL_S) * MILLISECONDS,
	    .place = place,
	};
	return once_claim(setup->access, setup->crew, &ask, fn, arg);
}
