/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_SHOWN_H
#define ONSEMBL_ONS_SHOWN_H

/* Where the upgrades of agents and dashboards show their token. */

struct http_req;

/*
 * Returns the token of a request: that of "Authorization: Bearer", otherwise
 * the parameter "token" of the query. NULL if there is none, or it is empty;
 * free it with free().
 */
char *ons_shown_token(struct http_req *req);

#endif
