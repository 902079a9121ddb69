/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/worker.h"

#include "access/access.h"
#include "access/judge.h"
#include "base/clock.h"
#include "base/log.h"
#include "child/inherit.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/doors.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/console.h"
#include "engine/engine_table.h"
#include "files/activity.h"
#include "identity/ident_key.h"
#include "journal/registry.h"
#include "limits/limits.h"
#include "link/relayed.h"
#include "net/http.h"
#include "net/loop.h"
#include "oip/oip_carrier.h"
#include "oip/oip_socket.h"
#include "proc/crew.h"
#include "session/sessions.h"
#include "status/access_log.h"
#include "status/snapshot.h"
#include "store/store.h"
#include "worker/access_lines.h"
#include "worker/balance.h"
#include "worker/budget.h"
#include "worker/door_table.h"
#include "worker/entry.h"
#include "worker/staff.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often the session layer checks its timeouts. */
#define TICK_MS 100

/* How often we check whether connected callers were blocked. */
#define BLOCKED_LOOK_MS 500

/* How long clients get to answer our close once all turns have ended. */
#define GOODBYE_MS 500

/*
 * When another generation takes over, connections that were accepted may still
 * bring an input for this long: more than a new one has in net/http.c to send
 * its request.
 */
#define LAST_INPUTS_MS 1500

/* Threads for what doors read from files (/admin) and what else may block. */
#define CREW_THREADS 2
#define CREW_JOBS 64

/* Base64 turns 3 bytes into 4; files and images may both be at their limits. */
#define BODY_SLACK ((size_t)16 * 1024 * 1024)

/*
 * A worker that still loads its agent leaves clients to those that have loaded
 * it, for this long; the master kills a process that starts for a minute.
 */
#define LOAD_WAIT_MS 45000

/* Room for two host names and a separator. */
#define OWN_HOSTS_BYTES (2 * HOST_NAME_MAX + 16)

struct worker {
	struct inherited in;
	struct conf conf;
	struct store *store;
	struct staff *staff;	   /* its agents */
	const uint8_t *secret_key; /* NULL: it cannot be read */
	struct access *access;
	struct limits *limits;
	struct sessions *sessions;
	struct crew *crew; /* runs what may block */
	char *agent_log;   /* path */
	struct http *http;
	struct relayed *relayed; /* clients behind the relay */
	struct door_setup door_setup;
	struct engine_table *engines;  /* NULL: no door needs them */
	struct registry *registry;     /* for those who look inside */
	struct access_log *access_log; /* NULL: there is none */
	struct snapshot_source inside;
	struct loop_wake *wake;
	struct loop_later flush;
	struct loop_timer tick;
	struct loop_timer last_inputs;
	unsigned ticks;
	int64_t born_ms;
	bool is_serving; /* it accepts clients, and the master knows */
	bool is_leaving;
	bool has_said_goodbye;
	int64_t leave_by_ms;
};

/* ---- driving the session layer ---- */

static void on_wake(void *arg)
{
	struct worker *w = arg;
	sessions_collect(w->sessions);
	access_collect(w->access);
	crew_collect(w->crew);
}

static void on_flush(void *arg)
{
	struct worker *w = arg;
	staff_flush(w->staff);
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

static void on_agent_error(void *arg, const char *text, size_t len)
{
	(void)arg;
	console_agent_error(text, len);
}

static void leave_if_empty(struct worker *w)
{
	bool is_late = clock_mono_ms() >= w->leave_by_ms;
	if (!is_late && !w->has_said_goodbye && sessions_are_busy(w->sessions))
		return;
	if (!w->has_said_goodbye) {
		w->has_said_goodbye = true;
		w->leave_by_ms = clock_mono_ms() + GOODBYE_MS;
		door_table_close_all();
	} else if (is_late || (http_connections(w->http) == 0 &&
				  relayed_count(w->relayed) == 0)) {
		loop_stop(w->in.loop);
	}
}

/* ---- readiness ---- */

static enum agent_load tell_loaded(struct worker *w)
{
	enum agent_load load = staff_load(w->staff);
	atomic_store(&w->in.heritage->slots[w->in.slot].load, load);
	return load;
}

/* Whether another worker, of any generation, serves and has its agent. */
static bool has_loaded_other(const struct worker *w)
{
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++) {
		struct heritage_slot *slot = &w->in.heritage->slots[i];
		if (i != w->in.slot && slot->kind == KIND_WORKER &&
		    atomic_load(&slot->state) == SLOT_SERVING &&
		    atomic_load(&slot->load) == AGENT_LOADED)
			return true;
	}
	return false;
}

/*
 * Turns would wait, or fail, in a worker without its agent. So it serves only
 * when it has it, or when there is no better one.
 */
static void serve_if_due(struct worker *w)
{
	bool is_loaded = tell_loaded(w) == AGENT_LOADED;
	bool is_late = clock_mono_ms() - w->born_ms >= LOAD_WAIT_MS;

	if (w->is_serving || w->is_leaving ||
	    (!is_loaded && !is_late && has_loaded_other(w)))
		return;
	if (!is_loaded && is_late)
		log_warn("the agent is not loaded after %d s: this worker "
			 "serves all the same, and turns wait",
		    LOAD_WAIT_MS / 1000);
	w->is_serving = true;
	http_start(w->http);
	inherit_ready(&w->in);
}

static void on_tick(void *arg)
{
	struct worker *w = arg;
	serve_if_due(w);
	sessions_tick(w->sessions);
	access_tick(w->access);
	if (++w->ticks % (BLOCKED_LOOK_MS / TICK_MS) == 0 &&
	    access_has_changed(w->access))
		door_table_end_blocked();
	staff_tick(w->staff);
	if (w->access_log)
		access_log_flush(w->access_log);
	if (w->is_leaving)
		leave_if_empty(w);
	loop_timer_set(w->in.loop, &w->tick, TICK_MS);
}

static void reopen_logs(struct worker *w)
{
	sessions_reopen_log(w->sessions);
	if (w->access_log)
		access_log_reopen(w->access_log);
}

static void on_msg(const struct msg *m, void *arg)
{
	struct worker *w = arg;
	if (m->type == MSG_REOPEN)
		reopen_logs(w);
	else if (m->type == MSG_ENGINE || m->type == MSG_RAN ||
		 m->type == MSG_ORDER)
		door_table_receive(m);
	else
		sessions_receive(w->sessions, m);
}

/* No turn begins any more. */
static void end_inputs(void *arg)
{
	struct worker *w = arg;
	sessions_drain(w->sessions);
	staff_drain(w->staff);
}

static void on_leave(enum leaving how, void *arg)
{
	struct worker *w = arg;
	if (how == LEAVE_AT_ONCE) {
		loop_stop(w->in.loop);
		return;
	}
	if (w->is_leaving)
		return;
	w->is_leaving = true;
	w->leave_by_ms = clock_mono_ms() + w->conf.drain_timeout * 1000;
	atomic_store(&w->in.heritage->slots[w->in.slot].state, SLOT_DRAINING);
	door_table_drain();
	http_drain(w->http, how == LEAVE_WITH_ALL);
	relayed_drain(w->relayed);
	if (how == LEAVE_TO_OTHERS)
		loop_timer_set(w->in.loop, &w->last_inputs, LAST_INPUTS_MS);
	else
		end_inputs(w);
}

/* The process that holds the connection to the relay brings its clients. */
static void on_meet(int fd, void *arg)
{
	struct worker *w = arg;
	relayed_connect(w->relayed, fd);
}

/* ---- putting it together ---- */

/*
 * The limit that results from the advertised limits on files (doc/oip.txt 12).
 */
static size_t max_body(const struct conf *c)
{
	size_t ceiling = (size_t)c->max_body * 1024 * 1024;
	size_t files = (size_t)c->max_file_size *
		       (size_t)c->max_files_per_request * 2 * 1024 * 1024;
	size_t need = files / 3 * 4 + BODY_SLACK;
	return need < ceiling ? need : ceiling;
}

/* An agent has dialed in to this worker. */
static void on_arrival(void *arg)
{
	struct worker *w = arg;
	sessions_look(w->sessions);
}

static void open_staff(struct worker *w)
{
	const struct staff_setup setup = {
	    .conf = &w->conf,
	    .in = &w->in,
	    .crew = w->crew,
	    .on_arrival = on_arrival,
	    .ask_flush = ask_flush,
	    .arg = w,
	};
	w->staff = staff_open(&setup);
}

static const char *name_of(const struct worker *w)
{
	const struct conf *conf = &w->conf;
	return *conf->name ? conf->name : staff_about(w->staff)->name;
}

/* ---- who may come in ---- */

static void ask_judge(void *arg, const char *key, const char *facts,
    access_judged_fn *fn, void *fn_arg)
{
	struct worker *w = arg;
	judge_ask(staff_judge(w->staff), key, facts, fn, fn_arg);
}

/* Without the key we still serve, but cannot prove our identity. */
static void open_key(struct worker *w)
{
	const struct conf *conf = &w->conf;
	struct err err;
	w->secret_key =
	    ident_key_open(conf->co_dir, getenv("HOME"), conf->address, &err);
	if (!w->secret_key)
		log_warn("%s: connections cannot be sealed", err.text);
}

static void open_trust(struct worker *w)
{
	struct err err;
	open_key(w);
	struct access_setup setup = {
	    .conf = &w->conf,
	    .store = w->store,
	    .heritage = w->in.heritage,
	    .loop = w->in.loop,
	    .name = name_of(w),
	    .secret_key = w->secret_key,
	    .wake = wake,
	    .judge = staff_judge(w->staff) ? ask_judge : NULL,
	    .arg = w,
	};
	w->access = access_new(&setup, &err);
	if (!w->access)
		fatal("%s", err.text);
}

static void open_sessions(struct worker *w)
{
	struct sessions_setup setup = {
	    .conf = &w->conf,
	    .heritage = w->in.heritage,
	    .store = w->store,
	    .agents = staff_dir(w->staff),
	    .permit = staff_permit(w->staff),
	    .secret_key = w->secret_key,
	    .slot = w->in.slot,
	    .generation = w->in.generation,
	    .wake = wake,
	    .on_agent_error = on_agent_error,
	    .ask_flush = ask_flush,
	    .arg = w,
	};
	loop_later_init(&w->flush, on_flush, w);
	w->limits =
	    limits_new(&w->conf, w->in.heritage, w->in.slot, w->in.generation);
	setup.limits = w->limits;
	w->sessions = sessions_new(&setup);
	loop_timer_init(&w->tick, on_tick, w);
	loop_timer_init(&w->last_inputs, end_inputs, w);
	loop_timer_set(w->in.loop, &w->tick, 0);
}

/* The machine's names on its own network: NAME, and NAME.local (mDNS). */
static void name_machine(char out[OWN_HOSTS_BYTES])
{
	char name[HOST_NAME_MAX + 1] = "";
	(void)gethostname(name, sizeof name - 1); /* on failure it has none */
	(void)snprintf(
	    out, OWN_HOSTS_BYTES, "%s%s%s.local", name, *name ? "," : "", name);
	if (!*name || strpbrk(name, ",*"))
		*out = '\0';
}

static bool admit(void *arg, const char *peer, bool is_loopback, uint32_t *hold)
{
	const struct worker *w = arg;
	const struct limits_who who = {
	    .peer = peer,
	    .peer_is_loopback = is_loopback,
	};
	return limits_connect(w->limits, &who, hold);
}

static bool is_fuller(void *arg)
{
	const struct worker *w = arg;
	return balance_is_fuller(w->in.heritage, w->in.slot);
}

static void release(void *arg, uint32_t *hold)
{
	const struct worker *w = arg;
	limits_disconnect(w->limits, hold);
}

static void open_doors(struct worker *w)
{
	static const int listener = HERITAGE_FD_LISTEN;
	const struct conf *conf = &w->conf;
	struct stat_set *stats = stat_mine();
	char own_hosts[OWN_HOSTS_BYTES];
	name_machine(own_hosts);
	struct http_setup setup = {
	    .listeners = &listener,
	    .n_listeners = 1,
	    .max_body_bytes = max_body(conf),
	    .max_unfinished_bytes = (size_t)conf->max_unfinished * 1024 * 1024,
	    .unfinished = &stats->unfinished,
	    .dropped_total = &stats->unfinished_dropped,
	    .max_connections = budget_connections(&w->in, conf),
	    .request_timeout_ms = conf->request_timeout * 1000,
	    .trusted_proxies = conf->trusted_proxies,
	    .allowed_origins = conf->allowed_origins,
	    .allowed_hosts = conf->allowed_hosts,
	    .own_hosts = own_hosts,
	    .admit = admit,
	    .release = release,
	    .is_fuller = is_fuller,
	    .admit_arg = w,
	    .accepted_total = &stats->connections_accepted,
	    .yielded_total = &stats->accepts_yielded,
	    .paused_total = &stats->accepts_paused,
	    .connections = &stats->connections,
	    .requests_total = &stats->requests,
	    .refused_total = &stats->http_refused,
	};
	w->access_log = access_lines_begin(conf, w->in.slot);
	w->http = http_new(w->in.loop, &setup);
	const struct agent_about *about = staff_about(w->staff);
	w->agent_log = activity_path(conf->co_dir, about->name);
	if (doors_have(conf->doors, DOOR_OPENHANDS))
		w->engines = engine_table_new(
		    w->in.heritage, w->in.slot, w->in.generation);
	w->registry = registry_new(w->in.heritage, false, 0);
	w->inside =
	    (struct snapshot_source){w->in.heritage, w->registry, w->store};
	w->door_setup = (struct door_setup){
	    .loop = w->in.loop,
	    .sessions = w->sessions,
	    .access = w->access,
	    .limits = w->limits,
	    .permit = staff_permit(w->staff),
	    .crew = w->crew,
	    .agent_log = w->agent_log,
	    .conf = conf,
	    .about = about,
	    .heritage = w->in.heritage,
	    .inside = &w->inside,
	    .engines = w->engines,
	    .dock = staff_dock(w->staff),
	    .name = name_of(w),
	};
	door_table_mount(w->http, &w->door_setup);
}

static void serve_relayed(struct wire *wire, void *arg)
{
	struct worker *w = arg;
	oip_serve(&w->door_setup, wire, NULL);
}

static void open_relayed(struct worker *w)
{
	struct relayed_setup setup = {
	    .loop = w->in.loop,
	    .max_wires = (size_t)w->conf.max_connections,
	    .max_message_bytes = oip_socket_max_message(&w->conf),
	    .max_output_bytes = (size_t)w->conf.output_limit,
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .serve = serve_relayed,
	    .arg = w,
	};
	w->relayed = relayed_new(&setup);
}

static void close_all(struct worker *w)
{
	relayed_free(&w->relayed);
	http_free(&w->http);
	access_log_close(&w->access_log);
	engine_table_free(&w->engines);
	registry_free(&w->registry);
	free(w->agent_log);
	sessions_free(&w->sessions);
	limits_free(&w->limits);
	access_free(&w->access);
	ident_key_close(&w->secret_key);
	staff_close(&w->staff);
	crew_close(&w->crew);
	loop_wake_close(&w->wake);
	store_close(&w->store);
	conf_fini(&w->conf);
}

int worker_main(unsigned slot, unsigned generation)
{
	static struct worker w = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave, .on_meet = on_meet}};
	struct err err;
	w.in.arg = &w;
	entry_begin(&w.in, &w.conf, KIND_WORKER, slot, generation);
	w.born_ms = clock_mono_ms();
	w.store = store_open(&w.conf, false, &err);
	if (!w.store)
		fatal("%s", err.text);
	store_serve(w.store, w.in.heritage->server);
	store_tell(w.store, &w.in.heritage->store_refuses);
	w.wake = loop_wake_open(w.in.loop, on_wake, &w);
	w.crew = crew_open(CREW_THREADS, CREW_JOBS, wake, &w);
	open_staff(&w);
	open_trust(&w);
	open_sessions(&w);
	open_doors(&w);
	open_relayed(&w);
	serve_if_due(&w);
	inherit_run(&w.in);
	close_all(&w);
	return 0;
}
