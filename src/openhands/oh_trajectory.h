/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_TRAJECTORY_H
#define OPENHANDS_OH_TRAJECTORY_H

/*
 * GET of a trajectory: all events of a conversation, up to the newest one at
 * this moment. They may be many, so they are written page by page, as fast as
 * the client reads.
 */
struct oh_asked;

/* A handler (oh_asked.h). */
void oh_trajectory_get(struct oh_asked *a);

#endif
