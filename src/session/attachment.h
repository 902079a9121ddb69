/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_ATTACHMENT_H
#define SESSION_ATTACHMENT_H

/*
 * An attachment is one client's place in the events of a session: see
 * session_attach() of session.h. Here is what the sessions of a worker do with
 * the attachments of one session.
 */
#include <stdbool.h>

struct session;

/* Whether there are events of which an attachment has not been told. */
bool attachment_is_any_behind(struct session *s);

/* Tell each attachment that is behind. It may detach itself and others. */
void attachment_ring_all(struct session *s);

#endif
