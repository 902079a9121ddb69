/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ADMIN_H
#define OIP_OIP_ADMIN_H

/*
 * ADMIN_ frames (doc/oip.txt 10): an admin asks who somebody is, or makes them
 * somebody else; the holder of our own key says who is admin. Each frame is
 * signed, bound to its type or to us, and good once; it needs no CONNECT.
 */
struct json;
struct oip_conn;

/* Any frame whose type begins with ADMIN_: answered by ADMIN_RESULT. */
void oip_admin(struct oip_conn *c, const struct json *frame);

/* The client is going: its changes are made, but it will not hear of them. */
void oip_admin_forget(struct oip_conn *c);

#endif
