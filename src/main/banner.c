/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/banner.h"

#include "base/buf.h"
#include "core/doors.h"

#include <stdint.h>
#include <string.h>

#define RULE "─────────────────────────────────────"
#define INDENT "        "

/* The line before it is the Python host's, and says only half of it. */
#define ADMITTED                                                            \
	"trust: careful: without an invite code or a price, strangers are " \
	"admitted without a signature\n"

/* Whether an address can be reached as localhost on this machine. */
static bool is_localhost(const char *host, size_t len)
{
	static const char *const names[] = {
	    "127.0.0.1", "0.0.0.0", "[::1]", "[::]"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && memcmp(names[i], host, len) == 0)
			return true;
	return false;
}

static void put_url(struct buf *out, const char *bound)
{
	const char *colon = strrchr(bound, ':');
	if (strncmp(bound, "unix:", 5) == 0)
		buf_printf(out, INDENT "%s\n", bound);
	else if (colon && is_localhost(bound, (size_t)(colon - bound)))
		buf_printf(out, INDENT "http://localhost%s\n", colon);
	else
		buf_printf(out, INDENT "http://%s\n", bound);
}

static void put_agent(struct buf *out, const struct banner *b)
{
	buf_str(out, "\n[agent] " RULE "\n");
	buf_printf(out, INDENT "%s\n" INDENT, b->name);
	if (*b->model)
		buf_printf(out, "%s • ", b->model);
	buf_printf(out, "%zu tool%s\n", b->n_tools, b->n_tools == 1 ? "" : "s");
	if (b->state)
		buf_printf(out, INDENT "state: %s\n", b->state);
}

static void put_config(struct buf *out, const struct banner *b)
{
	if (*b->host_yaml)
		buf_printf(out, INDENT "config: %s\n", b->host_yaml);
	else
		buf_printf(out,
		    INDENT "config: none (defaults): create %s/host.yaml to "
			   "change them\n",
		    b->co_dir);
	buf_printf(out, INDENT "logs: %s/logs\n\n", b->co_dir);
}

/*
 * The code itself is secret, and this text goes into logs. Of the trust levels,
 * only careful lets strangers onboard, by a code or a payment.
 */
static const char *invite_line(const struct banner *b)
{
	if (strcmp(b->trust, "careful") != 0)
		return NULL;
	if (b->has_invite)
		return "Invite: set — CO_INVITE_CODE in .env, not printed here";
	if (b->has_payment)
		return "Invite: no code — CO_INVITE_CODE is not set. Strangers "
		       "can onboard by the payment of CO_PAYMENT.";
	return "Invite: no one can onboard — CO_INVITE_CODE is not set. Add it "
	       "to .env, or run `co init` to mint one.";
}

static void put_trust(struct buf *out, const struct banner *b)
{
	const char *invite = invite_line(b);
	if (b->environment)
		buf_printf(out, INDENT "trust: %s (CONNECTONION_ENV=%s)\n",
		    b->trust, b->environment);
	if (invite)
		buf_printf(out, INDENT "%s\n", invite);
	if (invite && !b->has_invite && !b->has_payment)
		buf_str(out, INDENT ADMITTED);
	if (b->environment || invite)
		buf_char(out, '\n');
}

/*
 * Where clients come in. With doors "all" the line is that of the Python host;
 * who has chosen doors sees those.
 */
static void put_doors(struct buf *out, const char *doors)
{
	static const struct {
		enum door_id door;
		const char *what;
		bool is_chosen; /* named only if doors were chosen */
	} rows[] = {
	    {DOOR_HTTP, "POST /input", false},
	    {DOOR_CONNECTONION, "WS /ws", false},
	    {DOOR_HTTP, "GET /docs", false},
	    {DOOR_OPENHANDS, "Socket.IO /socket.io", true},
	    {DOOR_OPENHANDS, "POST /api/conversations", true},
	    {DOOR_AGENT_SERVER, "agent server /api/conversations", true},
	    {DOOR_ONSEMBL, "WS /ws/dashboard", true},
	};
	bool has_all = strcmp(doors, "all") == 0;
	const char *before = INDENT;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!doors_have(doors, rows[i].door) ||
		    (has_all && rows[i].is_chosen))
			continue;
		buf_printf(out, "%s%s", before, rows[i].what);
		before = " · ";
	}
	buf_str(out, "\n\n");
}

void banner_print(struct buf *out, const struct banner *b)
{
	buf_str(out, b->notices);
	put_agent(out, b);
	buf_str(out, "\n[host]  " RULE "\n");
	put_url(out, b->bound);
	put_doors(out, b->doors);
	buf_printf(out, INDENT "%s\n", b->address);
	if (!b->has_relay)
		buf_str(out, INDENT "no relay\n");
	buf_char(out, '\n');
	put_config(out, b);
	put_trust(out, b);
	buf_str(out, "Waiting for tasks...\n");
}
