/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_AUTH_H
#define OIP_OIP_AUTH_H

/*
 * Verification of frames that name their sender, off the loop
 * (access/access.h). Until the verdict is known, later messages of the client
 * are held here unread, so that frames take effect in the order of arrival.
 */
#include <stdbool.h>
#include <stddef.h>

struct access_ask;
struct access_verdict;
struct json;
struct oip_conn;

/* Continues with the frame, parsed again, when the verdict is known. */
typedef void oip_auth_fn(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *verdict);

/*
 * Ask for a verdict on this frame; payload, from and signature are taken from
 * it. Only one verdict may be pending per client.
 */
void oip_auth_ask(struct oip_conn *c, const struct json *frame,
    struct access_ask *ask, oip_auth_fn *then);

/*
 * Submit the ONBOARD_SUBMIT of a verified sender, and call then with the
 * result. Later frames wait as above.
 */
void oip_auth_onboard(struct oip_conn *c, const struct json *frame,
    const char *address, oip_auth_fn *then);

/* Hold a message while a verdict is pending. Returns false if none is. */
bool oip_auth_hold(struct oip_conn *c, const char *text, size_t len);

/*
 * Verify one command of a socket whose CONNECT promised to sign each of them.
 * Calls then with the signed payload as the frame (spec 3.7), or refuses the
 * frame.
 */
void oip_auth_command(
    struct oip_conn *c, const struct json *frame, oip_auth_fn *then);

/* The client is closing: drop its pending verdict and the messages held. */
void oip_auth_forget(struct oip_conn *c);

#endif
