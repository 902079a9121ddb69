/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_RECORDS_H
#define ONSEMBL_ONS_RECORDS_H

/*
 * The records of agents by HTTP: a user announces one that has not connected
 * yet, changes what is known of it, or deletes one that is away. Only its own
 * user may.
 */
struct http;
struct ons_site;

/* Add the routes. The site outlives the server. */
void ons_records_mount(struct http *http, const struct ons_site *site);

#endif
