/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/keeper.h"

#include "access/uses.h"
#include "agent/agents.h"
#include "base/buf.h"
#include "base/log.h"
#include "child/inherit.h"
#include "core/conf.h"
#include "core/doors.h"
#include "core/err.h"
#include "core/stat.h"
#include "dialin/dialin_book.h"
#include "dialin/dialin_monitor.h"
#include "dialin/dialin_table.h"
#include "door/console.h"
#include "engine/engine_table.h"
#include "files/activity.h"
#include "files/exchange.h"
#include "files/mirror.h"
#include "files/results.h"
#include "files/upload.h"
#include "journal/journal_convert.h"
#include "journal/registry.h"
#include "limits/usage.h"
#include "net/loop.h"
#include "onsembl/ons_codes.h"
#include "session/sessions.h"
#include "store/record.h"
#include "store/store.h"
#include "worker/entry.h"
#include "worker/wallclock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The interval between two steps of the sweep, and the number of steps between
 * two rarer checks.
 */
#define STEP_MS 1000

#define SLOW_STEPS 10

/* The interval between two steps in the store while much of it has expired. */
#define BUSY_MS 10

/* How often startup tries to lock session_results.jsonl. */
#define LOCK_TRIES 50
#define LOCK_TRY_MS 100

struct keeper {
	struct inherited in;
	struct conf conf;
	struct store *store;
	struct registry *registry;
	struct engine_table *engines; /* NULL: no door needs them */
	struct dialin_book *book;     /* likewise */
	struct loop_timer timer;
	struct mirror *mirror;
	struct loop_timer mirror_timer;
	struct wallclock wallclock;
	struct loop_timer sweep_timer;
	struct sweep_place place;
	uint64_t next_receipt;
	unsigned steps;
};

static void sweep_slowly(struct keeper *k)
{
	struct buf dir = {0};
	store_check_readers(k->store);
	usage_expire(k->store);
	buf_printf(&dir, "%s/uploads", k->conf.co_dir);
	(void)upload_sweep(buf_cstr(&dir), k->conf.result_ttl * 1000);
	buf_fini(&dir);
}

/* A start in the same boot continues with it. */
static void store_line_of(struct keeper *k)
{
	struct err err;
	int64_t line_ms = atomic_load(&k->in.heritage->line_ms);
	if (store_set_line(k->store, line_ms, &err) != 0)
		log_error("%s", err.text);
}

static void watch_clock(struct keeper *k)
{
	wallclock_begin(&k->wallclock, &k->in.heritage->line_ms,
	    k->conf.result_ttl * 1000, store_line(k->store));
	(void)wallclock_look(&k->wallclock);
	store_line_of(k);
}

static void sweep_engines(struct engine_table *engines)
{
	(void)engine_sweep(engines); /* it counts them */
	stat_mine()->polling = engine_count(engines);
}

static void write_book(struct keeper *k)
{
	if (k->book)
		dialin_book_step(k->book, k->conf.agents_away_ttl * 1000);
}

static void on_step(void *arg)
{
	struct keeper *k = arg;
	if (wallclock_look(&k->wallclock))
		store_line_of(k);
	store_probe(k->store, &k->conf);
	unsigned n = registry_sweep(k->registry, k->conf.idle_timeout * 1000);
	stat_add(expired, n);
	if (n)
		console_expired(n);
	if (k->engines)
		sweep_engines(k->engines);
	write_book(k);
	if (k->steps++ % SLOW_STEPS == 0)
		sweep_slowly(k);
	loop_timer_set(k->in.loop, &k->timer, STEP_MS);
}

/* Deletion must keep up with creation, however fast that is. */
static void on_sweep(void *arg)
{
	struct keeper *k = arg;
	bool is_busy = sessions_sweep(k->store, k->registry, &k->place);
	is_busy |= uses_expire(k->store, &k->next_receipt);
	loop_timer_set(
	    k->in.loop, &k->sweep_timer, is_busy ? BUSY_MS : STEP_MS);
}

static void on_mirror(void *arg)
{
	struct keeper *k = arg;
	loop_timer_set(k->in.loop, &k->mirror_timer, mirror_step(k->mirror));
}

static void on_msg(const struct msg *m, void *arg)
{
	(void)m;
	(void)arg;
}

static void on_leave(enum leaving how, void *arg)
{
	struct keeper *k = arg;
	(void)how;
	loop_stop(k->in.loop);
}

/*
 * This precedes all reads, or a process left by another server might still
 * write.
 */
static void claim(struct keeper *k, bool is_first)
{
	struct err err;
	uint64_t server = k->in.heritage->server;
	if (!is_first)
		store_serve(k->store, server);
	else if (store_claim(k->store, server, &err) != 0)
		fatal("%s", err.text);
}

static void keep_reserve(struct keeper *k)
{
	if (!store_keep_reserve(k->store))
		log_warn(
		    "store: the disk has no room for %s/store/reserve: if it "
		    "becomes full, turns cannot end until there is room",
		    k->conf.co_dir);
}

/* Turns left by a dead server go to the workers, which decide about them. */
static void recover(struct keeper *k, bool is_first)
{
	struct err err;
	if (!is_first)
		return;
	journal_convert(k->store);
	int n = sessions_recover(k->store, k->registry, &err);
	if (n < 0)
		log_error("%s", err.text);
	if (n > 0)
		log_info("keeper: %d unfinished turns to take over", n);
}

/* ---- what the Python host left ---- */

static int lock_results(struct results *file, struct err *err)
{
	int rc = results_lock(file, err);
	for (int i = 0; rc > 0 && i < LOCK_TRIES; i++) {
		(void)poll(NULL, 0, LOCK_TRY_MS);
		rc = results_lock(file, err);
	}
	return rc > 0 ? err_set(err, ERR_STORE, "another program holds it")
		      : rc;
}

static void import_file(struct keeper *k, const char *path)
{
	struct exchange_count n = {0};
	struct results *file = results_new(path);
	struct err err;
	int rc = lock_results(file, &err);
	if (rc == 0)
		rc = exchange_import(
		    k->store, file, k->conf.result_ttl * 1000, NULL, &n, &err);
	if (rc != 0)
		log_error("%s is not imported: %s; see co-hostd import", path,
		    err.text);
	else if (n.added)
		log_info("%s: imported %zu sessions", path, n.added);
	if (n.left)
		log_warn("%s: skipped %zu lines; co-hostd import lists them",
		    path, n.left);
	results_free(&file);
}

/*
 * The first start in a project that another host has served imports its
 * results.
 */
static void import_results(struct keeper *k)
{
	struct buf path = {0};
	buf_printf(&path, "%s/session_results.jsonl", k->conf.co_dir);
	if (access(buf_cstr(&path), F_OK) == 0 && exchange_is_empty(k->store))
		import_file(k, buf_cstr(&path));
	buf_fini(&path);
}

/* ---- files for people ---- */

/* If it is unknown, assume that it does, so that nothing is written twice. */
static bool agent_writes_evals(const struct conf *conf)
{
	struct err err;
	const struct agent_kind *kind = agents_find(conf->agent, &err);
	return !kind || (kind->flags & AGENT_WRITES_EVALS);
}

static void head_log(const struct keeper *k, const char *name)
{
	struct activity *log = activity_open(k->conf.co_dir, name);
	activity_start(log);
	activity_close(&log);
}

static void open_files(struct keeper *k, bool is_first)
{
	struct agent_about about = {.model = ""};
	struct mirror_setup setup = {.conf = &k->conf, .store = k->store};
	struct err err;
	if (agents_describe(&k->conf, &about, &err) != 0)
		log_error("%s", err.text);
	else if (is_first)
		head_log(k, about.name);
	if (!agent_writes_evals(&k->conf))
		setup.model = about.model;
	k->mirror = mirror_new(&setup);
	loop_timer_init(&k->mirror_timer, on_mirror, k);
	loop_timer_set(k->in.loop, &k->mirror_timer, 0);
}

/* The tables of the doors are there before the workers look for them. */
static void make_tables(struct keeper *k, bool is_first)
{
	if (doors_have(k->conf.doors, DOOR_ONSEMBL)) {
		dialin_table_make(k->in.heritage);
		dialin_monitor_make(k->in.heritage);
		ons_codes_make(k->in.heritage);
		k->book = dialin_book_open(k->store, k->in.heritage, k->in.slot,
		    k->in.generation, is_first);
	}
	if (!doors_have(k->conf.doors, DOOR_OPENHANDS))
		return;
	engine_table_make(k->in.heritage);
	k->engines =
	    engine_table_new(k->in.heritage, k->in.slot, k->in.generation);
}

int keeper_main(unsigned slot, unsigned generation)
{
	static struct keeper k = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave}};
	struct err err;
	k.in.arg = &k;
	entry_begin(&k.in, &k.conf, KIND_KEEPER, slot, generation);
	/* Only the first keeper of a server finds no registry yet. */
	bool is_first = !registry_exists(k.in.heritage);
	k.store = store_open(&k.conf, is_first, &err);
	if (!k.store)
		fatal("%s", err.text);
	claim(&k, is_first);
	watch_clock(&k);
	store_tell(k.store, &k.in.heritage->store_refuses);
	keep_reserve(&k);
	if (is_first)
		uses_adopt(k.store);
	if (is_first)
		import_results(&k);
	k.registry =
	    registry_new(k.in.heritage, true, record_next_number(k.store));
	recover(&k, is_first);
	make_tables(&k, is_first);
	loop_timer_init(&k.timer, on_step, &k);
	loop_timer_set(k.in.loop, &k.timer, STEP_MS);
	loop_timer_init(&k.sweep_timer, on_sweep, &k);
	loop_timer_set(k.in.loop, &k.sweep_timer, STEP_MS);
	open_files(&k, is_first);
	inherit_ready(&k.in);
	inherit_run(&k.in);
	write_book(&k); /* the last changes before the server ends */
	mirror_free(&k.mirror);
	engine_table_free(&k.engines);
	dialin_book_close(&k.book);
	registry_free(&k.registry);
	store_close(&k.store);
	conf_fini(&k.conf);
	return 0;
}
