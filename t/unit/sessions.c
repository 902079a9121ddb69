/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/sessions.h"

#include <sys/mman.h>

#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "proc/shm.h"
#include "session/all.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#define SLOT 3
#define GENERATION 1

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct registry *reg;
static struct store *store;
static struct sessions *all;
static struct agent_dir *agents;
static bool wants_flush;

/* ---- an agent that does what the test says ---- */

struct agent_turn {
	struct agent_sink *sink;
	int runs;
	int heard; /* stimuli */
	enum event_type last;
};

static struct agent_turn agent;

static struct agent_turn *agent_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	(void)a;
	(void)input;
	agent.sink = sink;
	return &agent;
}

static void agent_run(struct agent_turn *t)
{
	t->runs++;
}

static void agent_deliver(struct agent_turn *t, const struct event *ev)
{
	t->heard++;
	t->last = ev->type;
}

static void agent_free(struct agent_turn **t)
{
	*t = NULL;
}

static const struct agent_about *agent_about(const struct agent *a)
{
	static const struct agent_about about = {.name = "fake"};
	(void)a;
	return &about;
}

static const struct agent_kind kind = {
    .name = "fake",
    .about = agent_about,
    .start = agent_start,
    .run = agent_run,
    .deliver = agent_deliver,
    .on_room = agent_run,
    .free = agent_free,
};

static void agent_says(const char *text)
{
	struct draft d = {0};
	event_begin(&d, EV_ASSISTANT, 1);
	event_str(&d, "content", text, strlen(text));
	(void)agent.sink->ops->emit(agent.sink, &d);
	event_fini(&d);
}

/* ---- a worker ---- */

static void wake(void *arg)
{
	(void)arg; /* settle() looks by itself */
}

static void ask_flush(void *arg)
{
	(void)arg;
	wants_flush = true;
}

static void on_agent_error(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	(void)len;
}

static void open_registry(void)
{
	size_t begins = (sizeof(struct heritage) + 63) / 64 * 64;
	size_t size = begins + HERITAGE_REGISTRY_BYTES(16);
	int fd = shm_create("sessions-test", size);

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->registry_at = begins;
	heritage->registry_bytes = HERITAGE_REGISTRY_BYTES(16);
	heritage->max_sessions = 16;
	atomic_store(&heritage->slots[SLOT].generation, GENERATION);
	reg = registry_new(heritage, true, 1);
}

static void begin(const char *folder)
{
	struct err err;

	conf_init(&conf);
	conf.store_size = 16;
	free(conf.co_dir);
	conf.co_dir = scratch_path("%s", folder);
	(void)mkdir(conf.co_dir, 0700);
	char *logs = scratch_path("%s/logs", folder);
	(void)mkdir(logs, 0700);
	free(logs);
	open_registry();
	store = store_open(&conf, true, &err);
	if (!store)
		abort();
	agents = agent_dir_new(&kind, NULL);
	all = sessions_new(&(struct sessions_setup){
	    .conf = &conf,
	    .heritage = heritage,
	    .store = store,
	    .agents = agents,
	    .slot = SLOT,
	    .generation = GENERATION,
	    .wake = wake,
	    .on_agent_error = on_agent_error,
	    .ask_flush = ask_flush,
	});
	agent = (struct agent_turn){.runs = 0};
}

static void end(void)
{
	sessions_free(&all);
	agent_dir_free(&agents);
	store_close(&store);
	registry_free(&reg);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* Let the worker's loop go on, without a tick, until it has nothing to do. */
static void settle(void)
{
	for (int i = 0; i < 20000; i++) {
		sessions_collect(all);
		if (wants_flush) {
			wants_flush = false;
			sessions_flush(all);
		} else if (!journal_pending(all->journal)) {
			return;
		}
		(void)usleep(500);
	}
}

static struct session *open_session(const char *id)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *s =
	    session_open(all, id, strlen(id), "", &status, &has_record, &err);
	if (!s)
		abort();
	return s;
}

static struct session_receipt told; /* but for its strings */

static void hear_receipt(void *arg, const struct session_receipt *r)
{
	(void)arg;
	told = *r;
}

/* Give an input and wait for its receipt. */
static enum input_outcome give(struct session *s, const char *prompt)
{
	struct session_input in = {.prompt = prompt,
	    .prompt_len = strlen(prompt),
	    .caller = "",
	    .level = "stranger",
	    .may_join = true};
	(void)session_input(s, &in, hear_receipt, NULL);
	settle();
	return told.outcome;
}

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

static void test_growth(void)
{
	struct err err;

	begin("growth");
	struct session *s = open_session("grows");
	is_int(give(s, "hello"), INPUT_STARTED, "an input begins a turn");
	is_int(agent.runs, 1, "its agent runs");
	session_attach(s, &view, session_head(s), on_more, NULL);
	agent_says("hi");
	settle();
	heard(0, "an event of the agent");
	(void)session_interrupt(s, &err);
	settle();
	heard(1, "an interrupt");
	is_int(give(s, "more"), INPUT_ADDED, "an input joins the turn");
	is_int(agent.last, EV_MORE_INPUT, "the agent is given its prompt");
	heard(1, "an input that joined");
	append_elsewhere(s);
	is_int(agent.heard + n_more, 0, "without a bell nobody hears");
	ring_bell(s);
	settle();
	heard(1, "a bell");
	append_elsewhere(s);
	for (int i = 0; i < 3; i++)
		sessions_tick(all);
	settle();
	heard(1, "a bell that was lost, three ticks later");
	agent.sink->ops->finish(agent.sink, "bye", 3, NULL, 0);
	settle();
	heard(0, "the end");
	is_int(session_status(s), SESSION_CONNECTED, "the turn is over");
	session_detach(&view);
	session_close(&s);
	end();
}

int main(void)
{
	test_growth();
	return done();
}
