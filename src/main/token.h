/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_TOKEN_H
#define MAIN_TOKEN_H

/* The command token: make a token for clients of Onsembl. */
struct options;

/*
 * Print a token for the user o->args[0], good for a day or for o->args[1]
 * seconds. Returns the exit status.
 */
int token_run(const struct options *o);

#endif
