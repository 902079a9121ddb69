/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/pane.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proc/spawn.h"
#include "wrapper/ansi.h"
#include "wrapper/bar.h"
#include "wrapper/chunk.h"
#include "wrapper/doer.h"
#include "wrapper/env.h"
#include "wrapper/filter.h"
#include "wrapper/job.h"
#include "wrapper/modes.h"
#include "wrapper/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With so much waiting for the user's terminal, the program is not read. */
#define SCREEN_LIMIT ((size_t)256 * 1024)

/* Between a text and its return the program must be quiet, but not for ever. */
#define TYPED_MS 300
#define TYPED_MOST_MS 2000

/* The same for a program that was interrupted. */
#define STOPPED_MS 300
#define STOPPED_MOST_MS 2000

/* How often a program that must be quiet is looked at. */
#define LOOK_MS 100

/* Between changes of the size: some programs draw much for each. */
#define RESIZE_MS 500

/* The last output of a program is shown, if the terminal takes it in time. */
#define LAST_MS 1000
#define LAST_LOOK_MS 20

/* The bar is drawn so long after something has changed it. */
#define BAR_MS 50

/* Bracketed paste: what is pasted is told from keys. */
#define MODE_PASTE 2004

/* What is waited for before a command goes on. */
enum phase { IDLE, TYPED, RUNNING, STOPPING };

struct pane {
	struct doer doer;
	struct pane_setup setup;
	struct job *job;       /* NULL: not running */
	struct stream *screen; /* the terminal of the user; NULL: not shown */
	struct ansi ansi;      /* what the program writes */
	struct bar bar;
	struct buf shown; /* for the user, while it is put together */
	struct buf told;  /* the same, for the server */
	struct loop_timer look;
	struct loop_timer size;
	struct loop_timer draw;
	struct loop_timer last;
	void (*on_over)(void *arg, int status, bool was_killed);
	void *arg;
	enum phase phase;
	int64_t phase_ms;  /* when it began */
	int64_t output_ms; /* when the program has written last */
	int64_t resized_ms;
	int64_t ended_ms;
	int status;
	bool is_killed;
	bool is_to_draw; /* the bar; the timer is set */
	bool is_cut;	 /* a character or sequence is incomplete */
};

static struct pane *pane_of(struct doer *d)
{
	return (struct pane *)(void *)((char *)d - offsetof(struct pane, doer));
}

/* ---- the screen ---- */

static void show(struct pane *p, struct buf *text)
{
	if (p->screen && text->len) {
		(void)stream_write(p->screen, text->data, text->len, SIZE_MAX);
		if (p->job && stream_waiting(p->screen) > SCREEN_LIMIT)
			job_pause(p->job, true);
	}
	buf_reset(text);
}

static void on_draw(void *arg)
{
	struct pane *p = arg;

	if (p->is_cut) {
		loop_timer_set(p->setup.loop, &p->draw, BAR_MS);
		return;
	}
	p->is_to_draw = false;
	bar_draw(&p->bar, &p->shown);
	show(p, &p->shown);
}

static void draw_soon(struct pane *p)
{
	if (!p->setup.has_bar || !p->screen || p->is_to_draw)
		return;
	p->is_to_draw = true;
	loop_timer_set(p->setup.loop, &p->draw, BAR_MS);
}

static void on_key(void *arg, const char *data, size_t len)
{
	struct pane *p = arg;

	if (p->job && !job_write(p->job, data, len))
		log_warn(
		    "agent=%s: it does not read what is typed", p->setup.name);
}

static void on_drain(void *arg)
{
	struct pane *p = arg;

	if (p->job)
		job_pause(p->job, false);
}

static void on_screen_end(void *arg)
{
	struct pane *p = arg;

	log_info("terminal: it is closed");
	stream_close(&p->screen);
	on_drain(p);
}

static const struct stream_handlers screen_handlers = {
    .on_data = on_key, .on_end = on_screen_end, .on_drain = on_drain};

static bool open_screen(struct pane *p, char *why, size_t size)
{
	int fd = p->screen ? -1 : terminal_open();

	if (!p->screen && fd < 0) {
		(void)snprintf(
		    why, size, "cannot open the terminal: %s", strerror(errno));
		return false;
	}
	if (!p->screen)
		p->screen =
		    stream_open(p->setup.loop, fd, fd, &screen_handlers, p);
	terminal_enter();
	return true;
}

/* ---- its size ---- */

/* That of the program: the bar has a row of its own. */
static struct terminal_size size_of_program(const struct pane *p)
{
	struct terminal_size size = terminal_size();

	if (p->setup.has_bar && size.rows > 1)
		size.rows--;
	return size;
}

static void fit_bar(struct pane *p)
{
	struct terminal_size size = terminal_size();
	struct buf end = {0};

	if (!p->setup.has_bar)
		return;
	bar_resize(&p->bar, size.rows, size.columns, &p->shown);
	show(p, &p->shown);
	bar_remove(&p->bar, &end);
	terminal_at_end(&end);
	buf_fini(&end);
	draw_soon(p);
}

static void fit(void *arg)
{
	struct pane *p = arg;
	struct terminal_size size = size_of_program(p);

	p->resized_ms = clock_mono_ms();
	fit_bar(p);
	if (p->job)
		job_resize(p->job, size.rows, size.columns);
}

void pane_resize(struct doer *d)
{
	struct pane *p = pane_of(d);
	int64_t wait_ms = p->resized_ms + RESIZE_MS - clock_mono_ms();

	loop_timer_set(p->setup.loop, &p->size, wait_ms > 0 ? wait_ms : 0);
}

/* A program draws when its size changes. */
void pane_redraw(struct doer *d)
{
	struct pane *p = pane_of(d);
	struct terminal_size size = size_of_program(p);

	if (p->job && size.rows > 1)
		job_resize(p->job, size.rows - 1, size.columns);
	fit(p);
}

void pane_tell(struct doer *d, const char *text)
{
	struct pane *p = pane_of(d);

	(void)snprintf(p->bar.text, sizeof p->bar.text, "%s", text);
	draw_soon(p);
}

/* ---- commands ---- */

static void enter_phase(struct pane *p, enum phase phase)
{
	p->phase = phase;
	p->phase_ms = clock_mono_ms();
	if (phase == IDLE)
		loop_timer_stop(p->setup.loop, &p->look);
	else
		loop_timer_set(p->setup.loop, &p->look, LOOK_MS);
}

static void end_command(struct pane *p, const struct doer_result *result)
{
	if (p->phase == IDLE)
		return;
	enter_phase(p, IDLE);
	p->doer.handlers->on_end(p->doer.arg, result);
}

/* Whether the program has been quiet for so long, or it was at most_ms. */
static bool is_quiet(const struct pane *p, int64_t quiet_ms, int64_t most_ms)
{
	int64_t now_ms = clock_mono_ms();
	int64_t last_ms =
	    p->output_ms > p->phase_ms ? p->output_ms : p->phase_ms;

	return now_ms - last_ms >= quiet_ms || now_ms - p->phase_ms >= most_ms;
}

static void look(void *arg)
{
	struct pane *p = arg;

	loop_timer_set(p->setup.loop, &p->look, LOOK_MS);
	if (p->phase == TYPED && is_quiet(p, TYPED_MS, TYPED_MOST_MS)) {
		(void)job_write(p->job, "\r", 1); /* it was told why, if not */
		enter_phase(p, RUNNING);
	} else if (p->phase == RUNNING &&
		   is_quiet(p, PANE_QUIET_MS, INT64_MAX) &&
		   !job_has_foreground(p->job)) {
		end_command(p, &(struct doer_result){.state = ONS_COMPLETED});
	} else if (p->phase == STOPPING &&
		   is_quiet(p, STOPPED_MS, STOPPED_MOST_MS)) {
		end_command(p, &(struct doer_result){.state = ONS_CANCELLED});
	}
}

/* A command is text: it cannot press keys such as Escape. */
static void put_text(struct buf *out, const char *text, bool is_pasted)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '\n' && !is_pasted)
			buf_char(out, '\r');
		else if ((byte >= ' ' && byte != 127) || byte == '\n' ||
			 byte == '\t')
			buf_char(out, *text);
	}
}

static bool pane_begin(
    struct doer *d, const struct doer_task *task, char *why, size_t size)
{
	struct pane *p = pane_of(d);
	bool is_pasted = modes_is_on(terminal_modes(), MODE_PASTE);
	struct buf keys = {0};

	if (!p->job || strcmp(task->dir, p->setup.dir) != 0) {
		(void)snprintf(why, size, "%s %s", p->setup.name,
		    p->job ? "works in the working directory of this agent only"
			   : "has not started yet, or has ended");
		return false;
	}
	buf_str(&keys, is_pasted ? "\033[200~" : "");
	put_text(&keys, task->text, is_pasted);
	for (char *const *arg = task->args; *arg; arg++) {
		buf_char(&keys, ' ');
		put_text(&keys, *arg, is_pasted);
	}
	buf_str(&keys, is_pasted ? "\033[201~" : "");
	bool is_written = job_write(p->job, keys.data, keys.len);
	buf_fini(&keys);
	if (is_written)
		enter_phase(p, TYPED);
	else
		(void)snprintf(
		    why, size, "%s does not read its input", p->setup.name);
	return is_written;
}

static void pane_cancel(struct doer *d)
{
	struct pane *p = pane_of(d);

	if (p->phase == IDLE || !p->job)
		return;
	(void)job_write(p->job, "\003", 1); /* Ctrl-C, if it reads at all */
	enter_phase(p, STOPPING);
}

static void pane_kill(struct doer *d)
{
	struct pane *p = pane_of(d);

	p->is_killed = true;
	if (p->job)
		job_kill(p->job);
}

static void pane_pause(struct doer *d, bool is_paused)
{
	(void)d; /* the person at the terminal goes first */
	(void)is_paused;
}

static void pane_take(struct doer *d, const struct json *line)
{
	(void)d;
	(void)line; /* it asks on its screen */
}

/* ---- the program ---- */

static void take_part(
    void *arg, enum ansi_kind kind, const char *text, size_t len)
{
	struct pane *p = arg;

	modes_note(terminal_modes(), kind, text, len);
	filter_put(&p->told, kind, text, len);
	if (p->setup.has_bar)
		bar_put(&p->bar, kind, text, len, &p->shown);
}

static void on_output(
    void *arg, enum job_stream stream, const char *data, size_t len)
{
	struct pane *p = arg;

	(void)stream; /* a terminal has one */
	p->output_ms = clock_mono_ms();
	p->is_cut = chunk_whole(data, len) != len;
	ansi_feed(&p->ansi, data, len, take_part, p);
	if (!p->setup.has_bar)
		buf_append(&p->shown, data, len);
	show(p, &p->shown);
	if (p->bar.is_damaged)
		draw_soon(p);
	if (p->told.len)
		p->doer.handlers->on_output(
		    p->doer.arg, false, p->told.data, p->told.len);
	buf_reset(&p->told);
}

/* The terminal is given back, and the command, if there is one, is over. */
static void on_last(void *arg)
{
	struct pane *p = arg;
	bool was_killed = p->is_killed;
	char how[64], error[120];

	if (p->screen && stream_waiting(p->screen) &&
	    clock_mono_ms() - p->ended_ms < LAST_MS) {
		loop_timer_set(p->setup.loop, &p->last, LAST_LOOK_MS);
		return;
	}
	(void)snprintf(error, sizeof error, "%s has ended: %s", p->setup.name,
	    spawn_status(p->status, how, sizeof how));
	log_info("agent=%s", error);
	terminal_leave();
	*terminal_modes() = (struct modes){0};
	p->is_killed = false;
	end_command(
	    p, &(struct doer_result){
		   .state = was_killed || p->phase == STOPPING ? ONS_CANCELLED
							       : ONS_FAILED,
		   .error = was_killed ? NULL : error,
	       });
	p->on_over(p->arg, p->status, was_killed);
}

static void on_job_end(void *arg, int status)
{
	struct pane *p = arg;

	job_free(&p->job);
	ansi_fini(&p->ansi);
	p->status = status;
	p->ended_ms = clock_mono_ms();
	loop_timer_stop(p->setup.loop, &p->look);
	loop_timer_set(p->setup.loop, &p->last, 0);
}

static const struct job_handlers job_handlers = {
    .on_output = on_output, .on_end = on_job_end};

bool pane_start(struct doer *d,
    void (*on_over)(void *arg, int status, bool was_killed), void *arg,
    char *why, size_t size)
{
	struct pane *p = pane_of(d);
	struct terminal_size t = size_of_program(p);

	p->on_over = on_over;
	p->arg = arg;
	p->job = job_start(
	    &(struct job_plan){
		.loop = p->setup.loop,
		.argv = p->setup.argv,
		.envp = p->setup.envp,
		.cwd = p->setup.dir,
		.terminal = &(struct job_terminal){t.rows, t.columns,
		    terminal_settings()},
		.handlers = &job_handlers,
		.arg = p,
	    },
	    why, size);
	if (!p->job || !open_screen(p, why, size))
		return false;
	fit_bar(p);
	return true;
}

/* ---- life ---- */

static void pane_free(struct doer *d)
{
	struct pane *p = pane_of(d);

	job_free(&p->job);
	stream_close(&p->screen);
	terminal_leave();
	loop_timer_stop(p->setup.loop, &p->look);
	loop_timer_stop(p->setup.loop, &p->size);
	loop_timer_stop(p->setup.loop, &p->draw);
	loop_timer_stop(p->setup.loop, &p->last);
	ansi_fini(&p->ansi);
	buf_fini(&p->shown);
	buf_fini(&p->told);
	env_free(p->setup.envp);
	free(p);
}

static const struct doer_ops pane_ops = {
    .begin = pane_begin,
    .cancel = pane_cancel,
    .kill = pane_kill,
    .pause = pane_pause,
    .tell = pane_take,
    .free = pane_free,
};

struct doer *pane_new(const struct pane_setup *setup)
{
	struct pane *p = mem_zero(sizeof *p);

	p->doer.ops = &pane_ops;
	p->setup = *setup;
	loop_timer_init(&p->look, look, p);
	loop_timer_init(&p->size, fit, p);
	loop_timer_init(&p->draw, on_draw, p);
	loop_timer_init(&p->last, on_last, p);
	return &p->doer;
}
