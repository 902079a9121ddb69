/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_AUTH_H
#define OIP_OIP_AUTH_H

/*
 * A frame that says who sent it is judged off the loop (access/access.h). Until
 * the verdict comes, what the client sends after it waits here, unread, so that
 * frames take effect in the order in which they came.
 */
#include <stdbool.h>
#include <stddef.h>

struct access_ask;
struct access_verdict;
struct json;
struct oip_conn;

/* What goes on with the frame, parsed anew, when the verdict is there. */
typedef void oip_auth_fn(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *verdict);

/*
 * Ask about this frame; payload, from and signature are taken from it. One
 * question at a time.
 */
void oip_auth_ask(struct oip_conn *c, const struct json *frame,
    struct access_ask *ask, oip_auth_fn *then);

/*
 * ONBOARD_SUBMIT of a verified sender: hear later what became of it; frames
 * wait as above.
 */
void oip_auth_onboard(struct oip_conn *c, const struct json *frame,
    const char *address, oip_auth_fn *then);

/* Keep a message while a question is open; false when none is. */
bool oip_auth_hold(struct oip_conn *c, const char *text, size_t len);

/*
 * On a socket whose CONNECT promised it, each command is signed: ask, and call
 * then with the signed payload as the frame (spec 3.7), or refuse the frame.
 */
void oip_auth_command(
    struct oip_conn *c, const struct json *frame, oip_auth_fn *then);

/* The client goes: forget its question and what waits behind it. */
void oip_auth_forget(struct oip_conn *c);

#endif
