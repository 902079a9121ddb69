/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_DIRECTORY_H
#define RELAY_DIRECTORY_H

/*
 * The directory keeps the record of each agent that ever announced itself, in
 * one SQLite file with a full-text index. All workers read and write it, and it
 * outlives them: what an agent published stays while it is away. Who is there
 * now is not in it (relay/roster.h).
 *
 * A struct directory is one connection. Its calls wait for each other and for
 * the disk, so they are made on threads only.
 */
#include "relay/announced.h"

#include <stddef.h>
#include <stdint.h>

struct err;

/* The file in the directory's folder. */
#define DIRECTORY_FILE "directory.db"

/*
 * Create the file at path, or check that it is ours; once, before processes
 * open it. A damaged file is moved aside. Returns 0, or -1 with ERR_CONFIG.
 */
int directory_prepare(const char *path, struct err *err);

/* Open a connection. Returns NULL with ERR_STORE. */
struct directory *directory_open(const char *path, struct err *err);

/* Close it, and set *d to NULL. */
void directory_close(struct directory **d);

/* ---- writing ---- */

/* What to write about an agent. */
struct directory_change {
	const struct announced *announce; /* NULL: it was only seen */
	const char *address;
	const char *source; /* the network address it came from */
	int64_t seen_ms;    /* wall clock */
	/*
	 * A host with this address is there: a published profile alone
	 * (without endpoints) does not replace what the host said.
	 */
	bool has_host;
};

/*
 * Make several changes in one transaction. Returns 0, or -1 with ERR_STORE, and
 * then none was made.
 */
int directory_write(struct directory *d, const struct directory_change *changes,
    size_t n, struct err *err);

/*
 * Delete records that were last seen before seen_ms, and the oldest beyond
 * 'most', at most 'step' in one call. Returns how many, or -1 with ERR_STORE.
 */
int64_t directory_expire(struct directory *d, int64_t seen_ms, int64_t most,
    int64_t step, struct err *err);

/* ---- reading ---- */

/*
 * What is known about an agent. The texts are JSON as the agent wrote it, NULL
 * if there is none.
 */
struct directory_record {
	char *address;
	int64_t seen_ms;
	char *source;
	char *summary;
	char *endpoints;
	char *relay;
	char *profile;
	char *profile_signature;
	/* The latest profile that was published for good. */
	char *published;
	char *published_signature;
	int64_t revision; /* 0: none */
	/* The last ANNOUNCE, and the digest of its signature. */
	double announced;
	uint8_t digest[DIGEST_SIZE];
	/*
	 * The latest ANNOUNCE that is too old to be used again, anywhere: it may
	 * be given to others.
	 */
	char *signed_text;
};

/*
 * Look an agent up; now is in seconds. Returns 1, 0 if it is not known, or -1
 * with ERR_STORE. The caller calls directory_free() after 1.
 */
int directory_get(struct directory *d, const char *address, double now,
    struct directory_record *out, struct err *err);

/* Free what a record holds. */
void directory_free(struct directory_record *r);

/* An agent that was found. */
struct directory_hit {
	struct directory_record record; /* the parts that FIND shows */
	double score;			/* lower is better */
};

/* The most hits of one search. */
#define DIRECTORY_HITS 50

/*
 * Search for agents by what they say: the words of their name, skills, tools
 * and summary, which weigh less in this order; word stems and beginnings count,
 * and hits with all words come first. Looks at a limited number of candidates,
 * and for a limited time. Returns how many were found, best first, or -1 with
 * ERR_STORE.
 */
int directory_find(struct directory *d, const char *query,
    struct directory_hit hits[DIRECTORY_HITS], struct err *err);

#endif
