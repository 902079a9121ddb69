/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * Changes of the lists, for access/lists.h: under a lock, the files are read,
 * changed in memory, and replaced whole.
 */
#include "access/lists.h"

#include "access/list_file.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "core/err.h"
#include "identity/ident_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long to wait for another process that holds the lock. */
#define PATIENCE_MS 1000
#define PAUSE_MS 5

enum { CONTACTS, WHITELIST, BLOCKLIST, ADMINS, N_FILES };

static const char *const names[N_FILES] = {
    "contacts.txt", "whitelist.txt", "blocklist.txt", "admins.txt"};

/* A change in progress. */
struct work {
	const char *co_dir;
	const char *address;
	char id[LISTS_ID_MAX + 1]; /* an address is canonical */
	struct buf path[N_FILES];
	struct buf text[N_FILES];
	bool is_changed[N_FILES];
	struct lists_result *result;
};

/*
 * Neither a control character nor one that other programs take for a line end.
 */
static bool is_printable(const char *s, size_t n)
{
	uint32_t c = n ? utf8_get(s, n) : 0;
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x2028 &&
	       c != 0x2029;
}

bool lists_id_is_valid(const char *id, size_t len)
{
	if (!len || len > LISTS_ID_MAX || *id == '#')
		return false;
	if (*id == ' ' || id[len - 1] == ' ' || memchr(id, '*', len))
		return false;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(id + i, len - i);
		if (!is_printable(id + i, n))
			return false;
	}
	return true;
}

/* Admins must be addresses. */
static int take_id(
    struct work *w, const struct lists_change *change, struct err *err)
{
	char address[ADDRESS_SIZE];
	size_t len = strnlen(change->id, sizeof change->id);
	bool is_address = address_parse(change->id, len, address);
	bool is_admins = change->action == LISTS_ADD_ADMIN ||
			 change->action == LISTS_REMOVE_ADMIN;
	if (is_admins ? !is_address : !lists_id_is_valid(change->id, len))
		return err_set(err, ERR_BAD_REQUEST, "client_id invalid");
	if (is_address)
		memcpy(w->id, address, sizeof address);
	else
		memcpy(w->id, change->id, len + 1);
	return 0;
}

/* ---- the files ---- */

static int lists_change_cannot(
    struct err *err, const char *path, const char *why)
{
	log_warn("list=%s: cannot be written: %s", path, why);
	return err_set(err, ERR_MISCONFIGURED,
	    "misconfigured: cannot write %s: see the log",
	    list_file_name(path));
}

/* The holder of the lock only writes a few files, unless something is wrong. */
static bool wait_for_lock(int fd)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    clock_mono_ms() > until_ms)
			return false;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return true;
}

static int take_lock(const char *co_dir, struct err *err)
{
	struct buf path = {0};
	buf_printf(&path, "%s/lists.lock", co_dir);
	int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || !wait_for_lock(fd)) {
		(void)lists_change_cannot(
		    err, buf_cstr(&path), strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
	}
	buf_fini(&path);
	return fd;
}

static int read_files(struct work *w, struct err *err)
{
	for (int i = 0; i < N_FILES; i++) {
		buf_printf(&w->path[i], "%s/%s", w->co_dir, names[i]);
		if (list_file_read(buf_cstr(&w->path[i]), &w->text[i], err) !=
		    0)
			return -1;
	}
	return 0;
}

/* Keep what the operator chose: the mode, and the target of a link. */
static int lists_change_replace(
    const char *path, const struct buf *text, struct err *err)
{
	struct stat st;
	struct err why;
	char *real = realpath(path, NULL);
	struct ident_file file = {
	    .path = real ? real : path,
	    .mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600,
	    .may_replace = true,
	};
	int rc = text->len > LIST_FILE_BYTES
		     ? err_set(&why, ERR_CONFIG, "it would be over 16 MiB")
		     : ident_file_write(&file, text->data, text->len, &why);
	if (rc != 0)
		(void)lists_change_cannot(err, path, why.text);
	free(real);
	return rc;
}

static int write_files(struct work *w, struct err *err)
{
	for (int i = 0; i < N_FILES; i++)
		if (w->is_changed[i] &&
		    lists_change_replace(
			buf_cstr(&w->path[i]), &w->text[i], err) != 0)
			return -1;
	return 0;
}

/* ---- lines ---- */

static bool has(const struct work *w, int file)
{
	struct list_file f;
	list_file_init(&f, "", false, file == ADMINS);
	list_file_fill(&f, w->text[file].data ? w->text[file].data : "",
	    w->text[file].len);
	bool found = list_file_has(&f, w->id);
	list_file_fini(&f);
	return found;
}

static void lists_change_add(struct work *w, int file)
{
	struct buf *text = &w->text[file];
	if (has(w, file))
		return;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_char(text, '\n');
	buf_str(text, w->id);
	buf_char(text, '\n');
	w->is_changed[file] = true;
}

static void lists_change_drop(struct work *w, int file)
{
	struct buf *text = &w->text[file], kept = {0};
	for (size_t at = 0; at < text->len;) {
		const char *line = text->data + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t n = end ? (size_t)(end - line) : text->len - at;
		if (list_file_is_entry(line, n, w->id))
			w->is_changed[file] = true;
		else
			buf_append(&kept, line, n + (end != NULL));
		at += n + (end != NULL);
	}
	buf_fini(text);
	*text = kept;
}

static enum trust_level lists_change_level_of(const struct work *w)
{
	if (has(w, BLOCKLIST))
		return LEVEL_BLOCKED;
	if (has(w, WHITELIST))
		return LEVEL_WHITELIST;
	return has(w, CONTACTS) ? LEVEL_CONTACT : LEVEL_STRANGER;
}

/* ---- actions ---- */

static void lists_change_say(struct work *w, bool is_done, const char *message)
{
	w->result->is_done = is_done;
	w->result->has_level = true;
	(void)snprintf(
	    w->result->message, sizeof w->result->message, "%s", message);
}

static void say_of(struct work *w, const char *what)
{
	w->result->is_done = true;
	w->result->has_level = true;
	(void)snprintf(w->result->message, sizeof w->result->message, "%s %s",
	    w->id, what);
}

/* Compare with the level that is expected now; a pattern may override it. */
static void expect(struct work *w, enum trust_level level)
{
	w->result->was_overridden = lists_change_level_of(w) != level;
}

static void promote(struct work *w)
{
	switch (lists_change_level_of(w)) {
	case LEVEL_BLOCKED:
		lists_change_say(w, false, "Client is blocked. Unblock first.");
		break;
	case LEVEL_WHITELIST:
		lists_change_say(w, false, "Already at highest level");
		break;
	case LEVEL_CONTACT:
		lists_change_add(w, WHITELIST);
		say_of(w, "promoted to whitelist.");
		expect(w, LEVEL_WHITELIST);
		break;
	case LEVEL_STRANGER:
		lists_change_add(w, CONTACTS);
		say_of(w, "promoted to contact.");
		expect(w, LEVEL_CONTACT);
		break;
	}
}

static void demote(struct work *w)
{
	switch (lists_change_level_of(w)) {
	case LEVEL_BLOCKED:
		lists_change_say(w, false, "Client is blocked. Unblock first.");
		break;
	case LEVEL_WHITELIST:
		lists_change_drop(w, WHITELIST);
		lists_change_add(w, CONTACTS);
		say_of(w, "demoted to contact.");
		expect(w, LEVEL_CONTACT);
		break;
	case LEVEL_CONTACT:
		lists_change_drop(w, WHITELIST);
		lists_change_drop(w, CONTACTS);
		say_of(w, "demoted to stranger.");
		expect(w, LEVEL_STRANGER);
		break;
	case LEVEL_STRANGER:
		lists_change_say(w, false, "Already at lowest level");
		break;
	}
}

/* Our own address is always an admin, listed or not. */
static void change_admins(struct work *w, enum lists_action action)
{
	bool is_there = has(w, ADMINS);
	bool is_admin = is_there || strcmp(w->id, w->address) == 0;
	if (action == LISTS_ADD_ADMIN) {
		say_of(
		    w, is_admin ? "is already an admin." : "added as admin.");
		if (!is_admin)
			lists_change_add(w, ADMINS);
	} else {
		say_of(
		    w, is_there ? "removed from admins." : "is not an admin.");
		lists_change_drop(w, ADMINS);
	}
	w->result->has_level = false;
}

static void lists_change_act(struct work *w, const struct lists_change *change)
{
	char text[LISTS_ID_MAX + 40];
	switch (change->action) {
	case LISTS_PROMOTE:
		promote(w);
		break;
	case LISTS_DEMOTE:
		demote(w);
		break;
	case LISTS_BLOCK:
		lists_change_add(w, BLOCKLIST);
		(void)snprintf(
		    text, sizeof text, "blocked. Reason: %s", change->reason);
		say_of(w, text);
		expect(w, LEVEL_BLOCKED);
		break;
	case LISTS_UNBLOCK:
		lists_change_drop(w, BLOCKLIST);
		say_of(w, "unblocked.");
		w->result->was_overridden = has(w, BLOCKLIST);
		break;
	case LISTS_LEVEL:
		lists_change_say(w, true, "");
		break;
	case LISTS_ADD_ADMIN:
	case LISTS_REMOVE_ADMIN:
		change_admins(w, change->action);
		break;
	case LISTS_ADD_CONTACT:
		if (lists_change_level_of(w) == LEVEL_STRANGER)
			lists_change_add(w, CONTACTS);
		lists_change_say(w, true, "");
		break;
	}
	w->result->level = lists_change_level_of(w);
}

int lists_change(const char *co_dir, const char *address,
    const struct lists_change *change, struct lists_result *result,
    struct err *err)
{
	struct work w = {
	    .co_dir = co_dir, .address = address, .result = result};
	*result = (struct lists_result){.is_done = false};
	if (take_id(&w, change, err) != 0)
		return -1;
	int lock = take_lock(co_dir, err);
	if (lock < 0)
		return -1;
	int rc = read_files(&w, err);
	if (rc == 0) {
		lists_change_act(&w, change);
		rc = write_files(&w, err);
	}
	for (int i = 0; i < N_FILES; i++) {
		buf_fini(&w.path[i]);
		buf_fini(&w.text[i]);
	}
	(void)close(lock);
	return rc;
}
