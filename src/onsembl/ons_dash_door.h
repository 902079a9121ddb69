/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_DASH_DOOR_H
#define ONSEMBL_ONS_DASH_DOOR_H

/* The door of dashboards: /ws/dashboard. */

struct door;

extern const struct door ons_dash_door;

#endif
