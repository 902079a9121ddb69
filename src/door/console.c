/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/console.h"

#include "base/buf.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/utf8.h"
#include "session/session.h"

#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* How many characters are shown of a prompt, of arguments and of other text. */
#define PROMPT_CHARS 50
#define ARGS_CHARS 80
#define WORD_CHARS 64
#define ERROR_CHARS 500

/* How many bytes are shown of an address and of a session id. */
#define ADDRESS_SHOWN 6
#define SESSION_SHOWN 4

static int console_fd = -1;
static bool is_logged = true;

void console_to(int fd, bool is_logged_too)
{
	lines_flush();
	console_fd = fd;
	is_logged = is_logged_too;
}

/* ---- lines ---- */

/* Never block on a terminal that is stopped. */
static void write_bytes(const char *bytes, size_t len)
{
	struct pollfd p = {.fd = console_fd, .events = POLLOUT};
	if (len <= LINES_BYTES && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		(void)!write(console_fd, bytes, len);
}

static void write_line(struct buf *line)
{
	static struct lines lines = {.write = write_bytes};
	buf_char(line, '\n');
	lines_add(&lines, line->data, line->len);
}

static void console_say(struct buf *line)
{
	if (is_logged)
		log_info("%s", buf_cstr(line));
	if (console_fd >= 0)
		write_line(line);
	buf_fini(line);
}

__attribute__((format(printf, 1, 2))) static void sayf(const char *fmt, ...)
{
	struct buf line = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	console_say(&line);
}

static void put_char(struct buf *out, uint32_t c, const char *bytes, size_t n)
{
	if (c == '\n')
		buf_str(out, "\\n");
	else if (c < 0x20 || c == 0x7f)
		buf_printf(out, "\\x%02x", (unsigned)c);
	else if (c < 0xa0 && c >= 0x80)
		buf_printf(out, "\\u%04x", (unsigned)c);
	else if ((c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		buf_printf(out, "\\u%04x", (unsigned)c); /* reverses the line */
	else
		buf_append(out, bytes, n);
}

/* Append at most this many characters of a peer's text. */
static void console_put_text(
    struct buf *out, const char *text, size_t len, size_t most)
{
	for (size_t i = 0, n; i < len && most; i += n, most--) {
		n = utf8_len(text + i, len - i);
		if (n)
			put_char(out, utf8_get(text + i, n), text + i, n);
		else
			buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		n += !n;
	}
}

static void put_word(struct buf *out, const char *text)
{
	console_put_text(out, text, strlen(text), WORD_CHARS);
}

static void put_identity(struct buf *out, const char *address)
{
	buf_str(out, " identity=");
	if (!*address) {
		buf_str(out, "anonymous");
		return;
	}
	console_put_text(out, address, strlen(address), ADDRESS_SHOWN);
	buf_str(out, "...");
}

static void console_put_session(struct buf *out, const char *session)
{
	buf_str(out, " session=");
	console_put_text(out, session, strlen(session), SESSION_SHOWN);
	buf_str(out, "...");
}

static void put_prompt(struct buf *out, const char *prompt, size_t len)
{
	buf_str(out, " prompt=");
	console_put_text(out, prompt, len, PROMPT_CHARS);
	buf_str(out, "...");
}

/* ---- actions of clients ---- */

void console_opened(const char *peer, unsigned n)
{
	struct buf line = {0};
	buf_str(&line, "⚡ ws+ ");
	put_word(&line, peer);
	buf_printf(&line, " (%u active)", n);
	console_say(&line);
}

void console_closed(unsigned n)
{
	sayf("⚡ ws- (%u active)", n);
}

void console_compat(
    const char *transport, const char *peer_version, bool is_accepted)
{
	sayf("OIP_COMPAT transport=%s peer=%s outcome=%s", transport,
	    peer_version, is_accepted ? "accepted" : "rejected");
}

static void greet(const char *what, const char *address, const char *session,
    const char *status, bool is_newer)
{
	struct buf line = {0};
	buf_str(&line, what);
	put_identity(&line, address);
	console_put_session(&line, session);
	buf_printf(
	    &line, " status=%s%s", status, is_newer ? " (server_newer)" : "");
	console_say(&line);
}

void console_connect(
    const char *address, const char *session, const char *status, bool is_newer)
{
	greet("✓ CONNECT", address, session, status, is_newer);
}

void console_reattach(
    const char *address, const char *session, const char *status, bool is_newer)
{
	greet("↻ REATTACH", address, session, status, is_newer);
}

void console_history(size_t n_messages)
{
	sayf("  ↑ client session: %zu messages", n_messages);
}

void console_merged(void)
{
	sayf("  ↕ merged sessions (server newer)");
}

void console_foreign(const char *session)
{
	struct buf line = {0};
	buf_str(&line, "  ↩ session ");
	console_put_text(&line, session, strlen(session), SESSION_SHOWN);
	buf_str(&line, "... belongs to another caller — starting a new one");
	console_say(&line);
}

void console_resumed(void)
{
	sayf("  ↻ reattaching to running agent");
}

void console_input(
    const char *address, const char *session, const char *prompt, size_t len)
{
	struct buf line = {0};
	buf_str(&line, "✓ INPUT");
	put_identity(&line, address);
	console_put_session(&line, session);
	put_prompt(&line, prompt, len);
	console_say(&line);
}

void console_attached(size_t images, size_t files)
{
	sayf("  ↑ %zu images, %zu files", images, files);
}

void console_runtime_input(const char *session, const char *prompt, size_t len)
{
	struct buf line = {0};
	buf_str(&line, "↳ RUNTIME_INPUT");
	console_put_session(&line, session);
	put_prompt(&line, prompt, len);
	console_say(&line);
}

void console_submit(const struct session *s, const struct session_input *in)
{
	if (session_status(s) == SESSION_RUNNING)
		console_runtime_input(
		    session_id(s), in->prompt, in->prompt_len);
	else
		console_input(
		    in->caller, session_id(s), in->prompt, in->prompt_len);
}

void console_exec(const char *tool, const char *args, size_t len)
{
	struct buf line = {0};
	buf_str(&line, "✓ EXEC tool=");
	put_word(&line, tool);
	buf_str(&line, " args=");
	console_put_text(&line, args, len, ARGS_CHARS);
	console_say(&line);
}

void console_received(const char *type, size_t len)
{
	struct buf line = {0};
	buf_str(&line, "← recv: ");
	console_put_text(&line, type, len, WORD_CHARS);
	console_say(&line);
}

/* ---- errors ---- */

void console_auth_error(const char *frame, const char *why)
{
	struct buf line = {0};
	buf_printf(&line, "✗ %s auth error: ", frame);
	console_put_text(&line, why, strlen(why), ERROR_CHARS);
	console_say(&line);
}

void console_unauthenticated(const char *frame)
{
	sayf("✗ %s rejected: not authenticated (send CONNECT first)", frame);
}

void console_agent_error(const char *text, size_t len)
{
	struct buf line = {0};
	buf_str(&line, "✗ agent error: ");
	console_put_text(&line, text, len, ERROR_CHARS);
	console_say(&line);
}

/* ---- other events ---- */

void console_verified(const char *address, const char *means, const char *level)
{
	struct buf line = {0};
	buf_str(&line, "✓ Verified ");
	console_put_text(&line, address, strlen(address), ADDRESS_SHOWN);
	buf_printf(&line, "... with %s → %s", means, level);
	console_say(&line);
}

void console_expired(unsigned n)
{
	sayf("[Registry] Cleaned up %u expired sessions", n);
}

void console_relay(const char *what)
{
	struct buf line = {0};
	console_put_text(&line, what, strlen(what), ERROR_CHARS);
	console_say(&line);
}
