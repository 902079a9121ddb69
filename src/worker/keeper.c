/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/keeper.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "core/err.h"
#include "core/stat.h"
#include "net/loop.h"
#include "session/registry.h"
#include "session/sessions.h"
#include "session/upload.h"
#include "store/store.h"
#include "worker/inherit.h"

/*
 * Between two steps of the sweep, and steps between two looks at rarer things.
 */
#define STEP_MS 1000
#define SLOW_STEPS 10

struct keeper {
	struct inherited in;
	struct store *store;
	struct registry *registry;
	struct loop_timer timer;
	uint64_t cursor;
	unsigned steps;
};

static void sweep_slowly(struct keeper *k)
{
	struct buf dir = {0};
	store_check_readers(k->store);
	buf_printf(&dir, "%s/uploads", k->in.conf.co_dir);
	(void)upload_sweep(buf_cstr(&dir), k->in.conf.result_ttl * 1000);
	buf_fini(&dir);
}

static void on_step(void *arg)
{
	struct keeper *k = arg;
	unsigned n =
	    registry_sweep(k->registry, k->in.conf.idle_timeout * 1000);
	stat_add(expired, n);
	if (n)
		log_info("[Registry] Cleaned up %u expired sessions", n);
	sessions_expire(k->store, k->registry, &k->cursor);
	if (k->steps++ % SLOW_STEPS == 0)
		sweep_slowly(k);
	loop_timer_set(k->in.loop, &k->timer, STEP_MS);
}

static void on_msg(const struct msg *m, void *arg)
{
	(void)m;
	(void)arg;
}

static void on_leave(bool is_fast, void *arg)
{
	struct keeper *k = arg;
	(void)is_fast;
	loop_stop(k->in.loop);
}

/* Turns that a dead server left go to the workers, which decide. */
static void recover(struct keeper *k, bool is_first)
{
	struct err err;
	if (!is_first)
		return;
	int n = sessions_recover(k->store, k->registry, &err);
	if (n < 0)
		log_error("%s", err.text);
	if (n > 0)
		log_info("keeper: %d unfinished turns to take up again", n);
}

int keeper_main(unsigned slot, unsigned generation)
{
	static struct keeper k = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave}};
	struct err err;
	k.in.arg = &k;
	inherit_all(&k.in, "keeper", slot, generation);
	/* Only the first keeper of a server finds the registry not made yet. */
	bool is_first = !registry_exists(k.in.heritage);
	k.store = store_open(&k.in.conf, is_first, &err);
	if (!k.store)
		fatal("%s", err.text);
	k.registry =
	    registry_new(k.in.heritage, true, sessions_next_number(k.store));
	recover(&k, is_first);
	loop_timer_init(&k.timer, on_step, &k);
	loop_timer_set(k.in.loop, &k.timer, STEP_MS);
	inherit_ready(&k.in);
	loop_run(k.in.loop);
	registry_free(&k.registry);
	store_close(&k.store);
	conf_fini(&k.in.conf);
	return 0;
}
