/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_OIP_ONBOARD_H
#define DOOR_OIP_ONBOARD_H

/*
 * A stranger at the door (doc/oip.txt 2): its CONNECT is kept while a human
 * finds an invite code or pays, however long that takes; then it is answered as
 * if it had just come.
 */
struct caller;
struct json;
struct oip_conn;

/* Keep this CONNECT and send ONBOARD_REQUIRED. */
void oip_onboard_offer(
    struct oip_conn *c, const struct json *frame, const struct caller *caller);

/* ONBOARD_SUBMIT: a code or a payment. */
void oip_onboard(struct oip_conn *c, const struct json *frame);

/* Forget the CONNECT that waits, if there is one. */
void oip_onboard_forget(struct oip_conn *c);

#endif
