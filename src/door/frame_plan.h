/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_FRAME_PLAN_H
#define DOOR_FRAME_PLAN_H

/*
 * The entries of a plan. Agents may use any words, but clients drop a whole
 * plan if one entry has a word that they do not know, so words are mapped to
 * known ones.
 */
struct buf;
struct json;

/*
 * Append the entries of a plan as JSON. An unknown priority becomes medium, an
 * unknown status pending.
 */
void frame_plan_entries(struct buf *out, const struct json *entries);

#endif
