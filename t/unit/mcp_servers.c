/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The setting mcp_servers. */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "core/err.h"
#include "core/mcp_servers.h"

#include <stdlib.h>

static void put(struct buf *out, const struct mcp_servers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct mcp_server *m = &s->all[i];
		buf_printf(out, "%s:", m->name);
		for (char **a = m->argv; a && *a; a++)
			buf_printf(out, " '%s'", *a);
		for (char **a = m->env; a && *a; a++)
			buf_printf(out, " %s", *a);
		if (m->url)
			buf_printf(out, " %s", m->url);
		for (char **a = m->headers; a && *a; a++)
			buf_printf(out, " [%s]", *a);
		if (m->token)
			buf_printf(out, " token %s", m->token);
		buf_printf(out, " %lld%s;", (long long)m->timeout_ms,
		    m->is_trusted ? " trusted" : "");
	}
}

static const struct {
	const char *title, *text, *want;
	bool is_literal; /* without the environment */
} cases[] = {
    {"no setting has no servers", "", "", false},
    {"a server is a program",
	"{\"fs\":{\"args\":[\"-y\",7],\"command\":\"npx\",\"type\":\"stdio\"}}",
	"fs: 'npx' '-y' '7' 300000;", false},
    {"a program has variables of its own",
	"{\"fs\":{\"command\":\"x\",\"env\":{\"A\":\"b=c\",\"N\":1}}}",
	"fs: 'x' A=b=c N=1 300000;", false},
    {"a server is a place",
	"{\"s\":{\"url\":\"https://x/mcp\",\"headers\":{\"X-Y\":\"z\"},"
	"\"timeout\":5,\"trusted\":true}}",
	"s: https://x/mcp [X-Y: z] 5000 trusted;", false},
    {"variables of the environment are replaced",
	"{\"s\":{\"url\":\"http://${MCP_T}/${MCP_NONE:-mcp}\",\"headers\":"
	"{\"K\":\"${MCP_T}${\"},\"token_env\":\"MCP_T\"}}",
	"s: http://value/mcp [K: value${] token value 300000;", false},
    {"variables stay as they are written at first",
	"{\"s\":{\"command\":\"x\",\"args\":[\"${MCP_NONE}\"]}}",
	"s: 'x' '${MCP_NONE}' 300000;", true},
    {"the name of a token's variable is kept at first",
	"{\"s\":{\"url\":\"${U}\",\"token_env\":\"MCP_NONE\"}}",
	"s: ${U} token MCP_NONE 300000;", true},
    {"a list is refused", "[]", "! must be a mapping", false},
    {"a name with a dot is refused", "{\"a.b\":{\"command\":\"x\"}}",
	"! a.b: the name of a server has 1 to 32 letters, digits, _ and -",
	false},
    {"a server without a way is refused", "{\"s\":{\"args\":[]}}",
	"! s: needs a command or a url", false},
    {"a server with two ways is refused",
	"{\"s\":{\"command\":\"x\",\"url\":\"http://x\"}}",
	"! s: needs a command or a url", false},
    {"a server that is a text is refused", "{\"s\":\"npx\"}",
	"! s: must be a mapping", false},
    {"an unknown key is refused", "{\"s\":{\"command\":\"x\",\"envs\":{}}}",
	"! s: envs is not known; a program has command, args, env, timeout "
	"and trusted",
	false},
    {"a key of the other kind is refused",
	"{\"s\":{\"url\":\"http://x\",\"args\":[]}}",
	"! s: args is not known; a url has url, headers, token_env, timeout "
	"and trusted",
	false},
    {"a variable that is not set is named",
	"{\"s\":{\"command\":\"x\",\"env\":{\"A\":\"${MCP_NONE}\"}}}",
	"! s: the environment variable MCP_NONE is not set", false},
    {"the variable of a token that is not set is named",
	"{\"s\":{\"url\":\"http://x\",\"token_env\":\"MCP_NONE\"}}",
	"! s: the environment variable MCP_NONE is not set (token_env)", false},
    {"a header with a line end is refused",
	"{\"s\":{\"url\":\"http://x\",\"headers\":{\"A\":\"b\\nC: d\"}}}",
	"! s: headers: bad name or value: A", false},
    {"a place that is no address is refused", "{\"s\":{\"url\":\"ftp://x\"}}",
	"! s: url must begin with http:// or https://", false},
    {"the older event streams are refused",
	"{\"s\":{\"url\":\"http://x\",\"type\":\"sse\"}}",
	"! s: type must be http here", false},
    {"a timeout beyond a day is refused",
	"{\"s\":{\"command\":\"x\",\"timeout\":86401}}",
	"! s: timeout must be 1 to 86400 seconds", false},
    {"an empty command is refused", "{\"s\":{\"command\":\"\"}}",
	"! s: command must not be empty", false},
    {"names whose tools could be confused are refused",
	"{\"a\":{\"command\":\"x\"},\"a_b\":{\"command\":\"x\"}}",
	"! a and a_b: their tools could have the same names; rename one",
	false},
    {"a name that only begins like another is not confused",
	"{\"a\":{\"command\":\"x\"},\"ab\":{\"command\":\"x\"}}",
	"a: 'x' 300000;ab: 'x' 300000;", false},
};

int main(void)
{
	(void)setenv("MCP_T", "value", 1);
	(void)unsetenv("MCP_NONE");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mcp_servers s;
		struct err err = {0};
		struct buf got = {0};

		if (mcp_servers_read(
			&s, cases[i].text, !cases[i].is_literal, &err) == 0) {
			put(&got, &s);
			mcp_servers_fini(&s);
		} else {
			buf_printf(&got, "! %s", err.text);
		}
		is_str(buf_cstr(&got), cases[i].want, "%s", cases[i].title);
		buf_fini(&got);
	}
	return done();
}
