/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/worker.h"

#include <stdlib.h>

#include "agent/agents.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/api.h"
#include "door/oip_in.h"
#include "net/http.h"
#include "net/loop.h"
#include "session/sessions.h"
#include "store/store.h"
#include "worker/inherit.h"

/* How often the session layer looks at its clocks. */
#define TICK_MS 100

/* Clients get so long to answer that we close, once all turns have ended. */
#define GOODBYE_MS 500

/* Base64 makes 4 bytes of 3; files and images may both be at their limits. */
#define BODY_SLACK ((size_t)16 * 1024 * 1024)

struct worker {
	struct inherited in;
	struct store *store;
	const struct agent_kind *kind;
	struct agent *agent;
	struct sessions *sessions;
	struct http *http;
	struct door_setup doors;
	struct loop_wake *wake;
	struct loop_later flush;
	struct loop_timer tick;
	bool is_leaving;
	bool has_said_goodbye;
	int64_t leave_by_ms;
};

/* ---- driving the session layer ---- */

static void on_wake(void *arg)
{
	struct worker *w = arg;
	sessions_collect(w->sessions);
}

static void on_flush(void *arg)
{
	struct worker *w = arg;
	sessions_flush(w->sessions);
}

static void wake(void *arg)
{
	struct worker *w = arg;
	loop_wake_up(w->wake);
}

static void ask_flush(void *arg)
{
	struct worker *w = arg;
	loop_later_ask(w->in.loop, &w->flush);
}

static void leave_if_empty(struct worker *w)
{
	bool is_late = clock_mono_ms() >= w->leave_by_ms;
	if (!is_late && !w->has_said_goodbye && sessions_are_busy(w->sessions))
		return;
	if (!w->has_said_goodbye) {
		w->has_said_goodbye = true;
		w->leave_by_ms = clock_mono_ms() + GOODBYE_MS;
		oip_close_all();
		api_close_all();
	} else if (is_late || http_connections(w->http) == 0) {
		loop_stop(w->in.loop);
	}
}

static void on_tick(void *arg)
{
	struct worker *w = arg;
	sessions_tick(w->sessions);
	if (w->is_leaving)
		leave_if_empty(w);
	loop_timer_set(w->in.loop, &w->tick, TICK_MS);
}

static void on_msg(const struct msg *m, void *arg)
{
	struct worker *w = arg;
	if (m->type == MSG_REOPEN)
		sessions_reopen_log(w->sessions);
	else
		sessions_receive(w->sessions, m);
}

static void on_leave(bool is_fast, void *arg)
{
	struct worker *w = arg;
	if (is_fast) {
		loop_stop(w->in.loop);
		return;
	}
	if (w->is_leaving)
		return;
	w->is_leaving = true;
	w->leave_by_ms = clock_mono_ms() + w->in.conf.drain_timeout * 1000;
	atomic_store(&w->in.heritage->slots[w->in.slot].state, SLOT_DRAINING);
	api_drain();
	http_drain(w->http);
	sessions_drain(w->sessions);
}

/* ---- putting it together ---- */

/* What the advertised limits on files need (doc/oip.txt 12). */
static size_t max_body(const struct conf *c)
{
	size_t ceiling = (size_t)c->max_body * 1024 * 1024;
	size_t files = (size_t)c->max_file_size *
		       (size_t)c->max_files_per_request * 2 * 1024 * 1024;
	size_t need = files / 3 * 4 + BODY_SLACK;
	return need < ceiling ? need : ceiling;
}

static void open_agent(struct worker *w)
{
	struct err err;
	struct agent_setup setup = {&w->in.conf, w->in.loop};
	w->kind = agents_find(w->in.conf.agent, &err);
	if (w->kind)
		w->agent = w->kind->open(&setup, &err);
	if (!w->agent)
		fatal("agent: %s", err.text);
}

static void open_sessions(struct worker *w)
{
	struct sessions_setup setup = {
	    .conf = &w->in.conf,
	    .heritage = w->in.heritage,
	    .store = w->store,
	    .kind = w->kind,
	    .agent = w->agent,
	    .agent_name = w->kind->about(w->agent)->name,
	    .slot = w->in.slot,
	    .generation = w->in.generation,
	    .wake = wake,
	    .ask_flush = ask_flush,
	    .arg = w,
	};
	w->wake = loop_wake_open(w->in.loop, on_wake, w);
	loop_later_init(&w->flush, on_flush, w);
	w->sessions = sessions_new(&setup);
	loop_timer_init(&w->tick, on_tick, w);
	loop_timer_set(w->in.loop, &w->tick, 0);
}

static void open_doors(struct worker *w)
{
	static const int listener = HERITAGE_FD_LISTEN;
	const struct conf *conf = &w->in.conf;
	struct stat_set *stats = stat_mine();
	struct http_setup setup = {
	    .listeners = &listener,
	    .n_listeners = 1,
	    .max_body_bytes = max_body(conf),
	    .max_connections = (size_t)conf->max_connections,
	    .request_timeout_ms = conf->request_timeout * 1000,
	    .trusted_proxies = conf->trusted_proxies,
	    .accepted_total = &stats->connections_accepted,
	    .connections = &stats->connections,
	    .requests_total = &stats->requests,
	    .refused_total = &stats->http_refused,
	};
	w->http = http_new(w->in.loop, &setup);
	const struct agent_about *about = w->kind->about(w->agent);
	w->doors = (struct door_setup){
	    .loop = w->in.loop,
	    .sessions = w->sessions,
	    .conf = conf,
	    .about = about,
	    .heritage = w->in.heritage,
	    .name = *conf->name ? conf->name : about->name,
	};
	api_mount(w->http, &w->doors);
	oip_mount(w->http, &w->doors);
	http_start(w->http);
}

static void close_all(struct worker *w)
{
	http_free(&w->http);
	sessions_free(&w->sessions);
	w->kind->close(&w->agent);
	loop_wake_close(&w->wake);
	store_close(&w->store);
	conf_fini(&w->in.conf);
}

int worker_main(unsigned slot, unsigned generation)
{
	static struct worker w = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave}};
	struct err err;
	w.in.arg = &w;
	inherit_all(&w.in, "worker", slot, generation);
	w.store = store_open(&w.in.conf, false, &err);
	if (!w.store)
		fatal("%s", err.text);
	open_agent(&w);
	open_sessions(&w);
	open_doors(&w);
	inherit_ready(&w.in);
	loop_run(w.in.loop);
	close_all(&w);
	return 0;
}
