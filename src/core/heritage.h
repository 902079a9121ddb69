/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_HERITAGE_H
#define CORE_HERITAGE_H

/*
 * What a child process inherits from the master: descriptors at fixed numbers,
 * and one shared segment that begins with struct heritage. A child is started
 * as
 *
 *	co-hostd --child KIND --slot N --generation G
 *
 * The segment outlives all children. It holds the process slots, counters and
 * the memory of the session registry, and contains no pointers.
 */
#include "base/log_ring.h"
#include "core/pulse.h"
#include "core/stat.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HERITAGE_FD_CONF 3	 /* settings, from conf_save() */
#define HERITAGE_FD_SEGMENT 4	 /* the shared segment */
#define HERITAGE_FD_READY 5	 /* write one byte when serving */
#define HERITAGE_FD_LIFELINE 6	 /* EOF: the master is gone, so exit */
#define HERITAGE_FD_MAILBOX 7	 /* reading end of our mailbox */
#define HERITAGE_FD_LISTEN 8	 /* the listener; workers only */
#define HERITAGE_FD_LOCK 9	 /* the project's lock file; only held open */
#define HERITAGE_FD_WINDOW 11	 /* see HERITAGE_WINDOW */
#define HERITAGE_FD_MAILBOXES 16 /* sending end of slot 0, then slot 1, ... */

/*
 * The number of process slots; two generations of workers and keepers must fit.
 */
#define HERITAGE_SLOTS 128

#define HERITAGE_MAGIC 0x6f63686f73746431ull
#define HERITAGE_VERSION 15

/* The kinds of processes: core/processes.tbl. */
enum heritage_kind {
	KIND_NONE,
#define PROCESS(NAME, name, main, count, flags, stage) KIND_##NAME,
#include "core/processes.tbl"
#undef PROCESS
	KINDS
};

enum heritage_state {
	SLOT_FREE,
	SLOT_STARTING,
	SLOT_SERVING,
	SLOT_DRAINING,
};

struct heritage_slot {
	/*
	 * Incremented each time a process gets the slot, and when it dies; odd
	 * while a process lives in it.
	 */
	_Atomic uint32_t generation;
	/*
	 * enum heritage_state; written by both sides. A master claims a slot by
	 * changing it from SLOT_FREE: during an upgrade there are two.
	 */
	_Atomic uint32_t state;
	_Atomic int32_t pid;
	uint32_t kind;
	uint32_t epoch;		 /* configuration generation, from 1 */
	_Atomic uint32_t load;	 /* of its agent; enum agent_load */
	_Atomic int64_t born_ms; /* wall clock of its start */
	struct pulse pulses[PULSE_LINES];
	char last_words[240];
};

/* An entry in the table of limits/quota.h. */
struct heritage_quota {
	_Atomic uint64_t key; /* 0: free */
	_Atomic int64_t full_at_us;
};

/* The size of the table; a power of two. */
#define HERITAGE_QUOTAS 16384

/* An entry in the table of limits/gauge.h. */
struct heritage_gauge {
	_Atomic uint64_t key;	/* 0: free */
	_Atomic uint64_t count; /* combined with the generation that counted */
};

/* The size of each slot's table; a power of two. */
#define HERITAGE_GAUGES 32768

/* What the process in a slot counts; invalid for any other generation. */
struct heritage_gauges {
	_Atomic uint32_t generation;
	struct heritage_gauge places[HERITAGE_GAUGES];
};

/* An entry in the table of limits/usage.h. */
struct heritage_usage {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t tokens;
	_Atomic uint64_t cost_us; /* millionths of a dollar */
};

/* The size of the table; a power of two. */
#define HERITAGE_USAGES 8192

struct heritage {
	uint64_t magic;
	uint32_t version;
	int32_t master_pid;
	uint32_t msg_version;		  /* of core/msg.h */
	uint32_t n_slots;		  /* as at the master's start */
	uint32_t files_version;		  /* of the program's files */
	uint64_t n_stats;		  /* the counters that there are */
	uint64_t stat_digest;		  /* of their names */
	_Atomic uint32_t next_generation; /* of a slot; odd */
	uint32_t keeps_listener;	  /* the service manager has it too */
	uint32_t has_window;		  /* see HERITAGE_WINDOW */
	uint64_t server;		  /* id of this start: store_claim() */
	int64_t started_ms;		  /* wall clock of the master's start */
	int64_t started_boot_ms;	  /* the same by clock_boot_ms() */
	_Atomic int64_t line_ms;    /* see clock_hold(); set by the keeper */
	_Atomic uint32_t epoch;	    /* the highest that was given out */
	_Atomic uint32_t warned;    /* the epoch that logged its budget */
	_Atomic uint32_t listening; /* how many of them accept clients */
	_Atomic uint32_t restarts;  /* processes replaced after a death */
	_Atomic uint32_t hung;	    /* processes killed because they hung */
	_Atomic int64_t watched_us; /* when the master last looked */
	_Atomic uint32_t store_refuses; /* set by store_tell() */
	_Atomic uint64_t deaths; /* incremented before a slot's generation is */
	uint64_t registry_at;	 /* offset of the registry's memory */
	uint64_t registry_bytes;
	uint64_t max_sessions; /* as at the master's start */
	uint64_t engines_at;   /* offset of engine/engine_table.h */
	uint64_t max_engines;  /* as at the master's start */
	uint64_t dialins_at;   /* offset of dialin/dialin_table.h */
	uint64_t max_dialins;  /* as at the master's start */
	uint64_t codes_at;     /* offset of onsembl/ons_codes.h */
	uint64_t monitor_at;   /* offset of dialin/dialin_monitor.h */
	struct heritage_slot slots[HERITAGE_SLOTS];
	struct stat_set stats[HERITAGE_SLOTS];
	struct log_ring log; /* the latest lines of all processes */
	/* What commands may read ends about here: HERITAGE_WINDOW. */
	struct heritage_quota quotas[HERITAGE_QUOTAS];
	struct heritage_usage usages[HERITAGE_USAGES];
	struct heritage_gauges gauges[HERITAGE_SLOTS];
};

/* Where the memory of the registry begins. */
#define HERITAGE_REGISTRY_AT \
	((sizeof(struct heritage) + 4095) & ~(uint64_t)4095)

/*
 * The size of the window: the beginning of the segment, which holds no secrets.
 * It is a file of its own, mapped over the beginning of the segment, so that
 * commands of the same user can read it (status/window.h). If that file cannot
 * be made there is none. Where there is one, the segment itself holds only
 * magic, version and has_window in its place.
 */
#define HERITAGE_WINDOW \
	((offsetof(struct heritage, quotas) + 4095) & ~(size_t)4095)

/*
 * Map the window over the beginning of a mapped segment of ours, if has_window
 * says that it has one. Returns 0, or -1 with errno.
 */
int heritage_lay_window(struct heritage *h, int window_fd);

/*
 * The registry memory in bytes for this many sessions; the registry fits itself
 * in.
 */
#define HERITAGE_REGISTRY_BYTES(sessions) ((uint64_t)(sessions)*224 + 65536)

#endif
