/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_USER_H
#define MAIN_USER_H

/*
 * The user who serves when root starts us (the setting user). NULL stands for
 * whoever we are already; all calls then do nothing. What fails ends the
 * process.
 */
#include <stdbool.h>

struct conf;
struct passwd;

/* The user that c names, if we are root; else NULL. Good until the next call. */
const struct passwd *user_find(const struct conf *c);

/*
 * Let HOME be ours: a service manager that starts us as another user than root
 * may leave it root's, whose files are none of ours. Before it is looked at.
 */
void user_mend_home(void);

/* Have the rights of user until user_act_as_root(). */
void user_act_as(const struct passwd *user);

/* Have the rights of root again. */
void user_act_as_root(const struct passwd *user);

struct buf;
struct err;

/* A question that appends its answer to out: 0, or -1 with *err. */
typedef int user_question(
    const struct conf *c, struct buf *out, struct err *err);

/*
 * Ask it in a process that is user for good, so that whatever it runs has no way
 * back to our rights. As ask() itself, or -1 with ERR_CONFIG.
 */
int user_ask(const struct passwd *user, user_question *ask,
    const struct conf *c, struct buf *out, struct err *err);

/*
 * Be user for good, with HOME and USER of the environment. With hands_on the
 * rights to run agents as another user are kept (proc/caps.h).
 */
void user_become(const struct passwd *user, bool hands_on);

/*
 * The user that agents run as (agent_user); NULL: the one who serves. It is a
 * copy, and stays. Ends the process if there is no such user, if we may not run
 * agents as another one, or if he cannot enter the project.
 */
const struct passwd *user_of_agents(const struct conf *c);

#endif
