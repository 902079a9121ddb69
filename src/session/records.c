/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* Reading stored records: the records part of session.h. */
#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/conversation.h"
#include "core/stat.h"
#include "session/session_int.h"
#include "session/title.h"
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
	size_t id, caller, prompt, result, reason, talk, title, agent;
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
	    .agent = mem->data + at->agent,
	    .place = r->number,
	};
}

/* What is stored of one session; views. */
struct stored {
	struct record record;
	struct title title;
	struct store_span talk;
};

static void read_title_and_talk(
    struct store_txn *t, struct stored *row, bool is_brief)
{
	struct store_key key = store_key1(row->record.number);
	title_read(t, row->record.number, &row->title);
	if (is_brief || !store_get(t, TABLE_TALKS, key.bytes, 8, &row->talk))
		row->talk = (struct store_span){"{}", 2};
}

static enum store_found records_read_record(struct store_txn *t, const char *id,
    size_t len, bool is_brief, struct stored *out)
{
	struct store_span row;
	enum store_found found = store_look(t, TABLE_IDS, id, len, &row);
	if (found != STORE_FOUND || row.len != 8)
		return found;
	struct store_key key = store_key1(store_number(row.data));
	found = store_look(t, TABLE_SESSIONS, key.bytes, 8, &row);
	if (found != STORE_FOUND)
		return found;
	if (!record_decode(&out->record, row))
		return STORE_DAMAGED;
	read_title_and_talk(t, out, is_brief);
	return STORE_FOUND;
}

/* Returns what the turn of a session waits for; NULL: nothing. */
static const char *waits_for(struct sessions *all, const char *id, size_t len)
{
	uint8_t key[REGISTRY_KEY];
	session_key(key, id, len);
	uint32_t at = registry_look(all->registry, key);
	if (at == REGISTRY_NONE)
		return NULL;
	struct entry_question q =
	    entry_question(registry_entry(all->registry, at));
	return q.seq ? event_name(q.type) : NULL;
}

/* A session without a stored title has its latest prompt as title. */
static size_t keep_title(
    struct buf *mem, const struct title *title, const struct record *r)
{
	size_t at = mem->len;
	if (title->text.len)
		return keep(mem, title->text);
	title_shorten(mem, r->prompt.data, r->prompt.len);
	buf_char(mem, 0);
	return at;
}

/* Convert a record to the form of the API, with its strings in mem. */
static void fill(struct sessions *all, struct session_record *out,
    const struct stored *row, struct buf *mem)
{
	const struct record *r = &row->record;
	struct offsets at = {.id = keep(mem, r->id)};
	at.caller = keep(mem, r->caller);
	at.prompt = keep(mem, r->prompt);
	at.result = keep(mem, r->result);
	at.reason = keep(mem, r->reason);
	at.agent = keep(mem, r->agent);
	at.title = keep_title(mem, &row->title, r);
	at.talk = keep(mem, row->talk);
	view(out, r, &at, mem);
	out->title = mem->data + at.title;
	out->title_len = at.talk - at.title - 1;
	out->began_ms =
	    row->title.began_ms ? row->title.began_ms : r->created_ms;
	out->conversation = mem->data + at.talk;
	out->conversation_len = row->talk.len;
	if (r->status != RECORD_RUNNING)
		return;
	out->waits_for = waits_for(all, r->id.data, r->id.len);
	if (out->waits_for &&
	    strcmp(out->waits_for, event_name(EV_APPROVAL_NEEDED)) == 0)
		out->status = "waiting_approval";
}

static int get(struct sessions *all, const char *id, size_t len, bool is_brief,
    struct buf *mem, struct session_record *out, struct err *err)
{
	struct store_txn t;
	struct stored row;
	if (!session_id_is_valid(id, len))
		return err_set(err, ERR_NOT_FOUND, NULL);
	store_read(all->setup.store, &t, STORE_FACTS);
	enum store_found found =
	    records_read_record(&t, id, len, is_brief, &row);
	bool is_there = found == STORE_FOUND && is_alive(&row.record);
	if (is_there)
		fill(all, out, &row, mem);
	if (store_read_end(&t, err) != 0)
		return -1;
	if (found == STORE_DAMAGED)
		return err_set(err, ERR_DAMAGED, NULL);
	return is_there ? 0 : err_set(err, ERR_NOT_FOUND, NULL);
}

int session_get(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *out, struct err *err)
{
	return get(all, id, len, false, mem, out, err);
}

int session_look(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *out, struct err *err)
{
	return get(all, id, len, true, mem, out, err);
}

struct listing {
	struct sessions *all;
	const struct session_query *query;
	size_t left;
	size_t rows_left;
	size_t bytes_left;
	size_t n_seen;
	uint64_t next;
	struct store_txn *txn;
	void (*fn)(const struct session_record *, void *);
	void *arg;
	struct buf mem;
};

static bool is_asked_for(
    const struct record *r, const struct session_query *query)
{
	if (query->with_all)
		return true;
	if (!r->caller.len)
		return query->with_nobodys;
	return r->caller.len == strlen(query->caller) &&
	       memcmp(r->caller.data, query->caller, r->caller.len) == 0;
}

static void count_bytes(struct listing *l, size_t n)
{
	l->bytes_left -= n < l->bytes_left ? n : l->bytes_left;
}

static void list_record(struct listing *l, struct stored *row)
{
	const struct session_query *query = l->query;
	struct session_record out;
	buf_reset(&l->mem);
	read_title_and_talk(l->txn, row, l->query->is_brief);
	count_bytes(l, row->talk.len);
	fill(l->all, &out, row, &l->mem);
	if (query->status && strcmp(query->status, out.status) != 0)
		return;
	if (query->is_wanted && !query->is_wanted(&out, query->wanted_arg))
		return;
	l->fn(&out, l->arg);
	l->left--;
}

/*
 * Numbers grow with creation, so walking backwards gives the newest session
 * first.
 */
static bool list_one(struct store_span key, struct store_span value, void *arg)
{
	struct listing *l = arg;
	struct stored row;
	l->rows_left--;
	l->n_seen++;
	count_bytes(l, value.len);
	l->next = store_number(key.data);
	if (record_decode(&row.record, value) && is_alive(&row.record) &&
	    is_asked_for(&row.record, l->query))
		list_record(l, &row);
	return l->left && l->rows_left && l->bytes_left;
}

/* The walk ended at the last row, or before a further one. */
static bool look_for_more(
    struct store_span key, struct store_span value, void *arg)
{
	(void)key;
	(void)value;
	*(bool *)arg = true;
	return false;
}

static bool is_more(struct store_txn *t, uint64_t before)
{
	struct store_key key = store_key1(before - 1);
	bool is_it = false;
	if (before > 1)
		store_each_back(
		    t, TABLE_SESSIONS, key.bytes, 8, look_for_more, &is_it);
	return is_it;
}

int session_list(struct sessions *all, const struct session_query *query,
    void (*fn)(const struct session_record *r, void *arg), void *arg,
    uint64_t *next, struct err *err)
{
	struct store_key key = store_key1(query->before - 1);
	struct store_txn t;
	struct listing l = {.all = all,
	    .txn = &t,
	    .query = query,
	    .left = query->limit,
	    .rows_left = query->most_seen ? query->most_seen : SIZE_MAX,
	    .bytes_left = query->most_bytes ? query->most_bytes : SIZE_MAX,
	    .next = query->before,
	    .fn = fn,
	    .arg = arg};
	store_read(all->setup.store, &t, STORE_FACTS);
	if (l.left)
		store_each_back(&t, TABLE_SESSIONS,
		    query->before ? key.bytes : NULL, query->before ? 8 : 0,
		    list_one, &l);
	if (query->n_seen)
		*query->n_seen = l.n_seen;
	if (next)
		*next = is_more(&t, l.next) ? l.next : 0;
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
