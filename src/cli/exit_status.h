/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

/*
 * How co-connect ends, for scripts. co-connect(1) has the same list. Pure
 * functions.
 */
#include <co_connect.h>

enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,	/* the agent failed; nothing was found */
	STATUS_USAGE = 2,	/* wrong usage; a local file cannot be used */
	STATUS_UNREACHABLE = 3, /* there is no way to the agent or relay */
	STATUS_REFUSED = 4,	/* the agent does not admit the caller */
	STATUS_TIMEOUT = 5,	/* the time is up */
	STATUS_QUESTION = 6,	/* the agent waits for an answer */
	STATUS_LOST = 7,	/* the connection broke in the middle */
	STATUS_IDENTITY = 8, /* another than the agent answered, or unsealed */
	STATUS_BUSY = 9,     /* the agent wants fewer requests: try later */
	STATUS_INTERRUPTED = 130
};

/* Returns the status for an operation that ended with this code. */
enum exit_status exit_status_of(enum co_code code);

#endif
