/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/mem.h"
#include "base/url.h"
#include "core/conf_int.h"
#include "core/doors.h"
#include "core/err.h"
#include "core/mcp_servers.h"
#include "core/permit.h"
#include "core/tool_spec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_key(const struct param *p, const char *key)
{
	return strcmp(p->key, key) == 0;
}

static bool has_command(const char *text, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(text, kind, n) == 0 &&
	       text[n + strspn(text + n, " \t")] != 0;
}

static bool is_agent(const char *text)
{
	return strcmp(text, "demo") == 0 || has_command(text, "exec:") ||
	       has_command(text, "python:") || has_command(text, "c:") ||
	       has_command(text, "onsembl:") || strcmp(text, "llm") == 0;
}

static bool is_temperature(const char *text)
{
	char *end;
	double d = strtod(text, &end);
	return !*text || (!*end && d >= 0 && d <= 2);
}

/* Few keys look like the name of a variable in capitals. */
static bool is_variable(const char *text)
{
	return !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

static bool is_any(const char *text)
{
	(void)text;
	return true;
}

static bool is_trust_agent(const char *text)
{
	return !*text || has_command(text, "exec:") || strcmp(text, "llm") == 0;
}

static bool is_trust(const char *text)
{
	return text[strspn(text, " \t\r\n")] != 0;
}

static bool is_relay(const char *text)
{
	char *base = *text ? url_relay(text) : NULL;
	bool is_good = !*text || base;
	free(base);
	return is_good;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* A file is easily given without saying what it is. */
static void hint_file(struct buf *out, const char *text)
{
	if (ends_with(text, strlen(text), ".py"))
		buf_printf(out, ": did you mean python:%.60s?", text);
	else if (ends_with(text, strlen(text), ".so"))
		buf_printf(out, ": did you mean c:%.60s?", text);
}

const struct param_rule conf_rules[CONF_RULES] = {
    {
	.key = "agent",
	.allows = is_agent,
	.allowed = "demo, exec:COMMAND, python:FILE[:NAME], c:FILE.so, llm or "
		   "onsembl:ID",
	.hint = hint_file,
    },
    {
	.key = "system_prompt",
	.allows = is_any,
	.allowed = "a text, or the path of a file",
	.controls = "\t\r\n",
    },
    {
	.key = "temperature",
	.allows = is_temperature,
	.allowed = "a number from 0 to 2",
    },
    {
	.key = "model_key",
	.allows = is_variable,
	.allowed = "the name of an environment variable in capitals, and not "
		   "the key itself",
	.is_secret = true,
    },
    {
	.key = "trust",
	.allows = is_trust,
	.allowed = "\"open\", \"careful\", \"strict\", or custom config (the "
		   "path of a policy file, or a policy)",
	.controls = "\t\r\n\x7f",
    },
    {
	.key = "trust_agent",
	.allows = is_trust_agent,
	.allowed = "exec:COMMAND",
    },
    {
	.key = "bind",
	.allows = param_is_place,
	.allowed = PARAM_PLACES,
    },
    {
	.key = "relay_url",
	.allows = is_relay,
	.allowed = "a ws://, wss://, http:// or https:// URL, or "
		   "empty",
    },
    {
	.key = "doors",
	.allows = doors_are_valid,
	.allowed = doors_allowed,
    },
};

static const char *conf_value_level_of(const char *text)
{
	static const char *const levels[] = {"open", "careful", "strict"};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcasecmp(levels[i], text) == 0)
			return levels[i];
	return NULL;
}

bool conf_trust_is_level(const struct conf *c)
{
	return conf_value_level_of(c->trust) != NULL;
}

static bool is_access_file(const struct param *p, const char *text)
{
	return is_key(p, "access_log") && strcmp(text, "off") != 0 &&
	       strcmp(text, "syslog") != 0;
}

char *conf_value_keep(
    const void *settings, const struct param *p, const char *text)
{
	const struct conf *c = settings;
	bool is_path = is_key(p, "whitelist") || is_key(p, "blacklist") ||
		       is_key(p, "co_dir") ||
		       is_key(p, "onsembl_secret_file") ||
		       is_access_file(p, text) || is_key(p, "onsembl_keys");
	if (is_key(p, "trust") && conf_value_level_of(text))
		return mem_strdup(conf_value_level_of(text));
	if (is_key(p, "relay_url") && *text)
		return url_relay(text);
	if (!is_path || !*text || strchr("/[", *text) || !c->project_dir ||
	    !*c->project_dir)
		return NULL;
	struct buf path = {0};
	buf_printf(&path, "%s/%s", c->project_dir, text);
	return buf_steal(&path, NULL);
}

static int check_permissions(const char *text, struct err *err)
{
	struct permit *permit = permit_open(text, err);
	if (!permit)
		return -1;
	permit_close(&permit);
	return 0;
}

static int check_tools(const char *text, struct err *err)
{
	struct tool_spec spec = {0};
	if (tool_spec_read(&spec, text, err) != 0)
		return -1;
	tool_spec_fini(&spec);
	return 0;
}

static int check_servers(const char *text, struct err *err)
{
	struct mcp_servers servers;
	if (mcp_servers_read(&servers, text, false, err) != 0)
		return -1;
	mcp_servers_fini(&servers);
	return 0;
}

int conf_value_check_json(
    const struct param *p, const char *text, struct err *err)
{
	if (is_key(p, "permissions"))
		return check_permissions(text, err);
	if (is_key(p, "tools"))
		return check_tools(text, err);
	if (is_key(p, "mcp_servers"))
		return check_servers(text, err);
	return 0;
}
