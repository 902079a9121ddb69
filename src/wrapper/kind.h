/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_KIND_H
#define WRAPPER_KIND_H

/* The kinds of agents that can be wrapped. */
struct doer;
struct loop;
struct agent_settings;

struct kind {
	const char *name; /* "mock" */
	const char *type; /* as servers are told: "MOCK" */
	/*
	 * Create an agent of this kind. Returns NULL, with a text in why, if
	 * its program cannot be used.
	 */
	struct doer *(*make)(struct loop *loop, const struct agent_settings *s,
	    char *why, unsigned long size);
};

/* Returns the kind of this name, or NULL. */
const struct kind *kind_find(const char *name);

#endif
