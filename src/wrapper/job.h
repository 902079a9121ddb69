/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_JOB_H
#define WRAPPER_JOB_H

/*
 * A job is one program with all its descendants, run below a co-turn, which
 * leaves none of them behind: not when the program ends, not when this process
 * is killed, and not when the co-turn itself is killed. The program leads a
 * session and a process group of its own.
 *
 * Life cycle: job_start(), output, on_end, job_free(). Loop's thread only. The
 * process must be a subreaper (job_init()).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;
struct loop;
struct termios;

enum job_stream { JOB_OUTPUT, JOB_ERRORS };

/* After on_end nothing of the job runs any more. */
struct job_handlers {
	/* Bytes came; valid inside the call only. */
	void (*on_output)(
	    void *arg, enum job_stream stream, const char *data, size_t len);
	/*
	 * The program ended with this wait status, or was ended; all output has
	 * been delivered. Called once, last; may call job_free().
	 */
	void (*on_end)(void *arg, int status);
};

/* A terminal for a program: how it is at first. */
struct job_terminal {
	unsigned short rows, columns;
	const struct termios *settings; /* copied */
};

/* All of it is copied, except for the handlers. */
struct job_plan {
	struct loop *loop;
	char *const *argv; /* the program is searched in PATH */
	char *const *envp;
	const char *cwd;
	/* NULL: pipes; otherwise all output is JOB_OUTPUT. */
	const struct job_terminal *terminal;
	const struct job_handlers *handlers;
	void *arg;
};

/* In job_stop(), the time after SIGINT, and after SIGTERM. */
#define JOB_INTERRUPT_MS 3000
#define JOB_TERMINATE_MS 2000

/*
 * Find co-turn, in dir (NULL: beside this program or where it is installed),
 * and become a subreaper. Returns false, with a text in why, if there is none.
 */
bool job_init(const char *dir, char *why, size_t size);

/*
 * Start a program. Returns NULL, with a text in why, if that is not possible. A
 * program that does not exist ends with status 127 and a line of errors.
 */
struct job *job_start(const struct job_plan *plan, char *why, size_t size);

/* Write to its standard input. Returns false if over 1 MiB is waiting. */
bool job_write(struct job *j, const void *p, size_t n);

/* Close its standard input once all is written. */
void job_finish_input(struct job *j);

/* Stop or resume reading its output. */
void job_pause(struct job *j, bool is_paused);

/* Change the size of its terminal, which tells the program. */
void job_resize(struct job *j, unsigned short rows, unsigned short columns);

/*
 * Whether another process group than that of the program has its terminal: a
 * shell runs a command.
 */
bool job_has_foreground(const struct job *j);

/*
 * Send its process group SIGINT after delay_ms, then SIGTERM, and at last kill
 * all of it. Once begun, it goes on until the end or job_go_on().
 */
void job_stop(struct job *j, int64_t delay_ms);

/* The same, but begin with SIGTERM, now. */
void job_terminate(struct job *j);

/* The program has obeyed in time: send no further signal. */
void job_go_on(struct job *j);

/* Kill all of it now. on_end follows. */
void job_kill(struct job *j);

/* Kill all of it, if it has not ended, and free. No handler is called. */
void job_free(struct job **j);

/*
 * Kill what is left of all jobs and wait for it, at most this long; for the end
 * of the process. Returns whether nothing is left.
 */
bool job_clear(int limit_ms);

#endif
