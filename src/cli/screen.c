/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/screen.h"

#include "base/clock.h"
#include "cli/safe.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TICK_MS 100

/* What takes less than this needs no spinner. */
#define CALM_MS 200
#define DEFAULT_COLUMNS 80
#define MAX_COLUMNS 1000

/* Text of the agent that is held back is kept up to this size. */
#define MAX_HELD ((size_t)1 << 20)

/* Tools that take longer than this have their time shown. */
#define LONG_MS 1000

/* ---- the terminal ---- */

static size_t columns(void)
{
	struct winsize size;
	const char *text = getenv("COLUMNS");
	long n = text ? strtol(text, NULL, 10) : 0;

	if (n > 0 && n <= MAX_COLUMNS)
		return (size_t)n;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

static void put(const char *text, size_t len)
{
	/* Standard error may be gone, and there is nobody else to tell. */
	if (len)
		(void)fwrite(text, 1, len, stderr);
}

static void erase_spinner(struct screen *s)
{
	if (s->is_spinner_shown)
		put("\r\033[K", 4);
	s->is_spinner_shown = false;
}

static void draw_spinner(struct screen *s)
{
	static const char *const arcs[] = {
	    "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
	static const char *const bars[] = {"|", "/", "-", "\\"};
	int64_t ms = clock_mono_ms() - s->busy_since_ms;
	size_t n = (size_t)(ms / TICK_MS);
	struct buf line = {0};

	buf_str(&line, s->is_unicode ? arcs[n % 10] : bars[n % 4]);
	buf_printf(&line, " %s", s->busy);
	if (ms >= LONG_MS)
		buf_printf(&line, " %lld s", (long long)(ms / 1000));
	safe_cut(&line, 0, columns() - 1, "");
	put("\r\033[K\033[2m", 8);
	put(line.data, line.len);
	put("\033[0m", 4);
	(void)fflush(stderr);
	s->is_spinner_shown = true;
	buf_fini(&line);
}

/* Lines are written between these two. */
static void open_lines(struct screen *s)
{
	erase_spinner(s);
	if (s->hide)
		s->hide(s->hide_arg, true);
}

static void close_lines(struct screen *s)
{
	(void)fflush(stderr);
	if (s->hide)
		s->hide(s->hide_arg, false);
}

/* ---- lines ---- */

enum style { PLAIN, FAINT, GOOD, BAD };

static const char *const colours[] = {
    [PLAIN] = "",
    [FAINT] = "\033[2m",
    [GOOD] = "\033[32m",
    [BAD] = "\033[31m",
};

/* What begins a line, in UTF-8 and without. */
struct mark {
	const char *pretty, *plain;
	enum style style;
};

static const struct mark mark_thought = {"·", ".", FAINT};
static const struct mark mark_tool = {"▸", ">", PLAIN};
static const struct mark mark_done = {"✓", "+", GOOD};
static const struct mark mark_failed = {"✗", "x", BAD};
static const struct mark mark_note = {"·", "-", FAINT};

/* Write the line of s, which is safe, behind a mark. */
static void put_line(struct screen *s, const struct mark *mark)
{
	const char *sign = s->is_unicode ? mark->pretty : mark->plain;
	const char *colour = s->has_colours ? colours[mark->style] : "";
	const char *end = *colour ? "\033[0m" : "";

	if (!s->is_verbose)
		safe_cut(
		    &s->line, 0, columns() - 3, s->is_unicode ? "…" : "...");
	open_lines(s);
	if (mark->style == FAINT)
		(void)fprintf(stderr, "%s%s ", colour, sign);
	else
		(void)fprintf(stderr, "%s%s%s ", colour, sign, end);
	put(s->line.data, s->line.len);
	if (mark->style == FAINT)
		(void)fputs(end, stderr);
	(void)fputc('\n', stderr);
	close_lines(s);
	buf_reset(&s->line);
}

/* A member that is a text, as one line; others as their JSON. */
static void add_member(struct screen *s, const struct json *v)
{
	size_t len;
	const char *text;

	if (!v)
		return;
	buf_reset(&s->scratch);
	text = json_str(v, &s->scratch, &len);
	if (!text)
		text = json_text(v, &len);
	safe_line(&s->line, text, len);
}

static void add_named(
    struct screen *s, const struct json *event, const char *key)
{
	add_member(s, json_get(event, key));
}

/* ---- events ---- */

typedef void show_fn(struct screen *s, const struct json *event);

static void show_thinking(struct screen *s, const struct json *event)
{
	add_named(s, event, "content");
	if (s->line.len)
		put_line(s, &mark_thought);
}

/* Arguments, without the braces: expression: "6*7", n: 3. */
static void add_arguments(struct screen *s, const struct json *args)
{
	const char *between = "";

	for (const struct json *a = json_first(args); a; a = json_next(a)) {
		size_t len;
		const char *text = json_text(a, &len);
		buf_str(&s->line, between);
		if (json_is(args, JSON_OBJECT)) {
			add_member(s, json_key(a));
			buf_str(&s->line, ": ");
		}
		safe_json(&s->line, text, len);
		between = ", ";
	}
}

static void show_tool_call(struct screen *s, const struct json *event)
{
	add_named(s, event, "name");
	buf_char(&s->line, '(');
	add_arguments(s, json_get(event, "args"));
	buf_char(&s->line, ')');
	put_line(s, &mark_tool);
}

static bool is_success(const struct json *status)
{
	return !status || json_str_is(status, "success") ||
	       json_str_is(status, "done") || json_str_is(status, "completed");
}

static void show_tool_result(struct screen *s, const struct json *event)
{
	double ms = 0;
	bool is_good = is_success(json_get(event, "status"));

	add_named(s, event, "name");
	if (json_double(json_get(event, "timing_ms"), &ms) && ms >= LONG_MS &&
	    ms < 1e12)
		buf_printf(&s->line, " (%.1f s)", ms / 1000);
	buf_str(&s->line, ": ");
	add_named(s, event, "result");
	put_line(s, is_good ? &mark_done : &mark_failed);
}

static void show_tool_blocked(struct screen *s, const struct json *event)
{
	const struct json *message = json_get(event, "message");

	add_named(s, event, "tool");
	buf_str(&s->line, ": ");
	add_member(s, message ? message : json_get(event, "reason"));
	put_line(s, &mark_failed);
}

static void show_files(struct screen *s, const struct json *event)
{
	const struct json *files = json_get(event, "files");

	buf_str(&s->line, "received");
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		buf_char(&s->line, ' ');
		add_named(s, f, "name");
	}
	put_line(s, &mark_note);
}

static void show_image(struct screen *s, const struct json *event)
{
	size_t len = 0;

	(void)json_text(json_get(event, "image"), &len);
	buf_printf(&s->line, "an image of %zu kB (--json has it)",
	    (len / 4 * 3 + 999) / 1000);
	put_line(s, &mark_note);
}

static void show_plan(struct screen *s, const struct json *event)
{
	const struct json *entries = json_get(event, "entries");

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		bool is_done = json_str_is(json_get(e, "status"), "completed");
		add_named(s, e, "content");
		put_line(s, is_done ? &mark_done : &mark_note);
	}
}

static void show_dropped(struct screen *s, const struct json *event)
{
	(void)event;
	buf_str(&s->line, "a prompt was dropped by the interrupt");
	put_line(s, &mark_failed);
}

/* Events of one step each: the type and its status. */
static void show_status(struct screen *s, const struct json *event)
{
	add_named(s, event, "type");
	if (json_get(event, "status")) {
		buf_str(&s->line, ": ");
		add_named(s, event, "status");
	}
	put_line(s, &mark_note);
}

static void show_held(struct screen *s)
{
	if (!s->held.len)
		return;
	screen_text(s, s->held.data, s->held.len);
	buf_reset(&s->held);
}

/* The answer comes once more at the end, so the last text is held back. */
static void hold_text(struct screen *s, const struct json *event)
{
	size_t len;
	const char *text;

	buf_reset(&s->scratch);
	text = json_str(json_get(event, "content"), &s->scratch, &len);
	show_held(s);
	if (text && len <= MAX_HELD)
		buf_append(&s->held, text, len);
}

static void show_nothing(struct screen *s, const struct json *event)
{
	(void)s;
	(void)event;
}

static const struct {
	const char *type;
	show_fn *show;
	const char *busy; /* what the spinner says then; NULL: as before */
	bool is_minor;	  /* shown only if all are */
} rows[] = {
    {"thinking", show_thinking, "thinking", false},
    {"tool_call", show_tool_call, "working", false},
    {"tool_result", show_tool_result, "thinking", false},
    {"tool_blocked", show_tool_blocked, "thinking", false},
    {"assistant", hold_text, NULL, false},
    {"assistant_delta", show_nothing, NULL, true},
    {"files_received", show_files, NULL, false},
    {"agent_image", show_image, NULL, false},
    {"plan", show_plan, NULL, false},
    {"input_dropped", show_dropped, NULL, false},
    {"llm_call", show_status, "thinking", true},
    {"llm_result", show_status, NULL, true},
    {"compact", show_status, "compacting", false},
    {"intent", show_status, NULL, true},
    {"eval", show_status, NULL, true},
    {"turn_result", show_nothing, NULL, true},
    {"user_input", show_nothing, "thinking", false},
    /* The user is asked (cli/questions.h). */
    {"ask_user", show_nothing, NULL, false},
    {"approval_needed", show_nothing, NULL, false},
    {"plan_review", show_nothing, NULL, false},
    {"RUNTIME_INPUT_ACK", show_nothing, NULL, false},
    {"AGENT_PROFILE", show_nothing, NULL, false},
    {"session_sync", show_nothing, NULL, true},
    {"DASHBOARD_SNAPSHOT", show_nothing, NULL, false},
    {"OUTPUT", show_nothing, NULL, false},
};

void screen_event(struct screen *s, const struct co_event *event)
{
	struct json_error why;
	show_fn *show = show_status;
	bool is_minor = true;
	const struct json *root;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].type, event->type) == 0) {
			show = rows[i].show;
			is_minor = rows[i].is_minor;
			if (s->busy && rows[i].busy)
				screen_busy(s, rows[i].busy);
		}
	}
	root = json_parse(&s->doc, event->json, event->json_len, 0, &why);
	if (!root || !s->has_events || (is_minor && !s->is_verbose))
		return;
	if (show != hold_text && show != show_nothing)
		show_held(s);
	show(s, root);
}

/* ---- the connection ---- */

void screen_connection(struct screen *s, const struct co_connection *news)
{
	bool is_shown = s->is_verbose;

	if (s->busy)
		s->busy = news->way == CO_WAY_OPEN ? "waiting" : "connecting";
	switch (news->way) {
	case CO_WAY_LOOKUP:
		buf_printf(&s->line, "asking %s", news->where);
		break;
	case CO_WAY_REJECTED:
		buf_printf(&s->line, "not %s: %s", news->where, news->why);
		break;
	case CO_WAY_CONNECTING:
		buf_printf(&s->line, "connecting to %s", news->where);
		break;
	case CO_WAY_OPEN:
		buf_printf(&s->line, "connected %s %s, %s",
		    news->is_relayed ? "by relay" : "to", news->where,
		    news->is_sealed ? "encrypted end to end"
				    : "not encrypted end to end");
		break;
	case CO_WAY_BROKEN:
		is_shown = is_shown || (s->busy && s->has_events);
		buf_printf(&s->line, "connection lost: %s", news->why);
		break;
	case CO_WAY_RETRY:
		is_shown = is_shown || s->has_events;
		buf_printf(&s->line, "trying again in %.1f s",
		    (double)news->delay_ms / 1000);
		if (!s->busy || s->is_verbose)
			buf_printf(&s->line, ": %s", news->why);
		break;
	default: /* of a newer library */
		is_shown = false;
		break;
	}
	struct buf raw = s->line;
	s->line = (struct buf){0};
	safe_line(&s->line, raw.data, raw.len);
	buf_fini(&raw);
	if (is_shown && s->line.len)
		put_line(s, &mark_note);
	buf_reset(&s->line);
}

/* ---- the rest ---- */

void screen_busy(struct screen *s, const char *what)
{
	if (!s->busy)
		s->busy_since_ms = clock_mono_ms();
	s->busy = what;
}

void screen_idle(struct screen *s)
{
	erase_spinner(s);
	(void)fflush(stderr);
	s->busy = NULL;
}

int screen_tick_ms(const struct screen *s)
{
	return s->busy && s->has_spinner ? TICK_MS : -1;
}

void screen_tick(struct screen *s)
{
	int64_t now_ms = clock_mono_ms();

	if (!s->busy || !s->has_spinner || now_ms - s->busy_since_ms < CALM_MS)
		return;
	if (s->is_spinner_shown && now_ms - s->drawn_ms < TICK_MS)
		return;
	s->drawn_ms = now_ms;
	draw_spinner(s);
}

void screen_end(struct screen *s, const char *answer, size_t len)
{
	screen_idle(s);
	if (s->held.len == len && len && memcmp(s->held.data, answer, len) == 0)
		buf_reset(&s->held);
	show_held(s);
}

void screen_say(struct screen *s, const char *fmt, ...)
{
	va_list ap;
	struct buf raw = {0}, safe = {0};

	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	safe_line(&safe, raw.data, raw.len);
	buf_char(&safe, '\n');
	open_lines(s);
	put(safe.data, safe.len);
	close_lines(s);
	buf_fini(&raw);
	buf_fini(&safe);
}

void screen_fail(struct screen *s, const char *fmt, ...)
{
	va_list ap;
	struct buf raw = {0};

	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	screen_say(s, "co-connect: %s", buf_cstr(&raw));
	buf_fini(&raw);
}

void screen_text(struct screen *s, const char *text, size_t len)
{
	struct buf safe = {0};

	safe_text(&safe, text, len);
	if (safe.len && safe.data[safe.len - 1] != '\n')
		buf_char(&safe, '\n');
	open_lines(s);
	put(safe.data, safe.len);
	close_lines(s);
	buf_fini(&safe);
}

void screen_on_hide(
    struct screen *s, void (*hide)(void *arg, bool is_hidden), void *arg)
{
	s->hide = hide;
	s->hide_arg = arg;
}

void screen_init(struct screen *s, bool quiet, bool verbose)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool is_terminal = isatty(STDERR_FILENO) == 1;
	bool is_plain = (no_color && *no_color) || !term || !*term ||
			strcmp(term, "dumb") == 0;

	*s = (struct screen){
	    .has_events = verbose || (is_terminal && !quiet),
	    .has_spinner = is_terminal && !is_plain && !quiet,
	    .has_colours = is_terminal && !is_plain,
	    .is_verbose = verbose,
	    .is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

void screen_fini(struct screen *s)
{
	screen_idle(s);
	buf_fini(&s->held);
	buf_fini(&s->line);
	buf_fini(&s->scratch);
	json_fini(&s->doc);
}
