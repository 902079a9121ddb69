/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_DASH_H
#define OIP_OIP_DASH_H

/*
 * The dashboard: a page that the operator may put into the project
 * (.co/dashboard.html, else dashboard.html), sent to clients when it changes.
 * The file is small and rarely read, so it is read on the loop.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;

/* Who asks for it. */
struct oip_dash_ask {
	const struct conf *conf;
	uint64_t tick; /* of the loop */
	bool is_new;   /* the client has no page yet */
};

/*
 * Append the page to *html if it differs from the one that *stamp identifies,
 * and update *stamp (0: no page). Returns whether a page was appended. For a
 * client that is not new, the file is checked at most once a second; one that
 * is missing is not looked for again in the same tick.
 */
bool oip_dash_read(
    struct buf *html, const struct oip_dash_ask *ask, uint64_t *stamp);

#endif
