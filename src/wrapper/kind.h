/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_KIND_H
#define WRAPPER_KIND_H

/*
 * The kinds of agents that can be wrapped. With --interactive, the doer of each
 * is a pane (pane.h).
 */
#include <stddef.h>

struct agent_settings;
struct dialect;
struct doer;
struct loop;

struct kind {
	const char *name; /* "claude"; servers are told the same */
	/*
	 * Create an agent of this kind. Returns NULL, with a text in why, if
	 * its program cannot be used.
	 */
	struct doer *(*make)(struct loop *loop, const struct kind *k,
	    const struct agent_settings *s, char *why, size_t size);
	/* Of a program with a model; not used by the others. */
	const char *package; /* of npm, for advice */
	struct dialect *(*dialect)(void);
	const char *const *argv;
	const char *const *screen_argv; /* at a terminal */
	const char *const *kept;	/* variables, see env_for_agent() */
	size_t n_keys;			/* so many of them are keys */
	char *const *more;		/* further variables */
};

/* Returns the kind of this name, or NULL. */
const struct kind *kind_find(const char *name);

#endif
