/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_REST_H
#define ONSEMBL_ONS_REST_H

/*
 * The HTTP API of Onsembl (doc/onsembl.txt): agents, an emergency stop, and the
 * check of a token.
 */

struct door;

extern const struct door ons_rest_door;

#endif
