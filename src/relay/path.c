/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/path.h"

#include "base/buf.h"
#include "base/percent.h"

#include <string.h>

#define ANNOUNCE "/ws/announce"

static const struct {
	const char *path;
	enum path_target target;
} fixed[] = {
    {ANNOUNCE, PATH_ANNOUNCE},
    {"/announce", PATH_ANNOUNCE},
    {"/ws/input", PATH_INPUT},
    {"/input", PATH_INPUT},
    {"/ws/lookup", PATH_LOOKUP},
    {"/lookup", PATH_LOOKUP},
    {"/health", PATH_HEALTH},
    {"/metrics", PATH_METRICS},
};

/* Returns what follows a beginning, or NULL. */
static const char *after(const char *path, const char *beginning)
{
	size_t n = strlen(beginning);
	return strncmp(path, beginning, n) == 0 ? path + n : NULL;
}

/* Decode the name of a skill. Returns false if it is empty or too long. */
static bool read_name(struct path *out, const char *text)
{
	struct buf name = {0};
	percent_text(&name, text, strlen(text), false);
	bool ok = name.len && name.len <= PATH_NAME &&
		  !memchr(name.data, '\0', name.len);
	if (ok)
		memcpy(out->name, name.data, name.len);
	buf_fini(&name);
	return ok;
}

/* Read "ADDRESS", "ADDRESS/profile" and the like. */
static void read_agent(struct path *out, const char *rest)
{
	size_t n = strcspn(rest, "/");
	const char *part = rest + n;
	const char *skill = after(part, "/skills/");
	out->target = PATH_AGENT;
	out->is_bad = !address_parse(rest, n, out->address);
	if (strcmp(part, "/profile") == 0)
		out->target = PATH_PROFILE;
	else if (strcmp(part, "/signed") == 0)
		out->target = PATH_SIGNED;
	else if (skill && read_name(out, skill))
		out->target = PATH_SKILL;
	else if (*part && strcmp(part, "/") != 0)
		out->target = PATH_NONE;
}

static bool read_known(struct path *out, const char *path)
{
	const char *rest;
	size_t n = strlen(path);
	if (n > 1 && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (strlen(fixed[i].path) == n &&
		    memcmp(fixed[i].path, path, n) == 0)
			out->target = fixed[i].target;
	if ((rest = after(path, "/api/agents/")) ||
	    (rest = after(path, "/api/relay/agents/")))
		read_agent(out, rest);
	return out->target != PATH_NONE;
}

/* Returns the path without "/ws/announce" before another path. */
static const char *strip(const char *path)
{
	const char *rest;
	while ((rest = after(path, ANNOUNCE)) && rest[0] == '/' && rest[1])
		path = rest;
	return path;
}

void path_read(struct path *out, const char *path)
{
	*out = (struct path){.target = PATH_NONE};
	path = strip(path);
	const char *rest = after(path, "/ws");
	if (!read_known(out, path) && rest)
		(void)read_known(out, strip(rest));
}
