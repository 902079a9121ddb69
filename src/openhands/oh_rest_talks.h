/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_REST_TALKS_H
#define OPENHANDS_OH_REST_TALKS_H

/* Handlers of requests (oh_asked.h): conversations as such. */
struct oh_asked;

/* POST of a new one, perhaps with its first message. */
void oh_rest_talks_create(struct oh_asked *a);

/* GET of a page of them. */
void oh_rest_talks_list(struct oh_asked *a);

/* GET of one; null if it is unknown. */
void oh_rest_talks_get(struct oh_asked *a);

/* PATCH of the title of one. */
void oh_rest_talks_rename(struct oh_asked *a);

/* DELETE of one. */
void oh_rest_talks_delete(struct oh_asked *a);

/* Nothing has to be started. */
void oh_rest_talks_start(struct oh_asked *a);

/* Interrupt the turn. */
void oh_rest_talks_stop(struct oh_asked *a);

/* GET of its ids. */
void oh_rest_talks_config(struct oh_asked *a);

#endif
