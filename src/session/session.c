/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/enc.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "session/known.h"
#include "session/session_int.h"
#include "session/spelling.h"

#include <stdlib.h>
#include <string.h>

bool session_is_crowded(const struct sessions *all)
{
	return all->n_turns + all->n_execs >= (size_t)all->setup.conf->max_runs;
}

struct session *session_ref(struct session *s)
{
	s->refs++;
	return s;
}

void session_grew(struct session *s)
{
	bool is_heard = s->turn || !list_is_empty(&s->attachments);
	if (!is_heard || !list_is_empty(&s->rung))
		return;
	list_append(&s->all->rung, &s->rung);
	s->all->setup.ask_flush(s->all->setup.arg);
}

void session_begin_next(struct session *s)
{
	if (list_is_empty(&s->ended))
		list_append(&s->all->ended, &session_ref(s)->ended);
}

void session_close(struct session **sp)
{
	struct session *s = *sp;
	*sp = NULL;
	if (!s || --s->refs)
		return;
	registry_leave(s->all->registry, s->at, s->all->setup.slot);
	/* After its deletion, the key may be that of another handle. */
	if (map_get(s->all->by_key, s->key, sizeof s->key) == s)
		(void)map_remove(s->all->by_key, s->key, sizeof s->key);
	list_remove(&s->link);
	list_remove(&s->rung);
	free(s->id);
	free(s);
}

static struct session *new_handle(struct sessions *all, const char *id,
    size_t len, const uint8_t key[REGISTRY_KEY], uint32_t at)
{
	struct session *s = mem_zero(sizeof *s);
	s->all = all;
	s->id = mem_strndup(id, len);
	memcpy(s->key, key, sizeof s->key);
	s->at = at;
	s->number = registry_entry(all->registry, at)->number;
	s->refs = 1;
	list_init(&s->attachments);
	list_init(&s->rung);
	list_init(&s->ended);
	list_append(&all->sessions, &s->link);
	(void)map_put(all->by_key, s->key, sizeof s->key, s);
	return s;
}

static enum session_status status_of(const struct entry *e)
{
	if (atomic_load(&e->is_deleted))
		return SESSION_NEW;
	return registry_runs(e) ? SESSION_RUNNING : SESSION_CONNECTED;
}

/*
 * Whether the caller may open what an id names; *status is its present status.
 */
static bool look_as(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status)
{
	uint8_t key[REGISTRY_KEY], who[REGISTRY_KEY];
	struct known k;
	struct err err;
	*status = SESSION_NEW;
	if (!session_id_is_valid(id, len))
		return false;
	session_key(key, id, len);
	session_caller_key(who, caller, strlen(caller));
	uint32_t at = registry_look(all->registry, key);
	if (at != REGISTRY_NONE) {
		*status = status_of(registry_entry(all->registry, at));
		return registry_may_see(all->registry, at, who);
	}
	if (known_read(all, id, len, &k, &err) != 0)
		return false;
	*status = known_status(&k);
	return !known_is_foreign(&k, who);
}

bool session_is_open_to(
    struct sessions *all, const char *id, size_t len, const char *caller)
{
	enum session_status status;
	return look_as(all, id, len, caller, &status);
}

enum session_status session_peek(
    struct sessions *all, const char *id, size_t len, const char *caller)
{
	enum session_status status;
	return look_as(all, id, len, caller, &status) ? status : SESSION_NEW;
}

/* The registry is full, or its lock is not available. */
static void no_entry(const struct sessions *all, struct err *err)
{
	(void)err_set(err,
	    registry_is_stuck(all->registry) ? ERR_LOCKED : ERR_FULL, NULL);
}

static struct session *open_from_store(struct sessions *all, const char *id,
    size_t len, const uint8_t *key, const uint8_t *caller,
    enum session_status *status, bool *has_record, struct err *err)
{
	struct known k;
	if (known_read(all, id, len, &k, err) != 0)
		return NULL;
	if (!k.has_record && known_is_nobodys(&k))
		memcpy(k.seed.caller, caller, REGISTRY_KEY);
	uint32_t at =
	    registry_add(all->registry, key, all->setup.slot, &k.seed);
	if (at == REGISTRY_NONE) {
		no_entry(all, err);
		return NULL;
	}
	*has_record = k.has_record;
	*status = known_status(&k);
	if (k.seed.is_running) {
		all->takeover.is_looking = true;
		all->takeover.cursor = 0;
	}
	return new_handle(all, id, len, key, at);
}

/* A new id of our own is unused: there is nothing to look up. */
static struct session *open_new(
    struct sessions *all, const char *caller, struct err *err)
{
	char id[ENC_UUID_SIZE];
	uint8_t key[REGISTRY_KEY];
	struct registry_seed seed = {0};
	session_caller_key(seed.caller, caller, strlen(caller));
	enc_uuid(id);
	session_key(key, id, strlen(id));
	uint32_t at = registry_add(all->registry, key, all->setup.slot, &seed);
	if (at != REGISTRY_NONE)
		return new_handle(all, id, strlen(id), key, at);
	no_entry(all, err);
	return NULL;
}

/*
 * Open the session of an id, whoever owns it; a new one will belong to the
 * caller.
 */
static struct session *open_any(struct sessions *all, const char *id,
    size_t len, const uint8_t *caller, enum session_status *status,
    bool *has_record, struct err *err)
{
	uint8_t key[REGISTRY_KEY];
	*status = SESSION_NEW;
	*has_record = false;
	if (!session_id_is_valid(id, len)) {
		(void)err_set(err, ERR_BAD_REQUEST, "session_id invalid");
		return NULL;
	}
	session_key(key, id, len);
	struct session *s = map_get(all->by_key, key, sizeof key);
	if (s && session_is_deleted(s))
		s = NULL;
	uint32_t at =
	    s ? s->at : registry_find(all->registry, key, all->setup.slot);
	if (at == REGISTRY_NONE)
		return open_from_store(
		    all, id, len, key, caller, status, has_record, err);
	struct entry *e = registry_entry(all->registry, at);
	*status = status_of(e);
	*has_record = atomic_load(&e->turn) > 0;
	return s ? session_ref(s) : new_handle(all, id, len, key, at);
}

struct session *session_of_entry(
    struct sessions *all, const char *id, size_t len, struct err *err)
{
	static const uint8_t nobody[REGISTRY_KEY];
	enum session_status status;
	bool has_record;
	return open_any(all, id, len, nobody, &status, &has_record, err);
}

/* Whether there is a session of this id, be it that nothing was said in it. */
static bool is_known(struct sessions *all, const char *id, size_t len)
{
	uint8_t key[REGISTRY_KEY];
	struct known k;
	struct err err;
	session_key(key, id, len);
	return registry_look(all->registry, key) != REGISTRY_NONE ||
	       (known_read(all, id, len, &k, &err) == 0 && k.has_record);
}

/* Whether the other spelling of an id, and not this one, names a session. */
static bool is_known_as(
    struct sessions *all, char other[ENC_UUID_SIZE], const char *id, size_t len)
{
	return spelling_other(other, id, len) && !is_known(all, id, len) &&
	       is_known(all, other, strlen(other));
}

struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err)
{
	uint8_t who[REGISTRY_KEY];
	char other[ENC_UUID_SIZE];
	*status = SESSION_NEW;
	*has_record = false;
	if (!id)
		return open_new(all, caller, err);
	if (is_known_as(all, other, id, len)) {
		id = other;
		len = strlen(other);
	}
	session_caller_key(who, caller, strlen(caller));
	struct session *s =
	    open_any(all, id, len, who, status, has_record, err);
	if (!s || registry_may_see(all->registry, s->at, who))
		return s;
	session_close(&s);
	(void)err_set(err, ERR_NO_SESSION, NULL);
	return NULL;
}

const char *session_id(const struct session *s)
{
	return s->id;
}

uint64_t session_number(const struct session *s)
{
	return s->number;
}

enum session_status session_status(const struct session *s)
{
	return status_of(session_entry(s));
}

uint32_t session_turn(const struct session *s)
{
	return atomic_load(&session_entry(s)->begun);
}

uint64_t session_head(const struct session *s)
{
	return atomic_load(&session_entry(s)->head);
}

uint64_t session_turn_began(const struct session *s)
{
	return atomic_load(&session_entry(s)->began);
}

bool session_is_waiting(
    const struct session *s, enum event_type kind, uint64_t *question)
{
	struct entry_question q = entry_question(session_entry(s));
	if (!q.seq || q.type != kind)
		return false;
	*question = q.seq;
	return true;
}

uint64_t session_epoch(const struct sessions *all)
{
	return store_epoch(all->setup.store);
}

unsigned session_count(const struct sessions *all)
{
	return registry_count(all->registry);
}

void session_room(const struct sessions *all, struct session_room *room)
{
	*room = (struct session_room){
	    .has_lock = !registry_is_stuck(all->registry),
	    .has_sessions = registry_has_room(all->registry),
	    .has_turns = !session_is_crowded(all),
	};
}

void session_touch(struct session *s)
{
	/*
	 * A stuck turn must not stay alive because a client still watches it.
	 */
	if (session_status(s) != SESSION_RUNNING)
		atomic_store(&session_entry(s)->active_ms, clock_mono_ms());
}
