/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_FRAME_PLAN_H
#define DOOR_FRAME_PLAN_H

/*
 * Clients drop a plan that has one entry with a word they do not know; agents
 * may say any.
 */
struct buf;
struct json;

/*
 * Append the entries of a plan as JSON, with words that clients know: another
 * priority is medium, another status pending.
 */
void frame_plan_entries(struct buf *out, const struct json *entries);

#endif
