/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_REST_EVENTS_H
#define OPENHANDS_OH_REST_EVENTS_H

/* Handlers of requests (oh_asked.h): the events of a conversation. */
struct oh_asked;

/* GET of a page of them. */
void oh_rest_events_get(struct oh_asked *a);

/* POST of an action. */
void oh_rest_events_post(struct oh_asked *a);

/* POST of a message. */
void oh_rest_events_message(struct oh_asked *a);

#endif
