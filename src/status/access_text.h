/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_ACCESS_TEXT_H
#define STATUS_ACCESS_TEXT_H

/*
 * A line of the access log as text. printf() would take most of the time that
 * serving a small request does, so this writes the bytes itself.
 */
#include <stdbool.h>
#include <stddef.h>

struct access_line;

/* The longest line in bytes; long texts are cut. */
#define ACCESS_TEXT_MAX 2048

/*
 * Write a line with its newline to out, which has room for ACCESS_TEXT_MAX
 * bytes. Returns its length.
 *
 *	TIME PEER WHO METHOD PATH STATUS in=BYTES out=BYTES ms=MS route=ROUTE
 *	worker=SLOT id=ID
 */
size_t access_text(
    char *out, const struct access_line *line, unsigned slot, bool is_json);

#endif
