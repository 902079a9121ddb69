/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/policy_int.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FENCE "---"
#define READ_BYTES 65536

/* The levels are ordinary policies. */
static const struct level {
	const char *name;
	const char *rules;
} levels[] = {
    {"open", "{\"default\":\"allow\"}"},
    {"careful", "{\"allow\":[\"admin\",\"whitelisted\",\"contact\"],"
		"\"onboard\":{\"invite_code\":[\"$CO_INVITE_CODE\"],"
		"\"payment\":\"$CO_PAYMENT\"},\"default\":\"ask\"}"},
    {"strict", "{\"allow\":[\"admin\",\"whitelisted\"],"
	       "\"default\":\"deny\"}"},
};

/* ---- rules ---- */

static int read_json(struct policy *p, const char *name, const char *text,
    size_t len, const struct buf *lines, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct policy_source s = {.name = name, .lines = lines};
	s.root = json_parse(&doc, text, len, JSON_UNIQUE_KEYS, &why);
	int rc = s.root ? policy_rules_read(p, &s, err)
			: err_set(err, ERR_CONFIG, "%s: %s", name, why.message);
	json_fini(&doc);
	return rc;
}

static int read_yaml(struct policy *p, const char *name, const char *text,
    size_t len, struct err *err)
{
	struct buf json = {0}, lines = {0};
	int rc = yaml_to_json_lines(&json, &lines, text, len, name, err);
	if (rc == 0)
		rc = read_json(p, name, json.data, json.len, &lines, err);
	buf_fini(&json);
	buf_fini(&lines);
	return rc;
}

/* ---- texts ---- */

static bool is_fence(const char *line)
{
	size_t len = strcspn(line, "\r\n");
	const size_t fence = strlen(FENCE);
	return strncmp(line, FENCE, fence) == 0 &&
	       fence + strspn(line + fence, " \t") == len;
}

/*
 * Returns the line that closes the front matter at the beginning of the text;
 * or NULL.
 */
static const char *find_fence(const char *text)
{
	const char *line = strchr(text, '\n');
	while (line && !is_fence(line + 1))
		line = strchr(line + 1, '\n');
	return line ? line + 1 : NULL;
}

static int read_front(struct policy *p, const char *name, const char *text,
    const char *end, struct err *err)
{
	const char *body = end + strcspn(end, "\n");
	p->text = mem_strdup(body + strspn(body, "\r\n"));
	/*
	 * Keep the opening line: it is valid YAML, and keeps line numbers
	 * right.
	 */
	return read_yaml(p, name, text, (size_t)(end - text), err);
}

static int policy_text_read_text(
    struct policy *p, const char *name, const char *text, struct err *err)
{
	text += strspn(text, " \t\r\n");
	bool has_front = strncmp(text, FENCE, strlen(FENCE)) == 0;
	const char *end = has_front ? find_fence(text) : NULL;
	if (end)
		return read_front(p, name, text, end, err);
	p->text = mem_strdup(text);
	p->denies_blocked = true;
	/* Unterminated rules were certainly meant as rules. */
	p->fallback = has_front ? DEFAULT_DENY : DEFAULT_ASK;
	if (has_front)
		log_warn("%s: no line \"---\" ends the rules: everybody is "
			 "denied",
		    name);
	return 0;
}

/* ---- files ---- */

static bool policy_text_is_text(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n == 0 || text[i] == '\0')
			return false;
	}
	return true;
}

static int policy_text_cannot(
    const char *path, const char *why, struct err *err)
{
	return err_set(err, ERR_CONFIG, "trust: %.400s: %s", path, why);
}

static int read_fd(int fd, const char *path, struct buf *text, struct err *err)
{
	struct stat st;
	ssize_t n;
	if (fstat(fd, &st) != 0)
		return policy_text_cannot(path, strerror(errno), err);
	if (!S_ISREG(st.st_mode))
		return policy_text_cannot(
		    path, "a policy is a regular file", err);
	do {
		char *to = buf_reserve(text, READ_BYTES);
		n = read(fd, to, READ_BYTES);
		if (n < 0)
			return policy_text_cannot(path, strerror(errno), err);
		text->len += (size_t)n;
		if (text->len > POLICY_BYTES)
			return policy_text_cannot(
			    path, "a policy may have at most 1 MiB", err);
	} while (n);
	if (text->len == 0)
		return policy_text_cannot(path, "the policy is empty", err);
	return policy_text_is_text(text->data, text->len)
		   ? 0
		   : policy_text_cannot(path, "a policy is UTF-8 text", err);
}

static int policy_text_read_file(
    struct policy *p, const char *path, int fd, struct err *err)
{
	struct buf text = {0};
	int rc = read_fd(fd, path, &text, err);
	if (rc == 0)
		rc = policy_text_read_text(p, path, buf_cstr(&text), err);
	buf_fini(&text);
	return rc;
}

/* Prose has several words; a single word that names nothing is a mistake. */
static int read_prose(
    struct policy *p, const char *text, int why, struct err *err)
{
	bool is_word = !text[strcspn(text, " \t\r\n")];
	if (is_word || (why != ENOENT && why != ENOTDIR && why != ENAMETOOLONG))
		return policy_text_cannot(text, strerror(why), err);
	return policy_text_read_text(p, "trust", text, err);
}

/* The setting is a path, relative to the project, or prose. */
static int read_path(struct policy *p, const struct conf *conf, struct err *err)
{
	struct buf path = {0};
	if (*conf->trust != '/' && *conf->project_dir)
		buf_printf(&path, "%s/", conf->project_dir);
	buf_str(&path, conf->trust);
	int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc = fd < 0 ? read_prose(p, conf->trust, errno, err)
			: policy_text_read_file(p, buf_cstr(&path), fd, err);
	if (fd >= 0)
		(void)close(fd);
	buf_fini(&path);
	return rc;
}

static int read_custom(
    struct policy *p, const struct conf *conf, struct err *err)
{
	const char *text = conf->trust;
	p->is_custom = true;
	if (*text == '{')
		return read_json(p, "trust", text, strlen(text), NULL, err);
	if (strncmp(text, FENCE, strlen(FENCE)) == 0 || strchr(text, '\n'))
		return policy_text_read_text(p, "trust", text, err);
	return read_path(p, conf, err);
}

int policy_text_read(struct policy *p, const struct conf *conf, struct err *err)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		const struct level *l = &levels[i];
		if (strcmp(conf->trust, l->name) != 0)
			continue;
		return read_json(
		    p, l->name, l->rules, strlen(l->rules), NULL, err);
	}
	return read_custom(p, conf, err);
}
