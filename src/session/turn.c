/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "session/activity.h"
#include "session/history.h"
#include "session/record.h"

/* Events given by the agent and not yet written above which it should wait, and
 * how many make a commit of their own before the tick ends. */
#define MAX_UNWRITTEN 2048
#define PUSH_EVENTS 512

/* Bytes of a prompt or result shown in the agent log. */
#define ACTIVITY_TEXT 200

/* Time before an end that could not be written is tried again. */
#define RETRY_MS 500

enum turn_state {
#define STATE(code, doc) TURN_##code,
#define STIMULUS(code, doc)
#define TRANSITION(state, stimulus, action, next)
#include "session/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

enum turn_stimulus {
#define STATE(code, doc)
#define STIMULUS(code, doc) STIM_##code,
#define TRANSITION(state, stimulus, action, next)
#include "session/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

struct turn {
	struct agent_sink sink; /* first: the agent's view of us */
	struct list link;	/* all->turns */
	struct list dirty;	/* all->dirty */
	struct session *session;
	struct session_call *input;
	struct agent_turn *agent;
	struct agent_input told; /* what the agent was given; it borrows this */
	enum turn_state state;
	uint32_t number;
	uint32_t client_turn;
	int64_t started_us;
	int64_t created_ms;
	struct buf before;    /* the conversation as the turn began */
	struct commit *open;  /* events of this tick */
	unsigned n_unwritten; /* events on their way to the journal */
	unsigned n_commits;   /* commits in flight that point to us */
	unsigned n_in_facts;  /* of them in the facts lane */
	bool is_full;	      /* the agent waits for on_room */
	uint64_t cursor;      /* where stimuli were looked for */
	uint64_t stimuli;     /* stimuli seen */
	uint64_t question;    /* pending question's seq, 0: none */
	int64_t asked_ms;
	/* How it ended. */
	bool is_ended;
	bool has_failed;
	enum err_reason reason;
	struct buf result;
	struct buf talk; /* the conversation after it */
	int64_t duration_ms;
	bool is_end_journal_only; /* the facts have the end, or refuse it */
	int64_t retry_at_ms;
};

static void turn_step(struct turn *t, enum turn_stimulus stimulus);

struct turn *turn_of_link(struct list *l)
{
	return list_entry(l, struct turn, link);
}

struct turn *turn_of_dirty(struct list *l)
{
	return list_entry(l, struct turn, dirty);
}

static struct sessions *all_of(const struct turn *t)
{
	return t->session->all;
}

static const struct conf *conf_of(const struct turn *t)
{
	return t->session->all->setup.conf;
}

static void activity(struct turn *t, const char *text, size_t len)
{
	activity_line(all_of(t)->activity, t->session->id, text, len);
}

/* ---- commits ---- */

static struct commit *new_commit(
    struct turn *t, enum commit_rule rule, void (*done)(struct commit *))
{
	struct commit *c =
	    journal_commit(t->session->number, t->session->at, t->number, rule);
	c->done = done;
	c->arg = t;
	return c;
}

/* Behind facts of ours that are in flight, so that events stay in order. */
static void push(struct turn *t, struct commit *c)
{
	t->n_commits++;
	journal_push(all_of(t)->journal, c, t->n_in_facts > 0);
	t->n_in_facts += c->is_in_facts_lane;
}

static void free_turn(struct turn *t)
{
	struct sessions *all = all_of(t);
	list_remove(&t->link);
	list_remove(&t->dirty);
	if (t->open)
		journal_commit_free(t->open);
	if (t->agent)
		all->setup.kind->free(&t->agent);
	buf_fini(&t->before);
	buf_fini(&t->result);
	buf_fini(&t->talk);
	if (t->session->turn == t)
		t->session->turn = NULL;
	all->n_turns--;
	stat_add(runs, -1);
	if (t->input)
		input_free(t->input);
	session_close(&t->session);
	free(t);
}

/* A commit has come back; returns it to the heap. */
static void commit_back(struct turn *t, struct commit *c)
{
	t->n_commits--;
	t->n_in_facts -= c->is_in_facts_lane;
	journal_commit_free(c);
}

/* A turn that is over goes when its last commit is back. */
static void maybe_free(struct turn *t)
{
	if (t->state == TURN_OVER && !t->n_commits)
		free_turn(t);
}

static void end_agent(struct turn *t)
{
	if (t->agent)
		all_of(t)->setup.kind->free(&t->agent);
}

/* ---- events of the agent ---- */

static void on_events(struct commit *c)
{
	struct turn *t = c->arg;
	t->n_unwritten -= c->n_events;
	if (c->outcome == COMMIT_FAILED)
		log_error("session=%s turn=%u: %u events lost: %s",
		    t->session->id, t->number, c->n_events, c->err.text);
	if (c->question_at && c->outcome == COMMIT_OK) {
		t->question = c->first_seq + c->question_at - 1;
		t->asked_ms = clock_mono_ms();
	}
	session_ring(t->session);
	commit_back(t, c);
	if (t->is_full && t->n_unwritten < MAX_UNWRITTEN / 2 && t->agent) {
		t->is_full = false;
		all_of(t)->setup.kind->on_room(t->agent);
	}
	maybe_free(t);
}

void turn_flush(struct turn *t)
{
	struct commit *c = t->open;
	list_remove(&t->dirty);
	if (!c)
		return;
	t->open = NULL;
	push(t, c);
}

static bool is_question(enum event_type type)
{
	return type == EV_ASK_USER || type == EV_APPROVAL_NEEDED ||
	       type == EV_PLAN_REVIEW;
}

static bool sink_emit(struct agent_sink *s, struct draft *d)
{
	struct turn *t = (struct turn *)(void *)s;
	struct sessions *all = all_of(t);
	if (t->is_ended)
		return false;
	if (!t->open) {
		t->open = new_commit(t, COMMIT_IN_TURN, on_events);
		list_append(&all->dirty, &t->dirty);
		all->setup.ask_flush(all->setup.arg);
	}
	journal_add(t->open, d);
	t->n_unwritten++;
	if (is_question(d->type)) {
		t->open->question_at = t->open->n_events;
		t->open->question = d->type;
	}
	if (t->open->n_events >= PUSH_EVENTS)
		turn_flush(t);
	t->is_full = t->n_unwritten >= MAX_UNWRITTEN;
	return !t->is_full;
}

static void sink_log(struct agent_sink *s, const char *text, size_t len)
{
	activity((struct turn *)(void *)s, text, len);
}

/* ---- the end ---- */

static int64_t duration_ms(const struct turn *t)
{
	int64_t us = clock_wall_us() - t->started_us;
	return us > 0 ? us / 1000 : 0;
}

static void fill_history(const struct turn *t, struct history_turn *h)
{
	*h = (struct history_turn){
	    .id = t->session->id,
	    .prompt = t->input->prompt,
	    .prompt_len = t->input->prompt_len,
	    .images = t->input->images,
	    .images_len = t->input->images_len,
	    .result = t->has_failed    ? NULL
		      : t->result.data ? t->result.data
				       : "",
	    .result_len = t->result.len,
	    .turn = t->client_turn,
	    .now_ms = clock_wall_ms(),
	};
}

static void sink_fail(
    struct agent_sink *s, enum err_reason reason, const char *detail);

static void sink_finish(struct agent_sink *s, const char *result, size_t len,
    const char *session, size_t session_len)
{
	struct turn *t = (struct turn *)(void *)s;
	struct history_turn h;
	if (t->is_ended)
		return;
	if (!t->is_end_journal_only)
		buf_append(&t->result, result, len);
	fill_history(t, &h);
	if (session)
		history_adopt(&t->talk, session, session_len, &h);
	else
		history_add(&t->talk, t->before.data, t->before.len, &h);
	size_t most = (size_t)conf_of(t)->max_session;
	if (t->talk.len > most || t->result.len > most) {
		sink_fail(s, REASON_TOO_LARGE,
		    "the conversation or result is over max_session");
		return;
	}
	t->is_ended = true;
	turn_step(t, STIM_FINISH);
}

static void sink_fail(
    struct agent_sink *s, enum err_reason reason, const char *detail)
{
	struct turn *t = (struct turn *)(void *)s;
	if (t->is_ended)
		return;
	t->is_ended = true;
	t->has_failed = true;
	t->reason = reason;
	buf_reset(&t->talk);
	buf_reset(&t->result);
	if (detail) {
		struct buf line = {0};
		buf_printf(&line, "error reason=%s: %s",
		    err_reason_word(reason), detail);
		activity(t, line.data, line.len);
		log_info("session=%s turn=%u: agent error reason=%s: %.200s",
		    t->session->id, t->number, err_reason_word(reason), detail);
		buf_fini(&line);
	}
	turn_step(t, STIM_FINISH);
}

static const struct agent_sink_ops sink_ops = {
    .emit = sink_emit,
    .finish = sink_finish,
    .fail = sink_fail,
    .log = sink_log,
};

static enum record_status end_status(const struct turn *t)
{
	if (!t->has_failed)
		return RECORD_DONE;
	return strcmp(err_reason_status(t->reason), "interrupted") == 0
		   ? RECORD_INTERRUPTED
		   : RECORD_FAILED;
}

static struct store_span span_of(const struct buf *b)
{
	return (struct store_span){b->data ? b->data : "", b->len};
}

static struct store_span span_str(const char *s)
{
	return (struct store_span){s, strlen(s)};
}

static void put_record(
    struct commit *c, const struct turn *t, enum record_status status)
{
	int64_t now = clock_wall_ms();
	struct buf extra = {0};
	struct record r = {
	    .number = t->session->number,
	    .turn = t->number,
	    .client_turn = t->client_turn,
	    .status = status,
	    .created_ms = t->created_ms,
	    .expires_ms = t->created_ms + conf_of(t)->result_ttl * 1000,
	    .updated_ms = now,
	    .started_us = t->started_us,
	    .duration_ms = status == RECORD_RUNNING ? -1 : t->duration_ms,
	    .id = span_str(t->session->id),
	    .caller = span_str(""),
	    .prompt = {t->input->prompt, t->input->prompt_len},
	};
	if (status == RECORD_DONE)
		r.result = span_of(&t->result);
	if (status == RECORD_FAILED || status == RECORD_INTERRUPTED)
		r.reason = span_str(err_reason_word(t->reason));
	input_extra(&extra, t->input, status == RECORD_RUNNING);
	if (extra.len)
		r.extra = span_of(&extra);
	struct store_key key = store_key1(r.number);
	record_encode(journal_put(c, TABLE_SESSIONS, key.bytes, 8), &r);
	buf_fini(&extra);
}

/* Only a turn that the store knows as running may be ended, once. */
static int check_running(struct store_txn *txn, struct commit *c)
{
	struct store_key key = store_key1(c->number);
	struct store_span row;
	struct record r;
	if (!store_get(txn, TABLE_SESSIONS, key.bytes, 8, &row) ||
	    !record_decode(&r, row))
		return 1;
	return r.turn == c->turn && r.status == RECORD_RUNNING ? 0 : 1;
}

static void put_end_facts(struct commit *c, struct turn *t)
{
	struct store_key key = store_key1(c->number);
	enum record_status status = end_status(t);
	put_record(c, t, status);
	if (t->talk.len)
		buf_append(journal_put(c, TABLE_TALKS, key.bytes, 8),
		    t->talk.data, t->talk.len);
	if (t->input->has_id) {
		struct claim claim = {
		    .status = status, .duration_ms = t->duration_ms};
		if (status == RECORD_DONE)
			claim.result = span_of(&t->result);
		else
			claim.reason = span_str(err_reason_word(t->reason));
		input_put_claim(c, t->input, t->number, &claim);
	}
	c->check = check_running;
}

static void add_end_event(struct commit *c, struct turn *t)
{
	struct draft d = {0};
	event_begin(&d, t->has_failed ? EV_FAILED : EV_DONE, t->number);
	if (t->has_failed) {
		const char *word = err_reason_word(t->reason);
		event_str(&d, "reason", word, strlen(word));
	} else {
		event_str(&d, "result", t->result.data, t->result.len);
	}
	event_int(&d, "duration_ms", t->duration_ms);
	journal_add(c, &d);
	event_fini(&d);
}

static void on_end(struct commit *c)
{
	struct turn *t = c->arg;
	enum commit_outcome outcome = c->outcome;
	if (outcome == COMMIT_FAILED && c->has_facts && !c->are_facts_written)
		t->is_end_journal_only = true;
	session_ring(t->session);
	commit_back(t, c);
	turn_step(t, outcome == COMMIT_FAILED ? STIM_RETRY : STIM_ENDED);
	maybe_free(t);
}

static void push_end(struct turn *t)
{
	struct commit *c = new_commit(t, COMMIT_END, on_end);
	if (!t->is_end_journal_only)
		put_end_facts(c, t);
	add_end_event(c, t);
	c->ends_turn_of = all_of(t)->self;
	t->n_commits++;
	t->n_in_facts++;
	journal_push(all_of(t)->journal, c, true);
}

/* ---- the beginning ---- */

static void load_talk(struct turn *t)
{
	struct session *s = t->session;
	struct store_key key = store_key1(s->number);
	struct store_txn txn;
	struct store_span row;
	struct err err;
	const struct buf *mine = &t->input->conversation;
	store_read(s->all->setup.store, &txn, STORE_FACTS);
	if (!store_get(&txn, TABLE_TALKS, key.bytes, 8, &row))
		row = (struct store_span){"", 0};
	if (mine->len)
		(void)history_merge(&t->before, mine->data, mine->len, row.data,
		    row.len, s->id);
	else
		buf_append(&t->before, row.data, row.len);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
	t->client_turn =
	    t->before.len ? history_turn(t->before.data, t->before.len) + 1 : 1;
}

static struct turn *new_turn(
    struct session *s, struct session_call *c, uint32_t number)
{
	struct sessions *all = s->all;
	struct turn *t = mem_zero(sizeof *t);
	t->sink.ops = &sink_ops;
	list_init(&t->dirty);
	list_append(&all->turns, &t->link);
	t->session = session_ref(s);
	t->input = c;
	t->number = number;
	t->started_us = clock_wall_us();
	t->created_ms = t->started_us / 1000;
	t->cursor = session_head(s);
	t->stimuli = atomic_load(&session_entry(s)->stimuli);
	s->turn = t;
	all->n_turns++;
	stat_add(runs, 1);
	return t;
}

static void start_agent(struct turn *t)
{
	const struct session_call *c = t->input;
	struct sessions *all = all_of(t);
	t->told = (struct agent_input){
	    .session_id = t->session->id,
	    .turn = t->number,
	    .client_turn = t->client_turn,
	    .started_us = t->started_us,
	    .prompt = c->prompt,
	    .prompt_len = c->prompt_len,
	    .session = t->before.len ? t->before.data : "{}",
	    .session_len = t->before.len ? t->before.len : 2,
	    .images = c->images,
	    .images_len = c->images_len,
	    .files = c->files,
	    .n_files = c->n_files,
	};
	t->agent = all->setup.kind->start(all->setup.agent, &t->told, &t->sink);
}

static bool is_effect_free(const struct turn *t)
{
	return all_of(t)->setup.kind->flags & AGENT_EFFECT_FREE;
}

static void on_claimed(struct commit *c)
{
	struct turn *t = c->arg;
	enum commit_outcome outcome = c->outcome;
	bool written = c->are_facts_written;
	if (t->input) {
		t->input->receipt.turn = t->number;
		t->input->receipt.seq = c->first_seq;
		t->input->err = c->err;
	}
	if (outcome == COMMIT_OK)
		t->cursor = c->last_seq;
	commit_back(t, c);
	if (outcome == COMMIT_OK)
		turn_step(t, STIM_CLAIMED);
	else if (written)
		turn_step(t, STIM_LOST);
	else
		turn_step(t, STIM_REFUSED);
	if (outcome == COMMIT_OK)
		session_ring(t->session);
	maybe_free(t);
}

static void add_input_event(struct commit *c, const struct turn *t)
{
	const struct session_call *in = t->input;
	struct draft d = {0};
	event_begin(&d, EV_INPUT, t->number);
	event_str(&d, "prompt", in->prompt, in->prompt_len);
	if (in->input_id.len)
		event_str(&d, "input_id", in->input_id.data, in->input_id.len);
	journal_add(c, &d);
	event_fini(&d);
}

static void push_claim(struct turn *t)
{
	struct session *s = t->session;
	struct session_call *in = t->input;
	struct commit *c = new_commit(t, COMMIT_BEGIN, on_claimed);
	struct store_key key = store_key1(s->number);
	buf_append(
	    journal_put(c, TABLE_IDS, s->id, strlen(s->id)), key.bytes, 8);
	put_record(c, t, RECORD_RUNNING);
	if (in->conversation.len)
		buf_append(journal_put(c, TABLE_TALKS, key.bytes, 8),
		    t->before.data, t->before.len);
	if (in->has_id) {
		input_put_claim(c, in, t->number, NULL);
		c->check = input_check_claim;
	}
	add_input_event(c, t);
	push(t, c);
}

void turn_begin(struct session *s, struct session_call *c, uint32_t number)
{
	struct turn *t = new_turn(s, c, number);
	load_talk(t);
	t->state = is_effect_free(t) ? TURN_EAGER : TURN_CLAIMING;
	push_claim(t);
	if (t->state != TURN_EAGER)
		return;
	start_agent(t);
	all_of(t)->setup.kind->run(t->agent);
}

/* ---- actions of states.tbl ---- */

/* A line for people, with the beginning of a text. */
static void activity_text(
    struct turn *t, const char *what, const char *text, size_t len)
{
	struct buf line = {0};
	buf_printf(&line, "turn=%u %s: ", t->number, what);
	buf_append(&line, text, len < ACTIVITY_TEXT ? len : ACTIVITY_TEXT);
	activity(t, line.data, line.len);
	buf_fini(&line);
}

static void do_accept(struct turn *t)
{
	activity_text(t, "Processing", t->input->prompt, t->input->prompt_len);
	t->input->receipt.outcome = INPUT_STARTED;
	input_tell(t->input);
}

static void on_started(struct commit *c)
{
	struct turn *t = c->arg;
	t->n_unwritten -= c->n_events;
	if (c->outcome != COMMIT_OK)
		log_error("session=%s turn=%u: start mark not written",
		    t->session->id, t->number);
	session_ring(t->session);
	commit_back(t, c);
	turn_step(t, STIM_STARTED);
	maybe_free(t);
}

/* The mark goes first: after it, a dead worker's turn counts as having run. */
static void push_mark(struct turn *t)
{
	struct commit *c = new_commit(t, COMMIT_IN_TURN, on_started);
	struct draft d = {0};
	event_begin(&d, EV_START, t->number);
	journal_add(c, &d);
	event_fini(&d);
	t->n_unwritten++;
	push(t, c);
}

static void do_mark(struct turn *t)
{
	push_mark(t);
	do_accept(t);
}

static void do_run(struct turn *t)
{
	start_agent(t);
	all_of(t)->setup.kind->run(t->agent);
}

static void do_refuse(struct turn *t)
{
	struct session_call *c = t->input;
	if (!c->err.code)
		(void)err_set(&c->err, ERR_STORE, NULL);
	c->receipt.err = &c->err;
	c->receipt.outcome = INPUT_REFUSED;
	input_tell(c);
}

/* The claim was refused: an earlier input has it, or the store takes no writes.
 */
static void do_abandon(struct turn *t)
{
	struct sessions *all = all_of(t);
	struct session_call *c = t->input;
	end_agent(t);
	t->is_ended = true;
	registry_end(all->registry, t->session->at, all->self, false);
	t->session->turn = NULL;
	if (c->err.code) {
		do_refuse(t);
		return;
	}
	/* A twin with the same input_id was first: look it up. */
	t->input = NULL;
	input_place(c);
}

static void push_open(struct turn *t)
{
	if (t->open)
		turn_flush(t);
}

static void do_end(struct turn *t)
{
	t->duration_ms = duration_ms(t);
	push_open(t);
	push_end(t);
}

/* Accepted in the facts but not in the journal: end it as failed and refuse. */
static void do_lose(struct turn *t)
{
	end_agent(t);
	t->is_ended = true;
	t->has_failed = true;
	t->reason = REASON_FAILED;
	do_refuse(t);
	do_end(t);
}

static void do_end_again(struct turn *t)
{
	t->retry_at_ms = clock_mono_ms() + RETRY_MS;
}

static void do_close(struct turn *t)
{
	end_agent(t);
	if (!t->has_failed)
		activity_text(t, "Result", t->result.data, t->result.len);
	if (t->has_failed)
		stat_add(runs_failed, 1);
	else
		stat_add(runs_done, 1);
	t->session->turn = NULL;
}

struct transition {
	enum turn_state state;
	enum turn_stimulus stimulus;
	void (*act)(struct turn *t);
	enum turn_state next;
};

static const struct transition transitions[] = {
#define STATE(code, doc)
#define STIMULUS(code, doc)
#define TRANSITION(from, stimulus, action, to) \
	{TURN_##from, STIM_##stimulus, do_##action, TURN_##to},
#include "session/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

static void turn_step(struct turn *t, enum turn_stimulus stimulus)
{
	if (all_of(t)->is_leaving)
		return;
	for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
		const struct transition *x = &transitions[i];
		if (x->state != t->state || x->stimulus != stimulus)
			continue;
		t->state = x->next;
		x->act(t);
		return;
	}
}

/* ---- stimuli ---- */

struct stimulus {
	struct list link;
	struct event ev;
	char text[];
};

static bool is_stimulus(enum event_type type)
{
	return type == EV_MORE_INPUT || type == EV_ANSWER ||
	       type == EV_INTERRUPT;
}

static struct stimulus *copy_event(const struct event *ev)
{
	struct stimulus *s = mem_zero(sizeof *s + ev->id_len + ev->body_len);
	s->ev = *ev;
	s->ev.id = s->text;
	s->ev.body = s->text + ev->id_len;
	memcpy(s->text, ev->id, ev->id_len);
	if (ev->body_len)
		memcpy(s->text + ev->id_len, ev->body, ev->body_len);
	return s;
}

static bool gather_stimulus(const struct event *ev, void *arg)
{
	if (is_stimulus(ev->type))
		list_append(arg, &copy_event(ev)->link);
	return true;
}

/* Whether an answer is for the question that waits; that is then settled. */
static bool settles_question(struct turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	int64_t question = 0;
	const struct json *v = event_fields(ev, &doc, &text);
	(void)json_int(json_get(v, "question"), &question);
	struct entry *e = session_entry(t->session);
	uint64_t waiting = atomic_load(&e->waiting);
	bool fits = question && waiting >> 8 == (uint64_t)question;
	if (fits) {
		atomic_compare_exchange_strong(&e->waiting, &waiting, 0);
		t->question = 0;
	}
	json_fini(&doc);
	buf_fini(&text);
	return fits;
}

static void deliver(struct turn *t, const struct event *ev)
{
	if (!t->agent || t->is_ended)
		return;
	if (ev->type == EV_ANSWER && !settles_question(t, ev))
		return;
	all_of(t)->setup.kind->deliver(t->agent, ev);
}

/* The events are copied out first: agents may act, and a read is open
 * meanwhile. */
void turn_look(struct turn *t)
{
	struct entry *e = session_entry(t->session);
	uint64_t stimuli = atomic_load(&e->stimuli);
	struct list found, *l;
	if (stimuli == t->stimuli || !t->agent)
		return;
	t->stimuli = stimuli;
	list_init(&found);
	while (
	    journal_read(all_of(t)->setup.store, t->session->number, &t->cursor,
		UINT64_MAX, gather_stimulus, &found) == JOURNAL_GONE)
		;
	while ((l = list_shift(&found))) {
		struct stimulus *s = list_entry(l, struct stimulus, link);
		deliver(t, &s->ev);
		free(s);
	}
}

/* ---- taking over ---- */

struct past {
	struct list events;
	unsigned n_starts;
	uint64_t question;
	enum event_type question_type;
	bool is_input_there;
	bool has_end;
	bool end_failed;
};

static bool gather_past(const struct event *ev, void *arg)
{
	struct past *p = arg;
	if (ev->type == EV_INPUT)
		p->is_input_there = true;
	if (ev->type == EV_START)
		p->n_starts++;
	if (event_class(ev->type) == EVENT_TERMINAL) {
		p->has_end = true;
		p->end_failed = ev->type == EV_FAILED;
	}
	list_append(&p->events, &copy_event(ev)->link);
	return true;
}

static void free_past(struct past *p)
{
	struct list *l;
	while ((l = list_shift(&p->events)))
		free(list_entry(l, struct stimulus, link));
}

static void read_past(struct turn *t, struct past *p)
{
	struct sessions *all = all_of(t);
	struct journal_meta meta;
	struct store_txn txn;
	struct err err;
	store_read(all->setup.store, &txn, STORE_JOURNAL);
	(void)journal_meta(&txn, t->session->number, &meta);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
	/* The dead worker may have written more than it could tell. */
	registry_found(all->registry, t->session->at,
	    meta.turn == t->number ? meta.began : 0, meta.last);
	t->cursor = meta.last;
	if (meta.turn != t->number)
		return;
	uint64_t cursor = meta.began - 1;
	while (journal_read(all->setup.store, t->session->number, &cursor,
		   UINT64_MAX, gather_past, p) == JOURNAL_GONE)
		;
	t->cursor = cursor;
}

static void push_input_again(struct turn *t)
{
	struct commit *c = new_commit(t, COMMIT_BEGIN, on_events);
	add_input_event(c, t);
	t->n_unwritten++;
	push(t, c);
}

/* Tell the agent what it did and heard, and which question still waits. */
static void recall_past(struct turn *t, struct past *p)
{
	const struct agent_kind *kind = all_of(t)->setup.kind;
	struct entry *e = session_entry(t->session);
	uint64_t waiting = 0;
	list_each(it, &p->events)
	{
		struct event *ev = &list_entry(it, struct stimulus, link)->ev;
		if (is_question(ev->type)) {
			waiting = ev->seq << 8 | (uint64_t)ev->type;
			atomic_store(&e->waiting, waiting);
		}
		if (ev->type == EV_ANSWER && !settles_question(t, ev))
			continue;
		kind->recall(t->agent, ev);
	}
	t->question = atomic_load(&e->waiting) >> 8;
	t->asked_ms = clock_mono_ms();
}

static void go_on(struct turn *t, struct past *p)
{
	if (!p->is_input_there)
		push_input_again(t);
	t->state = TURN_RUNNING;
	start_agent(t);
	recall_past(t, p);
	all_of(t)->setup.kind->run(t->agent);
}

/* The journal ended it and the facts do not know: the facts follow. */
static void end_as_journal(struct turn *t, struct past *p)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	struct stimulus *last =
	    list_entry(p->events.prev, struct stimulus, link);
	const struct json *v = event_fields(&last->ev, &doc, &text);
	const char *field = p->end_failed ? "reason" : "result";
	size_t n = 0;
	const char *word = json_str(json_get(v, field), &scratch, &n);
	t->state = TURN_RUNNING;
	if (p->end_failed)
		sink_fail(&t->sink, err_reason_of(word, n), NULL);
	else
		sink_finish(&t->sink, word ? word : "", n, NULL, 0);
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&scratch);
}

/* The facts know the end and the journal does not: the journal follows. */
static void end_as_facts(struct turn *t, struct past *p, const struct record *r)
{
	t->is_end_journal_only = true;
	if (r->result.data)
		buf_append(&t->result, r->result.data, r->result.len);
	if (is_effect_free(t)) {
		go_on(t, p); /* its events too may be missing */
		return;
	}
	if (!p->is_input_there)
		push_input_again(t);
	t->state = TURN_RUNNING;
	if (r->status == RECORD_DONE)
		sink_finish(&t->sink, "", 0, NULL, 0);
	else
		sink_fail(&t->sink,
		    err_reason_of(r->reason.data, r->reason.len), NULL);
}

/* Both know the end; only the registry was not told. */
static void end_in_registry(struct turn *t)
{
	struct sessions *all = all_of(t);
	registry_end(all->registry, t->session->at, all->self, true);
	session_ring(t->session);
	free_turn(t);
}

static bool may_start(const struct turn *t, const struct past *p)
{
	/* A journal younger than the input cannot tell whether it was started.
	 */
	bool is_known =
	    t->created_ms >= (int64_t)store_epoch(all_of(t)->setup.store);
	if (is_known && !p->n_starts)
		return true;
	return conf_of(t)->restart == RESTART_SAFE && p->n_starts == 1;
}

void turn_adopt(struct session *s, const struct record *r)
{
	struct turn *t = new_turn(s, input_of_record(s, r), r->turn);
	struct past past = {.is_input_there = false};
	list_init(&past.events);
	t->started_us = r->started_us;
	t->created_ms = r->created_ms;
	load_talk(t);
	t->client_turn = r->client_turn;
	read_past(t, &past);
	t->stimuli = atomic_load(&session_entry(s)->stimuli);
	bool is_settled = r->status != RECORD_RUNNING;
	if (past.has_end && is_settled) {
		end_in_registry(t);
	} else if (past.has_end) {
		end_as_journal(t, &past);
	} else if (is_settled) {
		end_as_facts(t, &past, r);
	} else if (is_effect_free(t)) {
		go_on(t, &past);
	} else if (may_start(t, &past)) {
		if (!past.is_input_there)
			push_input_again(t);
		t->state = TURN_STARTING;
		push_mark(t);
	} else {
		if (!past.is_input_there)
			push_input_again(t);
		t->state = TURN_RUNNING;
		sink_fail(&t->sink, REASON_INTERRUPTED,
		    "the process that ran the turn died");
	}
	free_past(&past);
}

/* ---- time ---- */

static void answer_timeout(struct turn *t)
{
	static const char no[] = "{\"approved\":false,\"scope\":\"once\","
				 "\"mode\":\"reject_hard\"}";
	struct err err;
	log_info("session=%s turn=%u: approval not answered in time",
	    t->session->id, t->number);
	t->question = 0;
	(void)session_answer(
	    t->session, EV_APPROVAL_NEEDED, no, sizeof no - 1, &err);
}

void turn_tick(struct turn *t)
{
	const struct conf *conf = conf_of(t);
	struct entry *e = session_entry(t->session);
	int64_t now = clock_mono_ms();
	if (t->retry_at_ms && now >= t->retry_at_ms) {
		t->retry_at_ms = 0;
		push_end(t);
		return;
	}
	if (!t->agent || t->is_ended)
		return;
	bool is_approval =
	    (atomic_load(&e->waiting) & 0xff) == EV_APPROVAL_NEEDED;
	if (t->question && is_approval &&
	    now - t->asked_ms > conf->approval_timeout * 1000)
		answer_timeout(t);
	if (now - atomic_load(&e->active_ms) <= conf->stuck_timeout * 1000)
		return;
	sink_fail(&t->sink, REASON_STUCK, "no event for stuck_timeout seconds");
	end_agent(t);
}

void turn_leave(struct turn *t)
{
	end_agent(t);
	t->is_ended = true;
	free_turn(t);
}
