/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/permit_rule.h"

#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"

#include <stdlib.h>
#include <string.h>

void permit_rule_free(struct permit_rule *rule)
{
	for (size_t i = 0; i < rule->n_conditions; i++) {
		free(rule->conditions[i].name);
		free(rule->conditions[i].pattern);
	}
	permit_shell_fini(&rule->words);
	free(rule->command);
	free(rule->pattern);
	free(rule);
}

/*
 * A command that cannot be parsed is kept as text: the rule quotes it exactly.
 */
static void read_command(
    struct permit_rule *rule, const char *command, size_t len)
{
	rule->command = mem_strndup(command, len);
	rule->is_prefix =
	    strcmp(rule->command, "*") == 0 ||
	    (len > 2 && strcmp(rule->command + len - 2, " *") == 0);
	char *start = mem_strndup(command, rule->is_prefix ? len - 1 : len);
	if (!permit_shell_read(&rule->words, start) ||
	    rule->words.n_commands != 1)
		permit_shell_fini(&rule->words);
	free(start);
}

struct permit_rule *permit_rule_new(const char *pattern)
{
	struct permit_rule *rule = mem_zero(sizeof *rule);
	size_t n = strlen(pattern);
	rule->pattern = mem_strdup(pattern);
	if (strncmp(pattern, "Bash(", 5) == 0)
		read_command(rule, pattern + 5, n - 6);
	return rule;
}

static int permit_rule_refuse(
    struct err *err, const struct permit_rule *rule, const char *why)
{
	return err_set(err, ERR_CONFIG, "%.100s: %s", rule->pattern, why);
}

static int read_conditions(
    struct permit_rule *rule, const struct json *when, struct err *err)
{
	if (json_type(when) == JSON_NULL)
		return 0;
	if (!json_is(when, JSON_OBJECT))
		return permit_rule_refuse(
		    err, rule, "when and match must be mappings");
	for (const struct json *v = json_first(when); v; v = json_next(v)) {
		if (rule->n_conditions == PERMIT_CONDITIONS)
			return permit_rule_refuse(
			    err, rule, "has too many conditions");
		char *name = json_strdup(json_key(v));
		char *pattern = json_strdup(v);
		if (!name || !pattern) {
			free(name);
			free(pattern);
			return permit_rule_refuse(
			    err, rule, "when and match must hold strings");
		}
		rule->conditions[rule->n_conditions++] =
		    (struct permit_condition){name, pattern};
	}
	return 0;
}

static int read_expiry(
    struct permit_rule *rule, const struct json *expires, struct err *err)
{
	if (json_type(expires) == JSON_NULL)
		return 0;
	const struct json *type =
	    json_is(expires, JSON_OBJECT) ? json_get(expires, "type") : NULL;
	rule->is_for_turn = json_str_is(type, "turn_end");
	if (rule->is_for_turn || json_str_is(type, "never") ||
	    json_str_is(type, "session_end"))
		return 0;
	return permit_rule_refuse(
	    err, rule, "expires.type must be never, session_end or turn_end");
}

static int check_members(
    const struct permit_rule *rule, const struct json *said, struct err *err)
{
	static const char *const known[] = {
	    "allowed", "source", "reason", "when", "match", "expires"};
	for (const struct json *v = json_first(said); v; v = json_next(v)) {
		bool is_known = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known =
			    is_known || json_str_is(json_key(v), known[i]);
		if (!is_known)
			return permit_rule_refuse(err, rule,
			    "may only say allowed, source, reason, when, match "
			    "and expires");
	}
	return 0;
}

static bool is_text_or_null(const struct json *v)
{
	return json_type(v) == JSON_NULL || json_is(v, JSON_STRING);
}

static int read_said(
    struct permit_rule *rule, const struct json *said, struct err *err)
{
	if (!json_is(said, JSON_OBJECT))
		return permit_rule_refuse(err, rule, "must be a mapping");
	if (check_members(rule, said, err) != 0)
		return -1;
	if (!json_bool(json_get(said, "allowed"), &rule->is_allowed))
		return permit_rule_refuse(
		    err, rule, "allowed must be true or false");
	if (!is_text_or_null(json_get(said, "source")) ||
	    !is_text_or_null(json_get(said, "reason")))
		return permit_rule_refuse(
		    err, rule, "source and reason must be strings");
	if (read_conditions(rule, json_get(said, "when"), err) != 0 ||
	    read_conditions(rule, json_get(said, "match"), err) != 0)
		return -1;
	return read_expiry(rule, json_get(said, "expires"), err);
}

static bool is_pattern(const char *text)
{
	size_t n = strlen(text);
	if (strncmp(text, "Bash(", 5) == 0)
		return n > 6 && text[n - 1] == ')';
	return n && !strpbrk(text, " \t\r\n()*");
}

struct permit_rule *permit_rule_read(const struct json *member, struct err *err)
{
	char *pattern = json_strdup(json_key(member));
	if (!pattern || !is_pattern(pattern)) {
		(void)err_set(err, ERR_CONFIG,
		    "\"%.60s\" must be a tool or Bash(COMMAND)",
		    pattern ? pattern : "");
		free(pattern);
		return NULL;
	}
	struct permit_rule *rule = permit_rule_new(pattern);
	free(pattern);
	if (read_said(rule, member, err) == 0)
		return rule;
	permit_rule_free(rule);
	return NULL;
}
