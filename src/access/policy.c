/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/policy.h"

#include "access/policy_int.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

#define DIGEST_BYTES 32

/* ---- life cycle ---- */

struct policy *policy_open(const struct conf *conf, struct err *err)
{
	struct policy *p = mem_zero(sizeof *p);
	if (policy_text_read(p, conf, err) != 0)
		policy_close(&p);
	if (p)
		p->asks_signers = *conf->trust_object;
	return p;
}

void policy_close(struct policy **pp)
{
	struct policy *p = *pp;
	*pp = NULL;
	if (!p)
		return;
	for (size_t i = 0; i < p->n_codes; i++) {
		sodium_memzero(p->codes[i], strlen(p->codes[i]));
		free(p->codes[i]);
	}
	free(p->codes);
	free(p->text);
	free(p);
}

/* ---- asking ---- */

const char *policy_text(const struct policy *p)
{
	return p->text ? p->text : "";
}

bool policy_asks(const struct policy *p)
{
	return p->fallback == DEFAULT_ASK;
}

bool policy_needs_judge(const struct policy *p)
{
	return p->is_custom && policy_asks(p);
}

bool policy_has_codes(const struct policy *p)
{
	return p->n_codes > 0;
}

double policy_price(const struct policy *p)
{
	return p->price;
}

static void digest(unsigned char out[DIGEST_BYTES], const char *code)
{
	(void)crypto_generichash(out, DIGEST_BYTES, (const unsigned char *)code,
	    strlen(code), NULL, 0);
}

bool policy_code_fits(const struct policy *p, const char *code)
{
	unsigned char said[DIGEST_BYTES], known[DIGEST_BYTES];
	bool fits = false;
	digest(said, code);
	for (size_t i = 0; i < p->n_codes; i++) {
		digest(known, p->codes[i]);
		fits |= sodium_memcmp(said, known, sizeof said) == 0;
	}
	sodium_memzero(known, sizeof known);
	return fits;
}

static bool is_allowed(const struct policy *p, const struct lists_entry *e)
{
	return (p->allow & ALLOW_ADMIN && e->is_admin) ||
	       (p->allow & ALLOW_WHITELISTED && e->level == LEVEL_WHITELIST) ||
	       (p->allow & ALLOW_CONTACT && e->level == LEVEL_CONTACT);
}

static enum policy_verdict deny(const char **reason, const char *text)
{
	*reason = text;
	return POLICY_DENY;
}

/* A caller must not gain anything by omitting its signature. */
static enum policy_verdict policy_ask(const struct policy *p,
    const struct policy_facts *facts, const char **reason)
{
	if (p->asks_signers)
		return POLICY_ASK;
	if (p->n_codes || p->price > 0) {
		*reason = "Onboard required";
		return facts->is_anonymous ? POLICY_DENY : POLICY_ONBOARD;
	}
	if (p->is_custom && facts->is_anonymous)
		return deny(reason, "Denied by fast rules");
	if (facts->has_evaluator)
		return POLICY_ASK;
	if (!p->is_custom)
		return POLICY_ALLOW;
	return deny(reason, "trust evaluation unavailable");
}

enum policy_verdict policy_judge(const struct policy *p,
    const struct policy_facts *facts, const char **reason)
{
	const struct lists_entry *e = &facts->entry;
	if (p->denies_blocked && e->level == LEVEL_BLOCKED)
		return deny(reason, "Denied by fast rules");
	if (is_allowed(p, e))
		return POLICY_ALLOW;
	if (facts->invite_code && policy_code_fits(p, facts->invite_code))
		return POLICY_ADMIT;
	if (p->asks_signers && !facts->is_anonymous)
		return POLICY_ASK;
	switch (p->fallback) {
	case DEFAULT_ALLOW:
		return POLICY_ALLOW;
	case DEFAULT_ASK:
		return policy_ask(p, facts, reason);
	case DEFAULT_DENY:
		break;
	}
	return deny(reason, "Denied by fast rules");
}
