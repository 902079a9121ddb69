/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_HOST_H
#define NATIVE_HOST_H

/*
 * The functions that an agent in C is given: struct co_host of co_agent.h, which
 * says what each does.
 */
#include <co_agent.h>

/* Returns the functions. */
const struct co_host *host_table(void);

#endif
