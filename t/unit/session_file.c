/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The file of --session: what is kept, and how it is replaced. */
#include "cli/session_file.h"

#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/session_file-XXXXXX";
static char path[64], link_path[64];
static char why[512];

static void write_text(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static void check_empty(void)
{
	struct session_file *f = session_file_open(path, why, sizeof why);

	ok(f != NULL, "a file that does not exist is opened");
	ok(session_file_get(f, "0x1") == NULL, "an empty file has no session");
	is_int((int)session_file_next(f), 0, "an empty file begins at agent 0");
	ok(session_file_key(f, false) == NULL, "an empty file has no key");
	session_file_close(&f);
	ok(f == NULL, "closing a session file nulls the pointer");
	ok(access(path, F_OK) != 0, "opening a session file writes nothing");
}

static void check_kept(void)
{
	struct session_file *f = session_file_open(path, why, sizeof why);
	unsigned char key[SESSION_FILE_KEY_SIZE];
	struct stat st;

	session_file_set(f, "0x1", "{\"n\": 1.50}");
	session_file_set(f, "0x2", "{\"s\": \"\\u00e9\"}");
	session_file_set(f, "0x2", "{\"s\": 2}");
	session_file_set_next(f, 1);
	memcpy(key, session_file_key(f, true), sizeof key);
	ok(session_file_save(f, why, sizeof why), "a session file is saved");
	session_file_close(&f);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600,
	    "a new session file is for its owner alone");

	f = session_file_open(path, why, sizeof why);
	is_str(session_file_get(f, "0x1"), "{\"n\": 1.50}",
	    "a session is kept as it was spelled");
	is_str(session_file_get(f, "0x2"), "{\"s\": 2}",
	    "the newest session of an agent is kept");
	is_int((int)session_file_next(f), 1, "the next agent is kept");
	const unsigned char *kept = session_file_key(f, false);
	ok(kept && memcmp(kept, key, sizeof key) == 0, "the key is kept");
	session_file_clear(f);
	ok(session_file_get(f, "0x1") == NULL, "a session can be forgotten");
	ok(session_file_key(f, false) != NULL,
	    "forgetting sessions keeps the key");
	session_file_close(&f);
}

static void check_replaced(void)
{
	struct session_file *f;
	struct stat st;

	write_text("{\"co-connect\": 1, \"agents\": {}}");
	if (chmod(path, 0644) != 0 || symlink(path, link_path) != 0)
		abort();
	f = session_file_open(link_path, why, sizeof why);
	session_file_set(f, "0x1", "{}");
	ok(session_file_save(f, why, sizeof why),
	    "a session file is saved through a link");
	session_file_close(&f);
	ok(lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode),
	    "a link to a session file stays a link");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600,
	    "saving takes the access of others to a session file away");
	(void)unlink(link_path);
}

static void check_refused(void)
{
	static const char *const texts[] = {
	    "not JSON",
	    "[]",
	    "{}",
	    "{\"co-connect\": 2, \"agents\": {}}",
	    "{\"co-connect\": 1}",
	    "{\"co-connect\": 1, \"agents\": []}",
	    "{\"co-connect\": 1, \"agents\": {}, \"key\": \"00\"}",
	    "{\"co-connect\": 1, \"agents\": {}, \"key\": 7}",
	};
	struct session_file *f;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_text(texts[i]);
		f = session_file_open(path, why, sizeof why);
		ok(!f && strstr(why, path), "%s is refused by its name",
		    texts[i]);
		session_file_close(&f);
	}
	f = session_file_open("/dev/null/none", why, sizeof why);
	ok(!f, "a session file below a file is refused");
	session_file_close(&f);
	f = session_file_open("/dev/zero", why, sizeof why);
	ok(!f && strstr(why, "/dev/zero is not a regular file"),
	    "a device is no session file, and is not read");
	session_file_close(&f);
	(void)unlink(path);
	if (mkfifo(path, 0600) != 0)
		abort();
	f = session_file_open(path, why, sizeof why);
	ok(!f, "a pipe is no session file, and is not waited for");
	session_file_close(&f);
	(void)unlink(path);
}

static void check_failed(void)
{
	struct session_file *f;
	char other[64];

	(void)snprintf(other, sizeof other, "%s/none/file", folder);
	f = session_file_open(other, why, sizeof why);
	ok(!f && strstr(why, other),
	    "a folder that does not exist is told when the file is opened");
	session_file_close(&f);
	(void)snprintf(other, sizeof other, "%s/sub", folder);
	if (mkdir(other, 0700) != 0)
		abort();
	(void)strcat(other, "/file");
	f = session_file_open(other, why, sizeof why);
	*strrchr(other, '/') = '\0';
	if (rmdir(other) != 0)
		abort();
	ok(f && !session_file_save(f, why, sizeof why) && strstr(why, other),
	    "a folder that is gone is told when the file is saved");
	session_file_close(&f);
}

int main(void)
{
	if (!mkdtemp(folder))
		abort();
	(void)snprintf(path, sizeof path, "%s/s", folder);
	(void)snprintf(link_path, sizeof link_path, "%s/l", folder);
	check_empty();
	check_kept();
	check_replaced();
	check_refused();
	check_failed();
	(void)unlink(path);
	ok(rmdir(folder) == 0, "saving leaves no other file behind");
	return done();
}
