/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CONNECT_H
#define OIP_OIP_CONNECT_H

/*
 * How a client gets its session (doc/oip.txt 3): CONNECT, and INIT and ATTACH
 * of older clients. The answer is CONNECTED, AGENT_PROFILE, DASHBOARD_SNAPSHOT,
 * and then the events that the client missed.
 */
struct json;
struct oip_conn;

/*
 * CONNECT opens a new session, or the one that the frame names. INIT always
 * opens a new one. ATTACH opens the one that it names, and is answered in the
 * words of older clients. A client that is not admitted is told why, or how to
 * get in (oip/oip_onboard.h).
 */
void oip_connect(struct oip_conn *c, const struct json *frame);

/* Greet a client whose session was chosen without CONNECT. */
void oip_connect_greet(struct oip_conn *c, const char *status);

#endif
