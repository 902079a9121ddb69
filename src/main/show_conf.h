/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_SHOW_CONF_H
#define MAIN_SHOW_CONF_H

/*
 * The command conf: the settings that a start or a reload would have, each with
 * its source, or what a reload would change. The server that runs leaves its
 * settings in .co/store/settings for this; its agent is not asked.
 */
struct conf;
struct options;

/* Print them. Returns the exit status. */
int show_conf_run(const struct options *o);

/*
 * As the master's user: write the settings of the newest generation, in place of
 * those before, and remove them at the end. Errors are logged, and harm only the
 * command.
 */
void show_conf_note(const struct conf *c);
void show_conf_forget(const struct conf *c);

#endif
