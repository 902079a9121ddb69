/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ONBOARD_H
#define OIP_OIP_ONBOARD_H

/*
 * Onboarding of strangers (doc/oip.txt 2): the CONNECT of a stranger is kept
 * while its user finds an invite code or pays, however long that takes; then it
 * is answered as if it had just arrived.
 */
struct caller;
struct json;
struct oip_conn;

/* Handles the CONNECT that waited, when its sender is admitted. */
typedef void oip_onboard_fn(
    struct oip_conn *c, const struct json *frame, const struct caller *caller);

/*
 * Keep this CONNECT and send ONBOARD_REQUIRED. then is called at most once, and
 * not after oip_onboard_forget().
 */
void oip_onboard_offer(struct oip_conn *c, const struct json *frame,
    const struct caller *caller, oip_onboard_fn *then);

/* Handle ONBOARD_SUBMIT: a code or a payment. */
void oip_onboard(struct oip_conn *c, const struct json *frame);

/* Free the CONNECT that waits, if there is one. */
void oip_onboard_forget(struct oip_conn *c);

#endif
