/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/upload.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/pulse.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576

/*
 * The least space that a file counts for, so that empty files count towards the
 * quota too.
 */
#define BLOCK_BYTES 4096

/* How many bytes of a client's file name are shown in an error text. */
#define SHOWN_NAME 200

/* Number of hex digits before the name of a file on disk. */
#define RANDOM_HEX 32

/* ---- checking ---- */

static bool starts_with(const char *s, size_t len, const char *head)
{
	size_t n = strlen(head);
	return len >= n && !strncasecmp(s, head, n);
}

/*
 * Checks the form of base64, whole groups; its characters are checked
 * elsewhere.
 */
static bool is_base64_long(const char *s, size_t len)
{
	return len % 4 == 0 && (len == 0 || s[0] != '=');
}

static bool is_base64(const char *s, size_t len)
{
	if (!is_base64_long(s, len))
		return false;
	size_t end = len;
	while (end > 0 && len - end < 2 && s[end - 1] == '=')
		end--;
	for (size_t i = 0; i < end; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '+' && s[i] != '/')
			return false;
	return true;
}

const char *upload_payload(const char *data, size_t len, size_t *payload_len)
{
	*payload_len = len;
	if (!starts_with(data, len, "data:"))
		return data;
	const char *comma = memchr(data, ',', len);
	if (!comma)
		return NULL;
	*payload_len = len - (size_t)(comma + 1 - data);
	return comma + 1;
}

/* Returns the payload of an image, or NULL if models do not accept its form. */
static const char *image_payload(const char *s, size_t len, size_t *payload_len)
{
	const char *p = upload_payload(s, len, payload_len);
	if (!p || *payload_len == 0)
		return NULL;
	if (p != s) {
		size_t head = (size_t)(p - s);
		if (!starts_with(s, head, "data:image/") ||
		    head < sizeof "data:image/;base64," - 1 ||
		    !starts_with(p - 8, 8, ";base64,"))
			return NULL;
	}
	return is_base64(p, *payload_len) ? p : NULL;
}

static int bad_file(size_t index, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "Invalid file: %zu", index);
}

static int bad_image(size_t index, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "Invalid image: %zu", index);
}

static int too_many(
    const char *what, size_t count, int64_t max, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST,
	    "Too many %s: %zu (max: %lld). Increase max_files_per_request "
	    "in host.yaml",
	    what, count, (long long)max);
}

static double as_mib(size_t bytes)
{
	return (double)bytes / MIB;
}

static bool upload_is_over(size_t bytes, const struct conf *conf)
{
	return bytes > (size_t)conf->max_file_size * MIB;
}

/* scratch holds unescaped text, which is discarded between calls. */
static int check_file(const struct json *file, size_t index,
    const struct conf *conf, struct buf *scratch, struct err *err)
{
	const struct json *name = json_get(file, "name");
	const struct json *data = json_get(file, "data");
	if (!json_is(file, JSON_OBJECT) || !json_is(name, JSON_STRING) ||
	    !json_is(data, JSON_STRING))
		return bad_file(index, err);
	size_t len;
	buf_reset(scratch);
	const char *text = json_str(data, scratch, &len);
	const char *p = upload_payload(text, len, &len);
	if (!p || !is_base64_long(p, len))
		return bad_file(index, err);
	size_t size = enc_base64_size(p, len);
	if (!upload_is_over(size, conf))
		return 0;
	buf_reset(scratch);
	text = json_str(name, scratch, &len);
	return err_set(err, ERR_BAD_REQUEST,
	    "File too large: %.*s (%.1fMB, max: %lldMB). Increase "
	    "max_file_size in host.yaml",
	    (int)(len < SHOWN_NAME ? len : SHOWN_NAME), text, as_mib(size),
	    (long long)conf->max_file_size);
}

static int check_image(const struct json *image, size_t index,
    const struct conf *conf, struct buf *scratch, struct err *err)
{
	if (!json_is(image, JSON_STRING))
		return bad_image(index, err);
	size_t len;
	buf_reset(scratch);
	const char *text = json_str(image, scratch, &len);
	const char *p = image_payload(text, len, &len);
	if (!p)
		return bad_image(index, err);
	size_t size = enc_base64_size(p, len);
	if (!upload_is_over(size, conf))
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "Image too large: image %zu (%.1fMB, max: %lldMB). Increase "
	    "max_file_size in host.yaml",
	    index, as_mib(size), (long long)conf->max_file_size);
}

typedef int check_fn(const struct json *v, size_t index,
    const struct conf *conf, struct buf *scratch, struct err *err);

static int check_each(const struct json *list, check_fn *check,
    const struct conf *conf, struct err *err)
{
	struct buf scratch = {0};
	size_t index = 0;
	int rc = 0;
	for (const struct json *v = json_first(list); v && !rc;
	     v = json_next(v))
		rc = check(v, index++, conf, &scratch, err);
	buf_fini(&scratch);
	return rc;
}

static int check_files(
    const struct json *files, const struct conf *conf, struct err *err)
{
	if (json_type(files) == JSON_NULL)
		return 0;
	if (!json_is(files, JSON_ARRAY))
		return bad_file(0, err);
	if (json_count(files) > (size_t)conf->max_files_per_request)
		return too_many("files", json_count(files),
		    conf->max_files_per_request, err);
	return check_each(files, check_file, conf, err);
}

static int check_images(
    const struct json *images, const struct conf *conf, struct err *err)
{
	if (json_type(images) == JSON_NULL)
		return 0;
	if (!json_is(images, JSON_ARRAY))
		return bad_image(0, err);
	if (json_count(images) > (size_t)conf->max_files_per_request)
		return too_many("images", json_count(images),
		    conf->max_files_per_request, err);
	return check_each(images, check_image, conf, err);
}

int upload_check(const struct json *images, const struct json *files,
    const struct conf *conf, struct err *err)
{
	if (check_files(files, conf, err) < 0)
		return -1;
	return check_images(images, conf, err);
}

/* ---- names ---- */

/* Returns where the last path segment begins, for either kind of slash. */
static size_t last_segment(const char *s, size_t len)
{
	while (len > 0 && s[len - 1] != '/' && s[len - 1] != '\\')
		len--;
	return len;
}

/* An angle bracket could close the tag that contains the name in the prompt. */
static bool is_kept(unsigned char c)
{
	return c >= 0x20 && c != 0x7f && c != '<' && c != '>';
}

/*
 * Length of the extension with its dot; 0 if there is none, or if it is too
 * long for one.
 */
static size_t extension(const char *s, size_t len)
{
	for (size_t n = 1; n < len && n <= 16; n++)
		if (s[len - n] == '.')
			return n;
	return 0;
}

void upload_name(char out[UPLOAD_NAME_MAX + 1], const char *name, size_t len)
{
	size_t from = last_segment(name, len);
	struct buf kept = {0};
	for (size_t i = from; i < len; i++)
		if (is_kept((unsigned char)name[i]) &&
		    !(kept.len == 0 && name[i] == '.'))
			buf_char(&kept, name[i]);
	if (kept.len == 0)
		buf_str(&kept, "upload");
	size_t tail = 0;
	if (kept.len > UPLOAD_NAME_MAX)
		tail = extension(kept.data, kept.len);
	size_t head =
	    utf8_cut(kept.data, kept.len - tail, UPLOAD_NAME_MAX - tail);
	memcpy(out, kept.data, head);
	memcpy(out + head, kept.data + kept.len - tail, tail);
	out[head + tail] = '\0';
	buf_fini(&kept);
}

/* ---- on disk ---- */

/*
 * Whether a directory entry has the form of our names: other files are not ours
 * to remove.
 */
static bool is_upload(const char *name)
{
	return strspn(name, "0123456789abcdef") == RANDOM_HEX &&
	       name[RANDOM_HEX] == '_';
}

typedef int64_t entry_fn(
    int dir_fd, const char *name, const struct stat *st, int64_t arg);

static bool stat_upload(int dir_fd, const char *name, struct stat *st)
{
	return is_upload(name) &&
	       fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

/* Returns the sum of fn over all uploads in dir, or -1 with errno. */
static int64_t each_upload(const char *dir, entry_fn *fn, int64_t arg)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	int64_t sum = 0;
	struct stat st;
	for (struct dirent *e; (e = readdir(d)) != NULL; pulse_step())
		if (stat_upload(fd, e->d_name, &st))
			sum += fn(fd, e->d_name, &st, arg);
	closedir(d);
	return sum;
}

static int64_t remove_old(
    int dir_fd, const char *name, const struct stat *st, int64_t before_ms)
{
	int64_t changed_ms =
	    (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
	if (changed_ms >= before_ms)
		return 0;
	return unlinkat(dir_fd, name, 0) == 0;
}

static int64_t room_taken(
    int dir_fd, const char *name, const struct stat *st, int64_t unused)
{
	(void)dir_fd;
	(void)name;
	(void)unused;
	return st->st_size > BLOCK_BYTES ? st->st_size : BLOCK_BYTES;
}

int upload_sweep(const char *dir, int64_t older_than_ms)
{
	int64_t n =
	    each_upload(dir, remove_old, clock_expiry_ms() - older_than_ms);
	if (n < 0)
		return errno == ENOENT ? 0 : -1;
	return (int)n;
}

int64_t upload_total(const char *dir)
{
	int64_t n = each_upload(dir, room_taken, 0);
	return n < 0 ? 0 : n;
}

void upload_discard(const struct agent_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (unlink(files[i].path) < 0 && errno != ENOENT)
			log_warn("upload=%s: cannot remove: %s", files[i].path,
			    strerror(errno));
}
