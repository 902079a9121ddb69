/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_BALANCE_H
#define WORKER_BALANCE_H

/*
 * How connections spread over workers. All wait at one listener, and the kernel
 * wakes all of them; the one that runs first would get every connection of a
 * quiet server. So a worker that has clearly more than another one lets that go
 * first for a moment.
 */
#include <stdbool.h>

struct heritage;

/*
 * Whether a worker that serves, and whose loop runs, has clearly fewer
 * connections than the one in this slot.
 */
bool balance_is_fuller(const struct heritage *h, unsigned slot);

#endif
