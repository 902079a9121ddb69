/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/editor.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/interrupts.h"

#include <histedit.h>

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_LINES 1000

struct editor {
	FILE *in;
	EditLine *el; /* NULL until a line is read, and so is the history */
	History *history;
	char *path; /* of the history; NULL: none */
	char *prompt;
	int interrupts;
	int fd; /* that is served; -1: none */
	editor_serve_fn *serve;
	void *serve_arg;
	bool is_typing;
	enum editor_end end; /* why no key came */
};

static struct editor *editor_of(EditLine *el)
{
	void *e = NULL;

	(void)el_get(el, EL_CLIENTDATA, &e); /* we set it */
	return e;
}

static char *show_prompt(EditLine *el)
{
	return editor_of(el)->prompt;
}

/* ---- keys ---- */

static bool refuse(struct editor *e, enum editor_end end)
{
	e->end = end;
	return false;
}

static bool look_at_interrupts(struct editor *e)
{
	switch (interrupts_take()) {
	case INTERRUPT_STOP:
		return refuse(e, EDITOR_STOPPED);
	case INTERRUPT_LEAVE:
		return refuse(e, EDITOR_LEFT);
	case INTERRUPT_REDRAW:
		el_resize(e->el);
		(void)el_set(e->el, EL_PREP_TERM, 1);
		(void)el_set(e->el, EL_REFRESH);
		break;
	case INTERRUPT_NONE:
		break;
	}
	return true;
}

/* Wait for a key, and serve the connection meanwhile. False: no key wanted. */
static bool wait_for_key(struct editor *e)
{
	struct pollfd fds[] = {
	    {.fd = fileno(e->in), .events = POLLIN},
	    {.fd = e->interrupts, .events = POLLIN},
	    {.fd = e->fd, .events = POLLIN},
	};

	while (true) {
		if (!look_at_interrupts(e))
			return false;
		fds[2].fd = e->fd;
		if (poll(fds, 3, -1) < 0) {
			if (errno != EINTR)
				fatal("poll: %s", strerror(errno));
			continue;
		}
		if (e->fd >= 0 && fds[2].revents && !e->serve(e->serve_arg))
			return refuse(e, EDITOR_CANCELLED);
		if (fds[0].revents)
			return true;
	}
}

/* Read the bytes of one character; the terminal sends UTF-8. */
static bool read_character(struct editor *e, wchar_t *c)
{
	char bytes[4];
	size_t n = 0, len = 0;

	while (n < sizeof bytes && len == 0) {
		if (n == 0 && !wait_for_key(e))
			return false;
		ssize_t got = read(fileno(e->in), bytes + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return refuse(e, EDITOR_EOF);
		/* A byte that cannot begin a character is skipped. */
		if (n > 0 || (bytes[0] & 0xc0) != 0x80)
			n++;
		len = n ? utf8_len(bytes, n) : 0;
	}
	*c = len ? (wchar_t)utf8_get(bytes, len) : L'?';
	return true;
}

/* Returns how many characters were read: 1, or 0 for the end. */
static int get_key(EditLine *el, wchar_t *c)
{
	return read_character(editor_of(el), c) ? 1 : 0;
}

/* ---- history ---- */

/* The umask keeps others away from a new file; this from an older one. */
static void save_history(struct editor *e)
{
	HistEvent event;
	mode_t old = umask(077);

	(void)chmod(e->path, 0600); /* it may not exist yet */
	/* A history that cannot be written is not worth a message each time. */
	(void)history(e->history, &event, H_SAVE, e->path);
	(void)umask(old);
}

void editor_remember(struct editor *e, const char *line)
{
	HistEvent event;

	if (!*line || *line == ' ' || !e->history)
		return;
	(void)history(e->history, &event, H_ENTER, line);
	if (e->path)
		save_history(e);
}

/* Create each folder of a path, but not the file. */
static void make_folders(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(path, 0700); /* most of them exist */
		*p = '/';
	}
}

/* NULL if there is no place for it. */
static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct buf path = {0};

	if (state && *state == '/')
		buf_printf(&path, "%s/co-connect/history", state);
	else if (home && *home == '/')
		buf_printf(&path, "%s/.local/state/co-connect/history", home);
	else
		return NULL;
	char *text = buf_steal(&path, NULL);
	make_folders(text);
	return text;
}

static void load_history(struct editor *e)
{
	HistEvent event;

	e->path = history_path();
	(void)history(e->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)history(e->history, &event, H_SETUNIQUE, 1);
	/* No history yet is no error. */
	if (e->path)
		(void)history(e->history, &event, H_LOAD, e->path);
}

/* ---- the terminal ---- */

/* A job in the background may not touch the terminal before it has to ask. */
static void open_terminal(struct editor *e)
{
	if (e->el)
		return;
	/* Terminals send UTF-8 although many a login sets no locale. */
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8"); /* else only ASCII */
	e->el = el_init("co-connect", e->in, stderr, stderr);
	e->history = history_init();
	if (!e->el || !e->history)
		fatal("the terminal cannot be used for editing");
	(void)el_set(e->el, EL_CLIENTDATA, e);
	(void)el_set(e->el, EL_PROMPT, show_prompt);
	(void)el_set(e->el, EL_EDITOR, "emacs");
	(void)el_set(e->el, EL_SIGNAL, 0);
	(void)el_set(e->el, EL_HIST, history, e->history);
	(void)el_set(e->el, EL_GETCFN, get_key);
	(void)el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	(void)el_set(e->el, EL_BIND, "^W", "ed-delete-prev-word", NULL);
	/* The user's own keys; most have no such file. */
	(void)el_source(e->el, NULL);
	load_history(e);
}

/* ---- lines ---- */

enum editor_end editor_read(
    struct editor *e, const char *prompt, struct buf *line)
{
	int n = 0;
	const char *text;

	open_terminal(e);
	el_resize(e->el);
	free(e->prompt);
	e->prompt = mem_strdup(prompt);
	e->end = EDITOR_LINE;
	e->is_typing = true;
	buf_reset(line);
	/* Before the prompt, which users and programs take for a sign. */
	(void)el_set(e->el, EL_PREP_TERM, 1);
	text = el_gets(e->el, &n);
	e->is_typing = false;
	if (e->end == EDITOR_LINE && (!text || n <= 0))
		e->end = EDITOR_EOF;
	if (text && n > 0)
		buf_append(line, text, (size_t)n);
	while (line->len && (line->data[line->len - 1] == '\n' ||
				line->data[line->len - 1] == '\r'))
		line->len--;
	if (e->end != EDITOR_LINE)
		(void)fputc('\n', stderr);
	return e->end;
}

void editor_serve(struct editor *e, int fd, editor_serve_fn *fn, void *arg)
{
	e->fd = fn ? fd : -1;
	e->serve = fn;
	e->serve_arg = arg;
}

void editor_hide(struct editor *e, bool is_hidden)
{
	if (!e || !e->is_typing)
		return;
	if (is_hidden) {
		(void)fputs("\r\033[J", stderr);
		(void)fflush(stderr);
	} else {
		(void)el_set(e->el, EL_REFRESH);
	}
}

/* ---- its life ---- */

/* Standard input, or the terminal of the process. NULL: there is none. */
static FILE *open_input(void)
{
	if (isatty(STDERR_FILENO) != 1)
		return NULL;
	return isatty(STDIN_FILENO) == 1 ? stdin : fopen("/dev/tty", "re");
}

struct editor *editor_new(int interrupts)
{
	FILE *in = open_input();
	struct editor *e;

	if (!in)
		return NULL;
	e = mem_zero(sizeof *e);
	e->in = in;
	e->interrupts = interrupts;
	e->fd = -1;
	e->prompt = mem_strdup("");
	return e;
}

void editor_free(struct editor **ep)
{
	struct editor *e = *ep;

	if (!e)
		return;
	*ep = NULL;
	if (e->el)
		el_end(e->el);
	if (e->history)
		history_end(e->history);
	if (e->in != stdin)
		(void)fclose(e->in); /* it was only read */
	free(e->path);
	free(e->prompt);
	free(e);
}
