/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/init.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/ident.h"
#include "launch/options.h"
#include "main/agent_py.h"
#include "main/host_yaml.h"
#include "main/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger .gitignore is left alone. */
#define MAX_IGNORE (1024 * 1024)

/* The maximum length of a name, which must also be valid as a host name. */
#define MAX_NAME 39

struct project {
	char dir[PATH_MAX];
	char *co_dir;
	struct err err;
};

/* ---- files ---- */

static char *path_in(const struct project *p, const char *name)
{
	struct buf path = {0};
	buf_printf(&path, "%s/%s", p->dir, name);
	return buf_steal(&path, NULL);
}

static int init_fail(struct project *p, const char *path)
{
	return err_set(&p->err, ERR_CONFIG, "%s: %s", path, strerror(errno));
}

static void init_tell(bool is_made, const char *name, const char *note)
{
	printf("  %s  %-15s %s\n", is_made ? "made" : "kept", name, note);
}

static int append_to(struct project *p, const char *path, int flags,
    const void *text, size_t len)
{
	int fd = open(
	    path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		return errno == EEXIST ? 1 : init_fail(p, path);
	bool is_whole = write(fd, text, len) == (ssize_t)len;
	int rc = is_whole ? 0 : init_fail(p, path);
	close(fd);
	return rc;
}

/* Create a file unless it exists. */
static int make_file(struct project *p, const char *name, const char *note,
    const struct buf *text)
{
	char *path = path_in(p, name);
	int rc = append_to(p, path, O_CREAT | O_EXCL, text->data, text->len);
	free(path);
	if (rc >= 0)
		init_tell(rc == 0, name, note);
	return rc < 0 ? -1 : 0;
}

static int init_make_folder(struct project *p, const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	return init_fail(p, path);
}

/* ---- what is in a project ---- */

/* Returns a sample without the comment about itself that it begins with. */
static const char *body(const char *sample)
{
	while (*sample == '#')
		sample += strcspn(sample, "\n") + 1;
	return sample + (*sample == '\n');
}

static int make_agent(struct project *p)
{
	struct buf text = {0};
	buf_str(&text, body(agent_py_text));
	int rc = make_file(p, "agent.py", "the agent", &text);
	buf_fini(&text);
	return rc;
}

/* Append the folder's name in lower case, with '-' for anything but letters. */
static void put_name(struct buf *out, const char *dir)
{
	const char *s = strrchr(dir, '/') + 1;
	size_t start = out->len;
	for (; *s && out->len - start < MAX_NAME; s++) {
		char c = *s >= 'A' && *s <= 'Z' ? (char)(*s | 0x20) : *s;
		bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (is_good)
			buf_char(out, c);
		else if (out->len > start && out->data[out->len - 1] != '-')
			buf_char(out, '-');
	}
	if (out->len > start && out->data[out->len - 1] == '-')
		out->len--;
	if (out->len == start)
		buf_str(out, "agent");
}

/* Append a line of the sample, or instead of "#key: DEFAULT" what we set. */
static void put_setting(
    struct buf *out, const char *line, size_t len, const char *dir)
{
	if (strncmp(line, "#name:", 6) == 0) {
		buf_str(out, "name: \"");
		put_name(out, dir);
		buf_str(out, "\"\n");
	} else if (strncmp(line, "#entrypoint:", 12) == 0) {
		buf_str(out, "entrypoint: agent.py\n");
	} else if (strncmp(line, "#trust:", 7) == 0) {
		buf_str(out, "trust: careful\n");
	} else {
		buf_append(out, line, len);
	}
}

static int make_settings(struct project *p)
{
	struct buf text = {0};
	buf_str(&text, "# Settings of this agent. \"co-hostd -t\" checks them; "
		       "see host.yaml(5).\n"
		       "# A line that begins with '#' shows a default.\n"
		       "\n");
	const char *line = body(host_yaml_text);
	while (*line) {
		size_t len = strcspn(line, "\n");
		len += line[len] == '\n';
		put_setting(&text, line, len, p->dir);
		line += len;
	}
	int rc = make_file(p, ".co/host.yaml", "settings", &text);
	buf_fini(&text);
	return rc;
}

static int make_keys(struct project *p)
{
	struct ident me;
	if (ident_make(&me, p->co_dir, &p->err) != 0)
		return -1;
	init_tell(me.is_new, ".co/keys",
	    "the key; make a copy of recovery.txt and keep it secret");
	printf("\n  address: %s\n", me.address);
	ident_fini(&me);
	return 0;
}

/* ---- .gitignore ---- */

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);
	for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n')
		if (strncmp(s, line, n) == 0 && strchr("\r\n", s[n]))
			return true;
	return false;
}

/* Append what must not be published and is not ignored yet. */
static void put_ignored(struct buf *out, const char *text)
{
	static const char *const lines[] = {".env", ".co/keys/", ".co/store/",
	    ".co/logs/", ".co/uploads/", ".co/evals/",
	    ".co/session_results.jsonl*", ".co/served_by.json"};
	struct buf missing = {0};
	size_t len = strlen(text);
	if (has_line(text, ".co/") || has_line(text, ".co"))
		return;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!has_line(text, lines[i]))
			buf_printf(&missing, "%s\n", lines[i]);
	if (missing.len)
		buf_printf(out, "%s%s# co-hostd\n%s",
		    len && text[len - 1] != '\n' ? "\n" : "", len ? "\n" : "",
		    buf_cstr(&missing));
	buf_fini(&missing);
}

static int init_read_text(struct project *p, const char *path, char **text)
{
	*text = mem_zero(MAX_IGNORE);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	ssize_t n = fd < 0 ? -1 : read(fd, *text, MAX_IGNORE);
	if (n == MAX_IGNORE) {
		n = -1;
		errno = EFBIG;
	}
	int rc = n < 0 ? init_fail(p, path) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int make_ignore(struct project *p)
{
	char *path = path_in(p, ".gitignore"), *text;
	struct buf more = {0};
	int rc = init_read_text(p, path, &text);
	if (rc == 0)
		put_ignored(&more, text);
	if (rc == 0 && more.len)
		rc = append_to(p, path, O_CREAT, more.data, more.len);
	if (rc == 0)
		init_tell(
		    more.len > 0, ".gitignore", "keeps secrets out of git");
	buf_fini(&more);
	free(text);
	free(path);
	return rc;
}

/* ---- the command ---- */

static int make_project(struct project *p, const char *dir)
{
	if (init_make_folder(p, dir, 0755) != 0)
		return -1;
	if (!realpath(dir, p->dir))
		return init_fail(p, dir);
	printf("co-hostd: a project in %s\n", p->dir);
	p->co_dir = path_in(p, ".co");
	if (init_make_folder(p, p->co_dir, 0700) != 0 ||
	    make_settings(p) != 0 || make_agent(p) != 0 || make_ignore(p) != 0)
		return -1;
	int rc = make_keys(p);
	(void)private_make(
	    p->co_dir, NULL); /* the sample was created like any file */
	return rc;
}

/* The steps that remain; the command line is fit for a shell. */
static void print_next(const struct project *p)
{
	bool is_plain = !strpbrk(p->dir, " \t\"$&();<>`|*?[\\");
	printf("\nNext:\n"
	       "  1. in .co/host.yaml, set python to the interpreter that has "
	       "connectonion\n"
	       "  2. put a model key into .env, such as OPENAI_API_KEY=...\n");
	printf(is_plain ? "\nNow run: co-hostd -d %s\n"
			: "\nNow run: co-hostd -d '%s'\n",
	    p->dir);
}

int init_run(const struct options *o)
{
	struct project p = {.co_dir = NULL};
	const char *dir = o->n_args ? o->args[0] : o->dir ? o->dir : ".";
	if (o->n_args > 1)
		options_error("unexpected argument", o->args[1]);
	int rc = make_project(&p, dir);
	if (rc == 0)
		print_next(&p);
	else
		(void)fprintf(stderr, "co-hostd: %s\n", p.err.text);
	free(p.co_dir);
	return rc == 0 ? 0 : 1;
}
