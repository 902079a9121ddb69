/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_ATTACHMENT_H
#define SESSION_ATTACHMENT_H

/*
 * An attachment is one client's position in the events of a session: see
 * session_attach() in session.h. These calls serve all attachments of one
 * session in this worker.
 */
#include <stdbool.h>

struct session;

/* Whether there are events of which an attachment has not been notified. */
bool attachment_is_any_behind(struct session *s);

/*
 * Notify each attachment that is behind. Its callback may detach it and others.
 */
void attachment_ring_all(struct session *s);

#endif
