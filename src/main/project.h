/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PROJECT_H
#define MAIN_PROJECT_H

/*
 * The project: the folder that contains the agent, and .co with everything that
 * we keep for it. Only one server at a time may serve a project.
 */
struct conf;
struct err;
struct passwd;

/*
 * Returns the project's folder, absolute and without links, to be freed with
 * free(). It is dir, if given; else the nearest one that contains .co, from the
 * current folder upwards, but neither above a repository (.git) nor the home
 * directory, whose .co belongs to the user and not to a project; else the
 * current folder. Returns NULL with ERR_CONFIG if there is no such folder. home
 * may be NULL.
 */
char *project_find(const char *dir, const char *home, struct err *err);

/*
 * Create .co and its folders where they are missing, all with mode 0700, and
 * give them to user if not NULL. Errors end the process.
 */
void project_make(const struct conf *c, const struct passwd *user);

/*
 * Keep other servers out for as long as this process or another that has
 * inherited the returned descriptor lives. Ends the process if there is a
 * server already. Processes left behind by a dead server get a moment to leave,
 * and are then killed.
 */
int project_lock(const struct conf *c, const struct passwd *user);

#endif
