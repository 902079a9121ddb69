/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/log.h"
#include "door/console.h"
#include "t/unit/scratch.h"

#define ADDRESS "0x2f3d4017c3e843895a92b70aa74d1b7e"
#define SESSION "aad5f00d-0000-4000-8000-000000000000"

static char *path;
static int fd;

static void begin(void)
{
	path = scratch_path("console");
	fd =
	    open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	console_to(fd, false);
}

/* The line that was said; it must be the only one. */
static void is_line(const char *want, const char *name)
{
	size_t len;
	char *text = scratch_read(path, &len);
	char *line = NULL;

	if (asprintf(&line, "%s\n", want) < 0 || ftruncate(fd, 0) != 0)
		abort();
	is_str(text, line, "%s", name);
	free(line);
	free(text);
}

static void end(void)
{
	console_to(-1, true);
	(void)close(fd);
	free(path);
}

static void test_words(void)
{
	begin();
	console_opened("127.0.0.1", 0);
	is_line("⚡ ws+ 127.0.0.1 (0 active)", "a socket opens");
	console_closed(1);
	is_line("⚡ ws- (1 active)", "a socket closes");
	console_compat("direct", "oip/0.1", true);
	is_line("OIP_COMPAT transport=direct peer=oip/0.1 outcome=accepted",
	    "a version is accepted");
	console_compat("unknown", "unsupported", false);
	is_line("OIP_COMPAT transport=unknown peer=unsupported "
		"outcome=rejected",
	    "a version is rejected");
	console_connect(ADDRESS, SESSION, "new", false);
	is_line("✓ CONNECT identity=0x2f3d... session=aad5... status=new",
	    "a client connects");
	console_connect("", SESSION, "connected", true);
	is_line("✓ CONNECT identity=anonymous session=aad5... "
		"status=connected (server_newer)",
	    "an unsigned client connects while the server knows more");
	console_reattach(ADDRESS, SESSION, "running", false);
	is_line("↻ REATTACH identity=0x2f3d... session=aad5... status=running",
	    "a client connects again");
	console_history(4);
	is_line(
	    "  ↑ client session: 4 messages", "a client brings its messages");
	console_merged();
	is_line("  ↕ merged sessions (server newer)", "the server's count");
	console_foreign(SESSION);
	is_line("  ↩ session aad5... belongs to another caller — "
		"starting a new one",
	    "a session is another's");
	console_resumed();
	is_line("  ↻ reattaching to running agent",
	    "a client attaches to a running agent");
	end();
}

static void test_more_words(void)
{
	begin();
	console_input(ADDRESS, SESSION, "hello world", 11);
	is_line("✓ INPUT identity=0x2f3d... session=aad5... "
		"prompt=hello world...",
	    "an input has its line");
	console_attached(2, 1);
	is_line(
	    "  ↑ 2 images, 1 files", "attachments of an input have their line");
	console_runtime_input(SESSION, "more", 4);
	is_line("↳ RUNTIME_INPUT session=aad5... prompt=more...",
	    "an input during a turn has its line");
	console_exec("bash", "{\"command\":\"ls\"}", 16);
	is_line("✓ EXEC tool=bash args={\"command\":\"ls\"}",
	    "a call of a tool has its line");
	console_received("INTERRUPT", 9);
	is_line("← recv: INTERRUPT", "another frame has its line");
	console_auth_error("CONNECT", "forbidden");
	is_line("✗ CONNECT auth error: forbidden",
	    "a refused CONNECT has its line");
	console_unauthenticated("INPUT");
	is_line("✗ INPUT rejected: not authenticated (send CONNECT first)",
	    "an input before CONNECT has its line");
	console_agent_error("ValueError: no\nway", 18);
	is_line("✗ agent error: ValueError: no\\nway", "an agent fails");
	console_verified(ADDRESS, "invite code", "contact");
	is_line("✓ Verified 0x2f3d... with invite code → contact",
	    "a stranger is no more one");
	console_expired(3);
	is_line("[Registry] Cleaned up 3 expired sessions",
	    "expired sessions have their line");
	end();
}

struct text_case {
	const char *name, *prompt, *shown;
};

static const struct text_case text_cases[] = {
    {"line breaks are shown", "a\nb\r", "a\\nb\\x0d"},
    {"colours are not passed on", "\x1b[31mred", "\\x1b[31mred"},
    {"nor are controls of eight bits",
	"\xc2\x9b"
	"2J",
	"\\u009b2J"},
    {"nor what turns a line", "\xe2\x80\xaego", "\\u202ego"},
    {"bytes that are no text are shown", "\xff\xc3", "\\xff\\xc3"},
    {"characters are counted, not bytes",
	"ééééééééééééééééééééééééééééééééééééééééééééééééééXX",
	"éééééééééééééééééééééééééééééééééééééééééééééééééé"},
};

static void test_text(void)
{
	char want[512];

	begin();
	for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++) {
		const struct text_case *c = &text_cases[i];
		console_runtime_input("s", c->prompt, strlen(c->prompt));
		(void)snprintf(want, sizeof want,
		    "↳ RUNTIME_INPUT session=s... prompt=%s...", c->shown);
		is_line(want, c->name);
	}
	console_exec("t",
	    "0123456789012345678901234567890123456789012345678901"
	    "2345678901234567890123456789XX",
	    82);
	is_line("✓ EXEC tool=t args=0123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789",
	    "eighty characters of arguments are shown");
	end();
}

static void test_sinks(void)
{
	int ends[2];
	char *log = scratch_path("log"), chunk[4096] = "";
	size_t len, n_written = 0;

	if (log_open(log) != 0 || pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
		abort();
	console_closed(7);
	char *text = scratch_read(log, &len);
	ok(strstr(text, ": ⚡ ws- (7 active)\n"),
	    "lines go to the log before a console is set");
	free(text);
	while (write(ends[1], chunk, sizeof chunk) > 0)
		n_written++;
	console_to(ends[1], true);
	console_closed(8);
	text = scratch_read(log, &len);
	ok(n_written && strstr(text, "(8 active)"),
	    "a reader that stands still holds nobody up");
	free(text);
	while (read(ends[0], chunk, sizeof chunk) > 0)
		;
	console_closed(9);
	ok(read(ends[0], chunk, sizeof chunk) == 19 &&
		memcmp(chunk, "⚡ ws- (9 active)\n", 19) == 0,
	    "lines are written when the console is read again");
	console_to(-1, true);
	(void)close(ends[0]);
	(void)close(ends[1]);
	free(log);
}

int main(void)
{
	test_words();
	test_more_words();
	test_text();
	test_sinks();
	return done();
}
