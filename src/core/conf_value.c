/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "core/conf_int.h"
#include "core/err.h"
#include "core/permit.h"
#include "core/yaml.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TRUST_ALLOWED                                                         \
	"\"open\", \"careful\", \"strict\", or custom config (the path of a " \
	"policy file, or a policy)"

static void *field(struct conf *c, const struct conf_param *p)
{
	return (char *)c + p->at;
}

static bool is_key(const struct conf_param *p, const char *key)
{
	return strcmp(p->key, key) == 0;
}

void conf_value_own(char **to, const char *value)
{
	char *copy = mem_strdup(value);
	free(*to);
	*to = copy;
}

/* ---- numbers and choices ---- */

static int set_int(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
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
	*(int64_t *)field(c, p) = v;
	return 0;
}

static int set_workers(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0)
		return set_int(c, p, where, value, err);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	c->workers = n < 1 ? 1 : n > p->max ? p->max : n;
	return 0;
}

static int set_bool(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "on", NULL};
	static const char *const no[] = {"false", "no", "off", NULL};
	for (int i = 0; yes[i]; i++)
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)field(c, p) = strcmp(value, yes[i]) == 0;
			return 0;
		}
	return err_set(err, ERR_CONFIG,
	    "%s: %s must be true or false, not \"%.60s\"", where, p->key,
	    value);
}

static int set_enum(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	size_t len = strlen(value);
	int index = 0;
	for (const char *s = p->unit; s; index++) {
		const char *bar = strchr(s, '|');
		size_t n = bar ? (size_t)(bar - s) : strlen(s);
		if (n == len && memcmp(s, value, n) == 0) {
			*(int *)field(c, p) = index;
			return 0;
		}
		s = bar ? bar + 1 : NULL;
	}
	return err_set(err, ERR_CONFIG,
	    "%s: %s must be one of %s, not \"%.60s\"", where, p->key, p->unit,
	    value);
}

/* ---- texts ---- */

static bool has_command(const char *text, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(text, kind, n) == 0 &&
	       text[n + strspn(text + n, " \t")] != 0;
}

static bool is_agent(const char *text)
{
	return strcmp(text, "demo") == 0 || has_command(text, "exec:") ||
	       has_command(text, "python:");
}

static bool is_trust_agent(const char *text)
{
	return !*text || has_command(text, "exec:");
}

static bool is_address(const char *text)
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

static bool is_relay(const char *text)
{
	char *base = *text ? url_relay(text) : NULL;
	bool is_good = !*text || base;
	free(base);
	return is_good;
}

/* Texts with rules beyond their length. */
static const struct text_rule {
	const char *key;
	bool (*allows)(const char *text);
	const char *allowed;
} text_rules[] = {
    {"agent", is_agent, "demo, exec:COMMAND or python:FILE[:NAME]"},
    {"trust_agent", is_trust_agent, "exec:COMMAND"},
    {"bind", is_address, "an IPv4 or IPv6 address or unix:PATH"},
    {"relay_url", is_relay, "a wss:// or ws:// URL, or null"},
};

static const struct text_rule *broken_rule(const char *key, const char *text)
{
	for (size_t i = 0; i < sizeof text_rules / sizeof *text_rules; i++)
		if (strcmp(text_rules[i].key, key) == 0 &&
		    !text_rules[i].allows(text))
			return &text_rules[i];
	return NULL;
}

static bool has_control(const char *text, const char *but)
{
	for (const char *s = text; *s; s++)
		if (((unsigned char)*s < 0x20 || *s == 0x7f) &&
		    !strchr(but, *s))
			return true;
	return false;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(text + len - n, end, n) == 0;
}

static const char *conf_value_level_of(const char *text)
{
	static const char *const levels[] = {"open", "careful", "strict"};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcasecmp(levels[i], text) == 0)
			return levels[i];
	return NULL;
}

bool conf_trust_is_level(const struct conf *c)
{
	return conf_value_level_of(c->trust) != NULL;
}

/* Convert a text to the form in which it is kept. */
static void keep_text(
    struct conf *c, const struct conf_param *p, const char *value)
{
	char **to = field(c, p);
	bool is_path = is_key(p, "whitelist") || is_key(p, "blacklist") ||
		       is_key(p, "co_dir");
	if (is_key(p, "trust") && conf_value_level_of(value))
		value = conf_value_level_of(value);
	if (is_key(p, "relay_url") && *value) {
		free(*to);
		*to = url_relay(value);
	} else if (is_path && *value && !strchr("/[", *value) &&
		   c->project_dir && *c->project_dir) {
		struct buf path = {0};
		buf_printf(&path, "%s/%s", c->project_dir, value);
		free(*to);
		*to = buf_steal(&path, NULL);
	} else {
		conf_value_own(to, value);
	}
}

static int check_text(const struct conf_param *p, const char *where,
    const char *value, struct err *err)
{
	size_t len = strlen(value);
	bool is_trust = is_key(p, "trust");
	if (is_trust && !value[strspn(value, " \t\r\n")])
		return err_set(err, ERR_CONFIG,
		    "%s: trust must be " TRUST_ALLOWED ", not nothing", where);
	if ((int64_t)len < p->min || (int64_t)len > p->max)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must have %lld to %lld characters, not %zu", where,
		    p->key, (long long)p->min, (long long)p->max, len);
	if (has_control(value, is_trust ? "\t\r\n\x7f" : ""))
		return err_set(err, ERR_CONFIG,
		    "%s: %s must not hold control characters", where, p->key);
	const struct text_rule *broken = broken_rule(p->key, value);
	if (!broken)
		return 0;
	if (is_key(p, "agent") && ends_with(value, strlen(value), ".py"))
		return err_set(err, ERR_CONFIG,
		    "%s: agent must be %s, not \"%.60s\": did you mean "
		    "python:%.60s?",
		    where, broken->allowed, value, value);
	return err_set(err, ERR_CONFIG, "%s: %s must be %s, not \"%.60s\"",
	    where, p->key, broken->allowed, value);
}

static int set_text(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	if (check_text(p, where, value, err) != 0)
		return -1;
	keep_text(c, p, value);
	return 0;
}

/* ---- lists and mappings ---- */

static bool is_json_of(const struct conf_param *p, const struct json *v)
{
	return json_is(
	    v, strcmp(p->unit, "list") == 0 ? JSON_ARRAY : JSON_OBJECT);
}

static int refuse_json(const struct conf_param *p, const char *where,
    const char *text, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: %s must be a %s, not %.60s", where,
	    p->key, p->unit, text);
}

/* Prefix another module's message about the value with its place. */
static int blame(const struct conf_param *p, const char *where, struct err *err)
{
	struct err inner = *err;
	return err_set(
	    err, ERR_CONFIG, "%s: %s: %s", where, p->key, inner.text);
}

static int check_json(const struct conf_param *p, const char *where,
    const char *text, size_t len, struct err *err)
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
	if (!is_key(p, "permissions"))
		return 0;
	struct permit *permit = permit_open(text, err);
	if (!permit)
		return blame(p, where, err);
	permit_close(&permit);
	return 0;
}

/*
 * Our own children get JSON, which is not always valid YAML (line ends in
 * strings differ). So JSON is tried first.
 */
static int read_json(struct buf *out, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
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

static int set_json(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	struct buf text = {0};
	int rc = 0;
	if (*value)
		rc = read_json(&text, p, where, value, err);
	if (rc == 0 && text.len)
		rc = check_json(p, where, buf_cstr(&text), text.len, err);
	if (rc == 0)
		conf_value_own(field(c, p), buf_cstr(&text));
	buf_fini(&text);
	return rc;
}

int conf_value_set(struct conf *c, const struct conf_param *p,
    const char *where, const char *value, struct err *err)
{
	if (is_key(p, "workers"))
		return set_workers(c, p, where, value, err);
	switch (p->type) {
	case PARAM_INT:
		return set_int(c, p, where, value, err);
	case PARAM_BOOL:
		return set_bool(c, p, where, value, err);
	case PARAM_ENUM:
		return set_enum(c, p, where, value, err);
	case PARAM_STR:
		return set_text(c, p, where, value, err);
	case PARAM_JSON:
		return set_json(c, p, where, value, err);
	}
	return -1;
}

/* ---- values of YAML and JSON ---- */

static char *conf_value_text_of(const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);
	return mem_strndup(text, len);
}

/* Comma-separated lists, which may also be written as lists of strings. */
static bool is_comma_list(const struct conf_param *p)
{
	return is_key(p, "trusted_proxies") || is_key(p, "allowed_origins") ||
	       is_key(p, "allowed_hosts");
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

/* Settings of type text that accept another type as well. */
static bool is_other_form(const struct conf_param *p, const struct json *v)
{
	if (is_key(p, "trust"))
		return json_is(v, JSON_OBJECT);
	return (is_key(p, "whitelist") || is_key(p, "blacklist") ||
		   is_comma_list(p)) &&
	       json_is(v, JSON_ARRAY);
}

static bool is_fitting(const struct conf_param *p, const struct json *v)
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
static bool is_quoted(const struct conf_param *p, const struct json *v)
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
    struct buf *out, const struct conf_param *p, const struct json *v)
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

static void refuse_type(const struct conf_param *p, const char *where,
    const struct json *v, struct err *err)
{
	static const char *const wanted[] = {[PARAM_INT] = "an integer",
	    [PARAM_BOOL] = "true or false",
	    [PARAM_ENUM] = "one of ",
	    [PARAM_STR] = "a string",
	    [PARAM_JSON] = "a "};
	struct buf range = {0}, wrong = {0};
	put_wrong(&wrong, p, v);
	if (p->type == PARAM_INT)
		buf_printf(&range, " from %lld to %lld%s%s", (long long)p->min,
		    (long long)p->max, *p->unit ? " " : "", p->unit);
	if (p->type == PARAM_ENUM || p->type == PARAM_JSON)
		buf_str(&range, p->unit);
	(void)err_set(err, ERR_CONFIG, "%s: %s must be %s%s, not %s", where,
	    p->key, is_key(p, "trust") ? TRUST_ALLOWED : wanted[p->type],
	    buf_cstr(&range), buf_cstr(&wrong));
	buf_fini(&wrong);
	buf_fini(&range);
}

char *conf_value_text(const struct conf_param *p, const char *where,
    const struct json *value, struct err *err)
{
	if (!is_fitting(p, value)) {
		refuse_type(p, where, value, err);
		return NULL;
	}
	if (json_is(value, JSON_NULL))
		return mem_strdup("");
	if (is_comma_list(p) && json_is(value, JSON_ARRAY)) {
		char *list = joined(value);
		if (!list)
			(void)err_set(err, ERR_CONFIG,
			    "%s: %s must be a list of strings", where, p->key);
		return list;
	}
	if (!json_is(value, JSON_STRING))
		return conf_value_text_of(value);
	char *text = json_strdup(value);
	if (!text)
		(void)err_set(err, ERR_CONFIG, "%s: %s must not hold a NUL",
		    where, p->key);
	return text;
}
