/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "runner/runner.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/stat.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proc/spawn.h"
#include "proc/tree.h"
#include "runner/remains.h"
#include "runner/scribe.h"
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * After its tree is gone, another process may still hold its output open for
 * this long.
 */
#define DRAIN_MS 1000

/* The first and the longest delay between attempts to reap. */
#define REAP_MS 1
#define REAP_MAX_MS 1000

/*
 * A runner has three streams: its input and output, its standard error, and the
 * control socket of its co-turn, whose end of file says that the tree is gone.
 */
struct runner {
	struct runner_place *place;
	struct list link;
	pid_t pid; /* of its co-turn; 0: not our child */
	struct runner_handlers handlers;
	void *arg;
	struct stream *io;
	struct stream *complaints;
	struct stream *control;
	struct scribe scribe;
	struct buf said; /* output of co-turn */
	struct loop_timer timer;
	int64_t reap_ms;
	struct runner_end end;
	bool is_idle; /* not claimed yet */
	bool is_paused;
	bool is_left; /* it has no user any more */
	bool is_output_over;
	bool is_gone; /* the tree is */
	bool is_told; /* on_end was called */
	bool is_reaped;
	bool has_remains; /* its co-turn was killed */
};

/* ---- the end ---- */

/* A shell reports that a signal killed its program as 128 + signal. */
static bool is_signal(int status)
{
	return WIFSIGNALED(status) ||
	       (WIFEXITED(status) && WEXITSTATUS(status) > 128);
}

enum err_reason runner_reason(
    const struct runner_end *end, char *text, size_t size)
{
	switch (end->how) {
	case RUNNER_LIMIT:
		(void)snprintf(
		    text, size, "more processes than agent_processes");
		return REASON_KILLED;
	case RUNNER_MEMORY:
		(void)snprintf(text, size, "more memory than agent_memory");
		return REASON_MEMORY;
	case RUNNER_LOST:
		(void)snprintf(
		    text, size, "the process was killed with its co-turn");
		return REASON_KILLED;
	case RUNNER_EXITED:
		break;
	}
	(void)spawn_status(end->status, text, size);
	return is_signal(end->status) ? REASON_KILLED : REASON_EXITED;
}

static void close_streams(struct runner *r)
{
	stream_close(&r->io);
	stream_close(&r->complaints);
	stream_close(&r->control);
}

static void dispose(struct runner *r)
{
	remains_forget(r);
	loop_timer_stop(r->place->loop, &r->timer);
	list_remove(&r->link);
	close_streams(r);
	buf_fini(&r->said);
	buf_fini(&r->scribe.line);
	free(r);
}

static bool is_reaped(struct runner *r)
{
	int status = 0;
	pid_t pid = r->is_reaped ? -1 : waitpid(r->pid, &status, WNOHANG);

	if (pid == 0)
		return false;
	r->is_reaped = true;
	r->has_remains |= pid == r->pid && WIFSIGNALED(status);
	remains_remove_co_turn(r->pid);
	return true;
}

static void reap_later(struct runner *r)
{
	r->reap_ms = backoff(r->reap_ms, REAP_MS, REAP_MAX_MS);
	loop_timer_set(r->place->loop, &r->timer, r->reap_ms);
}

static void on_cleared(void *arg, bool is_empty)
{
	struct runner *r = arg;

	if (is_empty)
		dispose(r);
	else
		reap_later(r);
}

/*
 * co-turn has closed its socket and is, or will soon be, a zombie. If it was
 * killed, we inherit its tree, as the next subreaper.
 */
static void reap(struct runner *r)
{
	bool is_ours = r->pid != 0; /* to be reaped by us */

	if (!is_ours || (is_reaped(r) && !r->has_remains))
		dispose(r);
	else if (!r->is_reaped ||
		 !remains_clear(r->place->crew, r->pid, on_cleared, r))
		reap_later(r);
}

static void complain(void *arg, const char *text, size_t len)
{
	struct runner *r = arg;

	if (!r->is_left && r->handlers.on_complaint)
		r->handlers.on_complaint(r->arg, text, len);
}

/*
 * What a process wrote to standard error before its result is in the pipe by
 * then, whichever of the two the loop reads first.
 */
static void end_complaints(struct runner *r)
{
	if (r->complaints)
		stream_take(r->complaints);
	scribe_end(&r->scribe, complain, r);
}

static void tell_end(struct runner *r)
{
	r->is_told = true;
	if (r->is_left)
		return;
	end_complaints(r);
	r->handlers.on_end(r->arg, &r->end);
}

/*
 * Called after any stream or process has ended, to take the next step. May free
 * the runner.
 */
static void settle(struct runner *r)
{
	if (!r->is_gone)
		return;
	if (r->is_left) {
		reap(r);
		return;
	}
	if (r->is_told)
		return;
	if (r->is_output_over || r->is_idle)
		tell_end(r);
	else
		loop_timer_set(r->place->loop, &r->timer, DRAIN_MS);
}

static void on_time(void *arg)
{
	struct runner *r = arg;

	if (r->is_gone && r->is_left) {
		reap(r);
	} else if (r->is_gone) {
		/* A paused reader still has output to read. */
		r->is_output_over = !r->is_paused;
		settle(r);
	} else {
		/* It lingered too long, or closed its output and continued. */
		r->end.how = RUNNER_LOST;
		(void)stream_write(r->control, "k", 1, SIZE_MAX);
	}
}

/* ---- streams ---- */

static void runner_on_output(void *arg, const char *data, size_t len)
{
	struct runner *r = arg;

	if (!r->is_left)
		r->handlers.on_output(r->arg, data, len);
}

static void on_output_end(void *arg)
{
	struct runner *r = arg;

	r->is_output_over = true;
	if (!r->is_gone && !r->is_left && !r->place->outlives_output)
		loop_timer_set(r->place->loop, &r->timer, RUNNER_LINGER_MS);
	if (!r->is_left && r->handlers.on_output_end)
		r->handlers.on_output_end(r->arg);
	settle(r);
}

static void runner_on_complaint(void *arg, const char *data, size_t len)
{
	struct runner *r = arg;

	if (!r->is_left && r->handlers.on_error_output) {
		r->handlers.on_error_output(r->arg, data, len);
		return;
	}
	scribe_feed(&r->scribe, data, len, clock_mono_ms(), complain, r);
}

static void on_complaints_end(void *arg)
{
	(void)arg; /* only the end of the tree matters */
}

static bool is_over_memory(struct runner *r)
{
	return strncmp(buf_cstr(&r->said), "memory ", 7) == 0;
}

static void on_control(void *arg, const char *data, size_t len)
{
	struct runner *r = arg;

	/* Anything longer than a short line is not from co-turn. */
	if (r->said.len + len <= 128)
		buf_append(&r->said, data, len);
	if (is_over_memory(r) && !r->is_left && r->handlers.on_over_memory)
		r->handlers.on_over_memory(r->arg);
}

static void on_control_end(void *arg)
{
	struct runner *r = arg;
	const char *said = buf_cstr(&r->said);
	int status;

	r->is_gone = true;
	if (sscanf(said, "exit %d", &status) == 1)
		r->end = (struct runner_end){RUNNER_EXITED, status};
	else if (strncmp(said, "limit ", 6) == 0)
		r->end.how = RUNNER_LIMIT;
	else if (is_over_memory(r) || r->place->source->is_over_memory)
		r->end.how = RUNNER_MEMORY;
	loop_timer_stop(r->place->loop, &r->timer);
	settle(r);
}

static const struct stream_handlers io_handlers = {
    .on_data = runner_on_output, .on_end = on_output_end};
static const struct stream_handlers complaint_handlers = {
    .on_data = runner_on_complaint, .on_end = on_complaints_end};
static const struct stream_handlers control_handlers = {
    .on_data = on_control, .on_end = on_control_end};

/* ---- start ---- */

/* Our end and the process's for each of the four channels; -1: not open. */
struct ends {
	int ours[SOURCE_FDS];
	int theirs[SOURCE_FDS];
};

/* Input and output are the first two, and may be the same. */
static void close_all(int *fds)
{
	if (fds[SOURCE_OUT] == fds[SOURCE_IN])
		fds[SOURCE_OUT] = -1;
	for (int i = 0; i < SOURCE_FDS; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]); /* nothing was written to it */
}

static bool open_pipe(int *reader, int *writer)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	*reader = fds[0];
	*writer = fds[1];
	return true;
}

static bool open_pair(int *one, int *other)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	*one = fds[0];
	*other = fds[1];
	return true;
}

static bool open_socket(struct ends *e)
{
	if (!open_pair(&e->ours[SOURCE_IN], &e->theirs[SOURCE_IN]))
		return false;
	e->ours[SOURCE_OUT] = e->ours[SOURCE_IN];
	e->theirs[SOURCE_OUT] = e->theirs[SOURCE_IN];
	return true;
}

static bool open_pipes(struct ends *e)
{
	return open_pipe(&e->theirs[SOURCE_IN], &e->ours[SOURCE_IN]) &&
	       open_pipe(&e->ours[SOURCE_OUT], &e->theirs[SOURCE_OUT]);
}

static bool open_ends(struct ends *e, bool has_socket)
{
	for (int i = 0; i < SOURCE_FDS; i++)
		e->ours[i] = e->theirs[i] = -1;
	if (!(has_socket ? open_socket(e) : open_pipes(e)) ||
	    !open_pipe(&e->ours[SOURCE_ERR], &e->theirs[SOURCE_ERR]) ||
	    !open_pair(&e->ours[SOURCE_CONTROL], &e->theirs[SOURCE_CONTROL]))
		return false;
	for (int i = 0; i < SOURCE_FDS; i++)
		if (fcntl(e->ours[i], F_SETFL, O_NONBLOCK) != 0)
			return false;
	return true;
}

static struct runner *adopt(
    struct runner_place *place, const struct ends *e, pid_t pid)
{
	struct runner *r = mem_zero(sizeof *r);

	r->place = place;
	r->pid = pid;
	r->end.how = RUNNER_LOST;
	r->is_idle = true;
	if (pid)
		remains_add_co_turn(pid);
	list_append(&place->all, &r->link);
	loop_timer_init(&r->timer, on_time, r);
	r->io = stream_open(place->loop, e->ours[SOURCE_OUT],
	    e->ours[SOURCE_IN], &io_handlers, r);
	r->complaints = stream_open(
	    place->loop, e->ours[SOURCE_ERR], -1, &complaint_handlers, r);
	r->control = stream_open(place->loop, e->ours[SOURCE_CONTROL],
	    e->ours[SOURCE_CONTROL], &control_handlers, r);
	stream_pause(r->io, true);
	stream_pause(r->complaints, true);
	return r;
}

void runner_inherit_orphans(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* cannot fail */
}

struct runner *runner_start(struct runner_place *place,
    const struct runner_handlers *handlers, void *arg, struct err *err)
{
	struct ends ends;
	pid_t pid = -1;

	if (open_ends(&ends, place->has_sockets))
		pid = place->source->start(place->source, ends.theirs, err);
	else
		(void)err_set(err, ERR_AGENT,
		    "cannot open the pipes of a process: %s", strerror(errno));
	close_all(ends.theirs);
	if (pid < 0) {
		close_all(ends.ours);
		return NULL;
	}
	stat_add(agent_spawns, 1);
	struct runner *r = adopt(place, &ends, pid);
	r->handlers = *handlers;
	r->arg = arg;
	return r;
}

/* ---- use ---- */

void runner_claim(
    struct runner *r, const struct runner_handlers *handlers, void *arg)
{
	r->handlers = *handlers;
	r->arg = arg;
	r->is_idle = false;
	stream_pause(r->io, false);
	stream_pause(r->complaints, false);
}

bool runner_write(struct runner *r, const void *p, size_t n, size_t limit)
{
	return stream_write(r->io, p, n, limit);
}

void runner_end_input(struct runner *r)
{
	stream_finish(r->io);
}

void runner_allow_more(struct runner *r)
{
	const char more = TREE_MORE;

	if (!r->is_gone)
		(void)stream_write(r->control, &more, 1, SIZE_MAX);
}

size_t runner_waiting(const struct runner *r)
{
	return stream_waiting(r->io);
}

void runner_pause(struct runner *r, bool is_paused)
{
	r->is_paused = is_paused;
	stream_pause(r->io, is_paused);
}

void runner_retire(struct runner **runner)
{
	struct runner *r = *runner;

	*runner = NULL;
	if (!r)
		return;
	end_complaints(r);
	r->is_left = true;
	stream_pause(r->io, false); /* later output is discarded */
	stream_pause(r->complaints, false);
	stream_finish(r->io);
	if (!r->is_gone)
		loop_timer_set(r->place->loop, &r->timer, RUNNER_LINGER_MS);
	settle(r);
}

void runner_kill(struct runner **runner)
{
	struct runner *r = *runner;

	*runner = NULL;
	if (!r)
		return;
	/* Who gives it up, perhaps in a call of these, wants no more of it. */
	if (!r->handlers.on_error_output)
		end_complaints(r);
	r->is_left = true;
	stream_close(&r->io);
	stream_close(&r->complaints);
	loop_timer_stop(r->place->loop, &r->timer);
	/* Keep our reading end: its end of file says when to reap. */
	if (!r->is_gone)
		(void)stream_write(r->control, "k", 1, SIZE_MAX);
	/* Who has stopped the process may have stopped its co-turn, too. */
	if (!r->is_gone && r->pid)
		(void)kill(r->pid, SIGCONT);
	settle(r);
}

void runner_clear(struct runner_place *place)
{
	/* Closing the sockets ends the trees; the next parent reaps them. */
	list_each_safe(link, &place->all)
	    dispose(list_entry(link, struct runner, link));
}
