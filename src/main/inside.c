/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/write_all.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/event.h"
#include "journal/journal.h"
#include "launch/options.h"
#include "main/guarded.h"
#include "main/settings.h"
#include "proc/lockfile.h"
#include "status/panel.h"
#include "status/snapshot.h"
#include "status/window.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long the store may take to answer. */
#define STORE_MS 5000

/* The events of a session that show prints. */
#define LAST_EVENTS 20

#define STORE_SILENT "the store does not answer"

struct inside {
	const struct options *options;
	struct conf conf;
	bool is_running;
	struct heritage *window; /* NULL: there is none, and err says why */
	struct err err;
	struct snapshot snapshot;
	int status; /* of the process, enum inside_status */
};

/* ---- begin and end ---- */

/* The settings need not be good: only the folder and the store matter. */
static bool read_place(struct inside *in)
{
	struct err err;
	conf_init(&in->conf);
	if (settings_init(in->options, "", &err) == 0 &&
	    (settings_read(&in->conf, &err) == 0 || *in->conf.co_dir))
		return true;
	(void)fprintf(stderr, "co-hostd: %s\n", err.text);
	return false;
}

static bool is_locked(const struct conf *c)
{
	struct buf path = {0};
	buf_printf(&path, "%s/store/lock", c->co_dir);
	bool is_it = lockfile_is_held(buf_cstr(&path));
	buf_fini(&path);
	return is_it;
}

static bool begin(struct inside *in, const struct options *o)
{
	*in = (struct inside){.options = o, .status = INSIDE_UNKNOWN};
	log_threshold(LOG_ERROR);
	if (!read_place(in)) {
		conf_fini(&in->conf);
		return false;
	}
	in->is_running = is_locked(&in->conf);
	in->snapshot.taken_ms = clock_wall_ms();
	in->window = window_read(in->conf.co_dir, &in->err);
	if (!in->is_running)
		in->status = INSIDE_NOT_RUNNING;
	else if (in->window)
		snapshot_take(&in->snapshot,
		    &(struct snapshot_source){.heritage = in->window});
	return true;
}

static int end(struct inside *in)
{
	int status = in->status;
	free(in->window);
	snapshot_fini(&in->snapshot);
	conf_fini(&in->conf);
	return status;
}

static int print(struct inside *in, struct buf *out)
{
	if (!write_all(STDOUT_FILENO, out->data, out->len))
		in->status = INSIDE_UNKNOWN;
	buf_fini(out);
	return end(in);
}

/* Set the status that a server has which runs. */
static void judge(struct inside *in)
{
	if (!in->is_running || !in->window)
		return;
	in->status = snapshot_is_well(&in->snapshot, NULL) ? INSIDE_WELL
							   : INSIDE_DEGRADED;
}

/* ---- status ---- */

static void put_text(struct inside *in, struct buf *out)
{
	buf_printf(out, "co-hostd in %s ", in->conf.project_dir);
	if (!in->is_running) {
		buf_str(out, "does not run\n");
		return;
	}
	if (!in->window) {
		buf_printf(out, "runs, but cannot be seen: %s\n", in->err.text);
		return;
	}
	panel_server(out, &in->snapshot);
	buf_char(out, '\n');
	panel_process_head(out);
	for (size_t i = 0; i < in->snapshot.n_processes; i++)
		panel_process(out, &in->snapshot.processes[i]);
	if (in->snapshot.has_sessions)
		buf_printf(out, "\n%zu sessions are stored, %zu of them run\n",
		    in->snapshot.n_known, in->snapshot.n_running);
}

static void put_json(struct inside *in, struct buf *out)
{
	if (in->is_running && in->window) {
		snapshot_json(out, &in->snapshot);
		buf_char(out, '\n');
		return;
	}
	buf_printf(out,
	    "{\"version\":1,\"taken_ms\":%" PRId64 ",\"server\":{"
	    "\"state\":\"%s\",\"reasons\":[",
	    in->snapshot.taken_ms, in->is_running ? "unknown" : "not running");
	if (in->is_running)
		buf_json_str(out, in->err.text);
	buf_str(out, "]}}\n");
}

/* Read the store; open it or fail. */
static bool take_stored(struct inside *in)
{
	struct err err;
	struct store *store = store_open(&in->conf, false, &err);
	if (!store) {
		snapshot_fault(&in->snapshot, "%s", err.text);
		return false;
	}
	snapshot_take_stored(&in->snapshot, store);
	store_close(&store);
	return true;
}

static void put_status(struct inside *in, struct buf *out)
{
	(in->options->wants_json ? put_json : put_text)(in, out);
}

static int write_status(void *arg, struct buf *out)
{
	struct inside *in = arg;
	(void)take_stored(in);
	judge(in);
	put_status(in, out);
	return in->status;
}

int inside_run_status(const struct options *o)
{
	struct inside in;
	struct buf out = {0};
	if (o->n_args)
		options_error("unexpected argument", o->args[0]);
	if (!begin(&in, o))
		return INSIDE_UNKNOWN;
	if (!in.is_running || !in.window) {
		put_status(&in, &out);
		return print(&in, &out);
	}
	in.status = guarded_run(write_status, &in, STORE_MS, &out);
	if (in.status < 0) {
		buf_reset(&out);
		snapshot_fault(&in.snapshot, STORE_SILENT);
		judge(&in);
		put_status(&in, &out);
	}
	return print(&in, &out);
}

/* ---- sessions ---- */

static int write_sessions(void *arg, struct buf *out)
{
	struct inside *in = arg;
	const struct snapshot *s = &in->snapshot;
	if (!take_stored(in)) {
		(void)fprintf(
		    stderr, "co-hostd: %s", buf_cstr(&in->snapshot.damage));
		return INSIDE_UNKNOWN;
	}
	if (!in->options->wants_json)
		panel_session_head(out);
	for (size_t i = 0; i < s->n_sessions; i++) {
		if (!in->options->wants_json) {
			panel_session(out, &s->sessions[i], s->taken_ms);
			continue;
		}
		snapshot_session_json(out, &s->sessions[i]);
		buf_char(out, '\n');
	}
	return INSIDE_WELL;
}

/* Run what reads the store, whether a server runs or not. */
static int run_guarded(struct inside *in, guarded_fn *fn)
{
	struct buf out = {0};
	in->status = guarded_run(fn, in, STORE_MS, &out);
	if (in->status < 0) {
		in->status = INSIDE_UNKNOWN;
		(void)fputs("co-hostd: " STORE_SILENT "\n", stderr);
	}
	return print(in, &out);
}

int inside_run_sessions(const struct options *o)
{
	struct inside in;
	if (o->n_args)
		options_error("unexpected argument", o->args[0]);
	if (!begin(&in, o))
		return INSIDE_UNKNOWN;
	return run_guarded(&in, write_sessions);
}

/* ---- show ---- */

struct showing {
	struct buf *out;
	bool is_json;
	size_t n;
};

static bool put_event(const struct event *ev, void *arg)
{
	struct showing *show = arg;
	if (show->is_json)
		buf_printf(show->out,
		    "%s{\"position\":%" PRIu64 ",\"type\":\"%s\",\"turn\":%u,"
		    "\"time_ms\":%" PRId64 ",\"bytes\":%zu}",
		    show->n ? "," : "", ev->seq, event_name(ev->type), ev->turn,
		    ev->time_us / 1000, ev->body_len);
	else
		buf_printf(show->out,
		    "%8" PRIu64 "  turn %-5u %-20s %zu bytes\n", ev->seq,
		    ev->turn, event_name(ev->type), ev->body_len);
	show->n++;
	return true;
}

static void put_session(struct showing *show, struct store *store,
    const struct snapshot_session *s, int64_t now_ms)
{
	struct journal_range range = {
	    .from = s->head > LAST_EVENTS ? s->head - LAST_EVENTS + 1 : 1,
	    .upto = s->head,
	    .most = LAST_EVENTS,
	};
	if (show->is_json) {
		snapshot_session_json(show->out, s);
		show->out->len--; /* its brace */
		buf_str(show->out, ",\"latest_events\":[");
	} else {
		panel_session_head(show->out);
		panel_session(show->out, s, now_ms);
		buf_printf(show->out, "\nowner %s\nagent %s\n\n",
		    *s->caller ? s->caller : "nobody",
		    *s->agent ? s->agent : "the default");
	}
	if (s->head)
		(void)journal_read_range(
		    store, s->number, &range, put_event, show);
	buf_str(show->out, show->is_json ? "]}\n" : "");
}

static int write_session(void *arg, struct buf *out)
{
	struct inside *in = arg;
	struct showing show = {out, in->options->wants_json, 0};
	const char *id = in->options->args[0];
	struct snapshot_session session;
	struct err err;
	struct store *store = store_open(&in->conf, false, &err);
	if (!store) {
		(void)fprintf(stderr, "co-hostd: %s\n", err.text);
		return INSIDE_UNKNOWN;
	}
	bool is_found = snapshot_find(&session, store, id);
	if (is_found)
		put_session(&show, store, &session, in->snapshot.taken_ms);
	else
		(void)fprintf(
		    stderr, "co-hostd: no session %.100s is stored\n", id);
	snapshot_session_fini(&session);
	store_close(&store);
	return is_found ? INSIDE_WELL : INSIDE_DEGRADED;
}

int inside_run_show(const struct options *o)
{
	struct inside in;
	if (o->n_args != 1)
		options_error("show takes the id of one session",
		    o->n_args ? o->args[1] : "none was given");
	if (!begin(&in, o))
		return INSIDE_UNKNOWN;
	return run_guarded(&in, write_session);
}
