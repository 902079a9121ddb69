/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_METRICS_H
#define API_API_METRICS_H

/*
 * GET /metrics in Prometheus text format 0.0.4: counters of all processes from
 * the shared segment, and process_* summed over all processes of this server.
 */
struct http_req;

/* The handler; arg is a door_setup. */
void api_metrics_get(struct http_req *req, void *arg);

#endif
