/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/err.h"

/* A settings file may have this many bytes. */
#define MAX_YAML (1024 * 1024)

enum param_type { PARAM_INT, PARAM_BOOL, PARAM_ENUM, PARAM_STR };

struct param {
	const char *key;
	enum param_type type;
	const char *preset;
	int64_t min;
	int64_t max;
	const char *unit; /* for ENUM: the choices */
	size_t at;
};

static const struct param params[] = {
#define PARAM(field, key, type, def, min, max, unit, source, doc) \
	{key, PARAM_##type, def, min, max, unit, offsetof(struct conf, field)},
#include "core/params.tbl"
#undef PARAM
};

#define N_PARAMS (sizeof params / sizeof *params)

/* Keys of the host() document that are not built yet. */
static const char *const later_keys[] = {"entrypoint", "relay_url", "reload",
    "examples", "whitelist", "blacklist", "permissions", "co_dir", NULL};

/* What the master finds out and hands on: not settings. */
static const struct found {
	const char *key;
	size_t at;
} found[] = {
    {"project_dir", offsetof(struct conf, project_dir)},
    {"co_dir", offsetof(struct conf, co_dir)},
    {"host_yaml", offsetof(struct conf, host_yaml)},
    {"log_file", offsetof(struct conf, log_file)},
    {"address", offsetof(struct conf, address)},
    {"libexec_dir", offsetof(struct conf, libexec_dir)},
    {"test_clock", offsetof(struct conf, test_clock)},
    {"trust_where", offsetof(struct conf, trust_where)},
    {"proxies_where", offsetof(struct conf, proxies_where)},
};

#define N_FOUND (sizeof found / sizeof *found)

static void *field(struct conf *c, size_t at)
{
	return (char *)c + at;
}

static const void *field_const(const struct conf *c, size_t at)
{
	return (const char *)c + at;
}

static const struct param *find_param(const char *key)
{
	for (size_t i = 0; i < N_PARAMS; i++)
		if (strcmp(params[i].key, key) == 0)
			return &params[i];
	return NULL;
}

static void set_str(char **to, const char *value)
{
	char *copy = mem_strdup(value);
	free(*to);
	*to = copy;
}

void conf_init(struct conf *c)
{
	struct err err;
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < N_PARAMS; i++)
		(void)conf_set(
		    c, "default", params[i].key, params[i].preset, &err);
	for (size_t i = 0; i < N_FOUND; i++)
		set_str(field(c, found[i].at), "");
}

void conf_fini(struct conf *c)
{
	for (size_t i = 0; i < N_PARAMS; i++)
		if (params[i].type == PARAM_STR)
			free(*(char **)field(c, params[i].at));
	for (size_t i = 0; i < N_FOUND; i++)
		free(*(char **)field(c, found[i].at));
	memset(c, 0, sizeof *c);
}

/* ---- one setting ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance between two short words (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	size_t n = strlen(b), row[MOST + 1];
	if (n > MOST || strlen(a) > MOST)
		return MOST;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];
			size_t swap = corner + (a[i - 1] != b[j - 1]);
			row[j] = least(least(up, row[j - 1]) + 1, swap);
			corner = up;
		}
	}
	return row[n];
}

static const char *nearest_key(const char *key)
{
	const char *best = params[0].key;
	size_t least_so_far = SIZE_MAX;
	for (size_t i = 0; i < N_PARAMS; i++) {
		size_t d = distance(key, params[i].key);
		if (d < least_so_far) {
			least_so_far = d;
			best = params[i].key;
		}
	}
	return best;
}

static int set_int(struct conf *c, const struct param *p, const char *where,
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
	*(int64_t *)field(c, p->at) = v;
	return 0;
}

static int set_workers(struct conf *c, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0)
		return set_int(c, p, where, value, err);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	c->workers = n < 1 ? 1 : n > p->max ? p->max : n;
	return 0;
}

static int set_bool(struct conf *c, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "on", NULL};
	static const char *const no[] = {"false", "no", "off", NULL};
	for (int i = 0; yes[i]; i++)
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)field(c, p->at) = strcmp(value, yes[i]) == 0;
			return 0;
		}
	return err_set(
	    err, ERR_CONFIG, "%s: %s must be true or false", where, p->key);
}

static int set_enum(struct conf *c, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	size_t len = strlen(value);
	int index = 0;
	for (const char *s = p->unit; s; index++) {
		const char *bar = strchr(s, '|');
		size_t n = bar ? (size_t)(bar - s) : strlen(s);
		if (n == len && memcmp(s, value, n) == 0) {
			*(int *)field(c, p->at) = index;
			return 0;
		}
		s = bar ? bar + 1 : NULL;
	}
	return err_set(err, ERR_CONFIG,
	    "%s: %s must be one of %s, not \"%.60s\"", where, p->key, p->unit,
	    value);
}

static bool is_agent(const char *text)
{
	if (strncmp(text, "exec:", 5) != 0)
		return strcmp(text, "demo") == 0;
	return text[5 + strspn(text + 5, " \t")] != 0;
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

/* Texts that are not any text. */
static const struct text_rule {
	const char *key;
	bool (*allows)(const char *text);
	const char *allowed;
} text_rules[] = {
    {"agent", is_agent, "demo or exec:COMMAND"},
    {"bind", is_address, "an IPv4 or IPv6 address or unix:PATH"},
};

static const struct text_rule *broken_rule(const char *key, const char *text)
{
	for (size_t i = 0; i < sizeof text_rules / sizeof *text_rules; i++)
		if (strcmp(text_rules[i].key, key) == 0 &&
		    !text_rules[i].allows(text))
			return &text_rules[i];
	return NULL;
}

static int set_text(struct conf *c, const struct param *p, const char *where,
    const char *value, struct err *err)
{
	size_t len = strlen(value);
	if ((int64_t)len < p->min || (int64_t)len > p->max)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must have %lld to %lld characters", where, p->key,
		    (long long)p->min, (long long)p->max);
	for (const char *s = value; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(err, ERR_CONFIG,
			    "%s: %s must not hold control characters", where,
			    p->key);
	const struct text_rule *broken = broken_rule(p->key, value);
	if (broken)
		return err_set(err, ERR_CONFIG,
		    "%s: %s must be %s, not \"%.60s\"", where, p->key,
		    broken->allowed, value);
	set_str(field(c, p->at), value);
	return 0;
}

/*
 * Some settings are checked later, by others, who then tell where they stand.
 */
static void note_where(struct conf *c, const char *where, const char *key)
{
	if (strcmp(where, "default") == 0)
		return;
	if (strcmp(key, "trust") == 0)
		set_str(&c->trust_where, where);
	if (strcmp(key, "trusted_proxies") == 0)
		set_str(&c->proxies_where, where);
}

int conf_set(struct conf *c, const char *where, const char *key,
    const char *value, struct err *err)
{
	const struct param *p = find_param(key);
	if (!p)
		return err_set(err, ERR_CONFIG,
		    "%s: there is no setting %.60s; did you mean %s?", where,
		    key, nearest_key(key));
	if (strcmp(key, "workers") == 0)
		return set_workers(c, p, where, value, err);
	note_where(c, where, key);
	switch (p->type) {
	case PARAM_INT:
		return set_int(c, p, where, value, err);
	case PARAM_BOOL:
		return set_bool(c, p, where, value, err);
	case PARAM_ENUM:
		return set_enum(c, p, where, value, err);
	case PARAM_STR:
		return set_text(c, p, where, value, err);
	}
	return -1;
}

/* ---- host.yaml ---- */

static bool is_later_key(const char *key)
{
	for (const char *const *k = later_keys; *k; k++)
		if (strcmp(*k, key) == 0)
			return true;
	return false;
}

struct reader {
	struct conf *conf;
	const char *path;
	conf_warning *warn;
	void *arg;
	yaml_document_t doc;
};

static void warn_key(struct reader *r, const char *key, size_t line)
{
	struct buf text = {0};
	if (is_later_key(key))
		buf_printf(&text, "%s line %zu: %s is not yet supported",
		    r->path, line, key);
	else
		buf_printf(&text,
		    "%s line %zu: there is no setting %.60s; did you mean %s?",
		    r->path, line, key, nearest_key(key));
	if (r->warn)
		r->warn(buf_cstr(&text), r->arg);
	buf_fini(&text);
}

static const char *scalar(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

/* A switched-off key of the document needs no warning. */
static bool is_harmless(const char *key, const yaml_node_t *value)
{
	if (value->type != YAML_SCALAR_NODE)
		return false;
	const char *v = scalar(value);
	bool is_off = !*v || strcmp(v, "null") == 0 || strcmp(v, "~") == 0 ||
		      strcmp(v, "false") == 0;
	return is_off && is_later_key(key);
}

static const char *type_name(const struct param *p)
{
	static const char *const names[] = {
	    "an integer", "true or false", "one word", "a string"};
	return names[p->type];
}

/* YAML's own idea of the type: a quoted number is a string, say. */
static bool is_quoted(const yaml_node_t *n)
{
	return n->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
	       n->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

/* YAML has words for nothing: they are not a name. */
static const char *text_of(const yaml_node_t *n)
{
	const char *text = scalar(n);
	bool is_null = !is_quoted(n) &&
		       (strcmp(text, "null") == 0 || strcmp(text, "~") == 0);
	return is_null ? "" : text;
}

static int set_pair(struct reader *r, const yaml_node_t *key,
    const yaml_node_t *value, struct err *err)
{
	char where[512];
	size_t line = value->start_mark.line + 1;
	if (key->type != YAML_SCALAR_NODE)
		return err_set(err, ERR_CONFIG,
		    "%s line %zu: a key must be a word", r->path, line);
	const char *name = scalar(key);
	const struct param *p = find_param(name);
	(void)snprintf(where, sizeof where, "%s line %zu", r->path, line);
	if (!p) {
		if (!is_harmless(name, value))
			warn_key(r, name, key->start_mark.line + 1);
		return 0;
	}
	if (strcmp(name, "trust") == 0 && value->type != YAML_SCALAR_NODE)
		return err_set(err, ERR_CONFIG,
		    "%s: trust must be \"open\"; custom trust is not supported "
		    "yet",
		    where);
	bool is_text = value->type == YAML_SCALAR_NODE;
	if (!is_text || (p->type == PARAM_INT && is_quoted(value)))
		return err_set(err, ERR_CONFIG, "%s: %s must be %s", where,
		    name, type_name(p));
	if (strlen(scalar(value)) != value->data.scalar.length)
		return err_set(
		    err, ERR_CONFIG, "%s: %s must not hold a NUL", where, name);
	return conf_set(r->conf, where, name, text_of(value), err);
}

static int set_all(struct reader *r, struct err *err)
{
	yaml_node_t *root = yaml_document_get_root_node(&r->doc);
	if (!root)
		return 0;
	if (root->type == YAML_SCALAR_NODE && !*text_of(root))
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return err_set(err, ERR_CONFIG,
		    "%s: must be a mapping of settings", r->path);
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key =
		    yaml_document_get_node(&r->doc, pair->key);
		const yaml_node_t *value =
		    yaml_document_get_node(&r->doc, pair->value);
		if (set_pair(r, key, value, err) != 0)
			return -1;
	}
	return 0;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(
		    err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	text->len = fread(buf_reserve(text, MAX_YAML + 1), 1, MAX_YAML + 1, f);
	bool failed = ferror(f) != 0;
	(void)fclose(f);
	if (failed)
		return err_set(err, ERR_CONFIG, "%s: cannot be read", path);
	if (text->len > MAX_YAML)
		return err_set(err, ERR_CONFIG, "%s: larger than %d bytes",
		    path, MAX_YAML);
	return 0;
}

int conf_read_yaml(struct conf *c, const char *path, conf_warning *warn,
    void *arg, struct err *err)
{
	struct reader r = {.conf = c, .path = path, .warn = warn, .arg = arg};
	struct buf text = {0};
	yaml_parser_t parser;
	if (read_file(path, &text, err) != 0) {
		buf_fini(&text);
		return -1;
	}
	if (!yaml_parser_initialize(&parser)) {
		buf_fini(&text);
		return err_set(err, ERR_CONFIG, "libyaml does not start");
	}
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)buf_cstr(&text), text.len);
	int rc;
	if (yaml_parser_load(&parser, &r.doc)) {
		rc = set_all(&r, err);
		yaml_document_delete(&r.doc);
	} else {
		rc = err_set(err, ERR_CONFIG, "%s line %zu: %s", path,
		    parser.problem_mark.line + 1,
		    parser.problem ? parser.problem : "not YAML");
	}
	yaml_parser_delete(&parser);
	buf_fini(&text);
	return rc;
}

/* ---- the environment ---- */

static const char *trust_of_environment(const char *name)
{
	if (strcmp(name, "development") == 0)
		return "open";
	if (strcmp(name, "test") == 0 || strcmp(name, "staging") == 0)
		return "careful";
	return strcmp(name, "production") == 0 ? "strict" : NULL;
}

int conf_read_env(struct conf *c, struct err *err)
{
	const char *port = getenv("AGENT_PORT");
	const char *name = getenv("CONNECTONION_ENV");
	const char *trust = name ? trust_of_environment(name) : NULL;
	if (port && conf_set(c, "AGENT_PORT", "port", port, err) != 0)
		return -1;
	if (!trust || *c->trust_where)
		return 0;
	return conf_set(c, "CONNECTONION_ENV", "trust", trust, err);
}

int conf_check(const struct conf *c, struct err *err)
{
	static const char *const levels[] = {"open", "careful", "strict"};
	if (c->trust != TRUST_OPEN)
		return err_set(err, ERR_CONFIG,
		    "%s: trust: \"%s\" is not supported yet; only \"open\" "
		    "is: set trust: open in host.yaml or use --trust open",
		    c->trust_where, levels[c->trust]);
	return 0;
}

/* ---- handing on ---- */

static void put_line(struct buf *out, const char *key, const char *value)
{
	buf_str(out, key);
	buf_char(out, '\0');
	buf_str(out, value);
	buf_char(out, '\0');
}

static void put_param(
    struct buf *out, const struct conf *c, const struct param *p)
{
	char text[32];
	const void *at = field_const(c, p->at);
	switch (p->type) {
	case PARAM_INT:
		(void)snprintf(
		    text, sizeof text, "%lld", (long long)*(const int64_t *)at);
		put_line(out, p->key, text);
		break;
	case PARAM_BOOL:
		put_line(out, p->key, *(const bool *)at ? "true" : "false");
		break;
	case PARAM_ENUM: {
		const char *s = p->unit;
		for (int i = *(const int *)at; i > 0; i--)
			s = strchr(s, '|') + 1;
		char *word = mem_strndup(s, strcspn(s, "|"));
		put_line(out, p->key, word);
		free(word);
		break;
	}
	case PARAM_STR:
		put_line(out, p->key, *(char *const *)at);
		break;
	}
}

int conf_save(const struct conf *c, int fd)
{
	struct buf out = {0};
	for (size_t i = 0; i < N_PARAMS; i++)
		put_param(&out, c, &params[i]);
	for (size_t i = 0; i < N_FOUND; i++)
		put_line(&out, found[i].key,
		    *(char *const *)field_const(c, found[i].at));
	ssize_t n = pwrite(fd, out.data, out.len, 0);
	bool ok = n == (ssize_t)out.len;
	buf_fini(&out);
	return ok ? 0 : -1;
}

static int load_pair(
    struct conf *c, const char *key, const char *value, struct err *err)
{
	for (size_t i = 0; i < N_FOUND; i++)
		if (strcmp(found[i].key, key) == 0) {
			set_str(field(c, found[i].at), value);
			return 0;
		}
	return conf_set(c, "inherited settings", key, value, err);
}

int conf_load(struct conf *c, int fd, struct err *err)
{
	struct buf text = {0};
	ssize_t n;
	int rc = 0;
	while ((n = pread(
		    fd, buf_reserve(&text, 4096), 4096, (off_t)text.len)) > 0)
		text.len += (size_t)n;
	if (n < 0)
		rc = err_set(
		    err, ERR_CONFIG, "inherited settings: %s", strerror(errno));
	if (rc == 0 && text.len && text.data[text.len - 1])
		rc = err_set(err, ERR_CONFIG, "inherited settings end early");
	const char *p = buf_cstr(&text), *end = p + text.len;
	while (rc == 0 && p < end) {
		const char *value = p + strlen(p) + 1;
		rc = value < end ? load_pair(c, p, value, err)
				 : err_set(err, ERR_CONFIG,
				       "inherited settings end early");
		p = rc == 0 ? value + strlen(value) + 1 : end;
	}
	buf_fini(&text);
	return rc;
}

/* ---- .env files ---- */

static char *trim(char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	size_t n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = 0;
	return s;
}

static char *unquote(char *s)
{
	size_t n = strlen(s);
	if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s) {
		s[n - 1] = 0;
		return s + 1;
	}
	return s;
}

static bool set_variable(char *line)
{
	char *key = trim(line);
	if (strncmp(key, "export ", 7) == 0)
		key = trim(key + 7);
	char *equals = strchr(key, '=');
	if (*key == '#' || !equals || equals == key)
		return false;
	*equals = 0;
	key = trim(key);
	if (getenv(key))
		return false;
	return setenv(key, unquote(trim(equals + 1)), 0) == 0;
}

int conf_load_env_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;
	if (!f)
		return -1;
	while (getline(&line, &size, f) > 0)
		count += set_variable(line);
	free(line);
	(void)fclose(f);
	return count;
}
