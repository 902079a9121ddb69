/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* Reading stored records: the records part of session.h. */
#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/conversation.h"
#include "core/stat.h"
#include "session/session_int.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

static bool is_alive(const struct record *r)
{
	return r->status == RECORD_RUNNING || r->expires_ms > clock_expiry_ms();
}

/*
 * Strings of a record in the form of the API: NUL-terminated, in mem, by
 * offset.
 */
struct offsets {
	size_t id, caller, prompt, result, reason, talk;
};

static size_t keep(struct buf *mem, struct store_span s)
{
	size_t at = mem->len;
	if (s.data)
		buf_append(mem, s.data, s.len);
	buf_char(mem, 0);
	return at;
}

static void view(struct session_record *out, const struct record *r,
    const struct offsets *at, const struct buf *mem)
{
	*out = (struct session_record){
	    .id = mem->data + at->id,
	    .caller = mem->data + at->caller,
	    .status = record_status_word(r->status),
	    .turn = r->turn,
	    .created_ms = r->created_ms,
	    .expires_ms = r->expires_ms,
	    .updated_ms = r->updated_ms,
	    .duration_ms = r->duration_ms,
	    .prompt = mem->data + at->prompt,
	    .prompt_len = r->prompt.len,
	    .result = r->result.data ? mem->data + at->result : NULL,
	    .result_len = r->result.len,
	    .reason = mem->data + at->reason,
	};
}

static enum store_found records_read_record(struct store_txn *t, const char *id,
    size_t len, struct record *r, struct store_span *talk)
{
	struct store_span row;
	enum store_found found = store_look(t, TABLE_IDS, id, len, &row);
	if (found != STORE_FOUND || row.len != 8)
		return found;
	struct store_key key = store_key1(store_number(row.data));
	found = store_look(t, TABLE_SESSIONS, key.bytes, 8, &row);
	if (found != STORE_FOUND)
		return found;
	if (!store_get(t, TABLE_TALKS, key.bytes, 8, talk))
		*talk = (struct store_span){"{}", 2};
	return record_decode(r, row) ? STORE_FOUND : STORE_DAMAGED;
}

/* Reports a running turn that waits for an approval as such. */
static const char *running_word(
    struct sessions *all, const char *id, size_t len)
{
	uint8_t key[REGISTRY_KEY];
	session_key(key, id, len);
	uint32_t at = registry_look(all->registry, key);
	if (at == REGISTRY_NONE)
		return "running";
	struct entry_question q =
	    entry_question(registry_entry(all->registry, at));
	return q.seq && q.type == EV_APPROVAL_NEEDED ? "waiting_approval"
						     : "running";
}

/* Convert a record to the form of the API, with its strings in mem. */
static void fill(struct sessions *all, struct session_record *out,
    const struct record *r, struct store_span talk, struct buf *mem)
{
	struct offsets at = {.id = keep(mem, r->id)};
	at.caller = keep(mem, r->caller);
	at.prompt = keep(mem, r->prompt);
	at.result = keep(mem, r->result);
	at.reason = keep(mem, r->reason);
	at.talk = keep(mem, talk);
	view(out, r, &at, mem);
	out->conversation = mem->data + at.talk;
	out->conversation_len = talk.len;
	if (r->status == RECORD_RUNNING)
		out->status = running_word(all, r->id.data, r->id.len);
}

int session_get(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *out, struct err *err)
{
	struct store_txn t;
	struct record r;
	struct store_span talk;
	if (!session_id_is_valid(id, len))
		return err_set(err, ERR_NOT_FOUND, NULL);
	store_read(all->setup.store, &t, STORE_FACTS);
	enum store_found found = records_read_record(&t, id, len, &r, &talk);
	bool is_there = found == STORE_FOUND && is_alive(&r);
	if (is_there)
		fill(all, out, &r, talk, mem);
	if (store_read_end(&t, err) != 0)
		return -1;
	if (found == STORE_DAMAGED)
		return err_set(err, ERR_DAMAGED, NULL);
	return is_there ? 0 : err_set(err, ERR_NOT_FOUND, NULL);
}

struct listing {
	struct sessions *all;
	const struct session_query *query;
	size_t left;
	struct store_txn *txn;
	void (*fn)(const struct session_record *, void *);
	void *arg;
	struct buf mem;
};

static bool is_asked_for(
    const struct record *r, const struct session_query *query)
{
	if (!r->caller.len)
		return query->with_nobodys;
	return r->caller.len == strlen(query->caller) &&
	       memcmp(r->caller.data, query->caller, r->caller.len) == 0;
}

/*
 * Numbers grow with creation, so walking backwards gives the newest session
 * first.
 */
static bool list_one(struct store_span key, struct store_span value, void *arg)
{
	struct listing *l = arg;
	struct session_record out;
	struct record r;
	if (!record_decode(&r, value) || !is_alive(&r) ||
	    !is_asked_for(&r, l->query))
		return true;
	struct store_span talk = {"{}", 2};
	(void)store_get(l->txn, TABLE_TALKS, key.data, key.len, &talk);
	buf_reset(&l->mem);
	fill(l->all, &out, &r, talk, &l->mem);
	l->fn(&out, l->arg);
	return --l->left > 0;
}

int session_list(struct sessions *all, const struct session_query *query,
    void (*fn)(const struct session_record *, void *), void *arg,
    struct err *err)
{
	struct store_txn t;
	struct listing l = {.all = all,
	    .txn = &t,
	    .query = query,
	    .left = query->limit,
	    .fn = fn,
	    .arg = arg};
	if (!query->limit)
		return 0;
	store_read(all->setup.store, &t, STORE_FACTS);
	store_each_back(&t, TABLE_SESSIONS, NULL, 0, list_one, &l);
	buf_fini(&l.mem);
	return store_read_end(&t, err);
}

bool session_merge(
    struct session *s, const char *client, size_t len, struct buf *out)
{
	struct store_key key = store_key1(s->number);
	struct store_txn t;
	struct store_span talk;
	struct err err;
	store_read(s->all->setup.store, &t, STORE_FACTS);
	if (!store_get(&t, TABLE_TALKS, key.bytes, 8, &talk))
		talk = (struct store_span){"", 0};
	bool is_newer =
	    conversation_merge(out, client, len, talk.data, talk.len, s->id);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return is_newer;
}
