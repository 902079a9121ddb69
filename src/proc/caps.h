/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CAPS_H
#define PROC_CAPS_H

/*
 * The capabilities that let a server which is not root run agents as another
 * user, and end them: CAP_SETUID, CAP_SETGID and CAP_KILL. Needs the C library
 * alone.
 */
#include <stdbool.h>

/* Whether we have them; root does, as a rule. */
bool caps_are_there(void);

/*
 * Before and after setuid(): keep them, and hand them on to what we execute.
 * False with errno.
 */
bool caps_keep(void);
bool caps_hand_on(void);

/* Do not hand them on to what we execute. */
void caps_hold_back(void);

/* Have none at all, and hand none on. */
bool caps_drop(void);

#endif
