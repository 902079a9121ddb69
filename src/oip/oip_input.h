/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_INPUT_H
#define OIP_OIP_INPUT_H

/*
 * INPUT (doc/oip.txt 4): a prompt becomes a session call, and its receipt a
 * frame, where the events of the turn do not say it all.
 */
struct json;
struct oip_conn;

/* INPUT; as the first frame it opens an anonymous session. */
void oip_input(struct oip_conn *c, const struct json *frame);

/* The client is going: its inputs go on without it. */
void oip_input_forget(struct oip_conn *c);

#endif
