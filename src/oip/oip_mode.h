/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_MODE_H
#define OIP_OIP_MODE_H

/*
 * Modes on the wire (doc/oip.txt 10): clients of several years have other words
 * for the same three; each is answered in the words it asked in.
 */
struct buf;
struct conf;
struct json;
struct oip_conn;
struct session_mode;

/* mode_change: answered by mode_changed, or an ERROR. */
void oip_mode_change(struct oip_conn *c, const struct json *frame);

/* The client is going: its change goes on without it. */
void oip_mode_forget(struct oip_conn *c);

/* Append the value of CONNECTED's session_modes. Pure. */
void oip_mode_offer(
    struct buf *out, const struct conf *conf, const struct session_mode *mode);

#endif
