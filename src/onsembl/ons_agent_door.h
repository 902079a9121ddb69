/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_AGENT_DOOR_H
#define ONSEMBL_ONS_AGENT_DOOR_H

/*
 * The door /ws/agent, through which agents dial in: it accepts every upgrade,
 * takes the token that it carries, and hands the connection to the dock
 * (dialin/dialin_conn.h). Tokens are verified here (onsembl/ons_token.h).
 */
struct door;

extern const struct door ons_agent_door;

#endif
