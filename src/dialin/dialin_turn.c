/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_turn.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/stat.h"
#include "core/stimulus_line.h"
#include "dialin/dialin_cmd.h"
#include "dialin/dialin_queue.h"
#include "net/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A command that was cancelled, and does not end, ends after this. */
#define CANCEL_MS 10000

#define MICROSECONDS 1000

struct agent {
	struct dialin_dock *dock;
	struct agent_about about;
	const char *fixed; /* the id or name it always is; NULL: by input */
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

static void dialin_on_written(struct agent_turn *t, unsigned n)
{
	t->n_written += n;
	dialin_cmd_send_acks(t, t->n_written);
}

/* ---- sending ---- */

static void be_silent(struct agent_turn *t)
{
	if (t->is_hosted)
		dialin_cmd_end_silently(t);
	else
		dialin_cmd_count(t, false);
}

static void on_time(void *arg)
{
	struct agent_turn *t = arg;
	if (t->is_interrupted)
		dialin_cmd_end_cancelled(t);
	else if (t->conn && !t->conn->reports_ends)
		be_silent(t);
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
	dialin_cmd_end_silently(before);
}

static void send_request(struct agent_turn *t)
{
	struct dialin_conn *c = t->conn;
	struct ons_reader r = {0};
	struct buf out = {0};
	(void)buf_reserve(&r.text, t->input->options_len + 1);
	supersede(c);
	dialin_cmd_call(t);
	dialin_cmd_status(t, "sent");
	put_request(t, &r, &out);
	t->stage = STAGE_SENT;
	c->latest = t;
	dialin_send(c, &out);
	dialin_cmd_count(t, true);
	stat_add(commands_sent, 1);
	dialin_cmd_watch(t);
	buf_fini(&out);
	ons_reader_fini(&r);
}

static struct agent_turn *turn_of(struct list *l)
{
	return list_entry(l, struct agent_turn, link);
}

void dialin_turn_send_all(struct dialin_conn *c)
{
	struct agent_turn *t;
	while (!wire_is_full(c->wire) && (t = dialin_queue_next(c)))
		send_request(t);
	dialin_queue_tell(c);
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
	dialin_cmd_set_timer(t, CANCEL_MS);
}

/* line is one of co-agent(7), with the end of line that it has there. */
static void send_stimulus(
    struct agent_turn *t, const struct buf *line, int64_t asked)
{
	struct buf id = {0}, out = {0};
	struct ons_stimulus s = {
	    .command = {t->command, strlen(t->command)},
	    .stimulus = {line->data, line->len - 1},
	    .asked = asked,
	};
	dialin_id(&id);
	ons_put_stimulus(
	    &out, (struct span){id.data, id.len}, clock_wall_ms(), &s);
	dialin_send(t->conn, &out);
	buf_fini(&id);
	buf_fini(&out);
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
	dialin_cmd_count(t, true);
	if (c->tells_active && !is_active) {
		/* It may have run: it must not run twice. */
		dialin_cmd_fail(t, REASON_INTERRUPTED,
		    "the agent has come back without this command");
		return;
	}
	if (!c->latest)
		c->latest = t;
	if (t->is_interrupted)
		send_cancel(t);
	else
		dialin_cmd_watch(t);
	/* It may have been sent; the agent knows whether it still waits. */
	if (t->answer.len && !t->is_interrupted)
		send_stimulus(t, &t->answer, t->asked);
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
		dialin_cmd_end_cancelled(t);
	else if (waited_ms(t) > t->dock->setup.patience_ms)
		dialin_cmd_fail(
		    t, REASON_AWAY, "the agent has been away for too long");
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
		dialin_cmd_fail(t, REASON_FAILED,
		    "a command with this id runs at this agent");
		return;
	}
	attach(t, c);
	if (may_be_sent(t)) {
		resume(t);
	} else if (t->is_interrupted) {
		dialin_cmd_end_cancelled(t);
	} else {
		t->stage = STAGE_QUEUED;
	}
	/* The rest of this tick may bring more urgent ones. */
	loop_later_ask(c->dock->setup.loop, &c->send_later);
}

/* Further input that the agent does not take up begins the next turn. */
static void tell(struct agent_turn *t, const struct event *ev)
{
	struct buf line = {0};
	if (t->says_events && t->stage == STAGE_SENT && t->conn &&
	    stimulus_line(&line, ev))
		send_stimulus(t, &line, ev->type == EV_ANSWER ? t->asked : 0);
	buf_fini(&line);
}

static void stop(struct agent_turn *t)
{
	t->is_interrupted = true;
	if (t->stage == STAGE_SENT)
		send_cancel(t);
	else if (t->stage == STAGE_QUEUED)
		dialin_cmd_end_cancelled(t);
}

static void dialin_deliver(struct agent_turn *t, const struct event *ev)
{
	if (t->is_interrupted)
		return;
	if (ev->type != EV_INTERRUPT) {
		tell(t, ev);
		return;
	}
	stop(t);
}

static void dialin_on_room(struct agent_turn *t)
{
	if (!t->conn || !t->conn->is_paused)
		return;
	t->conn->is_paused = false;
	dialin_read_on(t->conn);
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
		dialin_cmd_keep(t, content);
	if (sequence > t->sequence)
		t->sequence = sequence;
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&scratch);
}

/* What it said by AGENT_EVENT, and will repeat if it got no ACK. */
static void recall_event(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *v = event_fields(ev, &doc, &text);
	int64_t sequence = ons_int(v, DIALIN_SEQUENCE, 0);
	if (sequence > t->sequence)
		t->sequence = sequence;
	if (sequence > 0)
		t->says_events = true;
	if (dialin_cmd_is_question(ev->type)) {
		t->asked = sequence;
		t->question = ev->seq;
		buf_reset(&t->answer);
	}
	json_fini(&doc);
	buf_fini(&text);
}

static void recall_answer(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *v = event_fields(ev, &doc, &text);
	int64_t question = ons_int(v, "question", 0);
	if (!t->answer.len && t->question && (uint64_t)question == t->question)
		(void)stimulus_line(&t->answer, ev);
	json_fini(&doc);
	buf_fini(&text);
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
	else if (ev->type == EV_ANSWER)
		recall_answer(t, ev);
	if (event_class(ev->type) == EVENT_STREAM)
		recall_event(t, ev);
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
		dialin_cmd_send_acks(t, UINT64_MAX);
	dialin_cmd_free_acks(t);
	dialin_cmd_detach(t);
	buf_fini(&t->output);
	buf_fini(&t->answer);
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

/* ---- all turns of a connection ---- */

void dialin_turn_stop_all(struct dialin_conn *c)
{
	list_each_safe(it, &c->turns)
	{
		struct agent_turn *t = turn_of(it);
		if (!t->is_interrupted)
			stop(t);
	}
}

void dialin_turn_lost(struct dialin_conn *c)
{
	struct list *l;
	while ((l = list_shift(&c->turns))) {
		struct agent_turn *t = turn_of(l);
		bool has_ended = t->stage == STAGE_ENDED;
		dialin_cmd_detach(t);
		if (!has_ended)
			t->sink->ops->leave(t->sink);
	}
}
