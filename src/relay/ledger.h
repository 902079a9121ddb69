/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_LEDGER_H
#define RELAY_LEDGER_H

/*
 * The ledger is a worker's queue of changes to the directory. A thread writes
 * all that wait in one transaction, so that ten thousand agents that come at
 * once do not cost as many. Nobody waits for it: an ANNOUNCE is acknowledged
 * before its record is written. Loop's thread only.
 */
#include <stdbool.h>
#include <stdint.h>

struct announced;
struct ledger;
struct relay_conf;

/* The most changes, and bytes of them, that may wait. */
#define LEDGER_CHANGES 16384
#define LEDGER_BYTES ((size_t)64 * 1024 * 1024)

/* wake(arg) is called on the thread when ledger_collect() has something to do. */
struct ledger *ledger_open(const char *path, const struct relay_conf *conf,
    void (*wake)(void *arg), void *arg);

/* Write what waits, close, and set *l to NULL. */
void ledger_close(struct ledger **l);

/* What was written is done; continue. */
void ledger_collect(struct ledger *l);

/*
 * Write an agent's record. Takes the announce, whatever happens. Returns false
 * if too many wait.
 */
bool ledger_say(
    struct ledger *l, struct announced *a, const char *source, bool has_host);

/* Note that an agent was seen now. */
void ledger_see(struct ledger *l, const char *address);

/*
 * Returns how often writing failed. What was said since the number was another
 * may be lost, and has to be said again.
 */
unsigned ledger_failures(const struct ledger *l);

/* Delete old records, a few at a time; call it every few seconds. */
void ledger_expire(struct ledger *l);

#endif
