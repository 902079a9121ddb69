/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/permit_path.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/wild.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A path with more parts is treated as a control file. */
#define MAX_PARTS 256

/* A word with more places where a path could begin is treated likewise. */
#define MAX_STARTS 64

static const char *const control_files[] = {"host.yaml", "schedule.yaml",
    "admins.txt", "contacts.txt", "whitelist.txt", "blocklist.txt",
    "blacklist.txt", "approvals.jsonl", NULL};

/* Folders in .co that nobody may change: keys and the store. */
static const char *const control_folders[] = {
    "keys", "facts.mdb", "journal.mdb", NULL};

static char *permit_path_lower(const char *text)
{
	char *copy = mem_strdup(text);
	for (char *s = copy; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	return copy;
}

static bool permit_path_is_among(const char *part, const char *const *names)
{
	for (; *names; names++)
		if (wild_match(part, *names))
			return true;
	return false;
}

/* In a shell, '*' does not match a leading dot. */
static bool is_co(const char *part)
{
	return (*part == '.' || *part == '[') && wild_match(part, ".co");
}

/* Split at slashes, and resolve "." and "..". Returns -1 for too many parts. */
static int split(char *path, const char *parts[MAX_PARTS])
{
	int n = 0;
	char *rest = NULL;
	for (char *part = strtok_r(path, "/", &rest); part;
	     part = strtok_r(NULL, "/", &rest)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0 && n &&
		    strcmp(parts[n - 1], "..") != 0) {
			n--;
			continue;
		}
		if (n == MAX_PARTS)
			return -1;
		parts[n++] = part;
	}
	return n;
}

/*
 * The name of a control file is enough: a command may have changed directory.
 */
static bool is_control_name(const char *name)
{
	for (const char *const *file = control_files; *file; file++)
		if (strcmp(name, *file) == 0)
			return true;
	return false;
}

static bool is_control(char *path)
{
	const char *parts[MAX_PARTS];
	int n = split(path, parts);
	if (n < 0)
		return true;
	for (int i = 0; i < n; i++) {
		if (!is_co(parts[i]))
			continue;
		if (i + 1 == n ||
		    permit_path_is_among(parts[i + 1], control_files) ||
		    permit_path_is_among(parts[i + 1], control_folders))
			return true;
	}
	return n > 0 && is_control_name(parts[n - 1]);
}

bool permit_path_is_control(const char *path)
{
	char *copy = permit_path_lower(path);
	bool answer = is_control(copy);
	free(copy);
	return answer;
}

/* In an option, the path may begin anywhere: -oFILE, --output=FILE. */
static bool may_start(const char *word, const char *s)
{
	return strchr("=:@,", s[-1]) ||
	       (*word == '-' && strchr("./~hsacwbk", *s));
}

bool permit_path_in_word(const char *word)
{
	int starts = 0;
	if (permit_path_is_control(word))
		return true;
	for (const char *s = word + 1; *word && *s; s++) {
		if (!may_start(word, s))
			continue;
		if (++starts > MAX_STARTS || permit_path_is_control(s))
			return true;
	}
	return false;
}
