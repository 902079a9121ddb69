/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/record.h"

#include "base/enc.h"
#include "base/log.h"
#include "core/err.h"

#include <string.h>

#define N_RECORD_SPANS 6
#define N_CLAIM_SPANS 4
#define N_WAITING_SPANS 7

/* The length that means "absent". */
#define NO_SPAN UINT32_MAX

struct record_head {
	uint32_t crc; /* of everything after it */
	uint16_t version;
	uint16_t status;
	uint64_t number;
	uint32_t turn;
	uint32_t client_turn;
	int64_t created_ms;
	int64_t expires_ms;
	int64_t updated_ms;
	int64_t started_us;
	int64_t duration_ms;
	uint32_t lens[N_RECORD_SPANS];
};

struct claim_head {
	uint32_t crc;
	uint16_t version;
	uint16_t status;
	uint8_t body[16];
	uint64_t number;
	uint32_t turn;
	uint32_t unused;
	int64_t expires_ms;
	int64_t duration_ms;
	uint32_t lens[N_CLAIM_SPANS];
};

enum { WAITING_ANSWER = 1, WAITING_LOOPBACK = 2, WAITING_CLAIM = 4 };

struct waiting_head {
	uint32_t crc;
	uint16_t version;
	uint16_t flags;
	uint64_t number;
	uint64_t place;
	uint32_t turn;
	uint8_t claim[16];
	uint8_t body[16];
	uint32_t lens[N_WAITING_SPANS];
};

_Static_assert(sizeof(struct record_head) == 88, "stored layout");
_Static_assert(sizeof(struct claim_head) == 72, "stored layout");
_Static_assert(sizeof(struct waiting_head) == 88, "stored layout");

static const char *const status_words[RECORD_STATUS_COUNT] = {
    [RECORD_CONNECTED] = "connected",
    [RECORD_RUNNING] = "running",
    [RECORD_DONE] = "done",
    [RECORD_FAILED] = "failed",
    [RECORD_INTERRUPTED] = "interrupted",
};

const char *record_status_word(enum record_status status)
{
	return status < RECORD_STATUS_COUNT ? status_words[status] : "failed";
}

static uint32_t span_len(const struct store_span *s)
{
	return s->data ? (uint32_t)s->len : NO_SPAN;
}

static void append_spans(
    struct buf *out, const struct store_span *const *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (spans[i]->data)
			buf_append(out, spans[i]->data, spans[i]->len);
}

/* Write the checksum over everything after it; it is at offset 'at' in out. */
static void seal(struct buf *out, size_t at)
{
	uint32_t crc = enc_crc32c(
	    0, out->data + at + sizeof crc, out->len - at - sizeof crc);
	memcpy(out->data + at, &crc, sizeof crc);
}

static bool is_sealed(struct store_span row, size_t head_size)
{
	uint32_t crc;
	if (row.len < head_size)
		return false;
	memcpy(&crc, row.data, sizeof crc);
	return crc == enc_crc32c(0, (const char *)row.data + sizeof crc,
			  row.len - sizeof crc);
}

static bool view_spans(struct store_span row, size_t at, const uint32_t *lens,
    struct store_span *const *spans, size_t n)
{
	const char *p = (const char *)row.data + at;
	size_t left = row.len - at;
	for (size_t i = 0; i < n; i++) {
		*spans[i] = (struct store_span){NULL, 0};
		if (lens[i] == NO_SPAN)
			continue;
		if (lens[i] > left)
			return false;
		*spans[i] = (struct store_span){p, lens[i]};
		p += lens[i];
		left -= lens[i];
	}
	return true;
}

void record_encode(struct buf *out, const struct record *r)
{
	const struct store_span *const spans[N_RECORD_SPANS] = {
	    &r->id, &r->caller, &r->prompt, &r->result, &r->reason, &r->extra};
	struct record_head h = {
	    .version = 1,
	    .status = (uint16_t)r->status,
	    .number = r->number,
	    .turn = r->turn,
	    .client_turn = r->client_turn,
	    .created_ms = r->created_ms,
	    .expires_ms = r->expires_ms,
	    .updated_ms = r->updated_ms,
	    .started_us = r->started_us,
	    .duration_ms = r->duration_ms,
	};
	size_t at = out->len;
	for (size_t i = 0; i < N_RECORD_SPANS; i++)
		h.lens[i] = span_len(spans[i]);
	buf_append(out, &h, sizeof h);
	append_spans(out, spans, N_RECORD_SPANS);
	if (r->epoch || r->agent.len)
		buf_append(out, &r->epoch, sizeof r->epoch);
	if (r->agent.len)
		buf_append(out, r->agent.data, r->agent.len);
	seal(out, at);
}

/*
 * Fields added later stand after the spans, where an older release does not
 * look: the epoch, and then the name of the agent, if any.
 */
static void view_tail(
    struct record *r, struct store_span row, const struct record_head *h)
{
	size_t at = sizeof *h;
	for (size_t i = 0; i < N_RECORD_SPANS; i++)
		at += h->lens[i] == NO_SPAN ? 0 : h->lens[i];
	if (row.len - at < sizeof r->epoch)
		return;
	memcpy(&r->epoch, (const char *)row.data + at, sizeof r->epoch);
	at += sizeof r->epoch;
	if (row.len > at)
		r->agent = (struct store_span){
		    (const char *)row.data + at, row.len - at};
}

/* The clock decides for old rows only: it may have been set in between. */
bool record_is_in_journal(const struct record *r, uint64_t epoch)
{
	return r->epoch ? r->epoch == epoch : r->created_ms >= (int64_t)epoch;
}

bool record_decode(struct record *r, struct store_span row)
{
	struct record_head h;
	if (!is_sealed(row, sizeof h))
		return false;
	memcpy(&h, row.data, sizeof h);
	*r = (struct record){
	    .number = h.number,
	    .turn = h.turn,
	    .client_turn = h.client_turn,
	    .status = (enum record_status)h.status,
	    .created_ms = h.created_ms,
	    .expires_ms = h.expires_ms,
	    .updated_ms = h.updated_ms,
	    .started_us = h.started_us,
	    .duration_ms = h.duration_ms,
	};
	struct store_span *const spans[N_RECORD_SPANS] = {
	    &r->id, &r->caller, &r->prompt, &r->result, &r->reason, &r->extra};
	if (h.version != 1 || h.status >= RECORD_STATUS_COUNT ||
	    !view_spans(row, sizeof h, h.lens, spans, N_RECORD_SPANS))
		return false;
	view_tail(r, row, &h);
	return true;
}

void record_encode_claim(struct buf *out, const struct claim *c)
{
	const struct store_span *const spans[N_CLAIM_SPANS] = {
	    &c->id, &c->result, &c->reason, &c->joined};
	struct claim_head h = {
	    .version = 1,
	    .status = (uint16_t)c->status,
	    .number = c->number,
	    .turn = c->turn,
	    .expires_ms = c->expires_ms,
	    .duration_ms = c->duration_ms,
	};
	size_t at = out->len;
	memcpy(h.body, c->body, sizeof h.body);
	for (size_t i = 0; i < N_CLAIM_SPANS; i++)
		h.lens[i] = span_len(spans[i]);
	buf_append(out, &h, sizeof h);
	append_spans(out, spans, N_CLAIM_SPANS);
	seal(out, at);
}

bool record_decode_claim(struct claim *c, struct store_span row)
{
	struct claim_head h;
	if (!is_sealed(row, sizeof h))
		return false;
	memcpy(&h, row.data, sizeof h);
	*c = (struct claim){
	    .number = h.number,
	    .turn = h.turn,
	    .status = (enum record_status)h.status,
	    .expires_ms = h.expires_ms,
	    .duration_ms = h.duration_ms,
	};
	memcpy(c->body, h.body, sizeof h.body);
	struct store_span *const spans[N_CLAIM_SPANS] = {
	    &c->id, &c->result, &c->reason, &c->joined};
	return h.version == 1 && h.status < RECORD_STATUS_COUNT &&
	       view_spans(row, sizeof h, h.lens, spans, N_CLAIM_SPANS);
}

void record_encode_waiting(struct buf *out, const struct waiting *w)
{
	const struct store_span *const spans[N_WAITING_SPANS] = {&w->session,
	    &w->id, &w->prompt, &w->caller, &w->level, &w->peer, &w->input_id};
	struct waiting_head h = {
	    .version = 1,
	    .number = w->number,
	    .place = w->place,
	    .turn = w->turn,
	};
	size_t at = out->len;
	h.flags |= w->is_answer ? WAITING_ANSWER : 0;
	h.flags |= w->peer_is_loopback ? WAITING_LOOPBACK : 0;
	h.flags |= w->has_claim ? WAITING_CLAIM : 0;
	memcpy(h.claim, w->claim, sizeof h.claim);
	memcpy(h.body, w->body, sizeof h.body);
	for (size_t i = 0; i < N_WAITING_SPANS; i++)
		h.lens[i] = span_len(spans[i]);
	buf_append(out, &h, sizeof h);
	append_spans(out, spans, N_WAITING_SPANS);
	seal(out, at);
}

bool record_decode_waiting(struct waiting *w, struct store_span row)
{
	struct waiting_head h;
	if (!is_sealed(row, sizeof h))
		return false;
	memcpy(&h, row.data, sizeof h);
	*w = (struct waiting){
	    .number = h.number,
	    .place = h.place,
	    .turn = h.turn,
	    .is_answer = h.flags & WAITING_ANSWER,
	    .peer_is_loopback = h.flags & WAITING_LOOPBACK,
	    .has_claim = h.flags & WAITING_CLAIM,
	};
	memcpy(w->claim, h.claim, sizeof h.claim);
	memcpy(w->body, h.body, sizeof h.body);
	struct store_span *const spans[N_WAITING_SPANS] = {&w->session, &w->id,
	    &w->prompt, &w->caller, &w->level, &w->peer, &w->input_id};
	return h.version == 1 &&
	       view_spans(row, sizeof h, h.lens, spans, N_WAITING_SPANS);
}

static bool first_key(struct store_span key, struct store_span value, void *arg)
{
	(void)value;
	*(uint64_t *)arg = store_number(key.data);
	return false;
}

static uint64_t last_number(
    struct store *store, enum store_part part, enum store_table table)
{
	struct store_txn t;
	struct err err;
	uint64_t number = 0;
	store_read(store, &t, part);
	store_each_back(&t, table, NULL, 0, first_key, &number);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return number;
}

uint64_t record_next_number(struct store *store)
{
	uint64_t facts = last_number(store, STORE_FACTS, TABLE_SESSIONS);
	uint64_t events = last_number(store, STORE_JOURNAL, TABLE_JOURNALS);
	return (facts > events ? facts : events) + 1;
}
