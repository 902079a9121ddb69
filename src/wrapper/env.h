/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ENV_H
#define WRAPPER_ENV_H

/*
 * Environments of programs that the wrapper starts. None has the token of the
 * wrapper, or the marks of another agent in which it may have been started.
 */
#include <stddef.h>

/*
 * For a command: our own environment without secrets, keys of models among
 * them; then these variables ("NAME=VALUE", NULL-terminated). Returns a
 * NULL-terminated list, freed by env_free().
 */
char **env_for_command(char *const *more);

/*
 * For the program of an agent: what every program needs (PATH, HOME, ...) and
 * the variables that are named, with a '*' at the end of a name for all that
 * begin so; NULL-terminated. Then 'more', as above.
 */
char **env_for_agent(const char *const *names, char *const *more);

/* Free a list. */
void env_free(char **env);

#endif
