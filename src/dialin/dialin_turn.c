/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_turn.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/stat.h"
#include "dialin/dialin_dock.h"
#include "net/loop.h"
#include "net/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a long output, the end becomes the result of the turn. */
#define RESULT_BYTES ((size_t)256 * 1024)

/* An agent that never reports ends has ended a command when it is so silent. */
#define SILENCE_MS 30000

/* A command that was cancelled, and does not end, ends after this. */
#define CANCEL_MS 10000

#define MICROSECONDS 1000

struct agent {
	struct dialin_dock *dock;
	struct agent_about about;
	const char *fixed; /* the id or name it always is; NULL: by input */
};

enum stage {
	STAGE_NEW,
	STAGE_QUEUED, /* its connection will get it */
	STAGE_SENT,
	STAGE_ENDED,
};

/* An answer to the agent that waits until what it answers is written. */
struct ack {
	struct list link;
	uint64_t after; /* so many events of the turn are written */
	struct buf text;
};

struct agent_turn {
	struct list link; /* in conn->turns */
	struct dialin_dock *dock;
	struct dialin_conn *conn; /* NULL: it has none */
	const struct agent_input *input;
	struct agent_sink *sink;
	uint64_t home;
	char command[ONS_MAX_ID + 1];
	bool is_known; /* by the dock */
	bool is_hosted;
	enum stage stage;
	enum ons_priority priority;
	bool is_interrupted;
	bool is_resumed;  /* this run goes on with what was sent before */
	bool has_call;	  /* its tool_call is written */
	bool has_start;	  /* the mark of its start was recalled */
	bool is_counted;  /* among those that its connection runs */
	int64_t sequence; /* the highest that was taken */
	uint64_t source;  /* the connection that it came from; 0: recalled */
	uint64_t speaker; /* the connection that speaks now */
	int64_t last_us;  /* the time of the newest event that was recalled */
	struct buf output;
	uint64_t n_left_out; /* bytes of it */
	uint64_t n_emitted;
	uint64_t n_written;
	struct list acks;
	struct loop_timer timer;
	struct draft draft;
	struct json_doc options;
};

/* ---- the kind ---- */

static const char *name_in(const char *setting)
{
	size_t n = strlen(DIALIN_PREFIX);
	return strncmp(setting, DIALIN_PREFIX, n) == 0 ? setting + n : NULL;
}

static void dialin_describe(
    const struct agent_spec *spec, struct agent_about *about)
{
	static const char *const tools[] = {"terminal", NULL};
	const char *name = name_in(spec->setting);
	*about = (struct agent_about){.name = name && *name ? name : "onsembl",
	    .model = "onsembl",
	    .tools = tools};
}

static struct agent *dialin_open(
    const struct agent_setup *setup, struct err *err)
{
	if (!setup->dock) {
		(void)err_set(err, ERR_CONFIG,
		    "agent '%s' needs the door onsembl (doors in host.yaml)",
		    setup->spec.setting);
		return NULL;
	}
	struct agent *a = mem_zero(sizeof *a);
	a->dock = setup->dock;
	a->fixed = name_in(setup->spec.setting);
	if (a->fixed && !*a->fixed)
		a->fixed = NULL;
	dialin_describe(&setup->spec, &a->about);
	return a;
}

static void dialin_close(struct agent **a)
{
	free(*a);
	*a = NULL;
}

static const struct agent_about *dialin_about(const struct agent *a)
{
	return &a->about;
}

static uint64_t home_of(const struct agent *a, const char *name)
{
	const char *id = a->fixed ? a->fixed : name_in(name);
	return id ? dialin_home(id, strlen(id)) : 0;
}

static enum agent_place place_of(
    const struct agent *a, uint64_t home, unsigned *slot)
{
	*slot = 0;
	if (dialin_dock_conn(a->dock, home))
		return AGENT_HERE;
	return dialin_table_locate(a->dock->table, home, slot) &&
		       *slot != a->dock->setup.slot
		   ? AGENT_ELSEWHERE
		   : AGENT_AWAY;
}

static int64_t patience_of(const struct agent *a)
{
	return a->dock->setup.patience_ms;
}

/* ---- events ---- */

static struct draft *draft(struct agent_turn *t, enum event_type type)
{
	event_begin(&t->draft, type, t->input->turn);
	return &t->draft;
}

static void str(struct draft *d, const char *field, struct span s)
{
	if (s.text)
		event_str(d, field, s.text, s.len);
}

static void emit(struct agent_turn *t)
{
	t->n_emitted++;
	if (t->sink->ops->emit(t->sink, &t->draft) || !t->conn)
		return;
	/* Its output finds no room: do not read more of it. */
	t->conn->is_paused = true;
	wire_pause(t->conn->wire, true);
}

static void emit_status(struct agent_turn *t, const char *status)
{
	struct draft *d = draft(t, EV_COMMAND_STATUS);
	event_str(d, "status", status, strlen(status));
	emit(t);
}

static void emit_call(struct agent_turn *t)
{
	struct buf args = {0};
	struct draft *d = draft(t, EV_TOOL_CALL);
	event_str(d, "tool_id", t->command, strlen(t->command));
	event_str(d, "name", "terminal", 8);
	buf_str(&args, "{\"command\":");
	buf_json(&args, t->input->prompt, t->input->prompt_len);
	buf_char(&args, '}');
	event_json(d, "args", args.data, args.len);
	event_str(d, "status", "running", 7);
	buf_fini(&args);
	t->has_call = true;
	emit(t);
}

/* Keep the end of what was written, for the result. */
static void keep(struct agent_turn *t, struct span text)
{
	buf_append(&t->output, text.text, text.len);
	if (t->output.len <= 2 * RESULT_BYTES)
		return;
	size_t cut = t->output.len - RESULT_BYTES;
	while (cut < t->output.len &&
	       ((unsigned char)t->output.data[cut] & 0xc0) == 0x80)
		cut++; /* not inside a character */
	t->n_left_out += cut;
	buf_consume(&t->output, cut);
}

static void put_result(const struct agent_turn *t, struct buf *out)
{
	if (t->n_left_out)
		buf_printf(out, "[%llu bytes before this are left out]\n",
		    (unsigned long long)t->n_left_out);
	buf_append(out, t->output.data, t->output.len);
}

static void emit_tool_result(
    struct agent_turn *t, bool is_good, const struct buf *result)
{
	struct draft *d = draft(t, EV_TOOL_RESULT);
	event_str(d, "tool_id", t->command, strlen(t->command));
	event_str(d, "name", "terminal", 8);
	event_str(d, "status", is_good ? "success" : "error", is_good ? 7 : 5);
	event_str(d, "result", result->data ? result->data : "", result->len);
	emit(t);
}

/* ---- acknowledgements ---- */

static void take_ack(struct agent_turn *t, struct buf *text)
{
	struct ack *a = mem_zero(sizeof *a);
	a->after = t->n_emitted;
	a->text = *text;
	*text = (struct buf){0};
	list_append(&t->acks, &a->link);
}

static void free_ack(struct ack *a)
{
	list_remove(&a->link);
	buf_fini(&a->text);
	free(a);
}

static void send_acks(struct agent_turn *t, uint64_t n_written)
{
	list_each_safe(it, &t->acks)
	{
		struct ack *a = list_entry(it, struct ack, link);
		if (a->after > n_written)
			return;
		if (t->conn)
			dialin_send(t->conn, &a->text);
		free_ack(a);
	}
}

static void dialin_on_written(struct agent_turn *t, unsigned n)
{
	t->n_written += n;
	send_acks(t, t->n_written);
}

/* ---- the end ---- */

static void detach(struct agent_turn *t)
{
	list_remove(&t->link);
	if (!t->conn)
		return;
	if (t->is_counted)
		dialin_tell_running(t->conn, -1);
	t->is_counted = false;
	if (t->conn->latest == t)
		t->conn->latest = NULL;
	t->conn = NULL;
}

/* The sink may free the turn: the caller must return. */
static void end_well(struct agent_turn *t, struct span result)
{
	struct buf text = {0};
	if (t->stage == STAGE_ENDED)
		return;
	put_result(t, &text);
	if (t->has_call)
		emit_tool_result(t, true, &text);
	t->stage = STAGE_ENDED;
	if (result.text)
		t->sink->ops->finish(t->sink, result.text, result.len, NULL, 0);
	else
		t->sink->ops->finish(
		    t->sink, text.data ? text.data : "", text.len, NULL, 0);
	buf_fini(&text);
}

static void end_badly(
    struct agent_turn *t, enum err_reason reason, struct span why)
{
	struct buf text = {0}, detail = {0};
	if (t->stage == STAGE_ENDED)
		return;
	put_result(t, &text);
	if (t->has_call)
		emit_tool_result(t, false, &text);
	t->stage = STAGE_ENDED;
	buf_append(&detail, why.text, why.len);
	t->sink->ops->fail(t->sink, reason, buf_cstr(&detail));
	buf_fini(&text);
	buf_fini(&detail);
}

static void fail(struct agent_turn *t, enum err_reason reason, const char *why)
{
	struct draft *d = draft(t, EV_COMMAND_STATUS);
	event_str(d, "status", "failed", 6);
	event_str(d, "error", why, strlen(why));
	emit(t);
	end_badly(t, reason, (struct span){why, strlen(why)});
}

static void end_cancelled(struct agent_turn *t)
{
	static const char text[] = AGENT_INTERRUPTED_RESULT;
	emit_status(t, "cancelled");
	end_well(t, (struct span){text, sizeof text - 1});
}

static void end_silently(struct agent_turn *t)
{
	emit_status(t, "completed");
	end_well(t, (struct span){0});
}

/* ---- sending ---- */

static void count(struct agent_turn *t)
{
	t->is_counted = true;
	dialin_tell_running(t->conn, 1);
}

static void set_timer(struct agent_turn *t, int64_t delay_ms)
{
	loop_timer_set(t->dock->setup.loop, &t->timer, delay_ms);
}

static void watch_silence(struct agent_turn *t)
{
	if (!t->conn->reports_ends && t->is_hosted && !t->is_interrupted)
		set_timer(t, SILENCE_MS);
}

static void on_time(void *arg)
{
	struct agent_turn *t = arg;
	if (t->is_interrupted)
		end_cancelled(t);
	else if (t->conn && !t->conn->reports_ends)
		end_silently(t);
}

static struct span option(
    const struct agent_turn *t, const char *key, enum json_type type)
{
	const struct json *v = json_get(t->options.root, key);
	return json_is(v, type) ? ons_json(t->options.root, key)
				: (struct span){0};
}

static void put_request(
    struct agent_turn *t, struct ons_reader *r, struct buf *out)
{
	struct buf id = {0};
	const struct json *o = t->options.root;
	struct ons_request q = {
	    .command = {t->command, strlen(t->command)},
	    .agent = {t->conn->id, strlen(t->conn->id)},
	    .text = {t->input->prompt, t->input->prompt_len},
	    .args = option(t, "args", JSON_ARRAY),
	    .env = option(t, "env", JSON_OBJECT),
	    .dir = ons_text(r, o, "workingDirectory"),
	    .priority = t->priority,
	    .kind = ons_text(r, o, "type"),
	    .constraints = option(t, "executionConstraints", JSON_OBJECT),
	    .dashboard = ons_text(r, o, "dashboardId"),
	    .user = ons_text(r, o, "userId"),
	};
	if (!q.args.text)
		q.args = option(t, "args", JSON_OBJECT);
	dialin_id(&id);
	ons_put_request(
	    out, (struct span){id.data, id.len}, clock_wall_ms(), &q);
	buf_fini(&id);
}

/*
 * An agent that never reports ends works on what it was given last, and labels
 * all its output so.
 */
static void supersede(struct dialin_conn *c)
{
	struct agent_turn *before = c->latest;
	if (!before || c->reports_ends)
		return;
	c->latest = NULL;
	end_silently(before);
}

static void send_request(struct agent_turn *t)
{
	struct dialin_conn *c = t->conn;
	struct ons_reader r = {0};
	struct buf out = {0};
	(void)buf_reserve(&r.text, t->input->options_len + 1);
	supersede(c);
	emit_call(t);
	emit_status(t, "sent");
	put_request(t, &r, &out);
	t->stage = STAGE_SENT;
	c->latest = t;
	dialin_send(c, &out);
	count(t);
	stat_add(commands_sent, 1);
	watch_silence(t);
	buf_fini(&out);
	ons_reader_fini(&r);
}

static struct agent_turn *turn_of(struct list *l)
{
	return list_entry(l, struct agent_turn, link);
}

/* The most urgent of those that wait, and of these the first. */
static struct agent_turn *next_to_send(struct dialin_conn *c)
{
	struct agent_turn *best = NULL;
	list_each(it, &c->turns)
	{
		struct agent_turn *t = turn_of(it);
		if (t->stage == STAGE_QUEUED &&
		    (!best || t->priority < best->priority ||
			(t->priority == best->priority &&
			    t->input->started_us < best->input->started_us)))
			best = t;
	}
	return best;
}

void dialin_turn_send_all(struct dialin_conn *c)
{
	struct agent_turn *t;
	while (!wire_is_full(c->wire) && (t = next_to_send(c)))
		send_request(t);
}

/* ---- running ---- */

static void attach(struct agent_turn *t, struct dialin_conn *c)
{
	t->conn = c;
	list_append(&c->turns, &t->link);
}

static void send_cancel(struct agent_turn *t)
{
	static const char reason[] = "User requested cancellation";
	struct buf id = {0}, out = {0};
	struct ons_cancel c = {
	    .command = {t->command, strlen(t->command)},
	    .reason = {reason, sizeof reason - 1},
	};
	dialin_id(&id);
	ons_put_cancel(
	    &out, (struct span){id.data, id.len}, clock_wall_ms(), &c);
	dialin_send(t->conn, &out);
	buf_fini(&id);
	buf_fini(&out);
	set_timer(t, CANCEL_MS);
}

/*
 * Whether the agent may have been sent the command: its tool_call is written
 * just before. Without the mark of its start nothing is known.
 */
static bool may_be_sent(const struct agent_turn *t)
{
	return t->is_resumed &&
	       (t->has_call || t->sequence > 0 || !t->has_start);
}

/* Go on with a command that the agent was sent earlier. */
static void resume(struct agent_turn *t)
{
	struct dialin_conn *c = t->conn;
	struct span id = {t->command, strlen(t->command)};
	struct buf key = {0};
	buf_char(&key, '\0');
	buf_append(&key, id.text, id.len);
	buf_char(&key, '\0');
	bool is_active = c->active.len && memmem(c->active.data, c->active.len,
					      key.data, key.len);
	buf_fini(&key);
	t->stage = STAGE_SENT;
	count(t);
	if (c->tells_active && !is_active) {
		/* It may have run: it must not run twice. */
		fail(t, REASON_INTERRUPTED,
		    "the agent has come back without this command");
		return;
	}
	if (!c->latest)
		c->latest = t;
	if (t->is_interrupted)
		send_cancel(t);
	else
		watch_silence(t);
}

static int64_t waited_ms(const struct agent_turn *t)
{
	int64_t since = t->last_us > t->input->started_us
			    ? t->last_us
			    : t->input->started_us;
	return (clock_wall_us() - since) / MICROSECONDS;
}

/* There is no agent here. The turn waits, unless it can end without one. */
static void run_without(struct agent_turn *t)
{
	if (t->is_interrupted && !may_be_sent(t))
		end_cancelled(t);
	else if (waited_ms(t) > t->dock->setup.patience_ms)
		fail(t, REASON_AWAY, "the agent has been away for too long");
	else
		t->sink->ops->leave(t->sink);
}

static void dialin_run(struct agent_turn *t)
{
	struct dialin_conn *c = dialin_dock_conn(t->dock, t->home);
	if (!c) {
		run_without(t);
		return;
	}
	if (!t->is_known) {
		fail(t, REASON_FAILED,
		    "a command with this id runs at this agent");
		return;
	}
	attach(t, c);
	if (may_be_sent(t)) {
		resume(t);
	} else if (t->is_interrupted) {
		end_cancelled(t);
	} else {
		t->stage = STAGE_QUEUED;
		/* The rest of this tick may bring more urgent ones. */
		loop_later_ask(c->dock->setup.loop, &c->send_later);
	}
}

static void dialin_deliver(struct agent_turn *t, const struct event *ev)
{
	if (ev->type != EV_INTERRUPT || t->is_interrupted)
		return; /* a further input begins the next turn */
	t->is_interrupted = true;
	if (t->stage == STAGE_SENT)
		send_cancel(t);
	else if (t->stage == STAGE_QUEUED)
		end_cancelled(t);
}

static void dialin_on_room(struct agent_turn *t)
{
	if (!t->conn || !t->conn->is_paused)
		return;
	t->conn->is_paused = false;
	wire_pause(t->conn->wire, false);
}

/* ---- what is recalled ---- */

static void recall_output(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	const struct json *v = event_fields(ev, &doc, &text);
	struct span content = {0};
	int64_t sequence = ons_int(v, "sequence", 0);
	content.text = json_str(json_get(v, "content"), &scratch, &content.len);
	if (content.text)
		keep(t, content);
	if (sequence > t->sequence)
		t->sequence = sequence;
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&scratch);
}

static void dialin_recall(struct agent_turn *t, const struct event *ev)
{
	t->last_us = ev->time_us;
	if (ev->type == EV_TERMINAL_OUTPUT)
		recall_output(t, ev);
	else if (ev->type == EV_TOOL_CALL)
		t->has_call = true;
	else if (ev->type == EV_START)
		t->has_start = true;
	else if (ev->type == EV_INTERRUPT)
		t->is_interrupted = true;
}

/* ---- beginning and freeing ---- */

/*
 * A client names a command in the options of its input, or by the session that
 * it begins with it.
 */
static void name_command(struct agent_turn *t)
{
	const struct agent_input *in = t->input;
	size_t len = strlen(in->session_id);
	struct span id = {in->session_id, len};
	struct ons_reader r = {0};
	(void)buf_reserve(&r.text, in->options_len + 1);
	struct span chosen = ons_text(&r, t->options.root, "commandId");
	if (!chosen.text && in->turn == 1)
		chosen = id;
	if (ons_is_command_id(chosen)) {
		memcpy(t->command, chosen.text, chosen.len);
		ons_reader_fini(&r);
		return;
	}
	ons_reader_fini(&r);
	(void)snprintf(t->command, sizeof t->command, "cmd-%016llx-%u",
	    (unsigned long long)dialin_home(id.text, len), in->turn);
}

static struct agent_turn *dialin_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);
	struct ons_reader r = {0};
	struct json_error why;
	list_init(&t->link);
	list_init(&t->acks);
	t->dock = a->dock;
	t->input = input;
	t->sink = sink;
	t->home = home_of(a, input->agent);
	t->is_hosted = a->fixed != NULL;
	t->is_resumed = input->is_resumed;
	loop_timer_init(&t->timer, on_time, t);
	if (input->options)
		(void)json_parse(
		    &t->options, input->options, input->options_len, 0, &why);
	name_command(t);
	t->priority =
	    ons_priority_of(&r, json_get(t->options.root, "priority"));
	ons_reader_fini(&r);
	t->is_known = dialin_dock_add(
	    t->dock, t->home, (struct span){t->command, strlen(t->command)}, t);
	return t;
}

static void dialin_free(struct agent_turn **tp)
{
	struct agent_turn *t = *tp;
	*tp = NULL;
	if (!t)
		return;
	loop_timer_stop(t->dock->setup.loop, &t->timer);
	if (t->is_known)
		dialin_dock_remove(t->dock, t->home,
		    (struct span){t->command, strlen(t->command)});
	/* The end is written, and with it all that came before. */
	if (t->stage == STAGE_ENDED)
		send_acks(t, UINT64_MAX);
	list_each_safe(it, &t->acks) free_ack(list_entry(it, struct ack, link));
	detach(t);
	buf_fini(&t->output);
	event_fini(&t->draft);
	json_fini(&t->options);
	free(t);
}

const struct agent_kind dialin_kind = {
    .name = "onsembl",
    .prefix = DIALIN_PREFIX,
    .needs = "the id or name of an agent",
    .usage = "onsembl:ID",
    .flags = AGENT_RESUMES,
    .describe = dialin_describe,
    .open = dialin_open,
    .close = dialin_close,
    .about = dialin_about,
    .home = home_of,
    .place = place_of,
    .patience_ms = patience_of,
    .start = dialin_start,
    .recall = dialin_recall,
    .run = dialin_run,
    .deliver = dialin_deliver,
    .on_room = dialin_on_room,
    .on_written = dialin_on_written,
    .free = dialin_free,
};

/* ---- what the agent says ---- */

struct agent_turn *dialin_turn_of(struct dialin_conn *c, struct span command)
{
	struct agent_turn *t = dialin_dock_turn(c->dock, c->home, command);
	if (!t && c->alias)
		t = dialin_dock_turn(c->dock, c->alias, command);
	if (!t || t->stage != STAGE_SENT || !t->conn)
		return NULL;
	t->speaker = c->connection;
	return t;
}

/*
 * Whether this piece has come before. Numbers of two connections are those of
 * two processes, unless the agent tells which commands it has kept.
 */
static bool is_repeated(struct agent_turn *t, int64_t sequence)
{
	bool is_new_process =
	    t->source != t->speaker && !t->conn->tells_active && sequence == 1;
	t->source = t->speaker;
	if (!sequence)
		return false;
	if (is_new_process)
		t->sequence = 0;
	if (sequence <= t->sequence)
		return true;
	t->sequence = sequence;
	return false;
}

static void answer(struct agent_turn *t, struct buf *ack)
{
	take_ack(t, ack);
	send_acks(t, t->n_written);
}

void dialin_turn_ack(
    struct agent_turn *t, const struct ons_command_ack *a, struct buf *ack)
{
	bool is_running = a->state == ONS_EXECUTING;
	const char *word = is_running ? "executing" : "queued";
	struct draft *d = draft(t, EV_COMMAND_STATUS);
	t->conn->reports_ends = true;
	loop_timer_stop(t->dock->setup.loop, &t->timer);
	event_str(d, "status", word, strlen(word));
	if (a->position > 0)
		event_int(d, "position", a->position);
	emit(t);
	answer(t, ack);
}

void dialin_turn_output(
    struct agent_turn *t, const struct ons_output *o, struct buf *ack)
{
	struct span text = ons_output_text(o);
	if (is_repeated(t, o->sequence)) {
		stat_add(output_repeated, 1);
		answer(t, ack);
		return;
	}
	const char *stream = o->is_stderr ? "stderr" : "stdout";
	struct draft *d = draft(t, EV_TERMINAL_OUTPUT);
	str(d, "content", text);
	event_str(d, "stream", stream, 6);
	if (o->sequence)
		event_int(d, "sequence", o->sequence);
	keep(t, text);
	watch_silence(t);
	emit(t);
	answer(t, ack);
}

void dialin_turn_document(struct agent_turn *t, bool is_trace,
    const struct ons_document *doc, struct buf *ack)
{
	struct draft *d =
	    draft(t, is_trace ? EV_TRACE_EVENT : EV_INVESTIGATION_REPORT);
	event_json(d, is_trace ? "trace" : "report", doc->payload.text,
	    doc->payload.len);
	emit(t);
	answer(t, ack);
}

void dialin_turn_event(
    struct agent_turn *t, const struct ons_event *e, struct buf *ack)
{
	struct json_doc doc = {0};
	struct json_error bad;
	struct err err;
	const struct json *v =
	    json_parse(&doc, e->event.text, e->event.len, 0, &bad);
	if (!is_repeated(t, e->sequence) && v &&
	    event_from_json(&t->draft, t->input->turn, v, &err) == 0)
		emit(t);
	json_fini(&doc);
	answer(t, ack);
}

void dialin_turn_complete(
    struct agent_turn *t, const struct ons_complete *c, struct buf *ack)
{
	static const char *const words[] = {[ONS_COMPLETED] = "completed",
	    [ONS_FAILED] = "failed",
	    [ONS_CANCELLED] = "cancelled"};
	const char *word = words[c->state];
	struct draft *d = draft(t, EV_COMMAND_STATUS);
	t->conn->reports_ends = true;
	event_str(d, "status", word, strlen(word));
	if (c->has_exit_code)
		event_int(d, "exit_code", c->exit_code);
	if (c->duration_ms >= 0)
		event_int(d, "duration_ms", c->duration_ms);
	str(d, "error", c->error);
	emit(t);
	take_ack(t, ack);
	if (c->state == ONS_COMPLETED)
		end_well(t, c->result);
	else if (c->state == ONS_CANCELLED)
		end_well(t, (struct span){AGENT_INTERRUPTED_RESULT,
				sizeof AGENT_INTERRUPTED_RESULT - 1});
	else
		end_badly(t, REASON_FAILED,
		    c->error.text ? c->error : (struct span){"failed", 6});
}

void dialin_turn_lost(struct dialin_conn *c)
{
	struct list *l;
	while ((l = list_shift(&c->turns))) {
		struct agent_turn *t = turn_of(l);
		bool has_ended = t->stage == STAGE_ENDED;
		detach(t);
		if (!has_ended)
			t->sink->ops->leave(t->sink);
	}
}
