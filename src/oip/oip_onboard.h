/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ONBOARD_H
#define OIP_OIP_ONBOARD_H

/*
 * A stranger at the door (doc/oip.txt 2): its CONNECT is kept while a human
 * finds an invite code or pays, however long that takes; then it is answered as
 * if it had just come.
 */
struct caller;
struct json;
struct oip_conn;

/* The CONNECT that waited, when its sender was let in. */
typedef void oip_onboard_fn(
    struct oip_conn *c, const struct json *frame, const struct caller *caller);

/*
 * Keep this CONNECT and send ONBOARD_REQUIRED. then is called at most once,
 * unless oip_onboard_forget() came first.
 */
void oip_onboard_offer(struct oip_conn *c, const struct json *frame,
    const struct caller *caller, oip_onboard_fn *then);

/* ONBOARD_SUBMIT: a code or a payment. */
void oip_onboard(struct oip_conn *c, const struct json *frame);

/* Forget the CONNECT that waits, if there is one. */
void oip_onboard_forget(struct oip_conn *c);

#endif
