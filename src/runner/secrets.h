/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RUNNER_SECRETS_H
#define RUNNER_SECRETS_H

/*
 * Environment variables that are private to the server and its operator: no
 * process of an agent gets them. This is the only list of them.
 */

/* Their names, separated by commas. */
#define SECRETS_NAMES                                              \
	"CONNECTONION_ADMIN_TOKEN,CO_INVITE_CODE,SESSION_API_KEY," \
	"ONSEMBL_JWT_SECRET,NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID"

/*
 * Returns those variables of the environment whose names are in a list of
 * patterns (base/wild.h), separated by commas and spaces, but never the ones
 * above; and the additional ones in 'more' (NULL: none). The list ends with
 * NULL. The caller must free() it, but not its strings.
 */
char **secrets_environ(const char *names, char *const *more);

#endif
