/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/panel.h"

#include "core/event.h"
#include "core/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void panel_span(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;
	if (ms < 10000)
		buf_printf(out, "%.1fs", (double)ms / 1000);
	else if (s < 120)
		buf_printf(out, "%" PRId64 "s", s);
	else if (s < 7200)
		buf_printf(out, "%" PRId64 "m", s / 60);
	else if (s < 172800)
		buf_printf(
		    out, "%" PRId64 "h %" PRId64 "m", s / 3600, s / 60 % 60);
	else
		buf_printf(
		    out, "%" PRId64 "d %" PRId64 "h", s / 86400, s / 3600 % 24);
}

void panel_size(struct buf *out, int64_t bytes)
{
	static const char units[] = "BKMGT";
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 1000 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	buf_printf(
	    out, "%.*f%c", unit && value < 100 ? 1 : 0, value, units[unit]);
}

/* Append text in a column; longer text is cut. */
static void put_column(struct buf *out, int width, const char *text)
{
	char plain[80];
	size_t n = 0;
	for (; text[n] && n < sizeof plain - 1; n++)
		plain[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f
			       ? '?'
			       : text[n];
	plain[n] = '\0';
	buf_printf(out, "%-*.*s ", width, width, plain);
}

static void put_span(struct buf *out, int width, int64_t ms)
{
	struct buf text = {0};
	panel_span(&text, ms < 0 ? 0 : ms);
	buf_printf(out, "%*s ", width, buf_cstr(&text));
	buf_fini(&text);
}

static void put_size(struct buf *out, int width, int64_t bytes)
{
	struct buf text = {0};
	panel_size(&text, bytes);
	buf_printf(out, "%*s ", width, buf_cstr(&text));
	buf_fini(&text);
}

/* ---- the server ---- */

void panel_server(struct buf *out, const struct snapshot *s)
{
	struct buf reasons = {0};
	bool is_well = snapshot_is_well(s, &reasons);
	buf_printf(out, "%s: master %d, up ",
	    is_well ? "runs well" : "degraded", (int)s->master_pid);
	panel_span(out, s->taken_ms - s->started_ms);
	buf_printf(out,
	    ", settings %u, %u of its processes replaced, %u of them hung\n",
	    s->epoch, s->restarts, s->hung);
	buf_append(out, reasons.data, reasons.len);
	buf_fini(&reasons);
}

/* ---- processes ---- */

void panel_process_head(struct buf *out)
{
	buf_printf(out,
	    "%4s %-7s %8s %-8s %-7s %7s %6s %7s %6s %6s %6s %5s %5s\n", "SLOT",
	    "KIND", "PID", "STATE", "HEALTH", "UP", "BEAT", "MEMORY", "CONNS",
	    "WS", "TURNS", "WAIT", "WRITE");
}

void panel_process(struct buf *out, const struct snapshot_process *p)
{
	buf_printf(out, "%4u ", p->slot);
	put_column(out, 7, process_kinds[p->kind].name);
	buf_printf(out, "%8d ", (int)p->pid);
	put_column(out, 8, snapshot_state_word(p->state));
	put_column(out, 7, snapshot_health_word(p->health));
	put_span(out, 7, p->age_ms);
	if (p->beat_age_ms < 0)
		buf_printf(out, "%6s ", "-");
	else
		put_span(out, 6, p->beat_age_ms);
	put_size(out, 7, p->memory_bytes);
	buf_printf(out,
	    "%6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %5" PRIu64 " %5" PRIu64
	    "\n",
	    p->stats.connections, p->stats.websockets, p->stats.runs,
	    p->stats.agent_waiting, p->stats.commits_waiting);
}

/* ---- sessions ---- */

void panel_session_head(struct buf *out)
{
	buf_printf(out, "%-36s %-12s %-9s %5s %6s %7s %7s %-18s\n", "SESSION",
	    "OWNER", "STATE", "TURN", "WORKER", "AGE", "IDLE", "LAST EVENT");
}

static const char *state_of(const struct snapshot_session *s)
{
	if (s->question >= 0)
		return "waiting";
	if (s->is_running)
		return "running";
	return s->status ? s->status : "idle";
}

void panel_session(
    struct buf *out, const struct snapshot_session *s, int64_t now_ms)
{
	put_column(out, 36, s->id ? s->id : "-");
	put_column(out, 12, s->caller && *s->caller ? s->caller : "-");
	put_column(out, 9, state_of(s));
	buf_printf(out, "%5u ", s->turn);
	if (s->owner_slot >= 0)
		buf_printf(out, "%6d ", s->owner_slot);
	else
		buf_printf(out, "%6s ", "-");
	put_span(out, 7, s->created_ms ? now_ms - s->created_ms : 0);
	put_span(out, 7, s->idle_ms);
	put_column(out, 18,
	    s->last_event >= 0 ? event_name((enum event_type)s->last_event)
			       : "-");
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf_char(out, '\n');
}
