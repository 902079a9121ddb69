/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_INFO_H
#define API_API_INFO_H

/*
 * What the server says about itself. Each call is an http_handler; arg is a
 * door_setup.
 */
struct http_req;

/* GET /health: that it is up, its name and its uptime. */
void api_info_health(struct http_req *req, void *arg);

/* GET /livez: whether this process runs its loop. */
void api_info_live(struct http_req *req, void *arg);

/* GET /readyz: whether to send traffic here; ?verbose lists each check. */
void api_info_ready(struct http_req *req, void *arg);

/* GET /info: who the agent is and what input it accepts. */
void api_info_about(struct http_req *req, void *arg);

/* Let /readyz say no from now on. */
void api_info_drain(void);

#endif
