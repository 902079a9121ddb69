/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_TABLE_H
#define DIALIN_DIALIN_TABLE_H

/*
 * The agents that have dialed in, in shared memory: who they are, whose they
 * are, how they are, and which worker has their connection. Any worker reads
 * it, so any can tell of an agent and find its worker. An agent stays in the
 * table after it has gone; when the table is full (max_agents_dialed_in), the
 * one that is gone for the longest time makes room (agents_forgotten_total).
 * The keeper copies the table to the store and back (dialin/dialin_book.h).
 *
 * One robust lock guards the entries; it is held for copying one of them. If a
 * process dies while it writes an entry, the next one drops that entry, and the
 * agent is there again when it has reconnected. Where agents are is also in
 * atomics, which are read without the lock. Loop's thread only; any process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dialin_table;
struct heritage;

/* Sizes of texts, with their NUL. Longer ones are cut, but for ids and users. */
#define DIALIN_ID_BYTES 204
#define DIALIN_USER_BYTES 204
#define DIALIN_NAME_BYTES 104
#define DIALIN_WORD_BYTES 48
#define DIALIN_CAPABILITIES_BYTES 1024

/* What an agent says of itself. */
struct dialin_who {
	char id[DIALIN_ID_BYTES];
	char user[DIALIN_USER_BYTES]; /* whose token it has shown */
	char org[DIALIN_USER_BYTES];
	char name[DIALIN_NAME_BYTES]; /* "": none */
	char type[DIALIN_WORD_BYTES]; /* "claude", small letters */
	char version[DIALIN_WORD_BYTES];
	char host[DIALIN_NAME_BYTES];
	char capabilities[DIALIN_CAPABILITIES_BYTES]; /* JSON; "": none */
};

/* What its user has noted about it. */
struct dialin_notes {
	char description[512];
	char metadata[1024]; /* JSON, an object; "": none */
};

/* What it reports from time to time. */
struct dialin_health {
	double cpu;
	double memory_mb;
	int64_t uptime_s;
	int64_t n_commands;
	double response_ms;
};

/* A command that waits. */
struct dialin_queued {
	uint64_t command;  /* dialin_home() of its id */
	uint64_t priority; /* enum ons_priority */
};

/* How many of them are told of. */
#define DIALIN_QUEUE_SHOWN 32

/* The commands that wait for an agent, in their order (dialin/dialin_queue.h). */
struct dialin_queue {
	uint64_t n; /* all of them */
	struct dialin_queued first[DIALIN_QUEUE_SHOWN];
};

/* An agent as it is now. Times are by the wall clock. */
struct dialin_info {
	struct dialin_who who;
	struct dialin_notes notes;
	struct dialin_health health;
	bool is_online;
	bool has_error; /* it reported one from which it does not recover */
	bool has_health;
	uint32_t n_running; /* commands */
	struct dialin_queue queue;
	int64_t created_ms;
	int64_t connected_ms; /* 0: never */
	int64_t seen_ms;      /* the last sign of life, within some seconds */
	uint64_t connection;  /* a number; larger ones are newer */
};

/* Returns the memory for this many agents, in bytes. */
uint64_t dialin_table_bytes(uint64_t max_agents);

/* Lay out the table of heritage.dialins_at, once, if that was not done. */
void dialin_table_make(struct heritage *h);

/* Map the table, as this process. Never NULL. */
struct dialin_table *dialin_table_new(
    struct heritage *h, unsigned slot, uint32_t generation);

/* Free the handle, not the table, and null *t. */
void dialin_table_free(struct dialin_table **t);

/* Returns the number by which all workers know an agent; never 0. */
uint64_t dialin_home(const char *id, size_t len);

/* What became of an agent that connects. */
enum dialin_found {
	DIALIN_FOUND,
	DIALIN_FOREIGN, /* the id is another user's */
	DIALIN_FULL,	/* all places are taken by agents that are online */
	DIALIN_STUCK,	/* a process that holds the lock is stuck */
};

/*
 * An agent has connected to this process, or says who it is once more. *place
 * is its entry, *connection the number of the connection (0: a new one). A name
 * that it does not say is filled in with the one that is known.
 */
enum dialin_found dialin_table_connect(struct dialin_table *t,
    struct dialin_who *who, uint32_t *place, uint64_t *connection);

/*
 * Enter an agent that is not connected, if it is not there: who, notes,
 * created_ms, connected_ms and seen_ms count. DIALIN_FOREIGN: it is there, or
 * another agent with this id.
 */
enum dialin_found dialin_table_register(
    struct dialin_table *t, const struct dialin_info *info);

/*
 * Replace name, type, version, capabilities and notes of an agent by those of
 * *info. Returns false if there is no agent with its id.
 */
bool dialin_table_change(
    struct dialin_table *t, const struct dialin_info *info);

/*
 * Forget an agent that is not online. Returns false if it is, or there is none
 * with this id.
 */
bool dialin_table_forget(struct dialin_table *t, const char *id, size_t len);

/* Forget the agents that are away and were last seen before this time. */
void dialin_table_forget_old(struct dialin_table *t, int64_t before_ms);

/* Returns the number of the agent's name; 0: it has none. Takes no lock. */
uint64_t dialin_table_alias(const struct dialin_table *t, uint32_t place);

/*
 * The connection has ended. Does nothing if the agent has a newer one. An older
 * one of the same agent may dialin_table_connect() again: if there may be one,
 * all workers get MSG_ORDER.
 */
void dialin_table_gone(
    struct dialin_table *t, uint32_t place, uint64_t connection);

/* Whether this is the newest connection of the agent, and it is online. */
bool dialin_table_is_newest(
    const struct dialin_table *t, uint32_t place, uint64_t connection);

/* The agent is alive; health NULL: it reported none. */
void dialin_table_seen(
    struct dialin_table *t, uint32_t place, const struct dialin_health *health);

/* Set how many commands it runs, which wait, and whether it has an error. */
void dialin_table_set_running(
    struct dialin_table *t, uint32_t place, uint32_t n_running);
void dialin_table_set_queue(
    struct dialin_table *t, uint32_t place, const struct dialin_queue *queue);
void dialin_table_set_error(
    struct dialin_table *t, uint32_t place, bool has_error);

/*
 * Returns whether an agent whose id or name has this number is online; *slot is
 * the process that has its newest connection. Takes no lock.
 */
bool dialin_table_locate(
    const struct dialin_table *t, uint64_t home, unsigned *slot);

/*
 * Copy the agent with this id or, if there is none, this name. Returns false if
 * there is none, or the lock is not available.
 */
bool dialin_table_find(struct dialin_table *t, const char *id, size_t len,
    struct dialin_info *info);

/* Call fn for a copy of each agent, until it returns false. */
void dialin_table_each(struct dialin_table *t,
    bool (*fn)(const struct dialin_info *info, void *arg), void *arg);

/* Returns a number that changes whenever an agent does, health apart. */
uint64_t dialin_table_version(const struct dialin_table *t);

/* An order for an agent, by any process. */
struct dialin_order {
	uint32_t kind;	  /* as the sender and the connection agree */
	bool is_urgent;	  /* it replaces all orders that wait */
	char reason[256]; /* NUL-terminated */
};

/* So many orders wait for an agent until its worker takes them. */
#define DIALIN_MAX_ORDERS 6

/*
 * Leave an order for the agent with this id, and notify its worker. Returns
 * false if it is not online, or DIALIN_MAX_ORDERS wait for it and this one is
 * not urgent.
 */
bool dialin_table_order(struct dialin_table *t, const char *id, size_t len,
    const struct dialin_order *order);

/* Take the first order that waits for this connection, if there is one. */
bool dialin_table_take_order(struct dialin_table *t, uint32_t place,
    uint64_t connection, struct dialin_order *order);

#endif
