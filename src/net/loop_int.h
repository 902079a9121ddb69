/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LOOP_INT_H
#define NET_LOOP_INT_H

/*
 * Private to net/: how its files get at libh2o. No other folder may include
 * this. The macros choose the event loop that libh2o-evloop was built with;
 * without them the headers describe another library.
 */
#define H2O_USE_EPOLL 1
#define H2O_USE_LIBUV 0
#include <h2o.h>

#include "net/loop.h"

/* The library's loop inside ours. */
h2o_loop_t *loop_h2o(struct loop *l);

/*
 * One turn of the loop without waiting;
 * never from inside a callback of the loop.
 */
void loop_turn(struct loop *l);

#endif
