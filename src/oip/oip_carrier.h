/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CARRIER_H
#define OIP_OIP_CARRIER_H

/*
 * The ConnectOnion protocol (doc/oip.txt) over any wire (net/wire.h). Messages
 * of the wire become frames of one client, sealed or in clear, and the client
 * is freed together with its wire. This file knows neither sockets nor HTTP.
 */
struct door_setup;
struct limits_held;
struct wire;

/*
 * Serve the client of this wire until the wire is gone. setup must outlive it.
 * held is what the caller has counted for the client (LIMITS_SOCKETS):
 * ownership passes to this call, which releases it when the client ends. NULL:
 * nothing was counted.
 */
void oip_serve(const struct door_setup *setup, struct wire *wire,
    const struct limits_held *held);

#endif
