/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_USER_H
#define LAUNCH_USER_H

/*
 * The user that serves when root starts us (the setting user). NULL stands for
 * the user that we are already; all calls then do nothing. Errors end the
 * process.
 */
#include <stdbool.h>

struct passwd;

/*
 * Returns the user of this name ("": none), if we are root, else NULL. Valid
 * until the next call.
 */
const struct passwd *user_find(const char *name);

/*
 * Correct $HOME: a service manager that starts us as a user other than root may
 * leave it set to root's, whose files are not ours. Call it before $HOME is
 * used.
 */
void user_mend_home(void);

/* Assume the rights of user until user_act_as_root(). */
void user_act_as(const struct passwd *user);

/* Return to the rights of root. */
void user_act_as_root(const struct passwd *user);

struct buf;
struct err;

/* A question that appends its answer to out. Returns 0, or -1 with *err. */
typedef int user_question(const void *arg, struct buf *out, struct err *err);

/*
 * Ask in a child process that becomes user for good, so that nothing it runs
 * can regain our rights. Returns what ask() returned, or -1 with ERR_CONFIG.
 */
int user_ask(const struct passwd *user, user_question *ask, const void *arg,
    struct buf *out, struct err *err);

/*
 * Become user for good, and set HOME and USER in the environment. With
 * hands_on, the capabilities to run agents as another user are kept
 * (proc/caps.h).
 */
void user_become(const struct passwd *user, bool hands_on);

/*
 * Returns the user that agents run as (agent_user), or NULL for the one who
 * serves (""). The result is a copy and stays valid. Ends the process if there is no
 * such user, if we may not run agents as another user, or if that user cannot
 * enter the project.
 */
const struct passwd *user_of_agents(const char *name, const char *project_dir);

#endif
