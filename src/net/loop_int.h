/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LOOP_INT_H
#define NET_LOOP_INT_H

/*
 * Private to net/: access to the library's loop. No other folder may include
 * this.
 */
#include "net/libh2o.h"
#include "net/loop.h"

/* Returns the library's loop inside ours. */
h2o_loop_t *loop_h2o(struct loop *l);

/*
 * Run one turn of the loop without waiting; never call it from a callback of
 * the loop.
 */
void loop_turn(struct loop *l);

#endif
