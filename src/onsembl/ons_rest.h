/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_REST_H
#define ONSEMBL_ONS_REST_H

/* The HTTP API of Onsembl: /api/agents, /api/health (doc/onsembl.txt). */

struct door;

extern const struct door ons_rest_door;

#endif
