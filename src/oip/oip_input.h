/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_INPUT_H
#define OIP_OIP_INPUT_H

/*
 * INPUT (doc/oip.txt 4): a prompt becomes a session call, and its receipt
 * becomes a frame if the events of the turn do not already say it.
 */
struct json;
struct oip_conn;

/* Handle INPUT. As the first frame it opens an anonymous session. */
void oip_input(struct oip_conn *c, const struct json *frame);

/* The client is closing: its inputs proceed without it. */
void oip_input_forget(struct oip_conn *c);

#endif
