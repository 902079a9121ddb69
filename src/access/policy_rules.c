/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/policy_int.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"

#include <sodium.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* One rule: a key of the root mapping with its value. */
struct rule {
	struct policy *policy;
	const char *where; /* source and line */
	const struct json *value;
	struct err *err;
};

/* How many bytes of a text are quoted in a message. */
#define MAX_QUOTED 60

/* ---- messages ---- */

static int policy_rules_refuse(
    const struct rule *r, const char *key, const char *wanted)
{
	return err_set(
	    r->err, ERR_CONFIG, "%s: %s must be %s", r->where, key, wanted);
}

static void warn_of(
    const struct rule *r, const struct json *what, const char *why)
{
	size_t len;
	const char *text = json_text(what, &len);
	int shown = (int)(len < MAX_QUOTED ? len : MAX_QUOTED);
	log_warn("%s: %.*s %s", r->where, shown, text, why);
}

/* ---- values from the environment ---- */

static bool is_variable(const char *text)
{
	return *text == '$';
}

/* Returns the text itself or, for "$NAME", the variable's value; trimmed. */
static char *resolve(const struct rule *r, const char *said)
{
	const char *text = is_variable(said) ? getenv(said + 1) : said;
	if (!text)
		text = "";
	text += strspn(text, BLANKS);
	size_t len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	/* For a level, leaving the variable unset is a choice. */
	if (!len && r->policy->is_custom)
		log_warn("%s: %.*s is empty: onboarding this way is disabled",
		    r->where, MAX_QUOTED, *said ? said : "the code");
	return mem_strndup(text, len);
}

static void wipe(char *text)
{
	sodium_memzero(text, strlen(text));
	free(text);
}

/* ---- invite codes ---- */

static int add_code(const struct rule *r, const struct json *v)
{
	struct policy *p = r->policy;
	char *said = json_strdup(v);
	if (!said)
		return policy_rules_refuse(r, "onboard.invite_code",
		    "text (quote a number) or a list of texts");
	char *code = resolve(r, said);
	wipe(said);
	if (*code && p->n_codes == POLICY_MAX_CODES) {
		wipe(code);
		return policy_rules_refuse(
		    r, "onboard.invite_code", "at most 256 invite codes");
	}
	if (!*code) {
		free(code);
		return 0;
	}
	p->codes = mem_realloc(p->codes, (p->n_codes + 1) * sizeof *p->codes);
	p->codes[p->n_codes++] = code;
	return 0;
}

static int read_codes(const struct rule *r, const struct json *v)
{
	if (!json_is(v, JSON_ARRAY))
		return add_code(r, v);
	for (const struct json *m = json_first(v); m; m = json_next(m))
		if (add_code(r, m) != 0)
			return -1;
	return 0;
}

/* ---- the price ---- */

/* Accepts an optional sign, digits, and at most one dot. */
static bool is_plain_number(const char *text)
{
	text += *text == '+' || *text == '-';
	size_t digits = strspn(text, "0123456789");
	text += digits;
	if (*text == '.') {
		size_t more = strspn(++text, "0123456789");
		digits += more;
		text += more;
	}
	return digits && !*text;
}

static int read_price_text(const struct rule *r, const char *said)
{
	char *text = resolve(r, said);
	bool is_number = is_plain_number(text);
	double price = is_number ? strtod(text, NULL) : 0;
	bool is_bad = *text && !is_number;
	if (isfinite(price) && price > 0)
		r->policy->price = price;
	free(text);
	if (!is_bad)
		return 0;
	if (!is_variable(said))
		return policy_rules_refuse(
		    r, "onboard.payment", "a number or $NAME");
	log_warn("%s: %.*s is not a number: onboarding this way is disabled",
	    r->where, MAX_QUOTED, said);
	return 0;
}

static int read_price(const struct rule *r, const struct json *v)
{
	double price;
	char *said = json_strdup(v);
	if (said) {
		int rc = read_price_text(r, said);
		free(said);
		return rc;
	}
	if (!json_double(v, &price) || !isfinite(price))
		return policy_rules_refuse(
		    r, "onboard.payment", "a number or $NAME");
	if (price > 0)
		r->policy->price = price;
	return 0;
}

/* ---- rules ---- */

static bool is_given(const struct json *v)
{
	return json_type(v) != JSON_NULL;
}

static unsigned condition(const struct json *word)
{
	if (json_str_is(word, "admin"))
		return ALLOW_ADMIN;
	if (json_str_is(word, "whitelisted"))
		return ALLOW_WHITELISTED;
	return json_str_is(word, "contact") ? ALLOW_CONTACT : 0;
}

static int read_allow(const struct rule *r)
{
	if (is_given(r->value) && !json_is(r->value, JSON_ARRAY))
		return policy_rules_refuse(
		    r, "allow", "a list of admin, whitelisted and contact");
	for (const struct json *m = json_first(r->value); m; m = json_next(m)) {
		r->policy->allow |= condition(m);
		if (!condition(m))
			warn_of(r, m, "is not a condition, and allows nobody");
	}
	return 0;
}

/* Without the key the blocked are denied; an empty list does not deny them. */
static int read_deny(const struct rule *r)
{
	if (!is_given(r->value))
		return 0;
	if (!json_is(r->value, JSON_ARRAY))
		return policy_rules_refuse(
		    r, "deny", "a list that may hold blocked");
	r->policy->denies_blocked = false;
	for (const struct json *m = json_first(r->value); m; m = json_next(m)) {
		if (json_str_is(m, "blocked"))
			r->policy->denies_blocked = true;
		else
			warn_of(r, m, "is not a condition, and denies nobody");
	}
	return 0;
}

static int read_onboard(const struct rule *r)
{
	int rc = 0;
	if (is_given(r->value) && !json_is(r->value, JSON_OBJECT))
		return policy_rules_refuse(
		    r, "onboard", "a mapping of invite_code and payment");
	for (const struct json *m = json_first(r->value); m && rc == 0;
	     m = json_next(m)) {
		const struct json *key = json_key(m);
		if (json_str_is(key, "invite_code"))
			rc = is_given(m) ? read_codes(r, m) : 0;
		else if (json_str_is(key, "payment"))
			rc = is_given(m) ? read_price(r, m) : 0;
		else
			warn_of(r, key, "is not a way of onboarding");
	}
	return rc;
}

static int read_default(const struct rule *r)
{
	r->policy->fallback = DEFAULT_DENY;
	if (json_str_is(r->value, "allow"))
		r->policy->fallback = DEFAULT_ALLOW;
	else if (json_str_is(r->value, "ask"))
		r->policy->fallback = DEFAULT_ASK;
	else if (is_given(r->value) && !json_str_is(r->value, "deny"))
		warn_of(r, r->value,
		    "is not one of allow, deny and ask, and counts as deny");
	return 0;
}

static int read_include(const struct rule *r)
{
	return err_set(r->err, ERR_CONFIG,
	    "%s: include: a policy cannot include another: write the rules "
	    "into one file",
	    r->where);
}

static const struct {
	const char *key;
	int (*read)(const struct rule *r);
} keys[] = {
    {"allow", read_allow},
    {"deny", read_deny},
    {"onboard", read_onboard},
    {"default", read_default},
    {"include", read_include},
};

static int read_rule(const struct rule *r)
{
	const struct json *key = json_key(r->value);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_str_is(key, keys[i].key))
			return keys[i].read(r);
	warn_of(r, key, "is not a key of a policy");
	return 0;
}

int policy_rules_read(
    struct policy *p, const struct policy_source *s, struct err *err)
{
	char where[512];
	size_t at = 0;
	p->denies_blocked = true;
	p->fallback = DEFAULT_DENY;
	if (is_given(s->root) && !json_is(s->root, JSON_OBJECT))
		return err_set(
		    err, ERR_CONFIG, "%s: must be a mapping of rules", s->name);
	for (const struct json *v = json_first(s->root); v; v = json_next(v)) {
		struct rule r = {p, where, v, err};
		size_t line = 0;
		(void)snprintf(where, sizeof where, "%.450s", s->name);
		if (s->lines && at + sizeof line <= s->lines->len) {
			memcpy(&line, s->lines->data + at, sizeof line);
			at += sizeof line;
			(void)snprintf(where, sizeof where, "%.450s line %zu",
			    s->name, line);
		}
		if (read_rule(&r) != 0)
			return -1;
	}
	return 0;
}
