/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/all.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "session/activity.h"
#include "session/approve.h"
#include "session/exec.h"
#include "session/input.h"
#include "session/known.h"
#include "session/turn.h"
#include "session/uploads.h"

/*
 * Ticks (100 ms) between looks for lost
 * bells and for orphans nobody told us of.
 */
#define LOST_BELL_TICKS 3
#define ORPHAN_TICKS 10

/* ---- handles ---- */

bool session_is_crowded(const struct sessions *all)
{
	return all->n_turns + all->n_execs >= (size_t)all->setup.conf->max_runs;
}

struct session *session_ref(struct session *s)
{
	s->refs++;
	return s;
}

void session_close(struct session **sp)
{
	struct session *s = *sp;
	*sp = NULL;
	if (!s || --s->refs)
		return;
	registry_leave(s->all->registry, s->at, s->all->setup.slot);
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
	list_append(&all->sessions, &s->link);
	(void)map_put(all->by_key, s->key, sizeof s->key, s);
	return s;
}

static enum session_status status_of(const struct entry *e)
{
	return registry_runs(e) ? SESSION_RUNNING : SESSION_CONNECTED;
}

/* Whether the caller may open what an id names, and what that is now. */
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

/* The registry is full, or cannot be asked. */
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
		all->orphans.is_looking = true;
		all->orphans.cursor = 0;
	}
	return new_handle(all, id, len, key, at);
}

/* An id of our own names nothing yet: no need to look. */
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

/* Open the session of an id, whoever it belongs to; a new one is the caller's. */
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

struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err)
{
	uint8_t who[REGISTRY_KEY];
	*status = SESSION_NEW;
	*has_record = false;
	if (!id)
		return open_new(all, caller, err);
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
	uint64_t waiting = atomic_load(&session_entry(s)->waiting);
	if (!waiting || (waiting & 0xff) != (uint64_t)kind)
		return false;
	*question = waiting >> 8;
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
	    .has_turns = all->n_turns < (size_t)all->setup.conf->max_runs,
	};
}

void session_touch(struct session *s)
{
	/* A stuck turn must not live on because somebody still watches it. */
	if (session_status(s) != SESSION_RUNNING)
		atomic_store(&session_entry(s)->active_ms, clock_mono_ms());
}

/* ---- bells ---- */

static struct attachment *next_to_ring(struct session *s)
{
	uint64_t head = session_head(s);
	list_each(it, &s->attachments)
	{
		struct attachment *a = list_entry(it, struct attachment, link);
		if (!a->is_rung && a->cursor < head)
			return a;
	}
	return NULL;
}

/* on_more may detach anybody: after each call begin anew. */
static void ring_attachments(struct session *s)
{
	struct attachment *a;
	struct session *held = session_ref(s);
	while ((a = next_to_ring(s))) {
		a->is_rung = true;
		a->on_more(a->arg);
	}
	session_close(&held);
}

/* ---- speaking ---- */

static void on_said(struct commit *c)
{
	struct session *s = c->arg;
	if (c->outcome == COMMIT_FAILED)
		log_error("session=%s: stimulus lost: %s", s->id, c->err.text);
	session_ring(s);
	if (s->turn)
		turn_look(s->turn);
	session_close(&s);
	journal_commit_free(c);
}

static void say(struct session *s, struct draft *d)
{
	struct commit *c =
	    journal_commit(s->number, s->at, session_turn(s), COMMIT_IN_TURN);
	journal_add(c, d);
	c->n_stimuli = 1;
	c->done = on_said;
	c->arg = session_ref(s);
	journal_push(s->all->journal, c, false);
}

int session_answer(struct session *s, enum event_type kind, const char *json,
    size_t len, struct err *err)
{
	struct draft d = {0};
	uint64_t question;
	if (!session_is_waiting(s, kind, &question))
		return err_set(err, ERR_STALE, NULL);
	event_begin(&d, EV_ANSWER, session_turn(s));
	event_str(&d, "kind", event_name(kind), strlen(event_name(kind)));
	event_json(&d, "answer", json, len);
	event_int(&d, "question", (int64_t)question);
	say(s, &d);
	event_fini(&d);
	return 0;
}

int session_interrupt(struct session *s, struct err *err)
{
	struct draft d = {0};
	if (session_status(s) != SESSION_RUNNING)
		return err_set(err, ERR_NOT_RUNNING, NULL);
	event_begin(&d, EV_INTERRUPT, session_turn(s));
	say(s, &d);
	event_fini(&d);
	return 0;
}

/* ---- driving ---- */

static void on_other_thread(void *arg)
{
	struct sessions *all = arg;
	all->setup.wake(all->setup.arg);
}

struct sessions *sessions_new(const struct sessions_setup *setup)
{
	struct sessions *all = mem_zero(sizeof *all);
	struct buf dir = {0};
	all->setup = *setup;
	all->self = registry_self(setup->slot, setup->generation);
	list_init(&all->sessions);
	list_init(&all->turns);
	list_init(&all->dirty);
	list_init(&all->rung);
	list_init(&all->answers);
	list_init(&all->retries);
	list_init(&all->execs);
	list_init(&all->decided);
	list_init(&all->execs_done);
	all->by_key = map_new();
	all->registry = registry_new(setup->heritage, false, 0);
	registry_clean_slot(all->registry, setup->slot);
	registry_bound(all->registry);
	struct journal_setup js = {
	    .store = setup->store,
	    .registry = all->registry,
	    .conf = setup->conf,
	    .pulses = setup->heritage->slots[setup->slot].pulses,
	    .slot = setup->slot,
	    .generation = setup->generation,
	    .on_done = on_other_thread,
	    .arg = all,
	};
	all->journal = journal_new(&js);
	buf_printf(&dir, "%s/uploads", setup->conf->co_dir);
	all->uploads =
	    uploads_new(buf_cstr(&dir), setup->conf, on_other_thread, all);
	buf_fini(&dir);
	all->activity = activity_open(setup->conf->co_dir, setup->agent_name);
	all->orphans.is_looking = true;
	return all;
}

void sessions_collect(struct sessions *all)
{
	journal_collect(all->journal);
	uploads_collect(all->uploads);
	input_retry(all); /* what they waited for may be done */
}

static void flush_round(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->dirty)))
		turn_flush(turn_of_dirty(l));
	input_flush(all);
	exec_flush(all);
	approve_flush(all);
	while ((l = list_shift(&all->rung)))
		ring_attachments(list_entry(l, struct session, rung));
}

void sessions_flush(struct sessions *all)
{
	flush_round(all);
	activity_flush(all->activity);
	/*
	 * What the callbacks of this round asked for must not wait for a bell.
	 */
	if (!list_is_empty(&all->dirty) || !list_is_empty(&all->answers) ||
	    !list_is_empty(&all->rung))
		all->setup.ask_flush(all->setup.arg);
}

static void on_bell(struct sessions *all, const struct msg *m)
{
	if (m->c >= all->setup.heritage->max_sessions)
		return;
	struct entry *e = registry_entry(all->registry, (uint32_t)m->c);
	struct session *s = map_get(all->by_key, e->key, sizeof e->key);
	if (!s || s->number != m->a)
		return;
	session_ring(s);
	if (s->turn)
		turn_look(s->turn);
	input_retry(all);
}

void sessions_receive(struct sessions *all, const struct msg *m)
{
	if (m->version != MSG_VERSION)
		return;
	if (m->type == MSG_GREW)
		on_bell(all, m);
	else if (m->type == MSG_DIED)
		orphans_look(all, (int64_t)m->c);
	else if (m->type == MSG_ORPHANS)
		orphans_look(all, 0);
}

static void find_lost_bells(struct sessions *all)
{
	list_each_safe(it, &all->sessions)
	{
		struct session *s = list_entry(it, struct session, link);
		struct attachment *a = next_to_ring(s);
		if (a) {
			stat_add(bells_missed, 1);
			session_ring(s);
		}
	}
	list_each_safe(it, &all->turns) turn_look(turn_of_link(it));
}

void sessions_tick(struct sessions *all)
{
	all->ticks++;
	registry_catch_up(all->registry);
	input_retry(all);
	if (!all->orphans.is_looking && all->ticks % ORPHAN_TICKS == 0)
		orphans_look(all, 0);
	orphans_step(all);
	if (all->ticks % ORPHAN_TICKS == 0)
		orphans_begin_waiting(all);
	if (all->ticks % LOST_BELL_TICKS == 0)
		find_lost_bells(all);
	list_each_safe(it, &all->turns) turn_tick(turn_of_link(it));
	activity_flush(all->activity);
}

void sessions_drain(struct sessions *all)
{
	all->is_draining = true;
}

bool sessions_are_busy(const struct sessions *all)
{
	return all->n_turns || all->n_execs || journal_pending(all->journal) ||
	       !list_is_empty(&all->rung) || !list_is_empty(&all->answers) ||
	       !list_is_empty(&all->retries);
}

void sessions_reopen_log(struct sessions *all)
{
	activity_reopen(all->activity);
}

static void free_calls(struct list *calls)
{
	struct list *l;
	while ((l = list_shift(calls))) {
		struct session_call *c =
		    list_entry(l, struct session_call, link);
		c->fn = NULL;
		input_free(c);
	}
}

void sessions_free(struct sessions **allp)
{
	struct sessions *all = *allp;
	*allp = NULL;
	if (!all)
		return;
	all->is_leaving = true;
	journal_free(&all->journal);
	list_each_safe(it, &all->turns) turn_leave(turn_of_link(it));
	exec_free_all(all);
	free_calls(&all->answers);
	free_calls(&all->retries);
	uploads_free(&all->uploads);
	activity_close(&all->activity);
	registry_free(&all->registry);
	map_free(&all->by_key);
	free(all);
}
