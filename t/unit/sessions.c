/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/sessions.h"

#include "base/json.h"
#include "core/msg.h"
#include "limits/usage.h"
#include "t/unit/scratch_worker.h"
#include "t/unit/tap.h"

/* ---- who hears that a journal grew ---- */

static int n_more; /* how often the attachment was told */

static void on_more(void *arg)
{
	(void)arg;
	n_more++;
}

static bool pass_over(const struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	return true;
}

static void free_commit(struct commit *c)
{
	journal_commit_free(c);
}

/* An interrupt that another worker has appended. */
static void append_elsewhere(const struct session *s)
{
	struct commit *c =
	    journal_commit(s->number, s->at, session_turn(s), COMMIT_IN_TURN);
	struct draft d = {0};
	event_begin(&d, EV_INTERRUPT, session_turn(s));
	journal_add(c, &d);
	event_fini(&d);
	c->n_stimuli = 1;
	c->done = free_commit;
	journal_push(all->journal, c, false);
	settle();
}

static void ring_bell(const struct session *s)
{
	struct msg m = {.version = MSG_VERSION,
	    .type = MSG_GREW,
	    .a = s->number,
	    .b = session_head(s),
	    .c = s->at};
	sessions_receive(all, &m);
}

static struct attachment view;

/* How often turn and attachment heard since the last call. */
static void heard(int stimuli, const char *what)
{
	is_int(agent.heard, stimuli, "%s: the turn hears %d stimuli", what,
	    stimuli);
	is_int(n_more, 1, "%s: an attachment is told once", what);
	agent.heard = n_more = 0;
	(void)session_read(&view, pass_over, NULL);
}

/* Keeps the newest event: its body and views. */
static struct {
	char body[64];
	uint8_t views;
	enum event_type type;
} newest_event;

static bool keep_newest(const struct event *ev, void *arg)
{
	(void)arg;
	(void)snprintf(newest_event.body, sizeof newest_event.body, "%.*s",
	    (int)ev->body_len, ev->body);
	newest_event.views = ev->views;
	newest_event.type = ev->type;
	return true;
}

static void read_newest(const struct session *s)
{
	const struct session_range range = {.is_backwards = true, .most = 1};
	(void)session_events(s, &range, keep_newest, NULL);
}

static void test_pause(void)
{
	struct err err;

	begin("pause");
	struct session *s = open_session("pauses");
	is_int(session_interrupt(s, SESSION_PAUSE, &err), -1,
	    "a session without a turn cannot be paused");
	(void)give(s, "hello");
	is_int(session_interrupt(s, SESSION_PAUSE, &err), 0,
	    "a turn that runs can be paused");
	settle();
	read_newest(s);
	is_str(newest_event.body, "\"is_pause\":true",
	    "a pause says that it is one");
	is_int(agent.last, EV_INTERRUPT, "a pause interrupts the agent");
	agent_ends();
	settle();
	read_newest(s);
	ok(newest_event.type == EV_DONE && newest_event.views & VIEWS_PAUSED,
	    "the end of a turn that was paused is stored as a pause");
	(void)give(s, "again");
	(void)session_interrupt(s, SESSION_STOP, &err);
	settle();
	read_newest(s);
	is_str(newest_event.body, "", "a stop does not say that it is a pause");
	agent_ends();
	settle();
	read_newest(s);
	is_int(newest_event.views & (VIEWS_PAUSED | VIEWS_STOPPED),
	    VIEWS_STOPPED,
	    "the end of a later turn that was stopped is no pause");
	session_close(&s);
	end();
}

static void test_growth(void)
{
	struct err err;

	begin("growth");
	struct session *s = open_session("grows");
	is_int(give(s, "hello"), INPUT_STARTED, "an input begins a turn");
	is_int(agent.runs, 1, "the agent of a begun turn runs");
	session_attach(s, &view, session_head(s), on_more, NULL);
	agent_says("hi");
	settle();
	heard(0, "an event of the agent");
	(void)session_interrupt(s, SESSION_STOP, &err);
	settle();
	heard(1, "an interrupt");
	is_int(give(s, "more"), INPUT_ADDED, "an input joins the turn");
	is_int(agent.last, EV_MORE_INPUT, "the agent is given its prompt");
	heard(1, "an input that joined");
	append_elsewhere(s);
	is_int(agent.heard + n_more, 0,
	    "events of another worker are not heard before the bell");
	ring_bell(s);
	settle();
	heard(1, "a bell");
	append_elsewhere(s);
	for (int i = 0; i < 3; i++)
		sessions_tick(all);
	settle();
	heard(1, "a bell that was lost, three ticks later");
	agent_ends();
	settle();
	heard(0, "the end");
	is_int(session_status(s), SESSION_CONNECTED,
	    "the session is connected after the end of the turn");
	session_detach(&view);
	session_close(&s);
	end();
}

/* The store has the end of a turn before the loop of its worker learns of it. */
static void test_overtaken(void)
{
	struct err err;
	begin("overtaken");
	struct session *s = open_session("overtaken");
	(void)give(s, "one");
	agent_ends();
	for (int i = 0; i < 20000 && session_status(s) == SESSION_RUNNING; i++)
		(void)usleep(500);
	is_int(give(s, "two"), INPUT_STARTED,
	    "an input begins a turn as soon as the end of the last is stored");
	(void)session_interrupt(s, SESSION_STOP, &err);
	settle();
	is_int(agent.heard, 1,
	    "a turn that began before the last was closed is interrupted");
	agent_ends();
	settle();
	session_close(&s);
	end();
}

static bool take_seq(const struct event *ev, void *arg)
{
	uint64_t *seq = arg;
	*seq = ev->seq;
	return true;
}

static void test_events(void)
{
	uint64_t seq = 0;
	const struct session_range newest = {.is_backwards = true, .most = 1};
	const struct session_range rest = {.from = 2, .most = SIZE_MAX};

	begin("events");
	struct session *s = open_session("events");
	is_int((int64_t)session_events(s, &newest, take_seq, &seq), 0,
	    "a new session has no range of events");
	(void)give(s, "hello");
	agent_says("hi");
	settle();
	uint64_t head = session_head(s);
	is_int((int64_t)session_events(s, &newest, take_seq, &seq),
	    (int64_t)head - 1, "the newest event is one range, the rest comes");
	is_int((int64_t)seq, (int64_t)head, "the newest event is read");
	is_int((int64_t)session_events(s, &rest, take_seq, &seq), 0,
	    "a range to the end goes on nowhere");
	is_int((int64_t)seq, (int64_t)head, "a range ends with the newest");
	session_close(&s);
	end();
}

/* Change the row of an event so that it is no event. */
static void damage(const struct session *s, uint64_t seq)
{
	struct store_key key = store_key2(s->number, seq);
	struct store_txn t;
	struct err err;
	store_write(store, &t, STORE_JOURNAL);
	store_put(&t, TABLE_EVENTS, key.bytes, 16, "damaged", 7);
	if (store_commit(&t, &err) != 0)
		abort();
}

static bool keep_event(const struct event *ev, void *arg)
{
	struct event *kept = arg;
	*kept = *ev; /* but for its texts */
	return true;
}

/* What a client reads that has seen all before the end. */
static struct event read_end(struct session *s)
{
	struct event last = {.type = EV_COUNT};
	session_attach(s, &view, session_head(s) - 1, on_more, NULL);
	while (session_read(&view, keep_event, &last) == READ_GONE)
		;
	session_detach(&view);
	return last;
}

static void test_lost_end(void)
{
	begin("lost-end");
	struct session *s = open_session("lost");
	(void)give(s, "hello");
	agent_ends();
	settle();
	struct event whole = read_end(s);
	ok(whole.type == EV_DONE && views_count(whole.views) == 2,
	    "the end of a turn is read with its views");
	damage(s, session_head(s));
	struct event again = read_end(s);
	is_int(again.type, EV_DONE, "an end that is damaged is rebuilt");
	is_int((int64_t)again.first_view, (int64_t)whole.first_view,
	    "an end that is rebuilt has the numbers that it had");
	session_close(&s);
	end();
}

/* ---- what an input comes to ---- */

/* What may be against an input. */
enum {
	DRAINING = 1,
	CROWDED = 2,
	SPENT = 4,   /* the budget */
	LIMITED = 8, /* limit_runs */
	BUSY = 16,   /* a turn runs */
};

static const struct place_case {
	const char *name;
	unsigned set;
	const char *input_id;
	bool may_join;
	enum input_outcome outcome;
	enum err_code refusal;
} place_cases[] = {
    {"an input begins a turn when nothing is against it", 0, NULL, false,
	INPUT_STARTED, ERR_OK},
    {"a repeated input is answered whatever else holds",
	DRAINING | CROWDED | SPENT | LIMITED, "known", false, INPUT_REPEATED,
	ERR_OK},
    {"a worker that drains says so first", DRAINING | CROWDED | SPENT | BUSY,
	NULL, true, INPUT_REFUSED, ERR_DRAINING},
    {"a worker with max_runs turns refuses even to join one",
	CROWDED | SPENT | BUSY, NULL, true, INPUT_REFUSED, ERR_RUNS},
    {"an input that may not join a running turn is refused", SPENT | BUSY, NULL,
	false, INPUT_REFUSED, ERR_BUSY},
    {"an input joins a running turn whatever its caller has spent",
	SPENT | LIMITED | BUSY, NULL, true, INPUT_ADDED, ERR_OK},
    {"a caller without budget gets no turn", SPENT, NULL, true, INPUT_REFUSED,
	ERR_LIMIT},
    {"a caller with limit_runs turns gets no other", LIMITED, NULL, true,
	INPUT_REFUSED, ERR_LIMIT},
};

/* Let the worker refuse what it can. */
static void restrict_worker(unsigned set)
{
	struct usage_sums sums = {heritage, store};
	const struct usage much = {.tokens = 100};
	if (set & DRAINING)
		sessions_drain(all);
	if (set & CROWDED)
		conf.max_runs = set & BUSY ? 1 : 0;
	if (set & SPENT) {
		conf.limit_tokens = 10;
		(void)usage_add(&sums, "", &much);
	}
}

/* Hold the one turn that limit_runs lets this peer have. */
static void hold_turn(struct limits_held *held)
{
	struct limits_who who = {"", "192.0.2.1", false};
	(void)limits_hold(limits, LIMITS_RUNS, &who, held, NULL);
}

static void test_place(const struct place_case *c)
{
	struct limits_held held = {0};
	char folder[16];

	(void)snprintf(
	    folder, sizeof folder, "place%d", (int)(c - place_cases));
	begin(folder);
	struct session *s = open_session("placed");
	(void)give_named(s, "first", "known", false);
	agent_ends();
	settle();
	if (c->set & BUSY)
		(void)give(s, "long");
	uint32_t turn = atomic_load(&session_entry(s)->turn);
	if (c->set & LIMITED)
		hold_turn(&held);
	restrict_worker(c->set);
	const char *prompt = c->input_id ? "first" : "next";
	is_int(give_named(s, prompt, c->input_id, c->may_join), c->outcome,
	    "%s", c->name);
	is_int(refusal, c->refusal, "%s: the error fits", c->name);
	turn += c->outcome == INPUT_STARTED;
	is_int(atomic_load(&session_entry(s)->turn), turn,
	    "%s: no turn is left begun", c->name);
	session_close(&s);
	limits_drop(limits, &held);
	end();
}

/* An input that joined and that the agent did not take up has the next turn. */
static void test_order(void)
{
	begin("order");
	struct session *s = open_session("ordered");
	(void)give(s, "first");
	is_int(give(s, "second"), INPUT_ADDED, "an input waits for the agent");
	agent_ends();
	settle();
	is_str(agent.prompt, "second",
	    "an input that waited begins the next turn without a tick");
	is_int(give(s, "third"), INPUT_ADDED,
	    "another input waits for the next turn");
	all->is_draining = true;
	agent_ends();
	settle();
	is_int(session_status(s), SESSION_CONNECTED,
	    "a worker that drains begins no turn with it");
	all->is_draining = false;
	is_int(give(s, "fourth"), INPUT_ADDED,
	    "a new input waits behind the one that waited before");
	is_str(agent.prompt, "third",
	    "the older of two waiting inputs has the turn");
	session_close(&s);
	end();
}

/* ---- a process that dies because of another turn ---- */

static void agent_is_interrupted(void)
{
	agent.sink->ops->fail(agent.sink, REASON_INTERRUPTED, "its process");
	settle();
}

static void agent_calls_tool(void)
{
	struct draft d = {0};
	event_begin(&d, EV_TOOL_CALL, 1);
	event_str(&d, "tool_id", "t1", 2);
	event_str(&d, "name", "shell", 5);
	(void)agent.sink->ops->emit(agent.sink, &d);
	event_fini(&d);
	settle();
}

/* Which events a session has, by their names. */
static bool note_name(const struct event *ev, void *arg)
{
	struct buf *names = arg;
	buf_printf(names, "%s%s", names->len ? " " : "", event_name(ev->type));
	return true;
}

static void has_events(struct session *s, const char *names, const char *what)
{
	struct buf found = {0};
	struct attachment reader;
	session_attach(s, &reader, 0, on_more, NULL);
	(void)session_read(&reader, note_name, &found);
	session_detach(&reader);
	is_str(buf_cstr(&found), names, "%s", what);
	buf_fini(&found);
}

static void test_interrupted(void)
{
	begin("interrupted");
	struct session *s = open_session("lost");
	(void)give(s, "first");
	agent_is_interrupted();
	is_int(session_status(s), SESSION_CONNECTED,
	    "a turn whose process another turn ended is over");
	is_int(agent.runs, 1, "a turn that was interrupted is not repeated");
	conf.restart = RESTART_SAFE;
	(void)give(s, "second");
	agent_calls_tool();
	(void)give(s, "more");
	agent = (struct agent_turn){.sink = agent.sink};
	agent_is_interrupted();
	sessions_tick(all);
	is_int(agent.runs, 1, "restart: safe starts an interrupted turn again");
	is_str(agent.prompt, "second", "a repeated turn has its prompt again");
	is_int(agent.heard, 1, "a repeated turn hears again what joined it");
	agent_is_interrupted();
	is_int(agent.runs, 2,
	    "what joined a turn begins the next when that is interrupted");
	is_str(agent.prompt, "more", "a turn is repeated only once");
	agent_ends();
	settle();
	has_events(s,
	    "input start failed "
	    "input start tool_call more_input tool_result start failed "
	    "input start done",
	    "a repeated turn has its events once, and each call its result");
	session_close(&s);
	end();
}

/* What /readyz says agrees with what an input is told. */
static void test_room(void)
{
	struct session_room room;
	conf.max_runs = 2;
	begin("room");
	session_room(all, &room);
	ok(room.has_turns, "a worker at rest has room for a turn");
	all->n_execs = (size_t)conf.max_runs;
	session_room(all, &room);
	ok(!room.has_turns && session_is_crowded(all),
	    "a worker that runs max_runs tool calls has no room for a turn");
	all->n_execs = 0;
	end();
}

/* ---- files ---- */

/* An input with a file, whose receipt is not waited for. */
static void give_file(struct session *s)
{
	static const char text[] = "[{\"name\":\"a\",\"data\":\"eA==\"}]";
	struct json_doc doc = {0};
	struct json_error why;
	struct session_input in = {.prompt = "look",
	    .prompt_len = 4,
	    .files = json_parse(&doc, text, sizeof text - 1, 0, &why),
	    .caller = "",
	    .level = "stranger",
	    .peer = "192.0.2.1"};
	if (!in.files)
		abort();
	told.outcome = INPUT_STARTED;
	refusal = ERR_OK;
	(void)session_input(s, &in, hear_receipt, NULL);
	json_fini(&doc);
}

/* What is accepted or refused only when its files are saved. */
static void test_files(void)
{
	begin("files");
	struct session *s = open_session("files");
	give_file(s);
	ok(sessions_are_busy(all),
	    "a worker that saves the files of an input is busy");
	sessions_drain(all);
	for (int i = 0; i < 20000 && !refusal; i++) {
		settle();
		(void)usleep(500);
	}
	is_int(refusal, ERR_DRAINING,
	    "an input whose files are saved too late is to be sent again");
	ok(!sessions_are_busy(all),
	    "a worker that has refused such an input is not busy");
	give_file(s);
	session_close(&s);
	end();
	is_int(told.outcome, INPUT_STARTED,
	    "a worker that leaves at once tells such an input nothing");
}

int main(void)
{
	for (size_t i = 0; i < sizeof place_cases / sizeof *place_cases; i++)
		test_place(&place_cases[i]);
	test_order();
	test_interrupted();
	test_growth();
	test_pause();
	test_overtaken();
	test_events();
	test_lost_end();
	test_room();
	test_files();
	return done();
}
