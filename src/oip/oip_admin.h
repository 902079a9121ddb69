/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ADMIN_H
#define OIP_OIP_ADMIN_H

/*
 * ADMIN_ frames (doc/oip.txt 10): an admin queries or changes the level of a
 * caller; the holder of the agent's own key appoints admins. Each frame is
 * signed, bound to its type or to our address, and valid once; it needs no
 * CONNECT.
 */
struct json;
struct oip_conn;

/*
 * Handle a frame whose type begins with ADMIN_. It is answered by ADMIN_RESULT.
 */
void oip_admin(struct oip_conn *c, const struct json *frame);

/*
 * The client is closing: its pending changes are still made, without an answer.
 */
void oip_admin_forget(struct oip_conn *c);

#endif
