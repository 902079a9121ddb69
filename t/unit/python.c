/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The python: agent with a stand-in for its script, which needs no package: its
 * long-lived processes, the zygote, the profile, and describing. co-turn is
 * taken from TOP_BUILDDIR.
 */
#include "agent/python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/python_describe.h"
#include "base/mem.h"
#include "core/conf.h"
#include "net/loop.h"
#include "t/unit/fake_sink.h"
#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

/* No test takes longer. */
#define PATIENCE_MS 20000

/*
 * Serves as the file's name says: "good" answers each prompt, "die" ends after
 * it took its first one, "lose" before that, "broken" cannot be loaded, "stay"
 * is killed once while it loads, "fall" each time.
 */
static const char stand_in[] =
    "import json, os, socket, sys\n"
    "how = sys.argv[-1]\n"
    "about = {'name': how, 'model': 'm', 'tools': ['t'], 'skills': [{}]}\n"
    "if how == 'broken':\n"
    "    sys.exit('Traceback: it is broken')\n"
    "if how == 'fall' or how == 'stay' and not os.path.exists('fell'):\n"
    "    open('fell', 'w').close()\n"
    "    os.kill(os.getpid(), 9)\n"
    "if sys.argv[1] == '--describe':\n"
    "    print(json.dumps(about))\n"
    "    sys.exit(0)\n"
    "if 'shared' in sys.argv:\n"
    "    def frame(number, what):\n"
    "        os.write(1, b'%d %s\\n' % (number, json.dumps(what).encode()))\n"
    "    frame(0, {'type': 'READY', 'state': 'shared', 'why': ' "
    "'.join(sys.argv),"
    " 'about': about})\n"
    "    for line in sys.stdin:\n"
    "        number, task = line.split(' ', 1)\n"
    "        if int(number):\n"
    "            frame(int(number), {'type': 'OUTPUT', 'result':"
    " json.loads(task)['prompt']})\n"
    "    sys.exit(0)\n"
    "s = socket.socket(fileno=os.dup(0))\n"
    "ready = {'state': 'isolated', 'why': 'so', 'about': about}\n"
    "os.write(1, b'READY ' + json.dumps(ready).encode() + b'\\n')\n"
    "while True:\n"
    "    data, fds, _, _ = socket.recv_fds(s, 16, 4)\n"
    "    if not data:\n"
    "        sys.exit(0)\n"
    "    if how == 'lose' and not os.path.exists('lost'):\n"
    "        open('lost', 'w').close()\n"
    "        sys.exit(1)\n"
    "    os.write(1, b'+\\n')\n"
    "    if how == 'die' and not os.path.exists('died'):\n"
    "        open('died', 'w').close()\n"
    "        sys.exit(1)\n"
    "    if os.fork() == 0:\n"
    "        task = json.loads(os.fdopen(fds[0]).readline())\n"
    "        end = {'type': 'OUTPUT', 'result': task['prompt']}\n"
    "        os.write(fds[1], json.dumps(end).encode() + b'\\n')\n"
    "        os.write(fds[3], b'exit 0\\n')\n"
    "        os._exit(0)\n"
    "    for fd in fds:\n"
    "        os.close(fd)\n";

static struct loop *loop;
static struct crew *crew;
static struct conf conf;

/* ---- turns ---- */

enum { TURNS = 40 };

struct test {
	struct sink sinks[TURNS];
	struct agent_turn *turns[TURNS];
	size_t n;
	struct agent *agent;
};

/* Run the loop until the condition holds. */
static bool wait_until(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(loop, PATIENCE_MS, x, is_reached);
}

static bool have_ended(struct test *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->sinks[i].ends)
			return false;
	return true;
}

static void set_agent(const char *file)
{
	struct buf setting = {0};

	buf_printf(&setting, "python:%s", file);
	free(conf.agent);
	conf.agent = buf_steal(&setting, &(size_t){0});
}

static void open_agent(struct test *x, const char *file)
{
	struct err err;

	memset(x, 0, sizeof *x);
	set_agent(file);
	x->agent = python_kind.open(
	    &(struct agent_setup){
		.spec = agent_spec_of(&conf), .loop = loop, .crew = crew},
	    &err);
}

static struct sink *start(struct test *x)
{
	static const struct agent_input in = {
	    .session_id = "s",
	    .turn = 1,
	    .client_turn = 1,
	    .prompt = "hello",
	    .prompt_len = 5,
	};
	size_t i = x->n++;

	sink_init(&x->sinks[i]);
	x->turns[i] = python_kind.start(x->agent, &in, &x->sinks[i].base);
	python_kind.run(x->turns[i]);
	return &x->sinks[i];
}

static void close_agent(struct test *x)
{
	for (size_t i = 0; i < x->n; i++) {
		python_kind.free(&x->turns[i]);
		sink_fini(&x->sinks[i]);
	}
	python_kind.close(&x->agent);
}

static bool is_loaded(struct test *x)
{
	return python_kind.about(x->agent)->tools[0] != NULL;
}

static void test_turns(void)
{
	static struct test x;
	size_t n_good = 0;

	open_agent(&x, "dir/good.py:x");
	ok(strcmp(python_kind.about(x.agent)->name, "good") == 0,
	    "an agent that has not been loaded is called by its file");
	close_agent(&x);
	open_agent(&x, "good");
	for (size_t i = 0; i < TURNS; i++)
		(void)start(&x);
	ok(wait_until(&x, have_ended), "turns wait for the agent to be loaded");
	for (size_t i = 0; i < TURNS; i++)
		n_good += strcmp(buf_cstr(&x.sinks[i].result), "hello") == 0;
	ok(n_good == TURNS, "all turns that waited for the agent are done");
	const struct agent_about *about = python_kind.about(x.agent);
	ok(strcmp(about->tools[0], "t") == 0 &&
		strcmp(about->model, "m") == 0 &&
		strcmp(about->skills, "[{}]") == 0,
	    "the agent is known once it is loaded");
	close_agent(&x);
}

static void test_shared(void)
{
	static struct test x;
	size_t n_good = 0;

	conf.agent_state = STATE_AUTO;
	open_agent(&x, "good");
	is_int(python_kind.load(x.agent), AGENT_LOADING,
	    "a shared agent is being loaded at first");
	for (size_t i = 0; i < TURNS; i++)
		(void)start(&x);
	ok(wait_until(&x, have_ended),
	    "turns wait for a shared agent to be loaded");
	for (size_t i = 0; i < TURNS; i++)
		n_good += strcmp(buf_cstr(&x.sinks[i].result), "hello") == 0;
	ok(n_good == TURNS, "all turns of one process are done");
	ok(strcmp(python_kind.about(x.agent)->model, "m") == 0,
	    "a shared agent is known once it is loaded");
	is_int(python_kind.load(x.agent), AGENT_LOADED,
	    "a shared agent is loaded when a process is ready");
	close_agent(&x);
	open_agent(&x, "broken");
	struct sink *first = start(&x);
	ok(wait_until(&x, have_ended) && first->has_failed,
	    "a turn fails when a shared agent cannot be loaded");
	close_agent(&x);
	conf.agent_state = STATE_ISOLATED;
}

static void test_death(void)
{
	static struct test x;

	open_agent(&x, "die");
	(void)wait_until(&x, is_loaded);
	struct sink *first = start(&x);
	ok(wait_until(&x, have_ended) && first->has_failed &&
		first->reason == REASON_KILLED,
	    "a turn fails with the process that runs it");
	struct sink *second = start(&x);
	ok(wait_until(&x, have_ended) && !second->has_failed,
	    "the next turn is done by the next process");
	close_agent(&x);
}

static void test_lost(void)
{
	static struct test x;

	open_agent(&x, "lose");
	(void)wait_until(&x, is_loaded);
	struct sink *first = start(&x);
	struct sink *second = start(&x);
	ok(wait_until(&x, have_ended) && !first->has_failed &&
		!second->has_failed,
	    "turns that no process began are done by the next one");
	close_agent(&x);
}

static void test_broken(void)
{
	static struct test x;

	open_agent(&x, "broken");
	struct sink *first = start(&x);
	ok(wait_until(&x, have_ended) && first->has_failed,
	    "a turn fails when the agent cannot be loaded");
	struct sink *second = start(&x);
	ok(second->has_failed && second->reason == REASON_SPAWN,
	    "the next turn of a broken agent fails at once: %s",
	    buf_cstr(&second->detail));
	close_agent(&x);
}

static void test_killed(void)
{
	static struct test x;

	open_agent(&x, "stay");
	struct sink *first = start(&x);
	ok(wait_until(&x, have_ended) && !first->has_failed,
	    "a turn waits when a fork server is killed while it loads");
	close_agent(&x);
	open_agent(&x, "fall");
	first = start(&x);
	ok(wait_until(&x, have_ended) && first->has_failed,
	    "a turn fails when that happens twice");
	close_agent(&x);
}

/* ---- describing ---- */

static void test_describe(void)
{
	struct buf out = {0};
	struct err err;

	set_agent("good");
	ok(python_describe(&conf, &out, &err) == 0 &&
		strstr(buf_cstr(&out), "\"name\": \"good\""),
	    "python_describe() gives the name of the agent");
	buf_fini(&out);
	set_agent("broken");
	ok(python_describe(&conf, &out, &err) == -1 && err.code == ERR_CONFIG &&
		strcmp(buf_cstr(&out), "Traceback: it is broken\n") == 0,
	    "python_describe() gives the traceback of a broken file: %s",
	    err.text);
	buf_fini(&out);
	free(conf.python);
	conf.python = mem_strdup("/nonexistent/python");
	int rc = python_describe(&conf, &out, &err);
	ok(rc == -1 && err.code == ERR_CONFIG,
	    "a missing interpreter is no agent: %s", err.text);
	buf_fini(&out);
	free(conf.python);
	conf.python = mem_strdup("python3");
}

static void test_profiles(void)
{
	static const struct {
		const char *json;
		const char *name;
		const char *model;
	} cases[] = {
	    {"", "agent", "unknown"},
	    {"{", "agent", "unknown"},
	    {"[]", "agent", "unknown"},
	    {"{}", "agent", "unknown"},
	    {"{\"name\":7,\"model\":\"m\",\"tools\":{},\"skills\":\"x\"}",
		"agent", "m"},
	    {"{\"name\":\"n\",\"model\":\"m\",\"tools\":[1,\"t\"]}", "n", "m"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct agent_spec spec = {
		    .setting = "python:/a/agent.py:x",
		    .profile = cases[i].json,
		};
		struct agent_about about;
		python_kind.describe(&spec, &about);
		ok(strcmp(about.name, cases[i].name) == 0 &&
			strcmp(about.model, cases[i].model) == 0 &&
			about.tools && !about.skills,
		    "a profile is made of '%s'", cases[i].json);
	}
}

static void write_stand_in(void)
{
	const char *dir = getenv("TOP_BUILDDIR");
	char *script = scratch_path("co-agent-python");
	char *link = scratch_path("co-turn");
	char target[300];

	scratch_write(script, stand_in, sizeof stand_in - 1);
	(void)snprintf(target, sizeof target, "%s/co-turn", dir ? dir : ".");
	char *real = realpath(target, NULL);
	if (!real || symlink(real, link) != 0)
		abort();
	free(real);
	free(script);
	free(link);
}

static void set_up(void)
{
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 16);
	conf.python = mem_strdup("python3");
	conf.agent_profile = mem_strdup("");
	conf.libexec_dir = mem_strdup(scratch_dir());
	conf.project_dir = mem_strdup(scratch_dir());
	conf.agent_line = 65536;
	conf.agent_rate = 200000;
	conf.agent_user = mem_strdup("");
	conf.agent_memory = 512;
	conf.agent_processes = 64;
	conf.max_runs = 64;
	conf.drain_timeout = 30;
	conf.run_timeout = 60;
	conf.interrupt_grace = 5;
	conf.agent_state = STATE_ISOLATED;
	write_stand_in();
}

int main(void)
{
	if (system("python3 -c 'import socket; socket.recv_fds' 2>/dev/null")) {
		skip("no python3 of version 3.9");
		return done();
	}
	set_up();
	test_profiles();
	test_describe();
	test_shared();
	test_turns();
	test_death();
	test_lost();
	test_broken();
	test_killed();
	free(conf.agent);
	free(conf.python);
	free(conf.agent_profile);
	free(conf.libexec_dir);
	free(conf.project_dir);
	return done();
}
