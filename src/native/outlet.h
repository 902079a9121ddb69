/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_OUTLET_H
#define NATIVE_OUTLET_H

/*
 * The lines that a process of an agent in C writes to the server, whole and one
 * after another, from any thread. A write waits while the server has no room for
 * more.
 */
#include "base/buf.h"

#include <pthread.h>

/* Lives in its owner, until the process exits. */
struct outlet {
	int fd;
	pthread_mutex_t lock;
};

/* Initialise *o, which writes to fd. */
void outlet_init(struct outlet *o, int fd);

/*
 * Write a line, to which a newline is added. If the server is gone, it is lost
 * as the turn is.
 */
void outlet_write(struct outlet *o, struct buf *line);

#endif
