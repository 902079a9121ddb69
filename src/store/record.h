/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

/*
 * The rows of the facts and their stored form: a session's latest turn
 * (TABLE_SESSIONS), an input that its client named (TABLE_CLAIMS), and an input
 * that waits for the agent (TABLE_WAITING). Each row carries a checksum; a
 * damaged row is rejected and affects nothing else. Pure functions.
 */
#include "base/buf.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_status {
	RECORD_CONNECTED,
	RECORD_RUNNING,
	RECORD_DONE,
	RECORD_FAILED,
	RECORD_INTERRUPTED,
	RECORD_STATUS_COUNT,
};

/*
 * A session's row. Strings are views. "extra" holds what is needed to run the
 * turn again: {"images":[...],"files":[{"name","path","size"}],"input_id":...}.
 */
struct record {
	uint64_t number;
	uint32_t turn;
	uint32_t client_turn; /* as counted in the conversation */
	enum record_status status;
	int64_t created_ms; /* when the turn's input was accepted */
	int64_t expires_ms;
	int64_t updated_ms;
	int64_t started_us;
	int64_t duration_ms; /* -1: not ended */
	struct store_span id;
	struct store_span caller;
	struct store_span prompt;
	struct store_span result; /* data NULL: none */
	struct store_span reason; /* why the turn failed */
	struct store_span extra;
	uint64_t epoch; /* of the journal with its events; 0: unknown */
	struct store_span agent; /* name in the directory; len 0: the default */
};

/* Returns the word of a status, such as "running". */
const char *record_status_word(enum record_status status);

/* Whether a journal of this epoch has all events of the turn from the first. */
bool record_is_in_journal(const struct record *r, uint64_t epoch);

/* Append the stored form. */
void record_encode(struct buf *out, const struct record *r);

/* Make *r a view of a stored form; returns false if it is damaged. */
bool record_decode(struct record *r, struct store_span row);

/* A claim's row: an input_id that was used. */
struct claim {
	uint8_t body[16]; /* digest of prompt, images and files */
	uint64_t number;  /* of the session */
	uint32_t turn;
	enum record_status status;
	int64_t expires_ms;
	int64_t duration_ms;
	struct store_span id;	  /* of the session */
	struct store_span result; /* data NULL: none yet */
	struct store_span reason;
	struct store_span joined; /* the id it was acknowledged with when it
				     joined a turn; len 0: it began one */
};

/* Append the stored form. */
void record_encode_claim(struct buf *out, const struct claim *c);

/* Make *c a view of a stored form; returns false if it is damaged. */
bool record_decode_claim(struct claim *c, struct store_span row);

/* A row of TABLE_WAITING (session/waiting.h): an input to a running turn. */
struct waiting {
	uint64_t number; /* of the session; with 'place', the row's key */
	uint64_t place;
	uint32_t turn;	/* the turn it was meant for */
	bool is_answer; /* it answers a question of that turn */
	bool peer_is_loopback;
	bool has_claim;
	uint8_t claim[16];
	uint8_t body[16];
	struct store_span session; /* id of the session */
	struct store_span id;	   /* with which it was acknowledged */
	struct store_span prompt;
	struct store_span caller;
	struct store_span level;
	struct store_span peer;
	struct store_span input_id;
};

/* Append the stored form. */
void record_encode_waiting(struct buf *out, const struct waiting *w);

/* Make *w a view of a stored form; returns false if it is damaged. */
bool record_decode_waiting(struct waiting *w, struct store_span row);

/*
 * Returns the lowest session number that is free in the store, in records as
 * well as in journals. What cannot be read is logged and counts as empty.
 */
uint64_t record_next_number(struct store *store);

#endif
