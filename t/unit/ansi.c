/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a program writes to a terminal: its parts, and who gets which. */
#include "wrapper/ansi.h"

#include "base/buf.h"
#include "t/unit/tap.h"
#include "wrapper/bar.h"
#include "wrapper/filter.h"
#include "wrapper/modes.h"

static struct buf seen;

static void note(void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	static const char letters[] = "TCSEP";

	(void)arg;
	buf_printf(&seen, "%c%.*s|", letters[kind], (int)len, text);
}

static void test_parts(void)
{
	static const struct {
		const char *name, *text, *parts;
	} cases[] = {
	    {"text is one part", "a\r\nb", "Ta\r\nb|"},
	    {"a color is a control sequence", "a\033[1;31mb",
		"Ta|C\033[1;31m|Tb|"},
	    {"a title ends with BEL", "\033]0;t\ab", "S\033]0;t\a|Tb|"},
	    {"a link ends with ST", "\033]8;;u\033\\b", "S\033]8;;u\033\\|Tb|"},
	    {"a charset is a short sequence", "\033(Bb", "E\033(B|Tb|"},
	    {"ESC begins a sequence in another", "\033[3\033[1mb",
		"C\033[1m|Tb|"},
	    {"a string without an end is left", "\033]0;t\033[1mb",
		"P\033]0;t|C\033[1m|Tb|"},
	    {"CAN ends a sequence", "\033[3\030b", "P\033[3\030|Tb|"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ansi whole = {0}, bytes = {0};
		size_t n = strlen(cases[i].text);

		buf_reset(&seen);
		ansi_feed(&whole, cases[i].text, n, note, NULL);
		is_str(buf_cstr(&seen), cases[i].parts, "%s", cases[i].name);
		buf_reset(&seen);
		for (size_t at = 0; at < n; at++)
			ansi_feed(&bytes, cases[i].text + at, 1, note, NULL);
		if (*cases[i].text == '\033') /* text comes in bytes */
			is_str(buf_cstr(&seen), cases[i].parts,
			    "%s, byte by byte", cases[i].name);
		ansi_fini(&whole);
		ansi_fini(&bytes);
	}
}

static void count(void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	size_t *n = arg;

	(void)text;
	n[kind] += len;
}

static void test_long(void)
{
	static char text[3 * ANSI_MAX_SEQUENCE];
	size_t n[5] = {0};
	struct ansi a = {0};

	memset(text, 'x', sizeof text);
	memcpy(text, "\033]52;c;", 7);
	ansi_feed(&a, text, sizeof text, count, n);
	ok(!ansi_is_between(&a), "a string without an end goes on");
	ansi_feed(&a, "\ab", 2, count, n);
	ok(ansi_is_between(&a), "a long string ends");
	is_int((int)n[ANSI_PIECE], (int)sizeof text + 1,
	    "a long string comes in pieces");
	is_int((int)n[ANSI_TEXT], 1, "text follows a long string");
	ansi_fini(&a);
}

/* ---- dashboards ---- */

static void put_filtered(
    void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	filter_put(arg, kind, text, len);
}

static void test_filter(void)
{
	static const char *const kept[] = {"text", "\033[31m", "\033[2J",
	    "\033[10;20H", "\033[?1049h", "\033[?25l", "\033]0;title\a",
	    "\033]8;;http://h\033\\", "\033(B", "\033[2 q", "\033[u", "\0337"};
	static const char *const dropped[] = {"\033[c", "\033[>c", "\033[6n",
	    "\033[?2026$p", "\033[>0q", "\033[?u", "\033[>5u", "\033[14t",
	    "\033]52;c;eA==\a", "\033]10;?\a", "\033P+q544e\033\\",
	    "\033_Gi=1;AAAA\033\\", "\033Z"};
	struct ansi a = {0};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		buf_reset(&out);
		ansi_feed(&a, kept[i], strlen(kept[i]), put_filtered, &out);
		is_str(buf_cstr(&out), kept[i], "dashboards get %s",
		    kept[i] + (*kept[i] == '\033'));
	}
	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
		buf_reset(&out);
		ansi_feed(
		    &a, dropped[i], strlen(dropped[i]), put_filtered, &out);
		is_str(buf_cstr(&out), "", "dashboards do not get %s",
		    dropped[i] + 1);
	}
	buf_fini(&out);
	ansi_fini(&a);
}

/* ---- modes ---- */

static void put_modes(
    void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	modes_note(arg, kind, text, len);
}

static void test_modes(void)
{
	static const struct {
		const char *name, *text, *undo;
	} cases[] = {
	    {"a program that switches nothing", "\033[31mred", "\033[0m"},
	    {"a mode is switched off", "\033[?2004h", "\033[?2004l\033[0m"},
	    {"a hidden cursor is shown", "\033[?25l", "\033[?25h\033[0m"},
	    {"a mode that the program undoes is left", "\033[?2004h\033[?2004l",
		"\033[0m"},
	    {"several modes in one sequence", "\033[?1000;1006h",
		"\033[?1000l\033[?1006l\033[0m"},
	    {"the other screen is left last", "\033[?1049h\033[?1000h",
		"\033[?1000l\033[?1049l\033[0m"},
	    {"a keyboard is taken back", "\033[>5u", "\033[<u\033[0m"},
	    {"a reset undoes all", "\033[?1000h\033=\033c", "\033[0m"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct modes m = {0};
		struct ansi a = {0};
		struct buf out = {0};
		ansi_feed(
		    &a, cases[i].text, strlen(cases[i].text), put_modes, &m);
		modes_undo(&m, &out);
		is_str(buf_cstr(&out), cases[i].undo, "%s", cases[i].name);
		buf_fini(&out);
		ansi_fini(&a);
	}
}

static void test_redo(void)
{
	struct modes m = {0};
	struct ansi a = {0};
	struct buf out = {0};
	const char text[] = "\033[?2004h\033[?25l\033[?1049h";

	ansi_feed(&a, text, sizeof text - 1, put_modes, &m);
	modes_redo(&m, &out);
	is_str(buf_cstr(&out), "\033[?1049h\033[?2004h\033[?25l",
	    "what was undone is done again, the screen first");
	ok(modes_is_on(&m, 2004) && !modes_is_on(&m, 25) && modes_is_on(&m, 7),
	    "a mode can be asked for");
	for (int i = 1; i < 200; i++) {
		char mode[16];
		int n = snprintf(mode, sizeof mode, "\033[?%dh", 3000 + i);
		modes_note(&m, ANSI_CONTROL, mode, (size_t)n);
	}
	is_int((int)m.n, MODES_MAX, "further modes are not noted");
	buf_fini(&out);
	ansi_fini(&a);
}

/* ---- the bar ---- */

static struct bar bar;

static void put_bar(
    void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	bar_put(&bar, kind, text, len, arg);
}

static void test_bar(void)
{
	static const struct {
		const char *name, *text, *shown;
		bool is_damaged;
	} cases[] = {
	    {"text is shown as it is", "a\033[1mb", "a\033[1mb", false},
	    {"the whole screen is that above the bar", "\033[r", "\033[1;9r",
		false},
	    {"a region that is too large is cut", "\033[3;10r", "\033[3;9r",
		false},
	    {"a smaller region is kept", "\033[2;5r", "\033[2;5r", false},
	    {"a region without a bottom ends above the bar", "\033[2r",
		"\033[2;9r", false},
	    {"restored modes are no region", "\033[?1r", "\033[?1r", false},
	    {"a screen that is erased needs the bar", "\033[2J", "\033[2J",
		true},
	    {"another screen needs region and bar", "\033[?1049h",
		"\033[?1049h\0337\033[1;9r\0338", true},
	    {"a hidden cursor does not matter", "\033[?25l", "\033[?25l",
		false},
	    {"a reset needs region and bar", "\033c",
		"\033c\0337\033[1;9r\0338", true},
	};
	struct buf out = {0};

	bar_resize(&bar, 10, 20, &out);
	is_str(buf_cstr(&out), "\0337\033[1;9r\0338", "the bar has a row");
	(void)strcpy(bar.text, "state of the connection and more");
	buf_reset(&out);
	bar_draw(&bar, &out);
	is_str(buf_cstr(&out),
	    "\0337\033[10;1H\033[0;7mstate of the connect\033[K\033[0m\0338",
	    "the bar is as wide as the terminal at most");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ansi a = {0};
		buf_reset(&out);
		bar.is_damaged = false;
		ansi_feed(
		    &a, cases[i].text, strlen(cases[i].text), put_bar, &out);
		is_str(buf_cstr(&out), cases[i].shown, "%s", cases[i].name);
		is_int(bar.is_damaged, cases[i].is_damaged,
		    "%s: whether the bar is drawn again", cases[i].name);
		ansi_fini(&a);
	}
	buf_fini(&out);
}

int main(void)
{
	test_parts();
	test_long();
	test_filter();
	test_modes();
	test_redo();
	test_bar();
	buf_fini(&seen);
	return done();
}
