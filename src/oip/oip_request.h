/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_REQUEST_H
#define OIP_OIP_REQUEST_H

/*
 * Commands that read or change something besides the turn (doc/oip.txt 15). A
 * client may give one a request_id, which its answer or ERROR repeats.
 */
struct buf;
struct json;
struct oip_conn;

/* Append ,"request_id":.. if the command has one. */
void oip_request_put(struct buf *out, const struct json *frame);

/* Send ERROR with this text for a command. */
void oip_request_refuse(
    struct oip_conn *c, const struct json *frame, const char *text);

#endif
