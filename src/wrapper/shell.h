/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_SHELL_H
#define WRAPPER_SHELL_H

/*
 * The agent "mock": each command is given to a new sh(1), with its arguments
 * behind it, each as one word. Its standard input is empty.
 */
struct doer;
struct loop;

/* Create one; its ops->free() frees it. The user fills in the handlers. */
struct doer *shell_new(struct loop *loop);

#endif
