/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_MCP_SERVERS_H
#define CORE_MCP_SERVERS_H

/*
 * The setting mcp_servers: the MCP servers whose tools an agent has. It is in
 * the form that other clients use:
 *
 *	NAME: {command, args, env, timeout, trusted}	a program (stdio)
 *	NAME: {url, headers, token_env, timeout, trusted}	streamable HTTP
 *
 * ${VARIABLE} and ${VARIABLE:-default} stand for variables of the environment,
 * in args, env, url and headers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* The maximum number of servers, and the length of a name. */
#define MCP_SERVERS_MAX 32
#define MCP_SERVERS_NAME_MAX 32

/* How long a call may take if timeout is not set, and the longest. */
#define MCP_SERVERS_TIMEOUT_S 300
#define MCP_SERVERS_TIMEOUT_MAX_S 86400

struct mcp_server {
	char *name;  /* [A-Za-z0-9_-] */
	char **argv; /* of the program, NULL-terminated; NULL: it has a url */
	char **env;  /* of the program, "NAME=VALUE", NULL-terminated */
	char *url;   /* NULL: it is a program */
	char **headers; /* "Name: value", NULL-terminated */
	char *token;	/* of the header Authorization: Bearer; or NULL */
	int64_t timeout_ms;
	bool is_trusted; /* what it says about its tools is believed */
};

/* Lives in its owner. */
struct mcp_servers {
	struct mcp_server *all;
	size_t n;
};

/*
 * Read the JSON text of the setting; "" has no servers. With has_environment,
 * variables are replaced; otherwise they stay as they are written, and token is
 * the name of its variable. Returns 0, or -1 with ERR_CONFIG, naming the server,
 * the key and what is wrong, or the variable that is not set.
 */
int mcp_servers_read(struct mcp_servers *s, const char *text,
    bool has_environment, struct err *err);

/* Free the contents. */
void mcp_servers_fini(struct mcp_servers *s);

#endif
