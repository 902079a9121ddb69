/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any text as a policy: it is refused with a reason, or judges. Whatever it
 * says, who may come in unsigned may come in signed, and a code lets in nobody
 * unless it fits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "access/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static enum policy_verdict judge(
    const struct policy *p, const struct policy_facts *facts)
{
	const char *reason = NULL;
	enum policy_verdict verdict = policy_judge(p, facts, &reason);
	if (verdict == POLICY_DENY || verdict == POLICY_ONBOARD)
		expect(reason && *reason);
	if (verdict == POLICY_ADMIT)
		expect(facts->invite_code &&
		       policy_code_fits(p, facts->invite_code));
	if (verdict == POLICY_ONBOARD)
		expect(policy_has_codes(p) || policy_price(p) > 0);
	if (verdict == POLICY_ASK)
		expect(facts->has_evaluator);
	return verdict;
}

static void check_policy(const struct policy *p)
{
	struct policy_facts facts = {.entry = {.level = LEVEL_STRANGER}};
	expect(policy_text(p) && policy_price(p) >= 0);
	for (int mix = 0; mix < 64; mix++) {
		facts.entry.level = (enum trust_level)(mix % 4);
		facts.entry.is_admin = mix & 4;
		facts.has_evaluator = mix & 8;
		facts.invite_code = mix & 16 ? "code" : NULL;
		facts.is_anonymous = mix & 32;
		(void)judge(p, &facts);
	}
	facts = (struct policy_facts){.is_anonymous = true};
	bool is_in = judge(p, &facts) == POLICY_ALLOW;
	facts.is_anonymous = false;
	expect(!is_in || judge(p, &facts) == POLICY_ALLOW);
}

/* One line could be the path of a file: those are not for a fuzzer. */
static char *text_of(const uint8_t *data, size_t size)
{
	struct buf text = {0};
	buf_append(&text, data, size);
	buf_char(&text, '\n');
	return buf_steal(&text, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	struct err err = {.code = ERR_OK, .text = ""};
	if (!conf.trust) {
		log_threshold(LOG_ERROR);
		conf_init(&conf);
	}
	free(conf.trust);
	conf.trust = text_of(data, size);
	struct policy *p = policy_open(&conf, &err);
	if (p)
		check_policy(p);
	else
		expect(err.code == ERR_CONFIG && *err.text);
	policy_close(&p);
	return 0;
}
