/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/permit.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/wild.h"
#include "core/err.h"
#include "core/permit_path.h"
#include "core/permit_rule.h"
#include "core/permit_shell.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Each sub-command is compared with each rule, so their number is limited. */
#define MAX_RULES 1000

/* A longer text never satisfies a condition. */
#define MAX_VALUE 65536

struct permit {
	struct permit_rule *rules[MAX_RULES];
	size_t n_rules;
};

static const char *const shipped[] = {
#define PERMIT(pattern) pattern,
#include "core/permits.tbl"
#undef PERMIT
};

/* ---- reading ---- */

/* Add the rule, and replace one with the same pattern. Takes ownership. */
static int add_rule(struct permit *p, struct permit_rule *rule, struct err *err)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (strcmp(p->rules[i]->pattern, rule->pattern) == 0) {
			permit_rule_free(p->rules[i]);
			p->rules[i] = rule;
			return 0;
		}
	if (p->n_rules == MAX_RULES) {
		permit_rule_free(rule);
		return err_set(
		    err, ERR_CONFIG, "more than %d rules", MAX_RULES);
	}
	p->rules[p->n_rules++] = rule;
	return 0;
}

static int read_rules(struct permit *p, const char *text, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *root = json_parse(&doc, text, strlen(text), 0, &why);
	int rc = 0;
	if (!json_is(root, JSON_OBJECT))
		rc = err_set(err, ERR_CONFIG, "must be a mapping of rules");
	for (const struct json *v = rc ? NULL : json_first(root); v;
	     v = json_next(v)) {
		struct permit_rule *rule = permit_rule_read(v, err);
		rc = rule ? add_rule(p, rule, err) : -1;
		if (rc != 0)
			break;
	}
	json_fini(&doc);
	return rc;
}

struct permit *permit_open(const char *text, struct err *err)
{
	struct permit *p = mem_zero(sizeof *p);
	for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
		struct permit_rule *rule = permit_rule_new(shipped[i]);
		rule->is_allowed = true;
		(void)add_rule(p, rule, err); /* there is room */
	}
	if (*text && read_rules(p, text, err) != 0)
		permit_close(&p);
	return p;
}

void permit_close(struct permit **p)
{
	for (size_t i = 0; *p && i < (*p)->n_rules; i++)
		permit_rule_free((*p)->rules[i]);
	free(*p);
	*p = NULL;
}

/* ---- conditions ---- */

/* Returns an argument as text, in the form of Python's str(). */
static const char *permit_text_of(
    struct buf *out, const struct json *v, bool *is_whole)
{
	size_t len = 0;
	bool flag;
	const char *text;
	*is_whole = true;
	if (!v)
		return "";
	if (json_is(v, JSON_NULL))
		return "None";
	if (json_bool(v, &flag))
		return flag ? "True" : "False";
	text = json_is(v, JSON_STRING) ? json_str(v, out, &len)
				       : json_text(v, &len);
	*is_whole = len <= MAX_VALUE && !memchr(text, 0, len);
	struct buf copy = {0};
	buf_append(&copy, text, *is_whole ? len : 0);
	buf_fini(out);
	*out = copy;
	return buf_cstr(out);
}

/* Whether a part of the path is "..". */
static bool goes_up(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")) != NULL; s++)
		if ((s == path || s[-1] == '/') && (!s[2] || s[2] == '/'))
			return true;
	return false;
}

/*
 * "docs/../x" is not in docs, whatever the pattern "docs/" and a star says: it
 * fits no rule that allows, and each that denies.
 */
static bool argument_fits(
    const struct permit_condition *c, const struct json *args, bool is_allowing)
{
	struct buf scratch = {0};
	bool is_whole;
	const struct json *v = args ? json_get(args, c->name) : NULL;
	const char *text = permit_text_of(&scratch, v, &is_whole);
	bool fits = is_whole && wild_match(c->pattern, text);
	if (is_whole && goes_up(text) && !goes_up(c->pattern))
		fits = !is_allowing;
	buf_fini(&scratch);
	return fits;
}

/* "git *" matches git with any arguments or none, but not gitleaks. */
static bool command_fits(const char *pattern, const char *command)
{
	size_t n = strlen(pattern);
	if (wild_match(pattern, command))
		return true;
	return n > 2 && strcmp(pattern + n - 2, " *") == 0 &&
	       strlen(command) == n - 2 && memcmp(pattern, command, n - 2) == 0;
}

/* command is the sub-command being checked, or NULL for other tools. */
static bool conditions_fit(const struct permit_rule *rule, const char *command,
    const struct json *args)
{
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct permit_condition *c = &rule->conditions[i];
		bool is_command = command && strcmp(c->name, "command") == 0;
		if (is_command ? !command_fits(c->pattern, command)
			       : !argument_fits(c, args, rule->is_allowed))
			return false;
	}
	return true;
}

/* ---- control files ---- */

static bool names_control(const struct json *v, int depth)
{
	struct buf scratch = {0};
	size_t len;
	if (json_is(v, JSON_STRING)) {
		const char *text = json_str(v, &scratch, &len);
		char *path = mem_strndup(text, len);
		bool is_control = permit_path_is_control(path);
		free(path);
		buf_fini(&scratch);
		return is_control;
	}
	if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT))
		return false;
	for (const struct json *m = json_first(v); m; m = json_next(m))
		if (depth == JSON_MAX_DEPTH || names_control(m, depth + 1))
			return true;
	return false;
}

/* Tools other than bash that take a command, if the operator allows them. */
static bool command_names_control(const struct json *args)
{
	char *command = json_strdup(args ? json_get(args, "command") : NULL);
	bool is_control = false;
	char *rest = NULL;
	if (!command)
		return false;
	for (char *word = strtok_r(command, " \t\r\n\"'`$(){}<>|&;\\", &rest);
	     word && !is_control;
	     word = strtok_r(NULL, " \t\r\n\"'`$(){}<>|&;\\", &rest))
		is_control = permit_path_in_word(word);
	free(command);
	return is_control;
}

static bool is_about_control(const struct json *args)
{
	return names_control(args, 0) || command_names_control(args);
}

/* ---- shell commands ---- */

struct command {
	const char *const *words;
	size_t n;
	const char *text; /* the words joined by spaces */
};

static bool command_matches(
    const struct permit_rule *rule, const struct command *c)
{
	const struct permit_shell *w = &rule->words;
	if (strcasecmp(rule->pattern, "bash") == 0)
		return true;
	if (!rule->command)
		return false;
	if (strcmp(rule->command, "*") == 0)
		return true;
	if (!w->n_words || c->n < w->n_words ||
	    (!rule->is_prefix && c->n > w->n_words))
		return false;
	for (size_t i = 0; i < w->n_words; i++)
		if (strcmp(w->words[i], c->words[i]) != 0)
			return false;
	return true;
}

static bool is_denied(
    const struct permit *p, const struct command *c, const struct json *args)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (!p->rules[i]->is_allowed &&
		    command_matches(p->rules[i], c) &&
		    conditions_fit(p->rules[i], c->text, args))
			return true;
	return false;
}

static bool is_granted(
    const struct permit *p, const struct command *c, const struct json *args)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct permit_rule *rule = p->rules[i];
		if (rule->is_allowed && !rule->is_for_turn &&
		    command_matches(rule, c) &&
		    conditions_fit(rule, c->text, args))
			return true;
	}
	return false;
}

static bool has_control_word(const struct command *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (permit_path_in_word(c->words[i]))
			return true;
	return false;
}

static bool allows_command(const struct permit *p, const struct command *c,
    const struct json *args, bool is_written)
{
	struct buf text = {0};
	struct command whole = *c;
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_char(&text, ' ');
		buf_str(&text, c->words[i]);
	}
	whole.text = buf_cstr(&text);
	bool allowed = !has_control_word(c) && !is_denied(p, &whole, args) &&
		       (is_written || is_granted(p, &whole, args));
	buf_fini(&text);
	return allowed;
}

static bool allows_all(const struct permit *p, const struct permit_shell *s,
    const struct json *args, bool is_written)
{
	size_t first = 0;
	for (size_t i = 0; i < s->n_commands; i++) {
		struct command c = {s->words + first, s->ends[i] - first, NULL};
		if (!allows_command(p, &c, args, is_written))
			return false;
		first = s->ends[i];
	}
	return true;
}

/*
 * A command that a rule quotes exactly need not be parsed, but denials within
 * it still apply.
 */
static bool is_written_down(
    const struct permit *p, const char *command, const struct json *args)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct permit_rule *rule = p->rules[i];
		if (rule->is_allowed && !rule->is_for_turn && rule->command &&
		    !rule->is_prefix && strcmp(rule->command, command) == 0 &&
		    conditions_fit(rule, command, args))
			return true;
	}
	return false;
}

static bool allows_bash(const struct permit *p, const struct json *args)
{
	struct permit_shell s = {0};
	char *command = json_strdup(args ? json_get(args, "command") : NULL);
	if (!command)
		return false;
	bool is_written = is_written_down(p, command, args);
	bool allowed = permit_shell_read(&s, command)
			   ? allows_all(p, &s, args, is_written)
			   : is_written;
	permit_shell_fini(&s);
	free(command);
	return allowed;
}

/* ---- tools ---- */

static bool allows_tool(
    const struct permit *p, const char *tool, const struct json *args)
{
	bool allowed = false;
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct permit_rule *rule = p->rules[i];
		if (strcmp(rule->pattern, tool) != 0 ||
		    !conditions_fit(rule, NULL, args))
			continue;
		if (!rule->is_allowed)
			return false;
		allowed = allowed || !rule->is_for_turn;
	}
	return allowed;
}

bool permit_allows(const struct permit *p, const char *tool,
    const struct json *args, struct buf *why)
{
	bool is_bash = strcasecmp(tool, "bash") == 0;
	bool allowed =
	    !is_about_control(args) &&
	    (is_bash ? allows_bash(p, args) : allows_tool(p, tool, args));
	if (allowed)
		return true;
	if (is_bash)
		buf_str(why, "blocked: command not in the permission "
			     "whitelist");
	else
		buf_printf(why,
		    "blocked: '%.200s' is not in the permission whitelist",
		    tool);
	buf_str(why, ". Allow it by adding a rule to .co/host.yaml "
		     "permissions.");
	return false;
}
