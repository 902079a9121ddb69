/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_DOER_H
#define WRAPPER_DOER_H

/*
 * What runs the commands of the server, one at a time: a shell (shell.h), or a
 * program with a model (assistant.h). Loop's thread only.
 */
#include "ons/ons_report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doer;
struct json;
struct loop;

/* What a doer is to do. It borrows all of this until on_end. */
struct doer_task {
	const char *text;
	char *const *args; /* NULL-terminated */
	char *const *envp; /* the whole environment */
	const char *dir;
};

/* How it ended. Texts are valid inside the call only; NULL: absent. */
struct doer_result {
	enum ons_state state;
	bool has_exit_code;
	int64_t exit_code;
	const char *error;
	const char *text; /* the answer, if it is not all of the output */
};

/* What a doer reports about its task; none of it calls the doer back. */
struct doer_handlers {
	void (*on_output)(
	    void *arg, bool is_errors, const char *text, size_t len);
	/* An event of co-agent(7), one JSON object. */
	void (*on_event)(void *arg, const char *json, size_t len);
	/* The doer is free again; called once for each task. */
	void (*on_end)(void *arg, const struct doer_result *result);
};

struct doer_ops {
	/* Returns false, with a text in why, if it cannot begin. */
	bool (*begin)(struct doer *a, const struct doer_task *task, char *why,
	    size_t size);
	/* Stop the task: ask, then insist, at last kill. on_end follows. */
	void (*cancel)(struct doer *a);
	/* Kill all processes of the doer at once. on_end follows. */
	void (*kill)(struct doer *a);
	/* Stop or resume reading what the task writes. */
	void (*pause)(struct doer *a, bool is_paused);
	/* A line of co-agent(7) to the task, such as an answer. */
	void (*tell)(struct doer *a, const struct json *line);
	/* Kill what is left and free. */
	void (*free)(struct doer *a);
};

/* The head of every doer. */
struct doer {
	const struct doer_ops *ops;
	const struct doer_handlers *handlers; /* of its user, like arg */
	void *arg;
};

#endif
