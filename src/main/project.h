/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PROJECT_H
#define MAIN_PROJECT_H

/*
 * The project: the folder with the agent in it and .co, which holds what we
 * keep of it. One server at a time has a project.
 */
struct conf;
struct err;
struct passwd;

/*
 * The project's folder, absolute and without links (free()). It is dir, if that
 * is given; else the nearest one that has .co, from the current folder upwards,
 * but neither above a repository (.git) nor home, whose .co is the user's and
 * no project's; else the current folder. NULL with ERR_CONFIG: there is no such
 * folder. home may be NULL.
 */
char *project_find(const char *dir, const char *home, struct err *err);

/*
 * Make .co and what it holds where it is missing, all 0700, and give it to user
 * if not NULL. What fails ends the process.
 */
void project_make(const struct conf *c, const struct passwd *user);

/*
 * Keep other servers out for as long as this process lives, or another that
 * has inherited the descriptor which is returned. Ends the process when there
 * is a server already. Processes that a dead server left behind are given a
 * moment to leave, and then killed.
 */
int project_lock(const struct conf *c, const struct passwd *user);

#endif
