/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access_int.h"

#include "access/policy.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/utf8.h"
#include "identity/digest.h"
#include "limits/network.h"
#include "limits/quota.h"

#include <string.h>

/* How much of a prompt the evaluator may be shown, in bytes. */
#define PROMPT_SHOWN 2000

/* ---- the level of the caller ---- */

static const char *word_of(const struct lists_entry *e)
{
	if (e->level == LEVEL_BLOCKED)
		return "blocked";
	if (e->is_admin)
		return "admin";
	return lists_level_word(e->level);
}

static void access_admit_describe(
    struct caller *caller, const struct lists_entry *e)
{
	caller->level = word_of(e);
	caller->is_admin = e->is_admin && e->level != LEVEL_BLOCKED;
	caller->is_super = e->is_super && e->level != LEVEL_BLOCKED;
	caller->is_known = caller->is_admin || e->level == LEVEL_CONTACT ||
			   e->level == LEVEL_WHITELIST;
}

/* Determine the level of q's caller. Returns -1 with q refused. */
static int access_admit_look(struct access_call *q, struct lists_entry *entry)
{
	if (lists_look(q->access->lists, q->caller.address, entry, &q->err) !=
	    0) {
		q->is_refused = true;
		return -1;
	}
	access_admit_describe(&q->caller, entry);
	return 0;
}

int access_look(struct access *a, const char *address, struct caller *caller,
    struct err *err)
{
	struct lists_entry entry;
	memmove(caller->address, address, strlen(address) + 1);
	if (lists_is_blacklisted(a->lists, address, err))
		return -1;
	if (lists_look(a->lists, address, &entry, err) != 0)
		return -1;
	access_admit_describe(caller, &entry);
	if (entry.level == LEVEL_BLOCKED)
		return err_set(err, ERR_FORBIDDEN, "forbidden: blocked");
	return 0;
}

bool access_has_changed(struct access *a)
{
	uint64_t version = lists_version(a->lists);
	bool has_changed = version != a->lists_version;
	a->lists_version = version;
	return has_changed;
}

bool access_is_blocked(const struct access *a, const char *address)
{
	return lists_was_refused(a->lists, address);
}

/* ---- the decision ---- */

static void deny(struct access_call *q, const char *reason)
{
	q->is_refused = true;
	if (!q->is_signed)
		(void)err_set(&q->err, ERR_UNAUTHORIZED, NULL);
	else
		(void)err_set(&q->err, ERR_FORBIDDEN, "forbidden: %s", reason);
}

static void on_judged(void *arg, bool is_allowed, const char *reason)
{
	struct access_call *q = arg;
	struct access_doors doors;
	q->may_onboard =
	    !is_allowed && q->is_signed && access_doors(q->access, &doors);
	if (!is_allowed)
		deny(q, *reason ? reason : "denied by the trust agent");
	access_call_tell(q);
}

static const char *const classes[] = {
    [IP_LOOPBACK] = "loopback",
    [IP_PRIVATE] = "private network",
    [IP_PUBLIC] = "public network",
};

/* The beginning of the prompt is a fact, and belongs to the key of the answer. */
static void show_prompt(
    const struct access_call *q, struct buf *facts, struct buf *key)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	if (!q->prompt)
		return;
	size_t len = utf8_cut(q->prompt, strlen(q->prompt), PROMPT_SHOWN);
	digest_of(digest, q->prompt, len);
	enc_hex(hex, digest, sizeof digest);
	buf_str(facts, ",\"prompt\":");
	buf_json(facts, q->prompt, len);
	buf_printf(key, " %s", hex);
}

/*
 * The evaluator gets what we found out, and nothing written by the caller,
 * except the prompt if the settings say so.
 */
static void ask_judge(struct access_call *q)
{
	struct access *a = q->access;
	struct buf facts = {0}, key = {0};
	const char *who = q->caller.address;
	const char *transport = q->is_relayed ? "relay" : "direct";
	const char *place = classes[network_class(q->peer)];
	buf_str(&facts, "{\"identity\":");
	if (*who)
		buf_json_str(&facts, who);
	else
		buf_str(&facts, "null");
	buf_printf(&facts, ",\"level\":\"%s\",\"signature_valid\":%s",
	    q->caller.level, q->is_signed ? "true" : "false");
	buf_printf(
	    &facts, ",\"transport\":\"%s\",\"peer\":\"%s\"", transport, place);
	buf_str(&facts, ",\"policy\":");
	buf_json_str(&facts, policy_text(a->policy));
	q->is_waiting = true;
	/* Everything in the facts except the policy. */
	buf_printf(&key, "%s %s %s %s", who, q->caller.level, transport, place);
	show_prompt(q, &facts, &key);
	buf_char(&facts, '}');
	a->setup.judge(
	    a->setup.arg, buf_cstr(&key), buf_cstr(&facts), on_judged, q);
	buf_fini(&facts);
	buf_fini(&key);
}

/* The invite code was correct: the caller is a contact from now on. */
static void on_admitted(
    void *arg, const struct lists_result *result, const struct err *err)
{
	struct access_call *q = arg;
	struct lists_entry entry;
	(void)result; /* the caller may be more than a contact: look */
	if (err) {
		q->is_refused = true;
		q->err = *err;
	} else if (access_admit_look(q, &entry) == 0 &&
		   entry.level == LEVEL_BLOCKED) {
		access_call_refuse(q, ERR_FORBIDDEN, "forbidden: blocked");
	}
	access_call_tell(q);
}

void access_promote(struct access_call *q)
{
	struct lists_change change = {.action = LISTS_ADD_CONTACT};
	memcpy(change.id, q->caller.address, sizeof q->caller.address);
	q->is_waiting = true;
	access_change(q->access, &change, on_admitted, q);
}

/*
 * Guessing of codes is limited by address, by network, and in total, so that
 * many networks do not give an attacker as many guesses. Over the total, nobody
 * is admitted by a code for a while: the price for codes that cannot be
 * guessed.
 */
static const struct quota guesses = {5, 10 * 60 * 1000};
static const struct quota peer_guesses = {20, 10 * 60 * 1000};
static const struct quota all_guesses = {1000, 60 * 60 * 1000};

bool access_may_guess(const struct access_call *q)
{
	struct heritage *h = q->access->setup.heritage;
	char network[NETWORK_SIZE];
	network_name(network, q->peer);
	return quota_has(h, QUOTA_GUESSES, q->caller.address, &guesses, 1) &&
	       quota_has(h, QUOTA_PEER_GUESSES, network, &peer_guesses, 1) &&
	       quota_has(h, QUOTA_ALL_GUESSES, "", &all_guesses, 1);
}

void access_note_guess(const struct access_call *q)
{
	struct heritage *h = q->access->setup.heritage;
	char network[NETWORK_SIZE];
	network_name(network, q->peer);
	(void)quota_take(
	    h, QUOTA_GUESSES, q->caller.address, &guesses, 1, NULL);
	(void)quota_take(
	    h, QUOTA_PEER_GUESSES, network, &peer_guesses, 1, NULL);
	(void)quota_take(h, QUOTA_ALL_GUESSES, "", &all_guesses, 1, NULL);
}

/* Apply the policy; on an open connection only the evaluator is asked. */
static void apply_policy(struct access_call *q, const struct lists_entry *e)
{
	struct access *a = q->access;
	struct policy_facts facts = {
	    .entry = *e,
	    .is_anonymous = !q->is_signed,
	    .invite_code = q->is_signed ? q->invite_code : NULL,
	    .has_evaluator = a->setup.judge != NULL,
	};
	const char *reason = "";
	if (facts.invite_code && !access_may_guess(q))
		facts.invite_code = NULL;
	enum policy_verdict verdict = policy_judge(a->policy, &facts, &reason);
	if (!access_rules(q->use)->asks_policy && verdict != POLICY_ASK)
		return;
	if (facts.invite_code && verdict != POLICY_ADMIT &&
	    e->level == LEVEL_STRANGER)
		access_note_guess(q);
	switch (verdict) {
	case POLICY_ALLOW:
		break;
	case POLICY_ADMIT:
		access_promote(q);
		break;
	case POLICY_DENY:
		deny(q, reason);
		break;
	case POLICY_ONBOARD:
		q->may_onboard = true;
		deny(q, reason);
		break;
	case POLICY_ASK:
		ask_judge(q);
		break;
	}
}

static bool must_apply_policy(const struct access_call *q)
{
	const struct access_rules *rules = access_rules(q->use);
	return (rules->asks_policy || (rules->asks_of_prompts && q->prompt)) &&
	       !lists_is_whitelisted(q->access->lists, q->caller.address);
}

/* The caller is proven: apply lists and policy. */
void access_admit(struct access_call *q)
{
	const struct access_rules *rules = access_rules(q->use);
	struct lists_entry entry = {.level = LEVEL_STRANGER};
	if (q->is_signed && access_admit_look(q, &entry) != 0)
		return;
	if (rules->refuses_blocked && entry.level == LEVEL_BLOCKED)
		access_call_refuse(q, ERR_FORBIDDEN, "forbidden: blocked");
	else if (must_apply_policy(q))
		apply_policy(q, &entry);
}

/* ---- the policy ---- */

bool access_is_open(const struct access *a)
{
	struct policy_facts facts = {
	    .is_anonymous = true, .has_evaluator = a->setup.judge != NULL};
	const char *reason;
	return policy_judge(a->policy, &facts, &reason) == POLICY_ALLOW;
}

bool access_can_seal(const struct access *a)
{
	return a->setup.secret_key != NULL;
}

bool access_doors(const struct access *a, struct access_doors *doors)
{
	*doors = (struct access_doors){
	    .has_invite = policy_has_codes(a->policy),
	    .has_payment = policy_price(a->policy) > 0,
	    .price = policy_price(a->policy),
	};
	return doors->has_invite || doors->has_payment;
}
