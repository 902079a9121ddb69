/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_SIGNALS_H
#define MASTER_SIGNALS_H

/* The signals that an operator sends to the master (master.h). */
struct master;

/* Take all signals that have arrived. */
void signals_take(struct master *m);

#endif
