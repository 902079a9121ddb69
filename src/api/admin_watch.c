/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/admin_watch.h"

#include "access/access.h"
#include "api/sse_line.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log_ring.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "door/admin_change.h"
#include "door/door.h"
#include "door/reply.h"
#include "identity/address.h"
#include "net/http.h"
#include "net/loop.h"
#include "proc/crew.h"
#include "status/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_STREAM "text/event-stream"

/* Log lines are sent at this interval, and snapshots at every fourth. */
#define TICK_MS 250
#define LIVE_TICKS 4

/* How often callers are looked up again. */
#define LOOK_TICKS 40

#define MAX_WATCHERS 16
#define TOO_MANY                                                         \
	"16 streams of /admin/live and /admin/logs/tail are open here; " \
	"close one and retry"

#define MAX_AGE_MS (10 * 60 * 1000)

/* With more waiting bytes than this, a stream gets nothing new. */
#define HIGH_WATER ((size_t)256 * 1024)

/* Lines before the present that a client gets unless it says how many. */
#define BACKLOG 100

struct watcher {
	struct list link;
	struct http_req *req;
	char caller[ADDRESS_SIZE];
	bool is_log;
	uint64_t after; /* number of the last line that was sent */
	uint64_t first; /* of the newest line when the stream began */
	int64_t least;	/* enum log_level */
	int64_t until_ms;
};

/* Takes snapshots for all watchers, one at a time, on a thread of the crew. */
static struct {
	const struct door_setup *setup;
	struct loop_timer tick;
	unsigned ticks;
	bool is_ticking;
	struct crew_job job;
	bool is_taking;
	struct snapshot snapshot;
	struct buf out;
} watch;

static struct list watchers = {&watchers, &watchers};
static unsigned n_watchers;

/* ---- streams ---- */

static void forget(struct watcher *w)
{
	stat_add(watchers, -1);
	n_watchers--;
	list_remove(&w->link);
	free(w);
}

static void admin_watch_on_gone(void *arg)
{
	forget(arg);
}

static void admin_watch_finish(struct watcher *w)
{
	struct http_req *req = w->req;
	http_on_gone(req, NULL, NULL);
	forget(w);
	http_stream_end(req);
}

/* What was not sent for want of room is not sent later: see on_tick(). */
static void on_drain(void *arg)
{
	(void)arg;
}

static bool may_watch(const struct watcher *w)
{
	struct caller caller;
	struct err err;
	return access_look(watch.setup->access, w->caller, &caller, &err) ==
		   0 &&
	       admin_change_may(&caller, LISTS_LEVEL, &err) == 0;
}

/* ---- snapshots ---- */

static bool has_room(const struct watcher *w)
{
	if (http_stream_pending(w->req) < HIGH_WATER)
		return true;
	stat_add(watch_skipped, 1);
	return false;
}

static void send_snapshot(void)
{
	struct buf *out = &watch.out;
	buf_reset(out);
	buf_str(out, "event: snapshot\ndata: ");
	size_t from = out->len;
	snapshot_json(out, &watch.snapshot);
	sse_line_fit(out, from);
	buf_append(out, "\n\n", 2);
	list_each_safe(it, &watchers)
	{
		struct watcher *w = list_entry(it, struct watcher, link);
		if (!w->is_log && has_room(w))
			http_stream_write(w->req, out->data, out->len);
	}
}

static void run_take(struct crew_job *job)
{
	(void)job;
	snapshot_take(&watch.snapshot, watch.setup->inside);
}

static void on_taken(struct crew_job *job)
{
	(void)job;
	watch.is_taking = false;
	if (!crew_is_closing(watch.setup->crew)) {
		snapshot_add_rows(&watch.snapshot, watch.setup->inside);
		send_snapshot();
	}
	snapshot_fini(&watch.snapshot);
}

/* If the crew has too much to do, the next tick is soon enough. */
static void take(void)
{
	if (watch.is_taking)
		return;
	watch.job = (struct crew_job){.run = run_take, .done = on_taken};
	watch.is_taking = crew_run(watch.setup->crew, &watch.job);
}

/* ---- lines of the log ---- */

static bool put_line(const struct log_ring_line *line, void *arg)
{
	struct watcher *w = arg;
	struct buf *out = &watch.out;
	uint64_t missed = line->number - w->after - 1;
	if (w->after >= w->first && missed)
		buf_printf(out,
		    "event: missed\ndata: {\"lines\":%" PRIu64 "}\n\n", missed);
	w->after = line->number;
	if (line->level < w->least)
		return true;
	buf_printf(out,
	    "id: %" PRIu64 "\nevent: log\ndata: {\"number\":%" PRIu64
	    ",\"time_ms\":%" PRId64 ",\"level\":\"%s\",\"process\":",
	    line->number, line->number, line->time_ms,
	    log_level_word((enum log_level)line->level));
	buf_json_str(out, line->speaker);
	buf_printf(out, ",\"pid\":%d,\"text\":", (int)line->pid);
	size_t from = out->len;
	buf_json(out, line->text, line->len);
	sse_line_fit(out, from);
	buf_str(out, "}\n\n");
	return out->len < HIGH_WATER;
}

static void send_lines(struct watcher *w)
{
	struct buf *out = &watch.out;
	if (http_stream_pending(w->req) >= HIGH_WATER)
		return; /* they stay in the ring for a while */
	buf_reset(out);
	(void)log_ring_read(&watch.setup->heritage->log, w->after, put_line, w);
	if (out->len)
		http_stream_write(w->req, out->data, out->len);
}

/* ---- the clock ---- */

/* Returns whether the watcher is still there. */
static bool check(struct watcher *w)
{
	bool is_over = clock_mono_ms() >= w->until_ms ||
		       (watch.ticks % LOOK_TICKS == 0 && !may_watch(w));
	if (is_over)
		admin_watch_finish(w);
	return !is_over;
}

static void on_tick(void *arg)
{
	bool has_live = false;
	(void)arg;
	watch.ticks++;
	list_each_safe(it, &watchers)
	{
		struct watcher *w = list_entry(it, struct watcher, link);
		if (!check(w))
			continue;
		if (w->is_log)
			send_lines(w);
		else
			has_live = true;
	}
	if (has_live && watch.ticks % LIVE_TICKS == 0)
		take();
	watch.is_ticking = !list_is_empty(&watchers);
	if (watch.is_ticking)
		loop_timer_set(watch.setup->loop, &watch.tick, TICK_MS);
}

static void start_ticking(const struct door_setup *setup)
{
	if (watch.is_ticking)
		return;
	watch.setup = setup;
	watch.is_ticking = true;
	loop_timer_init(&watch.tick, on_tick, NULL);
	loop_timer_set(setup->loop, &watch.tick, TICK_MS);
}

/* ---- requests ---- */

/* Returns NULL if the request was answered without a stream. */
static struct watcher *begin(
    struct http_req *req, const struct door_setup *setup, const char *caller)
{
	static const char hello[] = "retry: 1000\n\n";
	if (http_is_head(req)) {
		http_reply_head(req, 200, EVENT_STREAM);
		return NULL;
	}
	if (n_watchers >= MAX_WATCHERS) {
		http_reply_error(req, 503, TOO_MANY);
		return NULL;
	}
	struct watcher *w = mem_zero(sizeof *w);
	w->req = req;
	w->until_ms = clock_mono_ms() + MAX_AGE_MS;
	(void)snprintf(w->caller, sizeof w->caller, "%s", caller);
	list_append(&watchers, &w->link);
	n_watchers++;
	stat_add(watchers, 1);
	http_on_gone(req, admin_watch_on_gone, w);
	http_stream_start(req, 200, EVENT_STREAM, on_drain, w);
	http_stream_write(req, hello, sizeof hello - 1);
	start_ticking(setup);
	return w;
}

void admin_watch_live(
    struct http_req *req, const struct door_setup *setup, const char *caller)
{
	if (begin(req, setup, caller))
		take();
}

/* Returns false if it is no level. */
static bool read_level(struct http_req *req, int64_t *least)
{
	size_t len;
	const char *word = reply_query(req, "level", &len);
	*least = LOG_DEBUG;
	if (!word)
		return true;
	for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
		const char *name = log_level_word((enum log_level)level);
		if (strlen(name) == len && memcmp(name, word, len) == 0) {
			*least = level;
			return true;
		}
	}
	return false;
}

/* Where a stream begins: after a line that the client has, or some lines ago. */
static uint64_t read_place(struct http_req *req, uint64_t newest)
{
	const char *last = http_header(req, "last-event-id");
	int64_t lines = BACKLOG;
	if (last && *last >= '0' && *last <= '9') {
		uint64_t after = strtoull(last, NULL, 10);
		if (after <= newest)
			return after;
	}
	(void)reply_query_int(req, "lines", &lines);
	if (lines < 0)
		lines = 0;
	return (uint64_t)lines < newest ? newest - (uint64_t)lines : 0;
}

void admin_watch_log(
    struct http_req *req, const struct door_setup *setup, const char *caller)
{
	int64_t least;
	if (!read_level(req, &least)) {
		http_reply_error(
		    req, 400, "level must be debug, info, warn or error");
		return;
	}
	uint64_t newest = atomic_load(&setup->heritage->log.newest);
	uint64_t after = read_place(req, newest);
	struct watcher *w = begin(req, setup, caller);
	if (!w)
		return;
	w->is_log = true;
	w->least = least;
	w->first = newest;
	w->after = after;
	send_lines(w);
}

/* ---- the end ---- */

void admin_watch_end_blocked(void)
{
	list_each_safe(it, &watchers)
	{
		struct watcher *w = list_entry(it, struct watcher, link);
		if (!may_watch(w))
			admin_watch_finish(w);
	}
}

void admin_watch_close_all(void)
{
	list_each_safe(it, &watchers)
	    admin_watch_finish(list_entry(it, struct watcher, link));
	if (watch.is_ticking)
		loop_timer_stop(watch.setup->loop, &watch.tick);
	watch.is_ticking = false;
	buf_fini(&watch.out);
}
