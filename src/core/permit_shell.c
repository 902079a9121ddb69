/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/permit_shell.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	struct permit_shell *s;
	bool is_open;	  /* a connector waits for its right side */
	bool is_assigned; /* the word has '=' outside quotes */
};

/* Characters that have a special meaning outside quotes. */
#define REFUSED "$`()<>{}&\n\r"
#define WORD_END " \t;|"

static bool has_control(const char *text)
{
	for (const char *s = text; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

static bool read_single(struct reader *r)
{
	size_t n = strcspn(++r->at, "'");
	buf_append(&r->s->text, r->at, n);
	r->at += n;
	return *r->at++ == '\'';
}

static bool read_double(struct reader *r)
{
	for (r->at++; *r->at && *r->at != '"'; r->at++) {
		if (*r->at == '$' || *r->at == '`')
			return false;
		if (*r->at == '\\' && r->at[1] && strchr("\"\\$`", r->at[1]))
			r->at++;
		buf_char(&r->s->text, *r->at);
	}
	if (*r->at != '"')
		return false;
	r->at++;
	return true;
}

/* Read one character outside quotes, or a quoted piece. */
static bool read_piece(struct reader *r)
{
	if (*r->at == '\'')
		return read_single(r);
	if (*r->at == '"')
		return read_double(r);
	if (*r->at == '\\')
		r->at++;
	else if (strchr(REFUSED, *r->at))
		return false;
	else if (*r->at == '=')
		r->is_assigned = true;
	if (!*r->at)
		return false;
	buf_char(&r->s->text, *r->at++);
	return true;
}

static size_t command_start(const struct permit_shell *s)
{
	return s->n_commands ? s->ends[s->n_commands - 1] : 0;
}

static bool read_word(struct reader *r)
{
	struct permit_shell *s = r->s;
	bool is_first = s->n_words == command_start(s);
	if (*r->at == '#')
		return false;
	r->is_assigned = false;
	while (*r->at && !strchr(WORD_END, *r->at))
		if (!read_piece(r))
			return false;
	buf_char(&s->text, '\0');
	s->n_words++;
	r->is_open = false;
	return !(is_first && r->is_assigned);
}

static bool end_command(struct permit_shell *s)
{
	if (s->n_words == command_start(s) ||
	    s->n_commands == PERMIT_SHELL_COMMANDS)
		return false;
	s->ends[s->n_commands++] = s->n_words;
	return true;
}

static bool read_connector(struct reader *r)
{
	bool is_pair =
	    strncmp(r->at, "&&", 2) == 0 || strncmp(r->at, "||", 2) == 0;
	r->is_open = *r->at != ';';
	r->at += is_pair ? 2 : 1;
	return end_command(r->s);
}

static bool permit_shell_read_all(struct reader *r)
{
	for (;;) {
		r->at += strspn(r->at, " \t");
		if (!*r->at)
			break;
		bool is_connector =
		    strchr(";|", *r->at) || strncmp(r->at, "&&", 2) == 0;
		if (!(is_connector ? read_connector(r) : read_word(r)))
			return false;
	}
	if (r->is_open)
		return false;
	return r->s->n_words == command_start(r->s) ? r->s->n_commands > 0
						    : end_command(r->s);
}

/* The text no longer moves, so words can point into it. */
static void point_at_words(struct permit_shell *s)
{
	const char *word = s->text.data;
	s->words = mem_alloc((s->n_words + 1) * sizeof *s->words);
	for (size_t i = 0; i < s->n_words; i++) {
		s->words[i] = word;
		word += strlen(word) + 1;
	}
}

bool permit_shell_read(struct permit_shell *s, const char *command)
{
	struct reader r = {.at = command, .s = s};
	if (strlen(command) > PERMIT_SHELL_MAX || has_control(command) ||
	    !permit_shell_read_all(&r))
		return false;
	point_at_words(s);
	return true;
}

void permit_shell_fini(struct permit_shell *s)
{
	buf_fini(&s->text);
	free(s->words);
	*s = (struct permit_shell){0};
}
