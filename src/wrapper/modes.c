/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/modes.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KEYBOARDS 8

/* Those that are on at first: wrapping, and the cursor. */
static bool is_usual(int number)
{
	return number == 7 || number == 25;
}

/* Those that choose the other screen; it is left last. */
static bool is_screen(int number)
{
	return number == 47 || number == 1047 || number == 1049;
}

static struct mode *find(struct modes *m, int number)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].number == number)
			return &m->list[i];
	if (m->n == MODES_MAX)
		return NULL;
	m->list[m->n] = (struct mode){number, is_usual(number)};
	return &m->list[m->n++];
}

/* ESC [ ? 1 ; 2 h */
static void note_private(struct modes *m, const char *text, size_t len)
{
	bool is_on = text[len - 1] == 'h';
	size_t i = 3;

	while (i < len - 1) {
		int number = 0;
		for (; text[i] >= '0' && text[i] <= '9' && number < 100000; i++)
			number = number * 10 + (text[i] - '0');
		struct mode *mode = number ? find(m, number) : NULL;
		if (mode)
			mode->is_on = is_on;
		if (text[i++] != ';')
			return;
	}
}

static void note_control(struct modes *m, const char *text, size_t len)
{
	char last = text[len - 1];

	if (len > 4 && text[2] == '?' && (last == 'h' || last == 'l'))
		note_private(m, text, len);
	else if (last == 'u' && text[2] == '>' &&
		 m->n_keyboards < MAX_KEYBOARDS)
		m->n_keyboards++;
	else if (last == 'u' && text[2] == '<' && m->n_keyboards > 0)
		m->n_keyboards--;
	else if (last == 'q' && text[len - 2] == ' ')
		m->has_cursor_style = true;
}

void modes_note(
    struct modes *m, enum ansi_kind kind, const char *text, size_t len)
{
	if (kind == ANSI_CONTROL)
		note_control(m, text, len);
	else if (kind == ANSI_SHORT && len == 2 && text[1] == 'c')
		memset(m, 0, sizeof *m); /* a reset of the terminal */
	else if (kind == ANSI_SHORT && len == 2 &&
		 (text[1] == '=' || text[1] == '>'))
		m->has_keypad = text[1] == '=';
}

bool modes_is_on(const struct modes *m, int number)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].number == number)
			return m->list[i].is_on;
	return is_usual(number);
}

static void switch_all(
    const struct modes *m, struct buf *out, bool is_undo, bool of_screen)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mode *mode = &m->list[i];
		bool usual = is_usual(mode->number);
		if (mode->is_on == usual ||
		    is_screen(mode->number) != of_screen)
			continue;
		buf_printf(out, "\033[?%d%c", mode->number,
		    is_undo == usual ? 'h' : 'l');
	}
}

void modes_undo(const struct modes *m, struct buf *out)
{
	for (int i = 0; i < m->n_keyboards; i++)
		buf_str(out, "\033[<u");
	if (m->has_keypad)
		buf_str(out, "\033>");
	if (m->has_cursor_style)
		buf_str(out, "\033[0 q");
	switch_all(m, out, true, false);
	switch_all(m, out, true, true);
	buf_str(out, "\033[0m");
}

void modes_redo(const struct modes *m, struct buf *out)
{
	switch_all(m, out, false, true);
	switch_all(m, out, false, false);
	if (m->has_keypad)
		buf_str(out, "\033=");
	for (int i = 0; i < m->n_keyboards; i++)
		buf_str(out, "\033[>1u");
}
