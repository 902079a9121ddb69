/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/lists.h"

#include "access/list_file.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lists {
	const struct conf *conf;
	struct list_file contacts;
	struct list_file whitelist;
	struct list_file blocklist;
	struct list_file admins;
	struct list_file host_whitelist; /* the lists named in host.yaml */
	struct list_file host_blacklist;
	uint64_t batch; /* 0: none */
	uint64_t n_batches;
};

static const char *const level_words[] = {
    [LEVEL_STRANGER] = "stranger",
    [LEVEL_CONTACT] = "contact",
    [LEVEL_WHITELIST] = "whitelist",
    [LEVEL_BLOCKED] = "blocked",
};

const char *lists_level_word(enum trust_level level)
{
	return level_words[level];
}

/* ---- opening one list ---- */

static void init_co(
    struct list_file *f, const struct conf *conf, const char *name)
{
	struct buf path = {0};
	buf_printf(&path, "%s/%s", conf->co_dir, name);
	list_file_init(f, buf_cstr(&path), false, false);
	buf_fini(&path);
}

static bool is_inline(const char *setting)
{
	return *setting == '[';
}

/* Convert a JSON array of addresses to lines. */
static void put_inline(struct buf *text, const char *setting)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *all =
	    json_parse(&doc, setting, strlen(setting), 0, &why);
	for (const struct json *v = json_first(all); v; v = json_next(v)) {
		char *entry = json_strdup(v);
		buf_printf(text, "%s\n", entry ? entry : "");
		free(entry);
	}
	json_fini(&doc);
}

/* The setting is a path, or a JSON array of addresses. */
static void init_host(struct list_file *f, const char *setting)
{
	struct buf text = {0};
	list_file_init(f, is_inline(setting) ? "" : setting, true, true);
	if (is_inline(setting)) {
		put_inline(&text, setting);
		list_file_fill(f, buf_cstr(&text), text.len);
	}
	buf_fini(&text);
}

/* ---- warnings ---- */

static void warn_of_file(const char *path, bool is_exact)
{
	struct buf text = {0}, where = {0};
	struct err err;
	buf_printf(&where, "%s line ", path);
	if (list_file_read(path, &text, &err) == 0)
		list_file_warn(text.data ? text.data : "", text.len,
		    buf_cstr(&where), is_exact);
	else
		log_warn("%s", err.text);
	buf_fini(&text);
	buf_fini(&where);
}

static void warn_of_host(
    const char *setting, const char *name, const char *given)
{
	struct buf text = {0}, where = {0};
	if (is_inline(setting)) {
		put_inline(&text, setting);
		buf_printf(&where, "%s: %s: entry ", given, name);
		list_file_warn(
		    buf_cstr(&text), text.len, buf_cstr(&where), true);
	} else if (*setting) {
		warn_of_file(setting, true);
	}
	buf_fini(&text);
	buf_fini(&where);
}

void lists_warn(const struct conf *conf)
{
	static const char *const names[] = {
	    "contacts.txt", "whitelist.txt", "blocklist.txt", "admins.txt"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf path = {0};
		buf_printf(&path, "%s/%s", conf->co_dir, names[i]);
		warn_of_file(buf_cstr(&path), i == 3);
		buf_fini(&path);
	}
	warn_of_host(conf->whitelist, "whitelist", conf->whitelist_where);
	warn_of_host(conf->blacklist, "blacklist", conf->blacklist_where);
}

/* ---- opening ---- */

struct lists *lists_open(const struct conf *conf, struct err *err)
{
	const char *blacklist = conf->blacklist;
	if (*blacklist && !is_inline(blacklist) &&
	    access(blacklist, R_OK) != 0) {
		(void)err_set(err, ERR_CONFIG,
		    "blacklist: %s cannot be read: make the file, or remove "
		    "the key",
		    blacklist);
		return NULL;
	}
	struct lists *l = mem_zero(sizeof *l);
	l->conf = conf;
	init_co(&l->contacts, conf, "contacts.txt");
	init_co(&l->whitelist, conf, "whitelist.txt");
	init_co(&l->blocklist, conf, "blocklist.txt");
	init_co(&l->admins, conf, "admins.txt");
	l->admins.is_exact = true;
	init_host(&l->host_whitelist, conf->whitelist);
	init_host(&l->host_blacklist, blacklist);
	return l;
}

void lists_close(struct lists **lp)
{
	struct lists *l = *lp;
	*lp = NULL;
	if (!l)
		return;
	list_file_fini(&l->contacts);
	list_file_fini(&l->whitelist);
	list_file_fini(&l->blocklist);
	list_file_fini(&l->admins);
	list_file_fini(&l->host_whitelist);
	list_file_fini(&l->host_blacklist);
	free(l);
}

/* ---- looking ---- */

void lists_begin_batch(struct lists *l)
{
	l->batch = ++l->n_batches;
}

void lists_end_batch(struct lists *l)
{
	l->batch = 0;
}

static int refresh(struct lists *l, struct list_file *f, struct err *err)
{
	if (l->batch && f->batch == l->batch)
		return 0;
	int rc = list_file_refresh(f, err);
	if (rc == 0)
		f->batch = l->batch;
	return rc;
}

static int refresh_host(
    struct lists *l, struct list_file *f, const char *setting, struct err *err)
{
	return is_inline(setting) || !*setting ? 0 : refresh(l, f, err);
}

bool lists_is_blacklisted(struct lists *l, const char *address, struct err *err)
{
	if (refresh_host(l, &l->host_blacklist, l->conf->blacklist, err) != 0)
		return true;
	if (!*address || !list_file_has(&l->host_blacklist, address))
		return false;
	(void)err_set(err, ERR_FORBIDDEN, "forbidden: blacklisted");
	return true;
}

bool lists_is_whitelisted(struct lists *l, const char *address)
{
	struct err err;
	return *address &&
	       refresh_host(l, &l->host_whitelist, l->conf->whitelist, &err) ==
		   0 &&
	       list_file_has(&l->host_whitelist, address);
}

static enum trust_level lists_level_of(struct lists *l, const char *id)
{
	if (list_file_has(&l->blocklist, id))
		return LEVEL_BLOCKED;
	if (list_file_has(&l->whitelist, id) || lists_is_whitelisted(l, id))
		return LEVEL_WHITELIST;
	if (list_file_has(&l->contacts, id))
		return LEVEL_CONTACT;
	return LEVEL_STRANGER;
}

int lists_look(struct lists *l, const char *address, struct lists_entry *entry,
    struct err *err)
{
	if (refresh(l, &l->blocklist, err) != 0 ||
	    refresh(l, &l->whitelist, err) != 0 ||
	    refresh(l, &l->contacts, err) != 0 ||
	    refresh(l, &l->admins, err) != 0)
		return -1;
	entry->level = lists_level_of(l, address);
	entry->is_super = strcmp(address, l->conf->address) == 0;
	entry->is_admin = entry->is_super || list_file_has(&l->admins, address);
	return 0;
}

/* ---- changes ---- */

uint64_t lists_version(struct lists *l)
{
	struct err err;
	/* Errors are reported to the next lookup of an address. */
	(void)refresh(l, &l->blocklist, &err);
	(void)refresh_host(l, &l->host_blacklist, l->conf->blacklist, &err);
	return l->blocklist.version + l->host_blacklist.version;
}

bool lists_was_refused(const struct lists *l, const char *address)
{
	return list_file_has(&l->blocklist, address) ||
	       list_file_has(&l->host_blacklist, address);
}
