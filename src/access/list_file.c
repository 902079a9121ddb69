/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/list_file.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/err.h"
#include "identity/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536

/*
 * The kernel takes timestamps from a clock with steps of up to 10 ms, and
 * reuses inode numbers: a second change within the same step may leave the
 * stamp equal.
 */
#define SETTLE_MS 50

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void list_file_init(
    struct list_file *f, const char *path, bool has_comments, bool is_exact)
{
	*f = (struct list_file){
	    .path = mem_strdup(path),
	    .has_comments = has_comments,
	    .is_exact = is_exact,
	    .entries = map_new(),
	};
}

static void forget(struct list_file *f)
{
	map_free(&f->entries);
	for (size_t i = 0; i < f->n_patterns; i++)
		free(f->patterns[i]);
	free(f->patterns);
	f->patterns = NULL;
	f->n_patterns = 0;
}

void list_file_fini(struct list_file *f)
{
	forget(f);
	free(f->path);
	f->path = NULL;
}

/* ---- reading ---- */

const char *list_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int list_file_refuse(struct err *err, const char *path, const char *why)
{
	return err_set(err, ERR_MISCONFIGURED,
	    "misconfigured: cannot read %s: %s", list_file_name(path), why);
}

/* Text with a NUL is UTF-16, or not text at all. */
static bool is_utf8(const char *text, size_t len)
{
	if (len && memchr(text, 0, len))
		return false;
	while (len) {
		size_t n = utf8_len(text, len);
		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static int list_file_read_all(
    int fd, const char *path, struct buf *out, struct err *err)
{
	ssize_t n;
	do {
		char *to = buf_reserve(out, READ_BYTES);
		n = read(fd, to, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return list_file_refuse(err, path, strerror(errno));
		out->len += (size_t)n;
		if (out->len > LIST_FILE_BYTES)
			return list_file_refuse(
			    err, path, "it is larger than 16 MiB");
	} while (n != 0);
	if (is_utf8(out->data, out->len))
		return 0;
	return err_set(err, ERR_MISCONFIGURED,
	    "misconfigured: trust list %s is not UTF-8 text: save it as UTF-8",
	    list_file_name(path));
}

static int read_regular(
    int fd, const char *path, struct buf *out, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return list_file_refuse(err, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return list_file_refuse(err, path, "it is no regular file");
	return list_file_read_all(fd, path, out, err);
}

/* A dangling link exists, but cannot be read. */
static bool is_missing(const char *path)
{
	struct stat st;
	return errno == ENOENT && lstat(path, &st) != 0 && errno == ENOENT;
}

int list_file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int why = errno;
	if (fd < 0)
		return is_missing(path)
			   ? 0
			   : list_file_refuse(err, path, strerror(why));
	int rc = read_regular(fd, path, out, err);
	(void)close(fd);
	return rc;
}

/* ---- entries ---- */

static char list_file_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool list_file_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The form in which entries and ids are stored and compared; free() it. */
static char *normalise(const char *text, size_t len)
{
	char address[ADDRESS_SIZE];
	if (address_parse(text, len, address))
		return mem_strdup(address);
	char *copy = mem_strndup(text, len);
	for (char *p = copy; *p; p++)
		*p = list_file_lower(*p);
	return copy;
}

/* One more than the limit is stored, to show that it was exceeded. */
static void add_pattern(struct list_file *f, char *pattern)
{
	if (f->n_patterns > LIST_FILE_PATTERNS) {
		free(pattern);
		return;
	}
	f->patterns =
	    mem_realloc(f->patterns, (f->n_patterns + 1) * sizeof *f->patterns);
	f->patterns[f->n_patterns++] = pattern;
}

static void add_entry(const char *text, size_t len, void *arg)
{
	static char is_there;
	struct list_file *f = arg;
	char *entry = normalise(text, len);
	if (!f->is_exact && strchr(entry, '*')) {
		add_pattern(f, entry);
		return;
	}
	(void)map_put(f->entries, entry, strlen(entry), &is_there);
	free(entry);
}

static void list_file_trim(const char **text, size_t *len)
{
	while (*len && list_file_is_blank(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && list_file_is_blank((*text)[*len - 1]))
		(*len)--;
}

/*
 * Returns the entry of a line without blanks and comment; *len is 0 if there is
 * none.
 */
static const char *entry_of(const char *text, size_t *len, bool has_comments)
{
	const char *comment = has_comments ? memchr(text, '#', *len) : NULL;
	if (comment)
		*len = (size_t)(comment - text);
	list_file_trim(&text, len);
	if (*len && *text == '#')
		*len = 0;
	return text;
}

bool list_file_is_entry(const char *line, size_t len, const char *id)
{
	list_file_trim(&line, &len);
	char *entry = normalise(line, len);
	char *name = normalise(id, strlen(id));
	bool is_same = strcmp(entry, name) == 0;
	free(entry);
	free(name);
	return is_same;
}

/* Skip the byte order mark that some editors write. */
static void skip_mark(const char **text, size_t *len)
{
	const size_t mark = strlen(BYTE_ORDER_MARK);
	if (*len >= mark && memcmp(*text, BYTE_ORDER_MARK, mark) == 0) {
		*text += mark;
		*len -= mark;
	}
}

/* The length of the first line, without its newline. */
static size_t line_len(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && text[n] != '\n' && text[n] != '\r')
		n++;
	return n;
}

void list_file_each(const char *text, size_t len, bool has_comments,
    void (*fn)(const char *entry, size_t len, void *arg), void *arg)
{
	skip_mark(&text, &len);
	while (len) {
		size_t n = line_len(text, len), n_entry = n;
		const char *entry = entry_of(text, &n_entry, has_comments);
		if (n_entry)
			fn(entry, n_entry, arg);
		n += n < len;
		text += n;
		len -= n;
	}
}

void list_file_fill(struct list_file *f, const char *text, size_t len)
{
	forget(f);
	f->entries = map_new();
	list_file_each(text, len, f->has_comments, add_entry, f);
}

/* ---- warnings ---- */

/*
 * The maximum number of warnings for one list, and the number of characters of
 * an entry shown in one.
 */
#define MOST_WARNINGS 10
#define MOST_SHOWN 80

static bool is_no_address(const char *entry, size_t len, bool is_exact)
{
	char address[ADDRESS_SIZE];
	return len >= 2 && entry[0] == '0' &&
	       list_file_lower(entry[1]) == 'x' &&
	       (is_exact || !memchr(entry, '*', len)) &&
	       !address_parse(entry, len, address);
}

void list_file_warn(
    const char *text, size_t len, const char *where, bool is_exact)
{
	size_t number = 0, n_odd = 0;
	skip_mark(&text, &len);
	while (len) {
		size_t n = line_len(text, len), n_entry = n;
		const char *entry = entry_of(text, &n_entry, true);
		number++;
		if (is_no_address(entry, n_entry, is_exact) &&
		    ++n_odd <= MOST_WARNINGS)
			log_warn("%s%zu: \"%.*s\" is not an address (0x and "
				 "64 hex digits) and matches nobody",
			    where, number,
			    (int)(n_entry < MOST_SHOWN ? n_entry : MOST_SHOWN),
			    entry);
		n += n < len && text[n] == '\r' && n + 1 < len &&
		     text[n + 1] == '\n';
		n += n < len;
		text += n;
		len -= n;
	}
	if (n_odd > MOST_WARNINGS)
		log_warn("%s...: %zu more entries are not addresses", where,
		    n_odd - MOST_WARNINGS);
}

/* ---- looking for changes ---- */

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* Get the current stamp. Returns 0, or -1 with ERR_MISCONFIGURED. */
static int list_file_look(
    const char *path, struct list_stamp *stamp, struct err *err)
{
	struct stat st;
	*stamp = (struct list_stamp){.inode = 0};
	if (stat(path, &st) != 0) {
		int why = errno;
		return is_missing(path)
			   ? 0
			   : list_file_refuse(err, path, strerror(why));
	}
	stamp->mtime_ns = ns_of(&st.st_mtim);
	stamp->ctime_ns = ns_of(&st.st_ctim);
	stamp->size = st.st_size;
	stamp->inode = st.st_ino;
	return 0;
}

static bool is_unchanged(
    const struct list_file *f, const struct list_stamp *stamp)
{
	return f->is_known && f->is_settled &&
	       memcmp(&f->stamp, stamp, sizeof *stamp) == 0;
}

/*
 * The stamp was taken before the file was read, so it shows any later change.
 */
static bool is_settled(const struct list_stamp *stamp)
{
	int64_t age_ms = clock_wall_ms() - stamp->ctime_ns / 1000000;
	return age_ms > SETTLE_MS || age_ms < -SETTLE_MS;
}

/* Warn after a change only; at the start lists_warn() has done it. */
static void warn_of(const struct list_file *f, const struct buf *text)
{
	struct buf where = {0};
	buf_printf(&where, "%s line ", f->path);
	list_file_warn(text->data ? text->data : "", text->len,
	    buf_cstr(&where), f->is_exact);
	buf_fini(&where);
}

/* The operator gets the full path, once; clients get only the name. */
static int list_file_fail(struct list_file *f, const struct err *err)
{
	if (!f->is_told)
		log_warn("list=%s: %s", f->path, err->text);
	f->is_told = true;
	return -1;
}

int list_file_refresh(struct list_file *f, struct err *err)
{
	struct list_stamp stamp;
	struct buf text = {0};
	int rc = list_file_look(f->path, &stamp, err);
	if (rc == 0 && is_unchanged(f, &stamp))
		return 0;
	f->is_known = false;
	if (rc == 0)
		rc = list_file_read(f->path, &text, err);
	if (rc == 0)
		list_file_fill(f, text.data ? text.data : "", text.len);
	if (rc == 0 && f->stamp.inode &&
	    memcmp(&f->stamp, &stamp, sizeof stamp) != 0)
		warn_of(f, &text);
	buf_fini(&text);
	if (rc == 0 && f->n_patterns > LIST_FILE_PATTERNS)
		rc = list_file_refuse(
		    err, f->path, "it has too many lines with '*'");
	if (rc != 0)
		return list_file_fail(f, err);
	f->is_told = false;
	f->version++;
	f->stamp = stamp;
	f->is_settled = is_settled(&stamp);
	f->is_known = true;
	return 0;
}

/* ---- asking ---- */

/* Whether the pattern, in which only '*' is special, matches the whole text. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool list_file_has(const struct list_file *f, const char *id)
{
	if (!f->n_patterns && !map_count(f->entries))
		return false;
	char *name = normalise(id, strlen(id));
	bool found = map_get(f->entries, name, strlen(name)) != NULL;
	for (size_t i = 0; !found && i < f->n_patterns; i++)
		found = matches(f->patterns[i], name);
	free(name);
	return found;
}
