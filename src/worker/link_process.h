/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_LINK_PROCESS_H
#define WORKER_LINK_PROCESS_H

/*
 * The link process holds the connection to the relay, makes this server known
 * there, and hands the relay's clients to the workers (link/uplink.h). It has
 * no store and no sessions, so its end costs clients no more than a break.
 */

/* Run the link in process slot 'slot'. Returns the exit status. */
int link_main(unsigned slot, unsigned generation);

#endif
