/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_SCRATCH_WORKER_H
#define T_UNIT_SCRATCH_WORKER_H

/*
 * The session layer of one worker with a store and a registry of its own, and
 * an agent that does what the test says.
 */
#include "session/sessions.h"

#include <sys/mman.h>

#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "limits/limits.h"
#include "proc/shm.h"
#include "session/session_int.h"
#include "t/unit/scratch.h"

#define SLOT 3
#define GENERATION 1

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct registry *reg;
static struct store *store;
static struct limits *limits;
static struct sessions *all;
static struct agent_dir *agents;
static bool wants_flush;

/* ---- an agent that does what the test says ---- */

struct agent_turn {
	struct agent_sink *sink;
	char prompt[32];
	int runs;
	int heard; /* stimuli */
	enum event_type last;
};

static struct agent_turn agent;

static inline struct agent_turn *agent_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	(void)a;
	(void)snprintf(agent.prompt, sizeof agent.prompt, "%.*s",
	    (int)input->prompt_len, input->prompt);
	agent.sink = sink;
	return &agent;
}

static inline void agent_run(struct agent_turn *t)
{
	t->runs++;
}

static inline void agent_deliver(struct agent_turn *t, const struct event *ev)
{
	t->heard++;
	t->last = ev->type;
}

static inline void agent_free(struct agent_turn **t)
{
	*t = NULL;
}

static inline const struct agent_about *agent_about(const struct agent *a)
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

/* The agent ends its turn. */
static inline void agent_ends(void)
{
	agent.sink->ops->finish(agent.sink, "bye", 3, NULL, 0);
}

static inline void agent_says(const char *text)
{
	struct draft d = {0};
	event_begin(&d, EV_ASSISTANT, 1);
	event_str(&d, "content", text, strlen(text));
	(void)agent.sink->ops->emit(agent.sink, &d);
	event_fini(&d);
}

/* ---- a worker ---- */

static inline void wake(void *arg)
{
	(void)arg; /* settle() looks by itself */
}

static inline void ask_flush(void *arg)
{
	(void)arg;
	wants_flush = true;
}

static inline void on_agent_error(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	(void)len;
}

static inline void open_registry(void)
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

static inline void begin(const char *folder)
{
	struct err err;

	conf_init(&conf);
	conf.store_size = 16;
	conf.limit_runs = conf.limit_peer_runs = 1;
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
	limits = limits_new(&conf, heritage, SLOT, GENERATION);
	all = sessions_new(&(struct sessions_setup){
	    .conf = &conf,
	    .heritage = heritage,
	    .store = store,
	    .agents = agents,
	    .limits = limits,
	    .slot = SLOT,
	    .generation = GENERATION,
	    .wake = wake,
	    .on_agent_error = on_agent_error,
	    .ask_flush = ask_flush,
	});
	agent = (struct agent_turn){.runs = 0};
}

static inline void end(void)
{
	sessions_free(&all);
	agent_dir_free(&agents);
	limits_free(&limits);
	store_close(&store);
	registry_free(&reg);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* Let the worker's loop go on, without a tick, until it has nothing to do. */
static inline void settle(void)
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

static inline struct session *open_session(const char *id)
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
static enum err_code refusal;	    /* ERR_OK: it was not refused */

static inline void hear_receipt(void *arg, const struct session_receipt *r)
{
	(void)arg;
	told = *r;
	refusal = r->outcome == INPUT_REFUSED ? r->err->code : ERR_OK;
}

/* Give an input, of this name if there is one, and wait for its receipt. */
static inline enum input_outcome give_named(
    struct session *s, const char *prompt, const char *name, bool may_join)
{
	struct session_input in = {.prompt = prompt,
	    .prompt_len = strlen(prompt),
	    .input_id = name,
	    .input_id_len = name ? strlen(name) : 0,
	    .caller = "",
	    .level = "stranger",
	    .peer = "192.0.2.1",
	    .may_join = may_join};
	(void)session_input(s, &in, hear_receipt, NULL);
	settle();
	return told.outcome;
}

static inline enum input_outcome give(struct session *s, const char *prompt)
{
	return give_named(s, prompt, NULL, true);
}

#endif
