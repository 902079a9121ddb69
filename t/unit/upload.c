/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The rules of uploads, and the saver that writes them. */
#include "files/upload.h"
#include "files/uploads.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "t/unit/tap.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576

static struct conf conf;

/* ---- checking ---- */

static const struct {
	const char *name;
	const char *images; /* NULL: absent */
	const char *files;
	const char *want; /* NULL: passes */
} checks[] = {
    {"nothing at all", NULL, NULL, NULL},
    {"null is none", "null", "null", NULL},
    {"empty arrays are none", "[]", "[]", NULL},
    {"files may have a data URL or bare base64", NULL,
	"[{\"name\":\"a\",\"data\":\"data:x/y;base64,eA==\"},"
	"{\"name\":\"b\",\"data\":\"eA==\"}]",
	NULL},
    {"an empty file is a file", NULL, "[{\"name\":\"a\",\"data\":\"\"}]", NULL},
    {"images may have a data URL or bare base64",
	"[\"data:image/png;base64,eA==\",\"eA==\"]", NULL, NULL},
    {"escaped slashes are slashes", "[\"data:image\\/png;base64,eA\\/=\"]",
	NULL, NULL},
    {"files that are no array", NULL, "{}", "Invalid file: 0"},
    {"a file that is no object", NULL, "[\"x\"]", "Invalid file: 0"},
    {"the second file has no data", NULL,
	"[{\"name\":\"a\",\"data\":\"\"},{\"name\":\"b\"}]", "Invalid file: 1"},
    {"a name that is no string", NULL, "[{\"name\":1,\"data\":\"eA==\"}]",
	"Invalid file: 0"},
    {"base64 of a wrong length", NULL, "[{\"name\":\"a\",\"data\":\"eA=\"}]",
	"Invalid file: 0"},
    {"a data URL without a comma", NULL,
	"[{\"name\":\"a\",\"data\":\"data:eA==\"}]", "Invalid file: 0"},
    {"four files", NULL, "[1,2,3,4]",
	"Too many files: 4 (max: 3). Increase max_files_per_request in "
	"host.yaml"},
    {"four images", "[1,2,3,4]", NULL,
	"Too many images: 4 (max: 3). Increase max_files_per_request in "
	"host.yaml"},
    {"files are judged before images", "[1,2,3,4]", "[{}]", "Invalid file: 0"},
    {"images that are no array", "\"eA==\"", NULL, "Invalid image: 0"},
    {"the second image is no string", "[\"eA==\",7]", NULL, "Invalid image: 1"},
    {"an image elsewhere", "[\"https://example.com/x.png\"]", NULL,
	"Invalid image: 0"},
    {"an image that is text", "[\"data:text/plain;base64,eA==\"]", NULL,
	"Invalid image: 0"},
    {"an image that is not base64", "[\"data:image/svg+xml,eA==\"]", NULL,
	"Invalid image: 0"},
    {"an image of nothing", "[\"\"]", NULL, "Invalid image: 0"},
    {"padding in the middle", "[\"eA==eA==\"]", NULL, "Invalid image: 0"},
};

static const struct json *parse(struct json_doc *doc, const char *text)
{
	struct json_error why;
	return text ? json_parse(doc, text, strlen(text), 0, &why) : NULL;
}

static void check(
    const char *name, const char *images, const char *files, const char *want)
{
	struct json_doc one = {0}, two = {0};
	struct err err = {.code = ERR_OK, .text = ""};
	int rc =
	    upload_check(parse(&one, images), parse(&two, files), &conf, &err);
	ok(want ? rc < 0 && err.code == ERR_BAD_REQUEST &&
		      !strcmp(err.text, want)
		: rc == 0,
	    "the check of files: %s%s%s", name, rc < 0 ? ": " : "", err.text);
	json_fini(&one);
	json_fini(&two);
}

/* Append base64 of so many bytes. */
static void put_base64(struct buf *out, size_t bytes)
{
	for (; bytes >= 3; bytes -= 3)
		buf_str(out, "eHh4");
	if (bytes)
		buf_str(out, bytes == 1 ? "eA==" : "eHg=");
}

static void check_size(const char *head, const char *tail, size_t bytes,
    bool is_image, const char *want)
{
	struct buf text = {0};
	buf_str(&text, head);
	put_base64(&text, bytes);
	buf_str(&text, tail);
	const char *list = buf_cstr(&text);
	char name[64];
	snprintf(name, sizeof(name), "%s of %zu bytes",
	    is_image ? "an image" : "a file", bytes);
	check(name, is_image ? list : NULL, is_image ? NULL : list, want);
	buf_fini(&text);
}

static void test_sizes(void)
{
	static const char file[] =
	    "[{\"name\":\"v.mp4\",\"data\":\"data:video/mp4;base64,";
	static const char image[] = "[\"eA==\",\"data:image/png;base64,";
	check_size(file, "\"}]", MIB, false, NULL);
	check_size(file, "\"}]", MIB + 1, false,
	    "File too large: v.mp4 (1.0MB, max: 1MB). Increase max_file_size "
	    "in host.yaml");
	check_size(image, "\"]", MIB, true, NULL);
	check_size(image, "\"]", MIB * 3 / 2, true,
	    "Image too large: image 1 (1.5MB, max: 1MB). Increase "
	    "max_file_size in host.yaml");
}

/* ---- names ---- */

static const struct {
	const char *name;
	size_t len;
	const char *want;
} names[] = {
    {"report.pdf", 10, "report.pdf"},
    {"../../etc/passwd", 16, "passwd"},
    {"/abs/olute.txt", 14, "olute.txt"},
    {"C:\\Users\\me\\a.doc", 17, "a.doc"},
    {"...hidden", 9, "hidden"},
    {"", 0, "upload"},
    {"..", 2, "upload"},
    {"dir/", 4, "upload"},
    {"a\0b\nc\x7f", 6, "abc"},
    {"</system-reminder>x", 19, "system-reminderx"},
    {"<..b>", 5, "b"},
    {"caf\xc3\xa9.txt", 9, "caf\xc3\xa9.txt"},
};

static void test_names(void)
{
	char out[UPLOAD_NAME_MAX + 1];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		upload_name(out, names[i].name, names[i].len);
		ok(!strcmp(out, names[i].want), "name: %s becomes %s",
		    names[i].want, out);
	}
	char big[400];
	memset(big, 'a', sizeof(big));
	memcpy(big + sizeof(big) - 4, ".pdf", 4);
	upload_name(out, big, sizeof(big));
	ok(strlen(out) == UPLOAD_NAME_MAX && !strcmp(out + 176, ".pdf"),
	    "name: a long one is cut and keeps its extension");
	for (size_t i = 0; i + 1 < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xa9", 2);
	big[0] = 'x';
	big[1] = 'y';
	big[2] = 'z';
	memmove(big + 3, big + 4, sizeof(big) - 4);
	upload_name(out, big, sizeof(big) - 1);
	ok(strlen(out) == UPLOAD_NAME_MAX - 1 &&
		(unsigned char)out[178] == 0xa9,
	    "name: a cut does not split a character");
}

/* ---- saving ---- */

static struct {
	sem_t ready;
	int calls;
	size_t n;
	bool has_failed;
	struct err err;
	struct agent_file *files;
} saved;

static void on_ready(void *arg)
{
	(void)arg;
	sem_post(&saved.ready);
}

static void on_done(
    void *arg, struct agent_file *files, size_t n, const struct err *err)
{
	(void)arg;
	saved.calls++;
	saved.n = n;
	saved.files = files;
	saved.has_failed = err != NULL;
	if (err)
		saved.err = *err;
}

static void free_saved(void)
{
	for (size_t i = 0; i < saved.n; i++) {
		free((void *)(uintptr_t)saved.files[i].name);
		free((void *)(uintptr_t)saved.files[i].path);
	}
	free(saved.files);
	saved.files = NULL;
	saved.n = 0;
}

static void save(struct uploads *u, const char *files)
{
	struct json_doc doc = {0};
	struct err err;
	if (uploads_save(u, parse(&doc, files), on_done, NULL, &err) != 0)
		abort();
	json_fini(&doc);
	sem_wait(&saved.ready);
	uploads_collect(u);
}

static int count_entries(const char *dir)
{
	int n = 0;
	DIR *d = opendir(dir);
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void expect_content(const char *path, const char *want)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	ok(n == strlen(want) && !memcmp(text, want, n),
	    "save: the file holds what was sent");
}

static void test_good_files(struct uploads *u, const char *dir)
{
	struct stat st;
	save(u, "[{\"name\":\"../a.txt\",\"data\":\"aGVsbG8=\"},"
		"{\"name\":\"../a.txt\",\"data\":\"data:;base64,eA==\"}]");
	ok(saved.n == 2 && !saved.has_failed, "save: two files are saved");
	if (saved.n != 2)
		return;
	const struct agent_file *f = saved.files;
	size_t dir_len = strlen(dir);
	ok(!strcmp(f[0].name, "a.txt") && f[0].size_bytes == 5,
	    "save: name and size are told");
	ok(!strncmp(f[0].path, dir, dir_len) && f[0].path[dir_len] == '/' &&
		strspn(f[0].path + dir_len + 1, "0123456789abcdef") == 32 &&
		!strcmp(f[0].path + dir_len + 33, "_a.txt"),
	    "save: the path is random and ends in the safe name");
	ok(strcmp(f[0].path, f[1].path) != 0,
	    "save: the same name twice makes two files");
	expect_content(f[0].path, "hello");
	ok(stat(f[0].path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "save: the file is private");
	ok(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700,
	    "save: the folder is private");
	ok(upload_total(dir) == 2 * 4096, "total: small files count a block");
	upload_discard(f, 2);
	ok(count_entries(dir) == 0, "discard: they are gone");
	free_saved();
}

static void test_bad_files(struct uploads *u, const char *dir)
{
	save(u, "[{\"name\":\"a\",\"data\":\"eA==\"},"
		"{\"name\":\"b\",\"data\":\"eA==\"},"
		"{\"name\":\"c\",\"data\":\"!!!!\"}]");
	ok(saved.has_failed && saved.err.code == ERR_BAD_REQUEST &&
		!strcmp(saved.err.text, "Invalid file: 2"),
	    "save: base64 that does not decode is refused");
	ok(count_entries(dir) == 0,
	    "save: files before the bad one are removed");
}

static void test_quota(struct uploads *u, const char *dir)
{
	int64_t quota = conf.uploads_quota;
	conf.uploads_quota = 0;
	save(u, "[{\"name\":\"a\",\"data\":\"eA==\"}]");
	conf.uploads_quota = quota;
	ok(saved.has_failed && saved.err.code == ERR_FULL &&
		strstr(saved.err.text, "uploads_quota"),
	    "save: over the quota is refused and says how to raise it");
	ok(count_entries(dir) == 0, "save: and leaves nothing");
}

static void test_link(const char *parent)
{
	struct buf dir = {0};
	buf_printf(&dir, "%s/link", parent);
	ok(symlink(parent, buf_cstr(&dir)) == 0, "a symbolic link is made");
	struct uploads *u = uploads_new(buf_cstr(&dir), &conf, on_ready, NULL);
	save(u, "[{\"name\":\"a\",\"data\":\"eA==\"}]");
	ok(saved.has_failed && saved.err.code == ERR_STORE,
	    "save: a folder that is a link is not used");
	uploads_free(&u);
	ok(!u, "free: the pointer is nulled");
	unlink(buf_cstr(&dir));
	buf_fini(&dir);
}

static void test_sweep(struct uploads *u, const char *dir)
{
	struct buf other = {0};
	save(u, "[{\"name\":\"a\",\"data\":\"eA==\"}]");
	free_saved();
	buf_printf(&other, "%s/keep.txt", dir);
	FILE *f = fopen(buf_cstr(&other), "w");
	if (f)
		fclose(f);
	ok(upload_sweep(dir, 60000) == 0, "sweep: young files stay");
	ok(upload_sweep(dir, -60000) == 1, "sweep: old ones go");
	ok(count_entries(dir) == 1, "sweep: files of others stay");
	unlink(buf_cstr(&other));
	buf_fini(&other);
	ok(upload_sweep("/nonexistent/uploads", 0) == 0,
	    "sweep: no folder is an empty one");
}

/* Jobs that fail at once, and are not collected meanwhile. */
static void test_full(struct uploads *u)
{
	struct json_doc doc = {0};
	struct err err = {.code = ERR_OK, .text = ""};
	const struct json *files =
	    parse(&doc, "[{\"name\":\"a\",\"data\":\"!!!!\"}]");
	int taken = 0;
	int calls = saved.calls;
	while (taken <= UPLOADS_MAX_JOBS &&
	       uploads_save(u, files, on_done, NULL, &err) == 0)
		taken++;
	ok(taken == UPLOADS_MAX_JOBS && err.code == ERR_CROWDED &&
		err.retry_after_ms > 0,
	    "save: a job above the limit is refused: %s", err.text);
	for (int i = 0; i < taken; i++)
		sem_wait(&saved.ready);
	uploads_collect(u);
	is_int(saved.calls - calls, taken,
	    "save: each job below the limit is told");
	saved.calls = calls;
	json_fini(&doc);
}

/* Closing waits for what is being written, and takes it away again. */
static void test_leaving(const char *parent)
{
	struct json_doc doc = {0};
	struct buf dir = {0};
	struct err err;
	buf_printf(&dir, "%s/left", parent);
	struct uploads *u = uploads_new(buf_cstr(&dir), &conf, on_ready, NULL);
	const struct json *files =
	    parse(&doc, "[{\"name\":\"a\",\"data\":\"eA==\"}]");
	int calls = saved.calls;
	for (int i = 0; i < 5; i++)
		if (uploads_save(u, files, on_done, NULL, &err) != 0)
			abort();
	sem_wait(&saved.ready);
	uploads_free(&u);
	is_int(saved.calls, calls, "free: jobs that were left are not told");
	is_int(count_entries(buf_cstr(&dir)), 0,
	    "free: jobs that were left leave no file");
	rmdir(buf_cstr(&dir));
	buf_fini(&dir);
	json_fini(&doc);
}

/* Which job ended as which. */
static int order[8];
static int n_ordered;

static void note_order(
    void *arg, struct agent_file *files, size_t n, const struct err *err)
{
	order[n_ordered++] = *(int *)arg;
	on_done(NULL, files, n, err);
	free_saved();
}

static void test_order(struct uploads *u, const char *dir)
{
	static int ids[8] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct json_doc doc = {0};
	struct err err;
	const struct json *good =
	    parse(&doc, "[{\"name\":\"a\",\"data\":\"eA==\"}]");
	for (int i = 0; i < 8; i++)
		if (uploads_save(u, good, note_order, &ids[i], &err) != 0)
			abort();
	for (int i = 0; i < 8; i++)
		sem_wait(&saved.ready);
	uploads_collect(u);
	ok(n_ordered == 8 && !memcmp(order, ids, sizeof order),
	    "save: jobs end in the order in which they came");
	saved.calls -= n_ordered;
	ok(upload_sweep(dir, -60000) == 8, "save: each of them made a file");
	json_fini(&doc);
}

static void test_saving(void)
{
	char parent[] = "/tmp/co-upload-XXXXXX";
	struct buf dir = {0};
	sem_init(&saved.ready, 0, 0);
	ok(mkdtemp(parent) != NULL, "a folder is made");
	buf_printf(&dir, "%s/uploads", parent);
	struct uploads *u = uploads_new(buf_cstr(&dir), &conf, on_ready, NULL);
	test_good_files(u, buf_cstr(&dir));
	test_bad_files(u, buf_cstr(&dir));
	test_quota(u, buf_cstr(&dir));
	test_sweep(u, buf_cstr(&dir));
	test_full(u);
	test_order(u, buf_cstr(&dir));
	ok(saved.calls == 4, "each job was told once");
	uploads_free(&u);
	rmdir(buf_cstr(&dir));
	test_link(parent);
	test_leaving(parent);
	rmdir(parent);
	buf_fini(&dir);
	sem_destroy(&saved.ready);
}

int main(void)
{
	conf_init(&conf);
	conf.max_file_size = 1;
	conf.max_files_per_request = 3;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		check(checks[i].name, checks[i].images, checks[i].files,
		    checks[i].want);
	test_sizes();
	test_names();
	test_saving();
	conf_fini(&conf);
	return done();
}
