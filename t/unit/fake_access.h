/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_ACCESS_H
#define T_UNIT_FAKE_ACCESS_H

/*
 * access/access.h in memory, for tests of doors. Whoever a request says it is
 * from, it is, if its signature is "good"; "used" and any other text are
 * refused as the gate would. Verdicts come when the test calls
 * fake_access_run().
 */
#include "access/access.h"

/* A new one, where nobody is known and everybody may come in. */
struct access *fake_access(void);

/* Free it and null *a. */
void fake_access_free(struct access **a);

/* Who comes without a signature is refused from now on, or not. */
void fake_access_close(struct access *a, bool is_closed);

/* Strangers meet a door with an invite code, "code", from now on. */
void fake_access_door(struct access *a);

/*
 * From now on whoever signs is of this level (static text): a word of
 * struct caller, or "super".
 */
void fake_access_level(struct access *a, const char *level);

/* The change of the lists that was asked for last. */
const struct lists_change *fake_access_changed(const struct access *a);

/* Whether what was asked last came through a relay. */
bool fake_access_was_relayed(const struct access *a);

/* Changes of the lists fail from now on. */
void fake_access_break_lists(struct access *a);

/* How many questions wait. */
unsigned fake_access_waiting(const struct access *a);

/* Tell the verdicts that wait; changes of the lists stay on their way. */
void fake_access_judge(struct access *a);

/* Tell all verdicts, and what became of changes. */
void fake_access_run(struct access *a);

#endif
