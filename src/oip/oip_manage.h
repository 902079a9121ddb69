/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_MANAGE_H
#define OIP_OIP_MANAGE_H

/*
 * SESSIONS, RENAME and DELETE: what GET /sessions, PATCH and DELETE do over
 * HTTP, for clients whose connection is sealed (doc/oip.txt 15). Only for
 * sockets whose commands are signed.
 */
struct json;
struct oip_conn;

/* SESSIONS: answer with a page of the list. */
void oip_manage_list(struct oip_conn *c, const struct json *frame);

/* RENAME: give the session that is named a title. */
void oip_manage_rename(struct oip_conn *c, const struct json *frame);

/* DELETE: delete the session that is named, which may be the client's own. */
void oip_manage_delete(struct oip_conn *c, const struct json *frame);

/* The client leaves: end what it waits for. Changes proceed. */
void oip_manage_forget(struct oip_conn *c);

#endif
