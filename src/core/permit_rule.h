/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_RULE_H
#define CORE_PERMIT_RULE_H

/*
 * One rule of the permission whitelist. core/permit.h describes its meaning;
 * only core/permit.c uses this.
 */
#include "core/permit_shell.h"

#include <stdbool.h>
#include <stddef.h>

#define PERMIT_CONDITIONS 16

struct err;
struct json;

struct permit_condition {
	char *name;
	char *pattern;
};

struct permit_rule {
	char *pattern;
	char *command;		   /* the text in Bash(...), or NULL */
	struct permit_shell words; /* of command, without a final " *" */
	bool is_prefix;		   /* command ends in " *", or is "*" */
	bool is_allowed;
	bool is_for_turn;
	struct permit_condition conditions[PERMIT_CONDITIONS];
	size_t n_conditions;
};

/* Create a rule that allows nothing yet. The pattern must be valid. */
struct permit_rule *permit_rule_new(const char *pattern);

/*
 * Read a member of the mapping of rules. Returns NULL with ERR_CONFIG, naming
 * the pattern.
 */
struct permit_rule *permit_rule_read(
    const struct json *member, struct err *err);

/* Free the rule. */
void permit_rule_free(struct permit_rule *rule);

#endif
