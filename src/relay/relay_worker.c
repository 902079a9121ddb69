/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "child/inherit.h"
#include "core/err.h"
#include "core/param.h"
#include "net/http.h"
#include "net/loop.h"
#include "proc/crew.h"
#include "relay/directory.h"
#include "relay/dock.h"
#include "relay/ledger.h"
#include "relay/path.h"
#include "relay/relay_agents.h"
#include "relay/relay_clients.h"
#include "relay/relay_int.h"
#include "relay/relay_lookups.h"
#include "relay/tunnel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEGABYTE ((size_t)1024 * 1024)

/* Threads that verify and look up, and how many jobs may wait for them. */
#define CREW_THREADS 2
#define CREW_JOBS 16384

/* How often old records are looked for; the workers take turns. */
#define EXPIRE_MS 10000

/* How long peers get to answer our close when we leave, and how often we look. */
#define GOODBYE_MS 500
#define GOODBYE_LOOK_MS 20

/* Descriptors for the directory, logs, mailboxes and what is in flight. */
#define OWN_FILES 256

const struct process relay_kinds[RELAY_KINDS] = {
    {.name = "none"},
    [RELAY_WORKER] = {"worker", PROCESS_LISTENS | PROCESS_DRAINS, 1},
};

struct worker {
	struct inherited in;
	struct relay_conf conf;
	struct relay relay;
	struct loop_wake *wake;
	struct loop_timer expire;
	struct loop_timer goodbye;
	int64_t goodbye_ms; /* when we leave without their answers */
};

uint64_t relay_worker_bytes(const struct relay_conf *conf)
{
	return roster_bytes((uint64_t)conf->max_agents);
}

/* ---- HTTP ---- */

static struct relay_shared *shared_of(struct worker *w)
{
	return roster_shared(w->relay.roster);
}

/* Of processes that died, the counters stay, and what they had is gone. */
static struct relay_stats *live_stats(struct worker *w)
{
	struct relay_stats *stats = shared_of(w)->stats;
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++)
		if (!(atomic_load(&w->in.heritage->slots[i].generation) & 1))
			relay_stat_clear_gauges(&stats[i]);
	return stats;
}

static void get_health(struct worker *w, struct http_req *req)
{
	struct relay_stats *stats = live_stats(w);
	unsigned long long n_agents = 0, n_clients = 0;
	struct buf out = {0};
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++) {
		n_agents += stats[i].agents;
		n_clients += stats[i].clients;
	}
	buf_printf(&out,
	    "{\"status\":\"%s\",\"agents\":%llu,\"clients\":%llu,"
	    "\"uptime\":%lld}",
	    w->relay.is_leaving ? "draining" : "healthy", n_agents, n_clients,
	    (long long)(clock_boot_ms() - w->in.heritage->started_boot_ms) /
		1000);
	http_add_header(req, "access-control-allow-origin", "*");
	http_add_header(req, "cache-control", "no-store");
	http_reply(req, w->relay.is_leaving ? 503 : 200, "application/json",
	    out.data, out.len);
	buf_fini(&out);
}

static void get_metrics(struct worker *w, struct http_req *req)
{
	struct buf out = {0};
	struct relay_stats *stats = live_stats(w);
	relay_stat_text(&out, stats, HERITAGE_SLOTS);
	buf_printf(&out,
	    "# HELP corelayd_restarts_total processes replaced after a death\n"
	    "# TYPE corelayd_restarts_total counter\n"
	    "corelayd_restarts_total %u\n",
	    atomic_load(&w->in.heritage->restarts));
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8",
	    out.data, out.len);
	buf_fini(&out);
}

/* Whether a path is a socket here, or the one that hosts have. */
static bool is_socket(const struct path *path, const char *text)
{
	return path->target == PATH_ANNOUNCE || path->target == PATH_INPUT ||
	       path->target == PATH_LOOKUP || strcmp(text, "/ws") == 0 ||
	       strcmp(text, "/ws/") == 0;
}

static void get_socket(struct http_req *req)
{
	http_add_header(req, "upgrade", "websocket");
	http_reply_error(req, 426,
	    "this path is for WebSockets: agents connect to /ws/announce, "
	    "clients to /ws/input, look-ups to /ws/lookup");
}

static void on_get(struct http_req *req, void *arg)
{
	struct path path;
	path_read(&path, http_path(req));
	if (path.target == PATH_HEALTH)
		get_health(arg, req);
	else if (path.target == PATH_METRICS)
		get_metrics(arg, req);
	else if (path.target >= PATH_AGENT)
		relay_lookups_get(req, &path);
	else if (is_socket(&path, http_path(req)))
		get_socket(req);
	else
		http_reply_error(req, 404, "not found");
}

static void on_websocket(struct http_req *req, void *arg)
{
	const struct worker *w = arg;
	struct path path;
	path_read(&path, http_path(req));
	if (w->relay.is_leaving)
		http_reply_error(req, 503, "the relay restarts");
	else if (path.target == PATH_ANNOUNCE)
		relay_agents_accept(req);
	else if (path.target == PATH_INPUT)
		relay_clients_accept(req);
	else if (path.target == PATH_LOOKUP)
		relay_lookups_accept(req);
	else
		http_reply_error(req, 404, "not found");
}

/* ---- the loop ---- */

static void on_wake(void *arg)
{
	struct worker *w = arg;
	crew_collect(w->relay.crew);
	ledger_collect(w->relay.ledger);
}

static void wake(void *arg)
{
	struct worker *w = arg;
	loop_wake_up(w->wake);
}

static void on_expire(void *arg)
{
	struct worker *w = arg;
	ledger_expire(w->relay.ledger);
	loop_timer_set(w->in.loop, &w->expire, EXPIRE_MS);
}

static void on_msg(const struct msg *m, void *arg)
{
	struct worker *w = arg;
	if (m->type == MSG_DIED)
		roster_died(w->relay.roster, (unsigned)m->a);
}

static void on_fds(const struct msg *m, const int *fds, size_t n_fds, void *arg)
{
	(void)arg;
	if (m->type == MSG_MOVED)
		relay_clients_arrive(m, fds, n_fds);
}

static void on_goodbye(void *arg)
{
	struct worker *w = arg;
	if (relay_stat_mine()->connections && clock_mono_ms() < w->goodbye_ms)
		loop_timer_set(w->in.loop, &w->goodbye, GOODBYE_LOOK_MS);
	else
		loop_stop(w->in.loop);
}

/* Agents and clients come back by themselves, to the processes that stay. */
static void on_leave(enum leaving how, void *arg)
{
	struct worker *w = arg;
	if (how == LEAVE_AT_ONCE) {
		loop_stop(w->in.loop);
		return;
	}
	if (w->relay.is_leaving)
		return;
	w->relay.is_leaving = true;
	atomic_store(&w->in.heritage->slots[w->in.slot].state, SLOT_DRAINING);
	http_drain(w->relay.http, how == LEAVE_WITH_ALL);
	relay_agents_close_all();
	relay_clients_close_all();
	relay_lookups_close_all();
	w->goodbye_ms = clock_mono_ms() + GOODBYE_MS;
	on_goodbye(w);
}

/* ---- putting it together ---- */

static size_t connections(const struct relay_conf *conf)
{
	struct rlimit r;
	int64_t most = conf->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= INT32_MAX ||
	    most <= (int64_t)r.rlim_cur - OWN_FILES)
		return (size_t)most;
	most = (int64_t)r.rlim_cur - OWN_FILES;
	/* A small loss concerns nobody. */
	if (most < conf->max_connections - conf->max_connections / 10)
		log_warn("a worker can hold %lld connections, not "
			 "max_connections=%lld: the limit on open files "
			 "(ulimit -n) is %lld",
		    (long long)most, (long long)conf->max_connections,
		    (long long)r.rlim_cur);
	return (size_t)(most < 8 ? 8 : most);
}

static void set_limits(struct relay *r)
{
	const struct relay_conf *conf = r->conf;
	struct relay_stats *stats = relay_stat_mine();
	const struct ws_limits common = {
	    .max_message_bytes = (size_t)conf->max_frame * MEGABYTE,
	    .max_fragments = 100000,
	    .max_output_bytes = (size_t)conf->max_output * MEGABYTE,
	    .stall_timeout_ms = conf->slow_reader_timeout * 1000,
	    .message_timeout_ms = conf->slow_sender_timeout * 1000,
	    .slow_readers_total = &stats->slow_readers,
	    .reads_always = true,
	};
	r->agent_limits = r->client_limits = r->lookup_limits = common;
	r->agent_limits.silence_timeout_ms = conf->agent_timeout * 1000;
	r->agent_limits.silent_total = &stats->agents_silent;
	r->client_limits.is_exact = true;
	r->lookup_limits.is_exact = true;
	r->lookup_limits.max_message_bytes = 65536;
	r->lookup_limits.max_output_bytes = MEGABYTE;
}

static void open_http(struct worker *w)
{
	static const int listener = HERITAGE_FD_LISTEN;
	struct relay_stats *stats = relay_stat_mine();
	struct http_setup setup = {
	    .listeners = &listener,
	    .n_listeners = 1,
	    .max_body_bytes = 65536,
	    .max_unfinished_bytes = (size_t)w->conf.max_memory * MEGABYTE / 2,
	    .unfinished = &stats->unfinished,
	    .dropped_total = &stats->unfinished_dropped,
	    .max_connections = connections(&w->conf),
	    .request_timeout_ms = w->conf.request_timeout * 1000,
	    .trusted_proxies = w->conf.trusted_proxies,
	    /* What the relay says is for everybody. */
	    .allowed_origins = "*",
	    .allowed_hosts = "*",
	    .accepted_total = &stats->connections_accepted,
	    .paused_total = &stats->accepts_paused,
	    .connections = &stats->connections,
	    .requests_total = &stats->requests,
	    .refused_total = &stats->http_refused,
	};
	w->relay.http = http_new(w->in.loop, &setup);
	http_route(w->relay.http, "GET", "/**", on_get, w);
	http_route(w->relay.http, "WEBSOCKET", "/**", on_websocket, w);
	http_start(w->relay.http);
}

static struct directory *open_directory(const char *path)
{
	struct err err;
	struct directory *d = directory_open(path, &err);
	if (!d)
		fatal("%s", err.text);
	return d;
}

static void open_relay(struct worker *w)
{
	struct relay *r = &w->relay;
	struct buf path = {0};
	buf_printf(&path, "%s/%s", w->conf.dir, DIRECTORY_FILE);
	r->conf = &w->conf;
	r->heritage = w->in.heritage;
	r->loop = w->in.loop;
	r->slot = w->in.slot;
	r->roster = roster_new(w->in.heritage, w->in.slot, w->in.generation);
	relay_stat_use(&shared_of(w)->stats[w->in.slot]);
	set_limits(r);
	w->wake = loop_wake_open(w->in.loop, on_wake, w);
	r->crew = crew_open(CREW_THREADS, CREW_JOBS, wake, w);
	r->directory = open_directory(buf_cstr(&path));
	r->finder = open_directory(buf_cstr(&path));
	r->ledger = ledger_open(buf_cstr(&path), &w->conf, wake, w);
	r->dock = dock_new(w->in.loop);
	tunnel_init((size_t)w->conf.max_memory * MEGABYTE / 2);
	relay_agents_init(r);
	relay_clients_init(r);
	relay_lookups_init(r);
	open_http(w);
	buf_fini(&path);
}

static void close_relay(struct worker *w)
{
	struct relay *r = &w->relay;
	http_free(&r->http);
	dock_free(&r->dock);
	crew_close(&r->crew);
	ledger_close(&r->ledger);
	directory_close(&r->directory);
	directory_close(&r->finder);
	loop_wake_close(&w->wake);
	roster_free(&r->roster);
	param_fini(&relay_conf_table, &w->conf);
}

static void load_conf(struct worker *w)
{
	struct err err;
	param_init(&relay_conf_table, &w->conf);
	if (param_load(&relay_conf_table, &w->conf, HERITAGE_FD_CONF, &err) !=
	    0)
		fatal("%s", err.text);
}

int relay_worker_main(unsigned slot, unsigned generation)
{
	static struct worker w = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave, .on_fds = on_fds}};
	w.in.arg = &w;
	inherit_begin(&w.in, relay_kinds[RELAY_WORKER].name, slot, generation);
	load_conf(&w);
	inherit_all(&w.in, w.conf.log_file, w.conf.test_clock);
	open_relay(&w);
	loop_timer_init(&w.goodbye, on_goodbye, &w);
	loop_timer_init(&w.expire, on_expire, &w);
	loop_timer_set(w.in.loop, &w.expire, EXPIRE_MS);
	inherit_ready(&w.in);
	inherit_run(&w.in);
	close_relay(&w);
	return 0;
}
