/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_CARRIER_H
#define OIP_OIP_CARRIER_H

/*
 * The ConnectOnion protocol (doc/oip.txt) over any wire (net/wire.h): what comes
 * from a wire goes to the frames of one client, sealed or in clear, and what is
 * left of the client goes with the wire. No socket and no HTTP here.
 */
struct door_setup;
struct limits_held;
struct wire;

/*
 * Serve the client of this wire until the wire is gone. setup outlives it.
 * held is what the caller counted for it (LIMITS_SOCKETS), which is taken over
 * and given back at its end; NULL: nothing.
 */
void oip_serve(const struct door_setup *setup, struct wire *wire,
    const struct limits_held *held);

#endif
