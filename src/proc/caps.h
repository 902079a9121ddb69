/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CAPS_H
#define PROC_CAPS_H

/*
 * The capabilities with which a server that is not root can run agents as
 * another user and end them: CAP_SETUID, CAP_SETGID and CAP_KILL. Needs only
 * the C library.
 */
#include <stdbool.h>

/* Whether we have them; root usually does. */
bool caps_are_there(void);

/* Before setuid(): keep them across it. Returns false with errno on failure. */
bool caps_keep(void);

/*
 * After setuid(): use them, and pass them on to programs we execute. Returns
 * false with errno on failure.
 */
bool caps_hand_on(void);

/* Stop passing them on to programs we execute. */
void caps_hold_back(void);

/*
 * Give up all capabilities, and pass none on. Returns false with errno on
 * failure.
 */
bool caps_drop(void);

#endif
