/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/session_file.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "cli/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A conversation is bounded by what a host lets a client send: less than this. */
#define MAX_BYTES ((size_t)256 << 20)

struct conversation_of {
	char *agent;
	char *session;
};

struct session_file {
	char *path;
	struct conversation_of *all;
	size_t n;
	size_t next;
	bool has_key;
	unsigned char key[SESSION_FILE_KEY_SIZE];
};

static struct conversation_of *find(
    const struct session_file *f, const char *agent)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->all[i].agent, agent) == 0)
			return &f->all[i];
	return NULL;
}

static void put(struct session_file *f, char *agent, char *session)
{
	struct conversation_of *old = find(f, agent);

	if (old) {
		free(old->session);
		free(agent);
		old->session = session;
		return;
	}
	f->all = mem_realloc(f->all, (f->n + 1) * sizeof *f->all);
	f->all[f->n++] =
	    (struct conversation_of){.agent = agent, .session = session};
}

/* ---- reading ---- */

static bool take_key(struct session_file *f, const struct json *key)
{
	char *hex = json_strdup(key);
	bool is_good = json_type(key) == JSON_NULL;

	if (hex && strlen(hex) == 2 * sizeof f->key)
		is_good = f->has_key = enc_unhex(f->key, hex, sizeof f->key);
	if (hex)
		explicit_bzero(hex, strlen(hex));
	free(hex);
	return is_good;
}

static bool take_root(struct session_file *f, const struct json *root)
{
	int64_t version = 0, next = 0;
	const struct json *agents = json_get(root, "agents");

	if (!json_is(root, JSON_OBJECT) ||
	    !json_int(json_get(root, "co-connect"), &version) || version != 1 ||
	    !json_is(agents, JSON_OBJECT) ||
	    !take_key(f, json_get(root, "key")))
		return false;
	for (const struct json *a = json_first(agents); a; a = json_next(a)) {
		char *agent = json_strdup(json_key(a));
		size_t len;
		const char *text = json_text(a, &len);
		if (agent)
			put(f, agent, mem_strndup(text, len));
	}
	(void)json_int(json_get(root, "next"), &next);
	f->next = next > 0 ? (size_t)next : 0;
	return true;
}

/*
 * Whether there is a file that another can take the place of, or could be one.
 * A device such as /dev/null must not be replaced, however much we may.
 */
static bool is_replaceable(const char *path, char *why, size_t size)
{
	struct stat st;
	bool is_there = stat(path, &st) == 0;
	const char *slash = strrchr(path, '/');
	struct buf folder = {0};

	buf_append(&folder, path, slash ? (size_t)(slash - path) + 1 : 0);
	buf_char(&folder, '.');
	bool is_ours = access(buf_cstr(&folder), W_OK) == 0;

	if (is_there && !S_ISREG(st.st_mode))
		(void)snprintf(why, size, "%s is not a regular file", path);
	else if (!is_ours)
		(void)snprintf(
		    why, size, "cannot write %s: %s", path, strerror(errno));
	buf_fini(&folder);
	return is_ours && (!is_there || S_ISREG(st.st_mode));
}

struct session_file *session_file_open(const char *path, char *why, size_t size)
{
	struct session_file *f = mem_zero(sizeof *f);
	struct buf text = {0};
	struct json_doc doc = {0};
	struct json_error error;
	/* A link stays a link: the file that it names is replaced. */
	char *real = realpath(path, NULL);

	f->path = real ? real : mem_strdup(path);
	if (!is_replaceable(f->path, why, size)) {
		session_file_close(&f);
		return NULL;
	}
	if (!real)
		return f;
	if (!read_file(path, MAX_BYTES, &text, why, size)) {
		session_file_close(&f);
		buf_fini(&text);
		return NULL;
	}
	const struct json *root =
	    json_parse(&doc, buf_cstr(&text), text.len, 0, &error);
	if (text.len && !take_root(f, root)) {
		(void)snprintf(why, size,
		    "%s is no session file of co-connect: remove it, or name "
		    "another",
		    path);
		session_file_close(&f);
	}
	json_fini(&doc);
	buf_fini(&text);
	return f;
}

void session_file_close(struct session_file **fp)
{
	struct session_file *f = *fp;

	if (!f)
		return;
	*fp = NULL;
	session_file_clear(f);
	explicit_bzero(f->key, sizeof f->key);
	free(f->path);
	free(f);
}

/* ---- what is in it ---- */

const char *session_file_get(const struct session_file *f, const char *agent)
{
	const struct conversation_of *found = find(f, agent);

	return found ? found->session : NULL;
}

void session_file_set(
    struct session_file *f, const char *agent, const char *session)
{
	put(f, mem_strdup(agent), mem_strdup(session));
}

void session_file_clear(struct session_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->all[i].agent);
		free(f->all[i].session);
	}
	free(f->all);
	f->all = NULL;
	f->n = 0;
}

size_t session_file_next(const struct session_file *f)
{
	return f->next;
}

void session_file_set_next(struct session_file *f, size_t next)
{
	f->next = next;
}

const unsigned char *session_file_key(struct session_file *f, bool make)
{
	if (!f->has_key && make) {
		enc_random(f->key, sizeof f->key);
		f->has_key = true;
	}
	return f->has_key ? f->key : NULL;
}

/* ---- writing ---- */

static void render(const struct session_file *f, struct buf *out)
{
	char hex[2 * SESSION_FILE_KEY_SIZE + 1];

	enc_hex(hex, f->key, sizeof f->key);
	buf_printf(
	    out, "{\"co-connect\": 1, \"next\": %zu, \"key\": ", f->next);
	buf_json_str(out, f->has_key ? hex : NULL);
	explicit_bzero(hex, sizeof hex);
	buf_str(out, ", \"agents\": {");
	for (size_t i = 0; i < f->n; i++) {
		buf_str(out, i ? ",\n" : "\n");
		buf_json_str(out, f->all[i].agent);
		buf_str(out, ": ");
		buf_str(out, f->all[i].session);
	}
	buf_str(out, "}}\n");
}

/* The new file is complete before it takes the place of the old one. */
static bool replace(const char *path, const char *new, const struct buf *text)
{
	int fd = open(
	    new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	bool is_good = write_all(fd, text->data, text->len) && fsync(fd) == 0;
	is_good = close(fd) == 0 && is_good;
	if (is_good && rename(new, path) == 0)
		return true;
	int saved = errno;
	(void)unlink(new); /* what failed is reported */
	errno = saved;
	return false;
}

bool session_file_save(struct session_file *f, char *why, size_t size)
{
	struct buf text = {0}, new = {0};
	char id[ENC_UUID_SIZE];

	enc_uuid(id);
	buf_printf(&new, "%s.%s", f->path, id);
	render(f, &text);
	bool is_good = replace(f->path, buf_cstr(&new), &text);
	if (!is_good)
		(void)snprintf(
		    why, size, "cannot write %s: %s", f->path, strerror(errno));
	explicit_bzero(text.data, text.len);
	buf_fini(&text);
	buf_fini(&new);
	return is_good;
}
