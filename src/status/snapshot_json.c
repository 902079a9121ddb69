/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/event.h"
#include "core/process.h"
#include "status/snapshot.h"

#include <inttypes.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* A member of an object that is not its first. */
static void put_int(struct buf *out, const char *name, int64_t value)
{
	buf_printf(out, ",\"%s\":%" PRId64, name, value);
}

static void put_str(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json_str(out, value);
}

static void put_bool(struct buf *out, const char *name, bool value)
{
	buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

/* -1 stands for "none". */
static void put_event(struct buf *out, const char *name, int type)
{
	put_str(out, name, type < 0 ? NULL : event_name((enum event_type)type));
}

/* ---- processes ---- */

static void put_thread(
    struct buf *out, const struct snapshot_process *p, enum pulse_line line)
{
	static const char *const names[PULSE_LINES] = {
	    [PULSE_LOOP] = "loop",
	    [PULSE_CHATTER] = "events",
	    [PULSE_FACTS] = "facts",
	};
	static const char *const words[] = {
	    [PULSE_NONE] = "none",
	    [PULSE_IDLE] = "idle",
	    [PULSE_BUSY] = "busy",
	    [PULSE_WAITING] = "waiting",
	};
	buf_printf(out, "%s\"%s\":{\"state\":\"%s\"", line ? "," : "",
	    names[line], words[p->pulse_state[line]]);
	if (p->pulse_state[line] != PULSE_NONE)
		put_int(out, "age_ms", p->pulse_age_ms[line]);
	buf_char(out, '}');
}

static void put_process(struct buf *out, const struct snapshot_process *p)
{
	buf_printf(out, "{\"slot\":%u", p->slot);
	put_str(out, "kind", process_kinds[p->kind].name);
	put_int(out, "pid", p->pid);
	put_str(out, "state", snapshot_state_word(p->state));
	put_str(out, "health", snapshot_health_word(p->health));
	put_int(out, "generation", p->generation);
	put_int(out, "epoch", p->epoch);
	put_int(out, "started_ms", p->started_ms);
	put_int(out, "memory_bytes", p->memory_bytes);
	if (p->beat_age_ms >= 0)
		put_int(out, "beat_age_ms", p->beat_age_ms);
	else
		put_str(out, "beat_age_ms", NULL);
	buf_str(out, ",\"threads\":{");
	for (int i = 0; i < PULSE_LINES; i++)
		put_thread(out, p, (enum pulse_line)i);
	buf_char(out, '}');
	put_int(out, "connections", (int64_t)p->stats.connections);
	put_int(out, "websockets", (int64_t)p->stats.websockets);
	put_int(out, "attached", (int64_t)p->stats.sessions_attached);
	put_int(out, "turns", (int64_t)p->stats.runs);
	put_int(out, "turns_waiting", (int64_t)p->stats.agent_waiting);
	put_int(out, "commits_waiting", (int64_t)p->stats.commits_waiting);
	put_int(out, "commands", (int64_t)p->stats.tool_commands);
	buf_char(out, '}');
}

/* ---- sessions ---- */

void snapshot_session_json(struct buf *out, const struct snapshot_session *s)
{
	buf_str(out, "{\"id\":");
	buf_json_str(out, s->id);
	put_str(out, "owner", s->caller);
	put_str(out, "agent", s->agent);
	put_str(out, "state",
	    s->question >= 0 ? "waiting"
	    : s->is_running  ? "running"
			     : "idle");
	put_str(out, "status", s->status);
	put_event(out, "waits_for", s->question);
	put_int(out, "turn", s->turn);
	if (s->owner_slot >= 0)
		put_int(out, "worker", s->owner_slot);
	else
		put_str(out, "worker", NULL);
	put_int(out, "listeners", s->n_listeners);
	put_int(out, "idle_ms", s->idle_ms);
	put_int(out, "events", (int64_t)s->head);
	put_event(out, "last_event", s->last_event);
	put_int(out, "last_event_ms", s->last_event_ms);
	put_int(out, "created_ms", s->created_ms);
	put_int(out, "updated_ms", s->updated_ms);
	put_int(out, "number", (int64_t)s->number);
	buf_char(out, '}');
}

static void put_sessions(struct buf *out, const struct snapshot *s)
{
	if (!s->has_sessions) {
		put_str(out, "sessions", NULL);
		return;
	}
	buf_printf(out, ",\"sessions\":{\"known\":%zu,\"running\":%zu",
	    s->n_known, s->n_running);
	buf_str(out, ",\"list\":[");
	for (size_t i = 0; i < s->n_sessions; i++) {
		if (i)
			buf_char(out, ',');
		snapshot_session_json(out, &s->sessions[i]);
	}
	buf_str(out, "]}");
}

/* ---- the whole ---- */

static void put_lines(struct buf *out, const struct buf *lines)
{
	const char *p = lines->data, *end = p + lines->len;
	for (bool is_first = true; p < end; is_first = false) {
		size_t len = strcspn(p, "\n");
		if (!is_first)
			buf_char(out, ',');
		buf_json(out, p, len);
		p += len + 1;
	}
}

static void put_server(struct buf *out, const struct snapshot *s)
{
	struct buf reasons = {0};
	bool is_well = snapshot_is_well(s, &reasons);
	buf_str(out, ",\"server\":{\"version\":\"" PACKAGE_VERSION "\"");
	put_str(out, "state", is_well ? "ok" : "degraded");
	buf_str(out, ",\"reasons\":[");
	(void)buf_cstr(&reasons);
	put_lines(out, &reasons);
	buf_char(out, ']');
	put_int(out, "pid", s->master_pid);
	put_str(out, "health", snapshot_health_word(s->master_health));
	put_int(out, "started_ms", s->started_ms);
	put_int(out, "uptime_ms", s->taken_ms - s->started_ms);
	put_int(out, "epoch", s->epoch);
	put_int(out, "workers_wanted", s->wanted);
	put_int(out, "restarts", s->restarts);
	put_int(out, "hung", s->hung);
	put_int(out, "master_silent_ms", s->master_silent_ms);
	put_bool(out, "store_refuses", s->refuses_writes);
	buf_char(out, '}');
	buf_fini(&reasons);
}

void snapshot_json(struct buf *out, const struct snapshot *s)
{
	buf_printf(out, "{\"version\":1,\"taken_ms\":%" PRId64, s->taken_ms);
	put_server(out, s);
	buf_str(out, ",\"processes\":[");
	for (size_t i = 0; i < s->n_processes; i++) {
		if (i)
			buf_char(out, ',');
		put_process(out, &s->processes[i]);
	}
	buf_str(out, "],\"totals\":{");
	if (s->stats)
		stat_json(out, s->stats, HERITAGE_SLOTS);
	buf_char(out, '}');
	put_sessions(out, s);
	buf_char(out, '}');
}
