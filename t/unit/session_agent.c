/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A session is with one agent of the directory, whom its record names: the
 * session layer with its store and registry, and agents that say their names.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "proc/shm.h"
#include "journal/registry.h"
#include "session/session.h"
#include "session/sessions.h"
#include "store/store.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#define DEADLINE_MS 20000

/* ---- an agent that answers with its name ---- */

struct agent {
	struct agent_about about;
};

struct agent_turn {
	struct agent *agent;
	struct agent_sink *sink;
};

static const struct agent_about *about_of(const struct agent *a)
{
	return &a->about;
}

static struct agent_turn *new_turn(struct agent *a, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);
	t->agent = a;
	t->sink = sink;
	return t;
}

static struct agent_turn *start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	(void)input;
	return new_turn(a, sink);
}

static struct agent_turn *exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	(void)x;
	return new_turn(a, sink);
}

static struct session *current; /* in which something was said, or NULL */
static char before[64];		/* the types of its events at that time */

static bool note_type(const struct event *ev, void *arg)
{
	size_t n = strlen(before);
	(void)arg;
	(void)snprintf(before + n, sizeof before - n, "%s%s", n ? " " : "",
	    event_name(ev->type));
	return true;
}

static void ignore(void *arg)
{
	(void)arg;
}

static void read_before(void)
{
	struct attachment view;
	*before = '\0';
	session_attach(current, &view, 0, ignore, NULL);
	(void)session_read(&view, note_type, NULL);
	session_detach(&view);
}

static void run_turn(struct agent_turn *t)
{
	const char *name = t->agent->about.name;
	if (current)
		read_before();
	t->sink->ops->finish(t->sink, name, strlen(name), NULL, 0);
}

static void deliver(struct agent_turn *t, const struct event *ev)
{
	(void)t;
	(void)ev;
}

static void on_room(struct agent_turn *t)
{
	(void)t;
}

static void free_turn(struct agent_turn **t)
{
	free(*t);
	*t = NULL;
}

static const struct agent_kind kind = {.name = "fake",
    .about = about_of,
    .start = start,
    .exec = exec,
    .run = run_turn,
    .deliver = deliver,
    .on_room = on_room,
    .free = free_turn};
static struct agent first = {{.name = "first"}}, second = {{.name = "second"}};

/* ---- a worker without loop and doors ---- */

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct registry *registry;
static struct store *store;
static struct agent_dir *agents;
static struct sessions *sessions;

static void nothing(void *arg)
{
	(void)arg; /* we go round all the time */
}

static void on_agent_error(void *arg, const char *text, size_t len)
{
	(void)arg;
	printf("# agent: %.*s\n", (int)len, text);
}

static void go_round(void)
{
	sessions_collect(sessions);
	sessions_flush(sessions);
	sessions_tick(sessions);
	(void)usleep(1000);
}

static void open_shared(void)
{
	size_t begins = (sizeof(struct heritage) + 63) / 64 * 64;
	size_t size = begins + HERITAGE_REGISTRY_BYTES(16);
	int fd = shm_create("session-agent-test", size);
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->registry_at = begins;
	heritage->registry_bytes = HERITAGE_REGISTRY_BYTES(16);
	heritage->max_sessions = 16;
	atomic_store(&heritage->slots[0].generation, 1);
	registry = registry_new(heritage, true, 1);
}

static void begin(bool has_second)
{
	struct err err;
	agents = agent_dir_new(&kind, &first);
	if (has_second &&
	    agent_dir_add(agents, "two", &kind, &second, &err) != 0)
		abort();
	struct sessions_setup setup = {.conf = &conf,
	    .heritage = heritage,
	    .store = store,
	    .agents = agents,
	    .generation = 1,
	    .wake = nothing,
	    .on_agent_error = on_agent_error,
	    .ask_flush = nothing};
	sessions = sessions_new(&setup);
}

static void end(void)
{
	sessions_free(&sessions);
	agent_dir_free(&agents);
}

static void open_all(void)
{
	struct err err;
	conf_init(&conf);
	conf.store_size = 16;
	free(conf.co_dir);
	conf.co_dir = scratch_path("co");
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	open_shared();
	store = store_open(&conf, true, &err);
	if (!store)
		abort();
}

static void close_all(void)
{
	store_close(&store);
	registry_free(&registry);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* ---- speaking ---- */

/* What came of an input. */
struct got {
	bool is_told;
	enum input_outcome outcome;
	char text[512]; /* of a refusal */
	char answer[64];
	char reason[64];
};

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct got *got = arg;
	got->is_told = true;
	got->outcome = r->outcome;
	if (r->err)
		(void)snprintf(got->text, sizeof got->text, "%s", r->err->text);
}

static struct session *open_session(const char *id)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *s = session_open(
	    sessions, id, strlen(id), "", &status, &has_record, &err);
	if (!s)
		abort();
	return s;
}

static void read_end(struct got *got, const char *id)
{
	struct session_record r;
	struct buf mem = {0};
	struct err err;
	if (session_get(sessions, id, strlen(id), &mem, &r, &err) == 0) {
		(void)snprintf(got->answer, sizeof got->answer, "%.*s",
		    (int)r.result_len, r.result ? r.result : "");
		(void)snprintf(got->reason, sizeof got->reason, "%s", r.reason);
	}
	buf_fini(&mem);
}

/* Say something in a session, wait for the end of the turn, and read it. */
static struct got say(const char *id, const char *agent)
{
	struct got got = {0};
	struct session *s = current = open_session(id);
	struct session_input in = {.prompt = "hello",
	    .prompt_len = 5,
	    .caller = "",
	    .level = "",
	    .agent = agent};
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	(void)session_input(s, &in, on_receipt, &got);
	while (clock_mono_ms() < until &&
	       (!got.is_told || session_status(s) == SESSION_RUNNING))
		go_round();
	read_end(&got, id);
	current = NULL;
	session_close(&s);
	return got;
}

static void on_tool(void *arg, const struct session_exec_result *r)
{
	struct got *got = arg;
	got->is_told = true;
	(void)snprintf(
	    got->answer, sizeof got->answer, "%.*s", (int)r->len, r->text);
}

static struct got call_tool(const char *id)
{
	struct got got = {0};
	struct session *s = open_session(id);
	struct session_tool tool = {.name = "x", .args = "{}", .args_len = 2};
	struct err err;
	if (!session_exec(s, &tool, on_tool, &got, &err))
		(void)snprintf(got.text, sizeof got.text, "%s", err.text);
	for (int i = 0; i < 1000 && !got.is_told && !*got.text; i++)
		go_round();
	session_close(&s);
	return got;
}

static void test_new_sessions(void)
{
	struct got got = say("plain", NULL);
	is_int(got.outcome, INPUT_STARTED, "an input that names nobody starts");
	is_str(got.answer, "first", "the default runs it");
	is_str(before, "input start",
	    "an agent with effects starts when the journal says that it does");
	got = say("empty", "");
	is_str(got.answer, "first", "an empty name is the default");
	got = say("named", "two");
	is_str(got.answer, "second", "an agent that an input names runs it");
	got = say("wrong", "three");
	ok(got.outcome == INPUT_REFUSED && !*got.answer,
	    "an input that names an agent that is not there is refused");
	is_str(got.text, "there is no agent 'three'",
	    "the refusal names that agent");
}

static void test_later_turns(void)
{
	struct got got = say("named", NULL);
	is_str(got.answer, "second",
	    "a session stays with its agent when an input names nobody");
	got = say("plain", "two");
	is_str(got.answer, "first",
	    "a session stays with its agent when an input names another");
}

static void test_tools(void)
{
	is_str(call_tool("named").answer, "second",
	    "a tool is called of the agent of the session");
	is_str(call_tool("plain").answer, "first",
	    "a tool is called of the default in other sessions");
}

static void test_gone(void)
{
	struct got got = say("named", NULL);
	ok(got.outcome == INPUT_STARTED && !*got.answer,
	    "no other agent runs the turns of one that is gone");
	is_str(got.reason, "spawn", "such a turn fails");
	ok(*call_tool("named").text, "no other agent calls its tools");
	is_str(say("plain", NULL).answer, "first",
	    "sessions of the default go on");
}

int main(void)
{
	open_all();
	begin(true);
	test_new_sessions();
	test_later_turns();
	test_tools();
	end();
	begin(false);
	test_gone();
	end();
	begin(true);
	is_str(say("named", NULL).answer, "second",
	    "a session finds its agent again when it is back");
	end();
	close_all();
	return done();
}
