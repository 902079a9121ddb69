/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "relay/path.h"

#define KEY "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define ADDR "0x" KEY

static const struct {
	const char *path;
	enum path_target target;
} rows[] = {
    {"/", PATH_NONE},
    {"", PATH_NONE},
    {"/ws", PATH_NONE},
    {"/ws/", PATH_NONE},
    {"/ws/announce", PATH_ANNOUNCE},
    {"/ws/announce/", PATH_ANNOUNCE},
    {"/announce", PATH_ANNOUNCE},
    {"/ws/announce/ws/announce", PATH_ANNOUNCE},
    {"/ws/announce/ws/announce/ws/announce", PATH_ANNOUNCE},
    {"/ws/ws/announce", PATH_ANNOUNCE},
    {"/ws/input", PATH_INPUT},
    {"/input", PATH_INPUT},
    {"/ws/ws/input", PATH_INPUT},
    {"/ws/announce/ws/input", PATH_INPUT},
    {"/ws/announce/input", PATH_INPUT},
    {"/ws/announce/ws/announce/ws/input", PATH_INPUT},
    {"/lookup", PATH_LOOKUP},
    {"/ws/lookup", PATH_LOOKUP},
    {"/ws/announce/lookup", PATH_LOOKUP},
    {"/health", PATH_HEALTH},
    {"/ws/health", PATH_HEALTH},
    {"/ws/announce/health", PATH_HEALTH},
    {"/metrics", PATH_METRICS},
    {"/ws/ws/ws/input", PATH_NONE},
    {"/ws/inputs", PATH_NONE},
    {"/announcement", PATH_NONE},
    {"/api/agents", PATH_NONE},
    {"/api/agents/" ADDR, PATH_AGENT},
    {"/api/agents/" KEY, PATH_AGENT},
    {"/api/agents/" ADDR "/", PATH_AGENT},
    {"/api/relay/agents/" ADDR, PATH_AGENT},
    {"/ws/announce/api/agents/" ADDR, PATH_AGENT},
    {"/ws/api/agents/" ADDR, PATH_AGENT},
    {"/api/agents/" ADDR "/profile", PATH_PROFILE},
    {"/ws/announce/api/agents/" ADDR "/profile", PATH_PROFILE},
    {"/api/agents/" ADDR "/signed", PATH_SIGNED},
    {"/api/agents/" ADDR "/skills/a%20b", PATH_SKILL},
    {"/api/agents/" ADDR "/skills/", PATH_NONE},
    {"/api/agents/" ADDR "/skills/a%00", PATH_NONE},
    {"/api/agents/" ADDR "/else", PATH_NONE},
};

int main(void)
{
	struct path path;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		path_read(&path, rows[i].path);
		is_int(path.target, rows[i].target,
		    "the target of the path \"%s\" is known", rows[i].path);
	}
	path_read(&path, "/api/agents/" KEY);
	is_str(path.address, ADDR, "an address without 0x is read");
	path_read(&path, "/api/agents/" ADDR "/skills/a%20b%2Fc");
	is_str(path.name, "a b/c", "the name of a skill is decoded");
	path_read(&path, "/api/agents/0x12/profile");
	ok(path.is_bad, "what is no address is noticed");
	return done();
}
