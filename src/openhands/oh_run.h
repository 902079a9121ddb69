/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_RUN_H
#define OPENHANDS_OH_RUN_H

/*
 * Commands of the user's own terminal (the action "run"): the shell tool of the
 * agent is called directly, without the model. The rules are those of EXEC in
 * the ConnectOnion protocol: the client has signed, its caller is a contact or
 * above, and the tool needs no approval for this command. The output is told to
 * this client alone, as an observation without an id; nothing is stored.
 */
struct err;
struct json;
struct oh_client;
struct session;

/* How many commands of a client may run at once. */
#define OH_RUNS_MAX 8

/* Run a command (a JSON string) in the session. Returns 0, or -1 with *err. */
int oh_run(struct oh_client *c, struct session *s, const struct json *command,
    struct err *err);

/* The client is gone: stop its commands. */
void oh_run_forget(struct oh_client *c);

#endif
