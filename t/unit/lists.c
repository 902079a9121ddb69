/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/list_file.h"
#include "access/lists.h"
#include "access/lists_page.h"

#include "base/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#include <errno.h>
#include <sys/file.h>

#define HEX "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define UPPER "03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8"
#define CLIENT "0x" HEX
#define SELF \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

#define CONTACTS "contacts.txt"
#define WHITELIST "whitelist.txt"
#define BLOCKLIST "blocklist.txt"
#define ADMINS "admins.txt"

/* ---- a folder with lists ---- */

static struct conf conf;
static struct lists *lists;

static char *path_of(const char *name)
{
	char *path;
	if (asprintf(&path, "%s/%s", conf.co_dir, name) < 0)
		abort();
	return path;
}

static void put_bytes(const char *name, const char *text, size_t len)
{
	char *path = path_of(name);
	scratch_write(path, text, len);
	free(path);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static char *get(const char *name)
{
	size_t len;
	char *path = path_of(name);
	char *text = scratch_read(path, &len);
	free(path);
	return text;
}

/* Replace the file as an editor does. */
static void swap(const char *name, const char *text)
{
	char *path = path_of(name), *new = path_of("new");
	put("new", text);
	if (rename(new, path) != 0)
		abort();
	free(path);
	free(new);
}

static void begin_with(const char *whitelist, const char *blacklist)
{
	struct err err = {.text = ""};
	char *names[] = {conf.whitelist, conf.blacklist};
	for (size_t i = 0; i < 2; i++)
		free(names[i]);
	conf.whitelist = strdup(whitelist);
	conf.blacklist = strdup(blacklist);
	lists = lists_open(&conf, &err);
	if (!lists)
		printf("# %s\n", err.text);
}

static void begin(void)
{
	static int number;
	conf_init(&conf);
	free(conf.co_dir);
	free(conf.address);
	conf.co_dir = scratch_path("co%d", number++);
	conf.address = strdup(SELF);
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	begin_with("", "");
}

static void end(void)
{
	lists_close(&lists);
	conf_fini(&conf);
}

static const char *level_now(const char *id)
{
	struct lists_entry entry;
	struct err err;
	if (lists_look(lists, id, &entry, &err) == 0)
		return lists_level_word(entry.level);
	printf("# %s\n", err.text);
	return "?";
}

/* ---- entries ---- */

static void test_entries(void)
{
	static const struct {
		const char *name;
		const char *text;
		bool is_listed;
	} cases[] = {
	    {"an address is listed by its line", CLIENT "\n", true},
	    {"a last line needs no end", "x\n" CLIENT, true},
	    {"case does not matter", "0x" UPPER "\n", true},
	    {"an address may stand without 0x", HEX "\n", true},
	    {"an address in capitals may stand without 0x", UPPER "\n", true},
	    {"blanks around an entry are nothing", " \t" CLIENT " \t\n", true},
	    {"lines may end as on Windows", "x\r\n" CLIENT "\r\nx\r\n", true},
	    {"lines may end with CR alone", "x\r" CLIENT "\rx", true},
	    {"a byte order mark is no part of an entry",
		"\xef\xbb\xbf" CLIENT "\n", true},
	    {"a comment lists nobody", "# " CLIENT "\n", false},
	    {"a comment at the end of a line is part of the entry",
		CLIENT " # a friend\n", false},
	    {"a part of an address lists nobody", HEX "00\n0x03a107\n", false},
	    {"an empty file lists nobody", "", false},
	    {"empty lines list nobody", "\n\n \n", false},
	    {"a star is everybody", "*\n", true},
	    {"a star is any run", "0x03A1*31b8\n", true},
	    {"a star may stand for nothing", CLIENT "*\n", true},
	    {"stars may be many", "*0*3*a*1*b*8*\n", true},
	    {"a pattern matches from the start", "03a1*\n", false},
	    {"a pattern matches to the end", "0x03*31b\n", false},
	    {"a question mark is no pattern", "0x03a1?*\n", false},
	    {"a set in brackets is no pattern", "0x[0]*\n", false},
	    {"a pattern that looks back is fast",
		"*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*zz\n", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		put(BLOCKLIST, cases[i].text);
		is_str(level_now(CLIENT),
		    cases[i].is_listed ? "blocked" : "stranger", "%s",
		    cases[i].name);
		end();
	}
}

static void test_levels(void)
{
	static const struct {
		const char *in[3]; /* files that list the client */
		const char *level;
	} cases[] = {
	    {{NULL}, "stranger"},
	    {{CONTACTS}, "contact"},
	    {{WHITELIST}, "whitelist"},
	    {{WHITELIST, CONTACTS}, "whitelist"},
	    {{BLOCKLIST}, "blocked"},
	    {{BLOCKLIST, WHITELIST, CONTACTS}, "blocked"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		for (int j = 0; j < 3 && cases[i].in[j]; j++)
			put(cases[i].in[j], CLIENT "\n");
		is_str(level_now(CLIENT), cases[i].level,
		    "a client in %s%s is %s",
		    cases[i].in[0] ? cases[i].in[0] : "no list",
		    cases[i].in[0] && cases[i].in[1] ? " and others" : "",
		    cases[i].level);
		end();
	}
}

static void test_admins(void)
{
	static const struct {
		const char *name;
		const char *id;
		const char *text;
		bool is_admin, is_super;
	} cases[] = {
	    {"our own address is an admin", SELF, "", true, true},
	    {"an address that is not listed is no admin", CLIENT, "", false,
		false},
	    {"an address in admins.txt is an admin", CLIENT, CLIENT "\n", true,
		false},
	    {"an address in admins.txt may have any spelling", CLIENT,
		UPPER "\n", true, false},
	    {"a star in admins.txt makes nobody an admin", CLIENT, "*\n0x*\n",
		false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lists_entry entry = {.level = LEVEL_BLOCKED};
		struct err err;
		begin();
		put(ADMINS, cases[i].text);
		int rc = lists_look(lists, cases[i].id, &entry, &err);
		ok(rc == 0 && entry.is_admin == cases[i].is_admin &&
			entry.is_super == cases[i].is_super &&
			entry.level == LEVEL_STRANGER,
		    "%s", cases[i].name);
		end();
	}
}

/* ---- lists that cannot be read ---- */

static void break_folder(const char *path)
{
	if (mkdir(path, 0700) != 0)
		abort();
}

static void break_link(const char *path)
{
	if (symlink("/nowhere/at/all", path) != 0)
		abort();
}

static void break_loop(const char *path)
{
	if (symlink(path, path) != 0)
		abort();
}

static void break_pipe(const char *path)
{
	if (mkfifo(path, 0600) != 0)
		abort();
}

static void break_text(const char *path)
{
	scratch_write(path, "caf\xe9\n", 5);
}

static void break_wide(const char *path)
{
	scratch_write(path, "0\0x\0\n\0", 6);
}

static void break_size(const char *path)
{
	scratch_write(path, "", 0);
	if (truncate(path, 16 * 1024 * 1024 + 1) != 0)
		abort();
}

static void break_patterns(const char *path)
{
	struct buf text = {0};
	for (int i = 0; i < 1001; i++)
		buf_printf(&text, "z%d*\n", i);
	scratch_write(path, text.data, text.len);
	buf_fini(&text);
}

static void test_broken(void)
{
	static const char *const files[] = {
	    CONTACTS, WHITELIST, BLOCKLIST, ADMINS};
	static const struct {
		const char *name;
		void (*make)(const char *path);
		const char *text;
	} cases[] = {
	    {"a folder", break_folder, "cannot read "},
	    {"a link to nowhere", break_link, "cannot read "},
	    {"a link to itself", break_loop, "cannot read "},
	    {"a pipe", break_pipe, "cannot read "},
	    {"text that is no UTF-8", break_text, " is not UTF-8 "},
	    {"UTF-16", break_wide, " is not UTF-8 "},
	    {"a file that is too large", break_size, "cannot read "},
	    {"too many patterns", break_patterns, "cannot read "},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t j = 0; j < 4; j++) {
			struct lists_entry entry;
			struct err err = {.text = ""};
			begin();
			char *path = path_of(files[j]);
			/* Of admins.txt a star is no pattern. */
			bool is_fine =
			    j == 3 && cases[i].make == break_patterns;
			cases[i].make(path);
			int rc = lists_look(lists, CLIENT, &entry, &err);
			ok(is_fine ||
				(rc != 0 && err.code == ERR_MISCONFIGURED &&
				    !strncmp(err.text, "misconfigured: ", 15) &&
				    strstr(err.text, files[j]) &&
				    !strchr(err.text, '/') &&
				    strstr(err.text, cases[i].text)),
			    "%s as %s refuses everybody by name", cases[i].name,
			    files[j]);
			free(path);
			end();
		}
}

static void test_mended(void)
{
	struct lists_entry entry;
	struct err err;
	begin();
	put(WHITELIST, CLIENT "\n");
	is_str(level_now(CLIENT), "whitelist", "a list is read");
	swap(WHITELIST, "\xff\n");
	ok(lists_look(lists, CLIENT, &entry, &err) != 0,
	    "a list that breaks refuses everybody");
	ok(lists_look(lists, CLIENT, &entry, &err) != 0,
	    "a list that stays broken goes on refusing everybody");
	swap(WHITELIST, CLIENT "\n");
	is_str(level_now(CLIENT), "whitelist", "a mended list is read again");
	end();
}

/* ---- changes by others ---- */

static void test_edits(void)
{
	char *path;
	begin();
	is_str(level_now(CLIENT), "stranger",
	    "everybody is a stranger where there are no files");
	put(CONTACTS, CLIENT "\n");
	is_str(level_now(CLIENT), "contact", "a new list is noticed");
	path = path_of(CONTACTS);
	if (unlink(path) != 0)
		abort();
	is_str(level_now(CLIENT), "stranger", "a removed list is noticed");
	free(path);
	end();
}

/* One text or another of the same size, in the same tick of the clock. */
static void test_quick_edits(void)
{
	static const char here[] = CLIENT "\n", elsewhere[] = SELF "\n";
	int wrong = 0;
	begin();
	for (int i = 0; i < 400; i++) {
		bool is_listed = i % 2;
		const char *text = is_listed ? here : elsewhere;
		if (i % 4 < 2)
			put(BLOCKLIST, text);
		else
			swap(BLOCKLIST, text);
		wrong += strcmp(level_now(CLIENT),
			     is_listed ? "blocked" : "stranger") != 0;
	}
	is_int(wrong, 0, "no change is missed, however quick it is");
	end();
}

static void test_old_stamp(void)
{
	const struct timespec old[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	begin();
	char *path = path_of(BLOCKLIST);
	put(BLOCKLIST, SELF "\n");
	if (utimensat(AT_FDCWD, path, old, 0) != 0)
		abort();
	is_str(level_now(CLIENT), "stranger", "a file of long ago is read");
	put(BLOCKLIST, CLIENT "\n");
	if (utimensat(AT_FDCWD, path, old, 0) != 0)
		abort();
	is_str(level_now(CLIENT), "blocked",
	    "a change is seen though the file says it is old");
	free(path);
	end();
}

static void test_batch(void)
{
	begin();
	lists_begin_batch(lists);
	is_str(level_now(CLIENT), "stranger",
	    "the first lookup of a batch reads the lists");
	put(BLOCKLIST, CLIENT "\n");
	is_str(level_now(CLIENT), "stranger",
	    "a batch of lookups examines a list once");
	lists_end_batch(lists);
	is_str(level_now(CLIENT), "blocked",
	    "a lookup after a batch sees what changed during it");
	lists_begin_batch(lists);
	put(BLOCKLIST, "");
	is_str(level_now(CLIENT), "stranger",
	    "the next batch sees what changed before its first lookup");
	lists_end_batch(lists);
	end();
}

/* ---- the lists of host.yaml ---- */

static void test_host_lists(void)
{
	static const struct {
		const char *name;
		const char *text;
		bool is_listed;
	} cases[] = {
	    {"an address in the file counts", CLIENT "\n", true},
	    {"with a comment behind it", CLIENT " # a friend\n", true},
	    {"with one right behind it", CLIENT "# a friend\n", true},
	    {"in any spelling", "\t" UPPER "\n", true},
	    {"a comment does not", "#" CLIENT "\n", false},
	    {"a star is no pattern there", "*\n0x*\n", false},
	    {"an empty file lists nobody", "", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {.text = ""};
		begin();
		lists_close(&lists);
		put("host.txt", cases[i].text);
		char *path = path_of("host.txt");
		begin_with(path, path);
		ok(lists_is_whitelisted(lists, CLIENT) == cases[i].is_listed,
		    "whitelist of host.yaml: %s", cases[i].name);
		ok(lists_is_blacklisted(lists, CLIENT, &err) ==
			    cases[i].is_listed &&
			(!cases[i].is_listed ||
			    (err.code == ERR_FORBIDDEN &&
				!strcmp(err.text, "forbidden: blacklisted"))),
		    "blacklist of host.yaml: %s", cases[i].name);
		free(path);
		end();
	}
}

static void test_inline(void)
{
	struct err err;
	begin();
	lists_close(&lists);
	begin_with("[\"" UPPER "\"]", "[\"x\",\"" CLIENT "\"]");
	ok(lists_is_whitelisted(lists, CLIENT) &&
		!lists_is_whitelisted(lists, SELF),
	    "the whitelist may stand in host.yaml itself");
	ok(lists_is_blacklisted(lists, CLIENT, &err) &&
		!lists_is_blacklisted(lists, SELF, &err),
	    "the blacklist may stand in host.yaml itself");
	ok(!lists_is_blacklisted(lists, "", &err) &&
		!lists_is_whitelisted(lists, ""),
	    "an empty address is in no list");
	end();
}

/* Listed by host.yaml, one is what the file makes one. */
static void test_host_level(void)
{
	begin();
	lists_close(&lists);
	begin_with("[\"" CLIENT "\"]", "");
	is_str(level_now(CLIENT), "whitelist",
	    "an address in the whitelist of host.yaml has the level whitelist");
	put(BLOCKLIST, CLIENT "\n");
	is_str(level_now(CLIENT), "blocked",
	    "the blocklist overrides the whitelist of host.yaml");
	end();
	begin();
	lists_close(&lists);
	put("host.txt", CLIENT "\n");
	char *path = path_of("host.txt");
	begin_with(path, "");
	is_str(level_now(CLIENT), "whitelist",
	    "an address in a file that host.yaml names has the level "
	    "whitelist");
	is_str(level_now(SELF), "stranger",
	    "an address not in that file stays a stranger");
	free(path);
	end();
}

static void test_host_broken(void)
{
	struct err err = {.text = ""};
	begin();
	lists_close(&lists);
	char *path = path_of("host.txt");
	begin_with(path, "");
	ok(lists && !lists_is_whitelisted(lists, CLIENT),
	    "a whitelist that is not there is empty");
	lists_close(&lists);
	free(conf.blacklist);
	conf.blacklist = strdup(path);
	lists = lists_open(&conf, &err);
	ok(!lists && err.code == ERR_CONFIG && strstr(err.text, path),
	    "a blacklist that is not there is refused at the start");
	put("host.txt", "");
	begin_with(path, path);
	ok(!lists_is_blacklisted(lists, CLIENT, &err),
	    "an empty blacklist blocks nobody");
	swap("host.txt", "\xff");
	ok(lists_is_blacklisted(lists, CLIENT, &err) &&
		err.code == ERR_MISCONFIGURED &&
		strstr(err.text, list_file_name(path)),
	    "a blacklist that breaks refuses everybody and names its file");
	ok(!lists_is_whitelisted(lists, CLIENT),
	    "a whitelist that breaks lets nobody in");
	free(path);
	end();
}

/* ---- changes ---- */

static int change_id(enum lists_action action, const char *id,
    struct lists_result *result, struct err *err)
{
	struct lists_change change = {.action = action};
	(void)snprintf(change.id, sizeof change.id, "%s", id);
	(void)snprintf(change.reason, sizeof change.reason, "%s", "spam");
	return lists_change(conf.co_dir, conf.address, &change, result, err);
}

static struct lists_result change(enum lists_action action)
{
	struct lists_result result;
	struct err err;
	if (change_id(action, CLIENT, &result, &err) != 0)
		printf("# %s\n", err.text);
	return result;
}

static void test_changes(void)
{
	static const struct {
		enum lists_action action;
		bool is_done;
		const char *message;
		const char *level; /* NULL: is not told */
	} cases[] = {
	    {LISTS_LEVEL, true, "", "stranger"},
	    {LISTS_DEMOTE, false, "Already at lowest level", "stranger"},
	    {LISTS_PROMOTE, true, CLIENT " promoted to contact.", "contact"},
	    {LISTS_PROMOTE, true, CLIENT " promoted to whitelist.",
		"whitelist"},
	    {LISTS_PROMOTE, false, "Already at highest level", "whitelist"},
	    {LISTS_ADD_CONTACT, true, "", "whitelist"},
	    {LISTS_DEMOTE, true, CLIENT " demoted to contact.", "contact"},
	    {LISTS_BLOCK, true, CLIENT " blocked. Reason: spam", "blocked"},
	    {LISTS_BLOCK, true, CLIENT " blocked. Reason: spam", "blocked"},
	    {LISTS_PROMOTE, false, "Client is blocked. Unblock first.",
		"blocked"},
	    {LISTS_DEMOTE, false, "Client is blocked. Unblock first.",
		"blocked"},
	    {LISTS_ADD_CONTACT, true, "", "blocked"},
	    {LISTS_UNBLOCK, true, CLIENT " unblocked.", "contact"},
	    {LISTS_DEMOTE, true, CLIENT " demoted to stranger.", "stranger"},
	    {LISTS_UNBLOCK, true, CLIENT " unblocked.", "stranger"},
	    {LISTS_ADD_CONTACT, true, "", "contact"},
	    {LISTS_REMOVE_ADMIN, true, CLIENT " is not an admin.", NULL},
	    {LISTS_ADD_ADMIN, true, CLIENT " added as admin.", NULL},
	    {LISTS_ADD_ADMIN, true, CLIENT " is already an admin.", NULL},
	    {LISTS_REMOVE_ADMIN, true, CLIENT " removed from admins.", NULL},
	};
	begin();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lists_result r = change(cases[i].action);
		is_str(r.message, cases[i].message,
		    "change %zu has its message", i);
		ok(r.is_done == cases[i].is_done &&
			r.has_level == (cases[i].level != NULL) &&
			!r.was_overridden,
		    "change %zu tells whether it was made", i);
		if (!cases[i].level)
			continue;
		is_str(lists_level_word(r.level), cases[i].level,
		    "change %zu tells the new level", i);
		is_str(level_now(CLIENT), cases[i].level,
		    "the next look sees the level after change %zu", i);
	}
	end();
}

static void test_own_admin(void)
{
	struct lists_result r;
	struct err err;
	begin();
	(void)change_id(LISTS_ADD_ADMIN, SELF, &r, &err);
	is_str(r.message, SELF " is already an admin.",
	    "we need not become our own admin");
	char *text = get(ADMINS);
	is_str(text, "", "our own address is not written to admins.txt");
	free(text);
	end();
}

static void test_files(void)
{
	begin();
	put(CONTACTS, "# friends\n\nother\n 0x" UPPER " \nlast");
	put(WHITELIST, HEX);
	(void)change(LISTS_DEMOTE);
	char *contacts = get(CONTACTS), *whitelist = get(WHITELIST);
	is_str(whitelist, "", "all spellings of an entry are removed");
	is_str(contacts, "# friends\n\nother\n 0x" UPPER " \nlast",
	    "entries that are listed already are not written again");
	free(contacts);
	free(whitelist);
	(void)change(LISTS_DEMOTE);
	contacts = get(CONTACTS);
	is_str(contacts, "# friends\n\nother\nlast",
	    "other lines stay as they are");
	free(contacts);
	(void)change(LISTS_PROMOTE);
	contacts = get(CONTACTS);
	is_str(contacts, "# friends\n\nother\nlast\n" CLIENT "\n",
	    "a new entry gets a line of its own");
	free(contacts);
	end();
}

static void test_overridden(void)
{
	struct lists_result r;
	begin();
	put(WHITELIST, "0x03*\n" CLIENT "\n");
	put(BLOCKLIST, "");
	r = change(LISTS_DEMOTE);
	ok(r.is_done && r.was_overridden && r.level == LEVEL_WHITELIST,
	    "a change that a pattern undoes tells the real level");
	put(BLOCKLIST, "*\n");
	r = change(LISTS_UNBLOCK);
	ok(r.is_done && r.was_overridden && r.level == LEVEL_BLOCKED,
	    "an unblocking that a pattern undoes tells the real level");
	end();
}

static void test_ids(void)
{
	static const struct {
		const char *id;
		bool is_valid;
	} cases[] = {
	    {CLIENT, true},
	    {HEX, true},
	    {"a-friend", true},
	    {"a friend", true},
	    {"caf\xc3\xa9", true},
	    {"", false},
	    {"*", false},
	    {"a*", false},
	    {"#a", false},
	    {"a#", true},
	    {" a", false},
	    {"a ", false},
	    {"a\nb", false},
	    {"a\rb", false},
	    {"a\tb", false},
	    {"a\x7f", false},
	    {"a\xc2\x85" CLIENT, false},     /* another end of a line */
	    {"a\xe2\x80\xa8" CLIENT, false}, /* and another */
	    {"a\xe2\x80\xa9" CLIENT, false},
	    {"a\xff", false},
	};
	char longest[LISTS_ID_MAX + 2];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lists_result r;
		struct err err = {.code = ERR_OK};
		begin();
		ok(lists_id_is_valid(cases[i].id, strlen(cases[i].id)) ==
			cases[i].is_valid,
		    "id %zu may %sbe listed", i,
		    cases[i].is_valid ? "" : "not ");
		int rc = change_id(LISTS_PROMOTE, cases[i].id, &r, &err);
		ok(cases[i].is_valid
			? rc == 0
			: rc != 0 && err.code == ERR_BAD_REQUEST &&
			      !strcmp(err.text, "client_id invalid"),
		    "id %zu is%s listed by a change", i,
		    cases[i].is_valid ? "" : " not");
		end();
	}
	memset(longest, 'a', sizeof longest);
	ok(lists_id_is_valid(longest, LISTS_ID_MAX) &&
		!lists_id_is_valid(longest, LISTS_ID_MAX + 1),
	    "an id has a longest length");
	ok(!lists_id_is_valid("a\0b", 3), "an id has no NUL");
}

static void test_spellings(void)
{
	struct lists_result r;
	struct err err;
	begin();
	(void)change_id(LISTS_BLOCK, "0x" UPPER, &r, &err);
	is_str(r.message, CLIENT " blocked. Reason: spam",
	    "an address is listed in its canonical spelling");
	is_str(level_now(CLIENT), "blocked",
	    "an address listed in another spelling is found");
	ok(change_id(LISTS_ADD_ADMIN, "somebody", &r, &err) != 0 &&
		err.code == ERR_BAD_REQUEST,
	    "only an address can be an admin");
	end();
}

static void test_keeping(void)
{
	struct stat st;
	char target[256];
	begin();
	char *link = path_of(CONTACTS), *real = path_of("real.txt");
	put("real.txt", "x\n");
	if (chmod(real, 0640) != 0 || symlink("real.txt", link) != 0)
		abort();
	(void)change(LISTS_PROMOTE);
	ok(readlink(link, target, sizeof target) == 8, "a link stays a link");
	char *text = get("real.txt");
	is_str(text, "x\n" CLIENT "\n",
	    "a change to a link changes the file behind it");
	ok(stat(real, &st) == 0 && (st.st_mode & 0777) == 0640,
	    "a file keeps its mode");
	(void)change(LISTS_BLOCK);
	free(real);
	real = path_of(BLOCKLIST);
	ok(stat(real, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "a new list is private");
	free(text);
	free(link);
	free(real);
	end();
}

static void test_failures(void)
{
	struct lists_result r;
	struct err err = {.text = ""};
	begin();
	put(CONTACTS, "\xff");
	ok(change_id(LISTS_PROMOTE, CLIENT, &r, &err) != 0 &&
		err.code == ERR_MISCONFIGURED && strstr(err.text, CONTACTS),
	    "a list that cannot be read is not changed");
	char *text = get(CONTACTS);
	is_str(text, "\xff", "a list that cannot be read keeps its bytes");
	free(text);
	put(CONTACTS, "");
	char *path = path_of("lists.lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		abort();
	ok(change_id(LISTS_PROMOTE, CLIENT, &r, &err) != 0 &&
		err.code == ERR_MISCONFIGURED &&
		strstr(err.text, list_file_name(path)),
	    "a change that waits too long for the lock fails");
	(void)close(fd);
	ok(change_id(LISTS_PROMOTE, CLIENT, &r, &err) == 0,
	    "a change succeeds when the lock is free again");
	free(path);
	free(conf.co_dir);
	conf.co_dir = scratch_path("nowhere");
	ok(change_id(LISTS_PROMOTE, CLIENT, &r, &err) != 0 &&
		err.code == ERR_MISCONFIGURED,
	    "a folder that is not there is not made");
	end();
}

/* ---- several at once ---- */

#define PROCESSES 4
#define EACH 25

static void add_some(int who)
{
	struct lists_result r;
	struct err err;
	char id[32];
	for (int i = 0; i < EACH; i++) {
		(void)snprintf(id, sizeof id, "friend-%d-%d", who, i);
		/* On a busy machine one may not get its turn in time. */
		int tries = 20;
		while (change_id(LISTS_PROMOTE, id, &r, &err) != 0)
			if (--tries == 0)
				_exit(1);
	}
	_exit(0);
}

static void test_together(void)
{
	int good = 0, listed = 0;
	char id[32];
	begin();
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			add_some(i);
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		good += wait(&status) > 0 && status == 0;
	}
	for (int i = 0; i < PROCESSES * EACH; i++) {
		(void)snprintf(
		    id, sizeof id, "friend-%d-%d", i / EACH, i % EACH);
		listed += !strcmp(level_now(id), "contact");
	}
	is_int(good, PROCESSES, "several may change a list at once");
	is_int(listed, PROCESSES * EACH,
	    "no change is lost when several processes make them");
	end();
}

static const char *page(const char *query)
{
	static struct buf out;
	buf_reset(&out);
	lists_page(&out, conf.co_dir, query);
	return buf_cstr(&out);
}

static void test_page(void)
{
	struct buf many = {0};
	begin();
	is_str(page(""),
	    "{\"admins\":{\"total\":0,\"entries\":[]},"
	    "\"contacts\":{\"total\":0,\"entries\":[]},"
	    "\"whitelist\":{\"total\":0,\"entries\":[]},"
	    "\"blocklist\":{\"total\":0,\"entries\":[]}}",
	    "a page of lists that are not there has no entries");
	put(CONTACTS, "\xef\xbb\xbf# people\n Ann \r\n\nbob\"x\nteam-*\n");
	put_bytes(BLOCKLIST, "a\0b", 3);
	ok(strstr(page(""), "\"contacts\":{\"total\":3,\"entries\":["
			    "\"Ann\",\"bob\\\"x\",\"team-*\"]}"),
	    "a page has entries and patterns as they are written");
	ok(strstr(page(""), "\"blocklist\":{\"error\":\"misconfigured: "),
	    "a page says of which list it cannot tell anything");
	ok(strstr(
	       page("AN"), "\"contacts\":{\"total\":1,\"entries\":[\"Ann\"]}"),
	    "a search finds entries in any case");
	for (int i = 0; i < LISTS_PAGE + 7; i++)
		buf_printf(&many, "someone-%d\n", i);
	put(WHITELIST, buf_cstr(&many));
	ok(strstr(page("someone"), "\"whitelist\":{\"total\":507,"),
	    "a page counts what it has no room for");
	ok(!strstr(page(""), "someone-500"), "a page has 500 entries");
	buf_fini(&many);
	end();
}

int main(void)
{
	test_page();
	test_entries();
	test_levels();
	test_admins();
	test_broken();
	test_mended();
	test_edits();
	test_quick_edits();
	test_old_stamp();
	test_batch();
	test_host_lists();
	test_inline();
	test_host_level();
	test_host_broken();
	test_changes();
	test_own_admin();
	test_files();
	test_overridden();
	test_ids();
	test_spellings();
	test_keeping();
	test_failures();
	test_together();
	return done();
}
