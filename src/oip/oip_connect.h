/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CONNECT_H
#define OIP_OIP_CONNECT_H

/*
 * How a client gets its session (doc/oip.txt 3): CONNECT, and INIT and ATTACH
 * of older clients. The answer is CONNECTED, AGENT_PROFILE, DASHBOARD_SNAPSHOT,
 * and then what the client missed.
 */
struct json;
struct oip_conn;

/*
 * CONNECT: a new session, or the one that the frame names. INIT: always a new
 * one. ATTACH: the one that it names; answers in older words. Whoever is not
 * let in is told why, or offered a door (oip/oip_onboard.h).
 */
void oip_connect(struct oip_conn *c, const struct json *frame);

/* The greeting of a client whose session was chosen without CONNECT. */
void oip_connect_greet(struct oip_conn *c, const char *status);

#endif
