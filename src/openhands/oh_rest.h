/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_REST_H
#define OPENHANDS_OH_REST_H

/* The REST interface of OpenHands' web page (doc/openhands.txt 6). */
struct door_setup;
struct http;

/* Add the routes. */
void oh_rest_mount(struct http *http, const struct door_setup *setup);

/* Answer the requests that wait: this process exits. */
void oh_rest_close_all(void);

#endif
