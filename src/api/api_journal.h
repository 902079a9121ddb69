/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_JOURNAL_H
#define API_API_JOURNAL_H

/* GET /sessions/{id}/journal: a page of rows (doc/oip.txt 15). */

struct http_req;

/* arg is the struct door_setup. */
void api_journal_get(struct http_req *req, void *arg);

#endif
