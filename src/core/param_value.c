/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/param.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/yaml.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *field(void *settings, const struct param *p)
{
	return (char *)settings + p->at;
}

static bool is_key(const struct param *p, const char *key)
{
	return strcmp(p->key, key) == 0;
}

void param_own(char **to, const char *value)
{
	char *copy = mem_strdup(value);
	free(*to);
	*to = copy;
}

/* ---- numbers and choices ---- */

static int set_int(void *settings, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	char *end;
	errno = 0;
	long long v = strtoll(value, &end, 10);
	if (!*value || *end || errno || v < p->min || v > p->max)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must be an integer from %lld to %lld%s%s, not "
		    "\"%.60s\"",
		    where, p->key, (long long)p->min, (long long)p->max,
		    *p->unit ? " " : "", p->unit, value);
	*(int64_t *)field(settings, p) = v;
	return 0;
}

static int set_workers(void *settings, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0)
		return set_int(settings, p, where, value, err);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	*(int64_t *)field(settings, p) = n < 1 ? 1 : n > p->max ? p->max : n;
	return 0;
}

static int set_bool(void *settings, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "on", NULL};
	static const char *const no[] = {"false", "no", "off", NULL};
	for (int i = 0; yes[i]; i++)
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)field(settings, p) =
			    strcmp(value, yes[i]) == 0;
			return 0;
		}
	return err_set(err, ERR_CONFIG,
	    "%s: %s must be true or false, not \"%.60s\"", where, p->key,
	    value);
}

static int set_enum(void *settings, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	size_t len = strlen(value);
	int index = 0;
	for (const char *s = p->unit; s; index++) {
		const char *bar = strchr(s, '|');
		size_t n = bar ? (size_t)(bar - s) : strlen(s);
		if (n == len && memcmp(s, value, n) == 0) {
			*(int *)field(settings, p) = index;
			return 0;
		}
		s = bar ? bar + 1 : NULL;
	}
	return err_set(err, ERR_CONFIG,
	    "%s: %s must be one of %s, not \"%.60s\"", where, p->key, p->unit,
	    value);
}

/* ---- texts ---- */

bool param_is_place(const char *text)
{
	unsigned char address[16];
	char inner[64];
	size_t n = strlen(text);
	if (strncmp(text, "unix:", 5) == 0)
		return n > 5;
	if (*text == '[' && n > 2 && n < sizeof inner && text[n - 1] == ']') {
		memcpy(inner, text + 1, n - 2);
		inner[n - 2] = 0;
		return inet_pton(AF_INET6, inner, address) == 1;
	}
	return inet_pton(AF_INET, text, address) == 1 ||
	       inet_pton(AF_INET6, text, address) == 1;
}

static const struct param_rule *rule_of(
    const struct param_table *t, const struct param *p)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (is_key(p, t->rules[i].key))
			return &t->rules[i];
	return NULL;
}

static bool has_control(const char *text, const char *but)
{
	for (const char *s = text; *s; s++)
		if (((unsigned char)*s < 0x20 || *s == 0x7f) &&
		    !(but && strchr(but, *s)))
			return true;
	return false;
}

static int refuse_text(const struct param_rule *rule, const char *where,
    const char *value, struct err *err)
{
	struct buf hint = {0};
	bool is_blank = !value[strspn(value, " \t\r\n")];
	if (rule->is_secret)
		return err_set(err, ERR_CONFIG, "%s: %s must be %s", where,
		    rule->key, rule->allowed);
	if (rule->hint)
		rule->hint(&hint, value);
	(void)err_set(err, ERR_CONFIG, "%s: %s must be %s, not %s%.60s%s%s",
	    where, rule->key, rule->allowed, is_blank ? "nothing" : "\"",
	    is_blank ? "" : value, is_blank ? "" : "\"", buf_cstr(&hint));
	buf_fini(&hint);
	return -1;
}

static int check_text(const struct param_table *t, const struct param *p,
    const char *where, const char *value, struct err *err)
{
	const struct param_rule *rule = rule_of(t, p);
	size_t len = strlen(value);
	if ((int64_t)len < p->min || (int64_t)len > p->max)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must have %lld to %lld characters, not %zu", where,
		    p->key, (long long)p->min, (long long)p->max, len);
	if (has_control(value, rule ? rule->controls : NULL))
		return err_set(err, ERR_CONFIG,
		    "%s: %s must not hold control characters", where, p->key);
	return rule && !rule->allows(value)
		   ? refuse_text(rule, where, value, err)
		   : 0;
}

static int set_text(const struct param_table *t, void *settings,
    const struct param *p, const char *where, const char *value,
    struct err *err)
{
	if (check_text(t, p, where, value, err) != 0)
		return -1;
	char **to = field(settings, p);
	char *kept = t->keep ? t->keep(settings, p, value) : NULL;
	param_own(to, kept ? kept : value);
	free(kept);
	return 0;
}

/* ---- lists and mappings ---- */

static bool is_json_of(const struct param *p, const struct json *v)
{
	return json_is(
	    v, strcmp(p->unit, "list") == 0 ? JSON_ARRAY : JSON_OBJECT);
}

static int refuse_json(
    const struct param *p, const char *where, const char *text, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: %s must be a %s, not %.60s", where,
	    p->key, p->unit, text);
}

/* Prefix another module's message about the value with its place. */
static int blame(const struct param *p, const char *where, struct err *err)
{
	struct err inner = *err;
	return err_set(
	    err, ERR_CONFIG, "%s: %s: %s", where, p->key, inner.text);
}

static int check_json(const struct param_table *t, const struct param *p,
    const char *where, const char *text, size_t len, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, text, len, 0, &why);
	bool is_good = is_json_of(p, v);
	json_fini(&doc);
	if (!is_good)
		return refuse_json(p, where, text, err);
	if ((int64_t)len > p->max)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must have at most %lld characters", where, p->key,
		    (long long)p->max);
	if (!t->check_json || t->check_json(p, text, err) == 0)
		return 0;
	return blame(p, where, err);
}

/*
 * Our own children get JSON, which is not always valid YAML (line ends in
 * strings differ). So JSON is tried first.
 */
static int read_json(struct buf *out, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	size_t len = strlen(value);
	bool is_json = json_parse(&doc, value, len, 0, &why) != NULL;
	json_fini(&doc);
	if (is_json)
		buf_append(out, value, len);
	else if (yaml_to_json(out, value, len, "value", err) != 0)
		return blame(p, where, err);
	return 0;
}

static int set_json(const struct param_table *t, void *settings,
    const struct param *p, const char *where, const char *value,
    struct err *err)
{
	struct buf text = {0};
	int rc = 0;
	if (*value)
		rc = read_json(&text, p, where, value, err);
	if (rc == 0 && text.len)
		rc = check_json(t, p, where, buf_cstr(&text), text.len, err);
	if (rc == 0)
		param_own(field(settings, p), buf_cstr(&text));
	buf_fini(&text);
	return rc;
}

int param_value_set(const struct param_table *t, void *settings,
    const struct param *p, const char *where, const char *value,
    struct err *err)
{
	if (is_key(p, "workers"))
		return set_workers(settings, p, where, value, err);
	switch (p->type) {
	case PARAM_INT:
		return set_int(settings, p, where, value, err);
	case PARAM_BOOL:
		return set_bool(settings, p, where, value, err);
	case PARAM_ENUM:
		return set_enum(settings, p, where, value, err);
	case PARAM_STR:
		return set_text(t, settings, p, where, value, err);
	case PARAM_JSON:
		return set_json(t, settings, p, where, value, err);
	}
	return -1;
}

/* ---- values of YAML and JSON ---- */

static char *text_of(const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);
	return mem_strndup(text, len);
}

static bool is_unit(const struct param *p, const char *unit)
{
	return strcmp(p->unit, unit) == 0;
}

/* Returns the list joined by commas, or NULL if an entry is not a string. */
static char *joined(const struct json *list)
{
	struct buf out = {0};
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		char *text = json_is(v, JSON_STRING) ? json_strdup(v) : NULL;
		if (!text || strchr(text, ',')) {
			free(text);
			buf_fini(&out);
			return NULL;
		}
		buf_printf(&out, "%s%s", out.len ? ", " : "", text);
		free(text);
	}
	return out.len ? buf_steal(&out, NULL) : mem_strdup("");
}

/* Whether a text accepts this value of another type. */
static bool is_other_form(const struct param *p, const struct json *v)
{
	if (is_unit(p, "or mapping"))
		return json_is(v, JSON_OBJECT);
	if (is_unit(p, "or number"))
		return json_is(v, JSON_NUMBER);
	return (is_unit(p, "list") || is_unit(p, "or list")) &&
	       json_is(v, JSON_ARRAY);
}

static bool is_fitting(const struct param *p, const struct json *v)
{
	switch (p->type) {
	case PARAM_INT:
		return json_is(v, JSON_NUMBER) ||
		       (is_key(p, "workers") && json_str_is(v, "auto"));
	case PARAM_BOOL:
		return json_is(v, JSON_BOOL);
	case PARAM_ENUM:
		return json_is(v, JSON_STRING);
	case PARAM_STR:
		return json_is(v, JSON_STRING) || json_is(v, JSON_NULL) ||
		       is_other_form(p, v);
	case PARAM_JSON:
		return json_is(v, JSON_NULL) || is_json_of(p, v);
	}
	return false;
}

/* Whether a string would fit without its quotes. */
static bool is_quoted(const struct param *p, const struct json *v)
{
	static const char *const switches[] = {
	    "true", "yes", "on", "false", "no", "off"};
	char *text = json_is(v, JSON_STRING) ? json_strdup(v) : NULL;
	bool is_it = false;
	if (text && p->type == PARAM_INT)
		is_it = *text && !text[strspn(text, "0123456789")];
	for (size_t i = 0; text && p->type == PARAM_BOOL && i < 6; i++)
		is_it |= strcmp(text, switches[i]) == 0;
	free(text);
	return is_it;
}

/* What a value is that does not fit, and the value as JSON. */
static void put_wrong(
    struct buf *out, const struct param *p, const struct json *v)
{
	static const char *const names[] = {
	    [JSON_NULL] = "nothing",
	    [JSON_BOOL] = "the value",
	    [JSON_NUMBER] = "a number:",
	    [JSON_STRING] = "a string:",
	    [JSON_ARRAY] = "a list:",
	    [JSON_OBJECT] = "a mapping:",
	};
	enum { SHOWN = 60 };
	size_t len;
	const char *text = json_text(v, &len);
	buf_str(out, names[json_type(v)]);
	if (!json_is(v, JSON_NULL))
		buf_printf(out, " %.*s%s", (int)(len < SHOWN ? len : SHOWN),
		    text, len > SHOWN ? "..." : "");
	if (is_quoted(p, v))
		buf_str(out, " (remove the quotes)");
}

static void refuse_type(const struct param_table *t, const struct param *p,
    const char *where, const struct json *v, struct err *err)
{
	static const char *const wanted[] = {[PARAM_INT] = "an integer",
	    [PARAM_BOOL] = "true or false",
	    [PARAM_ENUM] = "one of ",
	    [PARAM_STR] = "a string",
	    [PARAM_JSON] = "a "};
	const struct param_rule *rule = rule_of(t, p);
	bool has_forms = rule && is_unit(p, "or mapping");
	struct buf range = {0}, wrong = {0};
	put_wrong(&wrong, p, v);
	if (p->type == PARAM_INT)
		buf_printf(&range, " from %lld to %lld%s%s", (long long)p->min,
		    (long long)p->max, *p->unit ? " " : "", p->unit);
	if (p->type == PARAM_ENUM || p->type == PARAM_JSON)
		buf_str(&range, p->unit);
	(void)err_set(err, ERR_CONFIG, "%s: %s must be %s%s, not %s", where,
	    p->key, has_forms ? rule->allowed : wanted[p->type],
	    buf_cstr(&range), buf_cstr(&wrong));
	buf_fini(&wrong);
	buf_fini(&range);
}

char *param_value_text(const struct param_table *t, const struct param *p,
    const char *where, const struct json *value, struct err *err)
{
	if (!is_fitting(p, value)) {
		refuse_type(t, p, where, value, err);
		return NULL;
	}
	if (json_is(value, JSON_NULL))
		return mem_strdup("");
	if (p->type == PARAM_STR && is_unit(p, "list") &&
	    json_is(value, JSON_ARRAY)) {
		char *list = joined(value);
		if (!list)
			(void)err_set(err, ERR_CONFIG,
			    "%s: %s must be a list of strings", where, p->key);
		return list;
	}
	if (!json_is(value, JSON_STRING))
		return text_of(value);
	char *text = json_strdup(value);
	if (!text)
		(void)err_set(err, ERR_CONFIG, "%s: %s must not hold a NUL",
		    where, p->key);
	return text;
}
