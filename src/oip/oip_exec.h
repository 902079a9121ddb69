/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_EXEC_H
#define OIP_OIP_EXEC_H

/*
 * EXEC (doc/oip.txt 10): a known caller runs one tool of the agent, without the
 * model, if the permissions of host.yaml allow it. Calls of one client run
 * concurrently; each EXEC_RESULT names its call.
 */
struct json;
struct oip_conn;

/* Handle EXEC. It is answered by EXEC_RESULT. */
void oip_exec(struct oip_conn *c, const struct json *frame);

/* The client is closing: stop its running calls. */
void oip_exec_forget(struct oip_conn *c);

#endif
