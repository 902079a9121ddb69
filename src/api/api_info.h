/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_INFO_H
#define API_API_INFO_H

/*
 * What the server says of itself. Each call
 * is an http_handler; arg is a door_setup.
 */
struct http_req;

/* GET /health: up, its name and uptime. */
void api_info_health(struct http_req *req, void *arg);

/* GET /livez: this process runs its loop. */
void api_info_live(struct http_req *req, void *arg);

/* GET /readyz: whether to send work here; ?verbose names each check. */
void api_info_ready(struct http_req *req, void *arg);

/* GET /info: who the agent is and what it takes. */
void api_info_about(struct http_req *req, void *arg);

/* From now on /readyz says no. */
void api_info_drain(void);

#endif
