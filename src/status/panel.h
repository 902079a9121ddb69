/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_PANEL_H
#define STATUS_PANEL_H

/*
 * Snapshots as text for a terminal. Pure functions; control characters in what
 * clients have chosen are replaced.
 */
#include "status/snapshot.h"

/* Append a span of time in at most 7 columns, such as "3d 4h" or "1.2s". */
void panel_span(struct buf *out, int64_t ms);

/* Append a size in at most 7 columns, such as "12.3M". */
void panel_size(struct buf *out, int64_t bytes);

/* Append the summary: whether the server runs well, and why not; some lines. */
void panel_server(struct buf *out, const struct snapshot *s);

/* Append the head of the table of processes, and the row of one; a line each. */
void panel_process_head(struct buf *out);
void panel_process(struct buf *out, const struct snapshot_process *p);

/* The same for sessions. */
void panel_session_head(struct buf *out);
void panel_session(
    struct buf *out, const struct snapshot_session *s, int64_t now_ms);

#endif
