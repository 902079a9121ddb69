/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ASSISTANT_H
#define WRAPPER_ASSISTANT_H

/*
 * The program of an agent with a model: one process, which is started with the
 * first command and keeps its conversation; each command is a prompt. If it
 * ends, the next command starts it again, with a new conversation.
 */
struct dialect;
struct doer;
struct loop;

/* All of it is borrowed. */
struct assistant_setup {
	struct loop *loop;
	const char *name;	 /* for messages */
	char *const *argv;	 /* of the program, NULL-terminated */
	const char *const *kept; /* variables: see env_for_agent() */
	char *const *more;	 /* the same */
	const char *dir;
	struct dialect *(*dialect)(void);
};

/* Create one; its ops->free() frees it. The user fills in the handlers. */
struct doer *assistant_new(const struct assistant_setup *setup);

#endif
