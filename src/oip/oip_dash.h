/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_DASH_H
#define OIP_OIP_DASH_H

/*
 * The dashboard: a page that the operator may put into the project
 * (.co/dashboard.html, else dashboard.html), told to clients when it changes.
 * Its file is small and looked at rarely, so it is read on the loop.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;

/*
 * Append the page to *html if it is another than *stamp names, and set *stamp
 * (0: no page). Returns whether it did. For a client that is not new, the file
 * is looked at once a second at most.
 */
bool oip_dash_read(
    struct buf *html, const struct conf *conf, uint64_t *stamp, bool is_new);

#endif
