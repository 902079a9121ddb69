/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "main/banner.h"

#define ADDRESS "0x3d4017c3"

/* Facts that the cases below change. */
static struct banner usual(void)
{
	return (struct banner){
	    .notices = "",
	    .name = "translator",
	    .model = "co/gemini-2.5-pro",
	    .n_tools = 12,
	    .bound = "0.0.0.0:8000",
	    .address = ADDRESS,
	    .doors = "all",
	    .host_yaml = "/srv/my-agent/.co/host.yaml",
	    .co_dir = "/srv/my-agent/.co",
	    .trust = "open",
	};
}

static const char *print(const struct banner *b)
{
	static struct buf out;

	buf_reset(&out);
	banner_print(&out, b);
	return buf_cstr(&out);
}

static void test_whole(void)
{
	struct banner b = usual();

	b.notices = "INFO: Loaded environment: /srv/my-agent/.env\n"
		    "INFO: Loaded global keys: /home/me/.co/keys.env\n";
	is_str(print(&b),
	    "INFO: Loaded environment: /srv/my-agent/.env\n"
	    "INFO: Loaded global keys: /home/me/.co/keys.env\n"
	    "\n"
	    "[agent] ─────────────────────────────────────\n"
	    "        translator\n"
	    "        co/gemini-2.5-pro • 12 tools\n"
	    "\n"
	    "[host]  ─────────────────────────────────────\n"
	    "        http://localhost:8000\n"
	    "        POST /input · WS /ws · GET /docs\n"
	    "\n"
	    "        0x3d4017c3\n"
	    "        no relay\n"
	    "\n"
	    "        config: /srv/my-agent/.co/host.yaml\n"
	    "        logs: /srv/my-agent/.co/logs\n"
	    "\n"
	    "Waiting for tasks...\n",
	    "the lines are those of the document, in its order");
}

static void test_relay(void)
{
	struct banner b = usual();

	b.has_relay = true;
	ok(strstr(print(&b), "\n        0x3d4017c3\n\n") != NULL,
	    "a relay is not mentioned before it is reached");
}

static void test_url(void)
{
	static const struct {
		const char *bound;
		const char *line;
	} rows[] = {
	    {"127.0.0.1:8000", "\n        http://localhost:8000\n"},
	    {"0.0.0.0:80", "\n        http://localhost:80\n"},
	    {"[::]:8000", "\n        http://localhost:8000\n"},
	    {"[::1]:8000", "\n        http://localhost:8000\n"},
	    {"127.0.0.12:8000", "\n        http://127.0.0.12:8000\n"},
	    {"192.0.2.7:8000", "\n        http://192.0.2.7:8000\n"},
	    {"[2001:db8::7]:8000", "\n        http://[2001:db8::7]:8000\n"},
	    {"unix:/run/host.sock", "\n        unix:/run/host.sock\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct banner b = usual();

		b.bound = rows[i].bound;
		ok(strstr(print(&b), rows[i].line), "%s is told as it is used",
		    rows[i].bound);
	}
}

static void test_doors(void)
{
	static const struct {
		const char *doors;
		const char *line;
	} rows[] = {
	    {"http", "POST /input · GET /docs"},
	    {"connectonion", "WS /ws"},
	    {"openhands", "Socket.IO /socket.io · POST /api/conversations"},
	    {"agent-server", "agent server /api/conversations"},
	    {"onsembl,connectonion", "WS /ws · WS /ws/dashboard"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct banner b = usual();
		struct buf line = {0};

		b.doors = rows[i].doors;
		buf_printf(
		    &line, "localhost:8000\n        %s\n\n", rows[i].line);
		ok(strstr(print(&b), buf_cstr(&line)),
		    "doors %s: the line names what clients use", rows[i].doors);
		buf_fini(&line);
	}
}

static void test_agent(void)
{
	static const struct {
		const char *what;
		const char *model;
		size_t n_tools;
		const char *state;
		const char *line;
	} rows[] = {
	    {"no tool", "m", 0, NULL, "\n        m • 0 tools\n\n"},
	    {"one tool", "m", 1, NULL, "\n        m • 1 tool\n\n"},
	    {"no model", "", 2, NULL, "\n        2 tools\n\n"},
	    {"a state", "m", 1, "shared: all",
		"\n        m • 1 tool\n        state: shared: all\n\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct banner b = usual();

		b.model = rows[i].model;
		b.n_tools = rows[i].n_tools;
		b.state = rows[i].state;
		ok(strstr(print(&b), rows[i].line), "an agent with %s",
		    rows[i].what);
	}
}

static void test_no_settings(void)
{
	struct banner b = usual();

	b.host_yaml = "";
	ok(strstr(print(&b), "        config: none (defaults): create "
			     "/srv/my-agent/.co/host.yaml to change them\n"),
	    "a server without settings says where they would go");
}

#define SET "Invite: set — CO_INVITE_CODE in .env, not printed here\n"
#define UNSET                                                                  \
	"Invite: no one can onboard — CO_INVITE_CODE is not set. Add it to " \
	".env, or run `co init` to mint one.\n"

#define ADMITTED                                                            \
	"trust: careful: without an invite code or a price, strangers are " \
	"admitted without a signature\n"

#define PAID                                                            \
	"Invite: no code — CO_INVITE_CODE is not set. Strangers can " \
	"onboard by the payment of CO_PAYMENT.\n"

static void test_trust(void)
{
	static const struct {
		const char *trust;
		const char *environment;
		bool has_invite, has_payment;
		const char *lines; /* after the logs */
	} rows[] = {
	    {"open", NULL, true, true, ""},
	    {"strict", NULL, true, true, ""},
	    {"custom", NULL, true, true, ""},
	    {"careful", NULL, true, false, "        " SET "\n"},
	    {"careful", NULL, true, true, "        " SET "\n"},
	    {"careful", NULL, false, false,
		"        " UNSET "        " ADMITTED "\n"},
	    {"careful", NULL, false, true, "        " PAID "\n"},
	    {"open", "development", false, false,
		"        trust: open (CONNECTONION_ENV=development)\n\n"},
	    {"careful", "staging", true, false,
		"        trust: careful (CONNECTONION_ENV=staging)\n"
		"        " SET "\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct banner b = usual();
		struct buf end = {0};

		b.trust = rows[i].trust;
		b.environment = rows[i].environment;
		b.has_invite = rows[i].has_invite;
		b.has_payment = rows[i].has_payment;
		buf_printf(&end,
		    "        logs: /srv/my-agent/.co/logs\n\n%sWaiting for "
		    "tasks...\n",
		    rows[i].lines);
		ok(strstr(print(&b), buf_cstr(&end)),
		    "%s%s%s, %s invite code, %s price", rows[i].trust,
		    rows[i].environment ? " by " : "",
		    rows[i].environment ? rows[i].environment : "",
		    rows[i].has_invite ? "an" : "no",
		    rows[i].has_payment ? "a" : "no");
		buf_fini(&end);
	}
}

int main(void)
{
	struct banner b = usual();

	test_whole();
	test_relay();
	test_url();
	test_doors();
	test_agent();
	test_no_settings();
	test_trust();
	ok(!strchr(print(&b), '\033'), "there is no colour");
	return done();
}
