/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_SECRETS_H
#define AGENT_SECRETS_H

/*
 * The variables of the environment that are between the server and its operator:
 * no process of an agent gets them. Here is the one list of them.
 */

/* Their names, with commas between them. */
#define SECRETS_NAMES                                            \
	"CONNECTONION_ADMIN_TOKEN,CO_INVITE_CODE,NOTIFY_SOCKET," \
	"WATCHDOG_USEC,WATCHDOG_PID"

/*
 * The environment without them, and with more of them (NULL: none),
 * NULL-terminated. The list is the caller's to free(), its texts are not.
 */
char **secrets_environ(char *const *more);

#endif
