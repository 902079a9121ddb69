/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_MODE_H
#define OIP_OIP_MODE_H

/*
 * Modes in the protocol (doc/oip.txt 10). Clients of different ages have
 * different words for the same three modes; each is answered in its own words.
 */
struct buf;
struct conf;
struct json;
struct oip_conn;
struct session_mode;

/* Handle mode_change. It is answered by mode_changed or an ERROR. */
void oip_mode_change(struct oip_conn *c, const struct json *frame);

/* The client is closing: its pending change proceeds without it. */
void oip_mode_forget(struct oip_conn *c);

/* Append the value of CONNECTED's session_modes. A pure function. */
void oip_mode_offer(
    struct buf *out, const struct conf *conf, const struct session_mode *mode);

#endif
