/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_INTERRUPTS_H
#define CLI_INTERRUPTS_H

/*
 * Ctrl-C, and other signals, as something to poll for. A signal that was ignored
 * when the program was started (nohup, a job in the background of a script)
 * stays ignored. There is one set of these for the process.
 */

enum interrupt {
	INTERRUPT_NONE,
	INTERRUPT_REDRAW, /* SIGCONT, SIGWINCH: the screen is another */
	INTERRUPT_STOP,	  /* SIGINT */
	INTERRUPT_LEAVE	  /* SIGTERM, SIGHUP: the terminal may be gone */
};

/*
 * Returns a descriptor that becomes readable when a signal comes; it is never
 * closed. Once.
 */
int interrupts_open(void);

/*
 * Take over the signals, and give them back. Pairs may be nested. Outside of
 * them, signals end the process: it may wait for its input.
 */
void interrupts_hold(void);
void interrupts_release(void);

/* Take what has come, one at a time, the strongest first. */
enum interrupt interrupts_take(void);

/* Forget what has come: it was meant for something that is over. */
void interrupts_drop(void);

#endif
