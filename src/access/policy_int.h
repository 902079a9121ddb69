/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_POLICY_INT_H
#define ACCESS_POLICY_INT_H

/*
 * The contents of a policy, for the files that read one. policy.c judges,
 * policy_text.c finds the text and splits it, policy_rules.c reads the rules.
 */
#include "access/policy.h"

struct buf;
struct json;

enum { ALLOW_ADMIN = 1, ALLOW_WHITELISTED = 2, ALLOW_CONTACT = 4 };

enum policy_default { DEFAULT_DENY, DEFAULT_ALLOW, DEFAULT_ASK };

struct policy {
	bool is_custom;
	bool asks_signers; /* ask the evaluator about all signing callers */
	unsigned allow;
	bool denies_blocked;
	enum policy_default fallback;
	char **codes; /* wiped when freed */
	size_t n_codes;
	double price; /* 0: none */
	char *text;   /* for the evaluator; NULL: none */
};

/* The source of rules. */
struct policy_source {
	const char *name;	 /* its name in messages, such as a path */
	const struct json *root; /* a mapping; null counts as empty */
	const struct buf *lines; /* of its keys, of size_t; NULL: unknown */
};

/*
 * Read the rules into p, which has the level's defaults. Rules without effect
 * are logged. Returns 0, or -1 with ERR_CONFIG, which names source and line.
 */
int policy_rules_read(
    struct policy *p, const struct policy_source *s, struct err *err);

/*
 * Read what the setting trust names into p. Returns 0, or -1 with ERR_CONFIG.
 */
int policy_text_read(
    struct policy *p, const struct conf *conf, struct err *err);

#endif
