/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/ledger.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "proc/crew.h"
#include "relay/directory.h"
#include "relay/relay_conf.h"
#include "relay/relay_stat.h"

#include <stdlib.h>
#include <string.h>

/* The most changes of one transaction, and deletions of one step. */
#define BATCH 512
#define EXPIRE_STEP 500

/* The interval between two logs of failures. */
#define WARN_MS 60000

struct entry {
	struct list link;
	struct announced announce;
	bool has_announce;
	bool has_host;
	char address[ADDRESS_SIZE];
	char source[64];
	int64_t seen_ms;
};

struct ledger {
	struct directory *directory;
	const struct relay_conf *conf;
	struct crew *crew; /* one thread */
	struct list waiting;
	size_t n_waiting;
	size_t bytes;
	int64_t warned_ms;
	unsigned failures;
	bool must_expire;
	/* Of the job that runs. */
	struct crew_job job;
	bool is_running;
	struct entry *batch[BATCH];
	size_t n_batch;
	bool expires;
	int rc;
	struct err err;
};

static size_t size_of(const struct entry *e)
{
	return sizeof *e + e->announce.text.len;
}

static void free_entry(struct entry *e)
{
	if (e->has_announce)
		announced_fini(&e->announce);
	free(e);
}

/* ---- on the thread ---- */

static void write_batch(struct ledger *l)
{
	static struct directory_change changes[BATCH];
	for (size_t i = 0; i < l->n_batch; i++) {
		struct entry *e = l->batch[i];
		changes[i] = (struct directory_change){
		    .announce = e->has_announce ? &e->announce : NULL,
		    .address = e->address,
		    .source = e->source,
		    .seen_ms = e->seen_ms,
		    .has_host = e->has_host,
		};
	}
	if (l->n_batch)
		l->rc =
		    directory_write(l->directory, changes, l->n_batch, &l->err);
}

static void ledger_run(struct crew_job *job)
{
	struct ledger *l = list_entry(job, struct ledger, job);
	l->rc = 0;
	write_batch(l);
	if (l->rc == 0 && l->expires &&
	    directory_expire(l->directory,
		clock_wall_ms() - l->conf->record_ttl * 1000,
		l->conf->max_records, EXPIRE_STEP, &l->err) < 0)
		l->rc = -1;
}

/* ---- on the loop ---- */

static void ledger_go_on(struct ledger *l);

static void ledger_done(struct crew_job *job)
{
	struct ledger *l = list_entry(job, struct ledger, job);
	for (size_t i = 0; i < l->n_batch; i++)
		free_entry(l->batch[i]);
	l->n_batch = 0;
	l->is_running = false;
	l->failures += l->rc != 0;
	int64_t now_ms = clock_mono_ms();
	if (l->rc != 0 && (!l->warned_ms || now_ms - l->warned_ms > WARN_MS)) {
		l->warned_ms = now_ms;
		log_error("%s; agents announce themselves again", l->err.text);
	}
	if (!crew_is_closing(l->crew))
		ledger_go_on(l);
}

static void take_batch(struct ledger *l)
{
	struct list *it;
	while (l->n_batch < BATCH && (it = list_shift(&l->waiting))) {
		struct entry *e = list_entry(it, struct entry, link);
		l->batch[l->n_batch++] = e;
		l->n_waiting--;
		l->bytes -= size_of(e);
	}
}

static void ledger_go_on(struct ledger *l)
{
	if (l->is_running || (!l->n_waiting && !l->must_expire))
		return;
	take_batch(l);
	l->expires = l->must_expire;
	l->must_expire = false;
	l->is_running = crew_run(l->crew, &l->job);
}

struct ledger *ledger_open(const char *path, const struct relay_conf *conf,
    void (*wake)(void *arg), void *arg)
{
	struct ledger *l = mem_zero(sizeof *l);
	struct err err;
	l->directory = directory_open(path, &err);
	if (!l->directory)
		fatal("%s", err.text);
	l->conf = conf;
	l->crew = crew_open(1, 1, wake, arg);
	l->job = (struct crew_job){.run = ledger_run, .done = ledger_done};
	list_init(&l->waiting);
	return l;
}

void ledger_close(struct ledger **lp)
{
	struct ledger *l = *lp;
	*lp = NULL;
	/* A batch whose turn has not come is written below. */
	if (l->is_running && crew_cancel(l->crew, &l->job))
		l->is_running = false;
	crew_close(&l->crew);
	/* The loop has ended, so this may block. */
	for (take_batch(l); l->n_batch; take_batch(l)) {
		write_batch(l);
		while (l->n_batch)
			free_entry(l->batch[--l->n_batch]);
	}
	directory_close(&l->directory);
	free(l);
}

void ledger_collect(struct ledger *l)
{
	crew_collect(l->crew);
}

static void add(struct ledger *l, struct entry *e)
{
	e->seen_ms = clock_wall_ms();
	l->n_waiting++;
	l->bytes += size_of(e);
	list_append(&l->waiting, &e->link);
	ledger_go_on(l);
}

bool ledger_say(
    struct ledger *l, struct announced *a, const char *source, bool has_host)
{
	if (l->n_waiting >= LEDGER_CHANGES || l->bytes >= LEDGER_BYTES) {
		announced_fini(a);
		relay_stat_add(records_late, 1);
		return false;
	}
	struct entry *e = mem_zero(sizeof *e);
	e->announce = *a;
	*a = (struct announced){.timestamp = 0};
	e->has_announce = true;
	e->has_host = has_host;
	memcpy(e->address, e->announce.address, sizeof e->address);
	strncpy(e->source, source, sizeof e->source - 1);
	add(l, e);
	return true;
}

void ledger_see(struct ledger *l, const char *address)
{
	if (l->n_waiting >= LEDGER_CHANGES)
		return;
	struct entry *e = mem_zero(sizeof *e);
	memcpy(e->address, address, sizeof e->address);
	add(l, e);
}

unsigned ledger_failures(const struct ledger *l)
{
	return l->failures;
}

void ledger_expire(struct ledger *l)
{
	l->must_expire = true;
	ledger_go_on(l);
}
