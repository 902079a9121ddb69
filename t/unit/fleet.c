/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Processes with many turns, under the real co-turn: t/agents/frames.py does
 * what the prompts say. What clients see of them is in t/50-persistent.t.
 */
#include "agent/fleet.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/exec.h"
#include "runner/runner.h"
#include "base/mem.h"
#include "core/conf.h"
#include "net/loop.h"
#include "t/unit/fake_sink.h"
#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

/* No test takes longer. */
#define PATIENCE_MS 20000

/* How long nothing is seen to happen. */
#define A_WHILE_MS 200

static struct loop *loop;
static struct crew *crew;
static struct conf conf;
static struct agent *agent;

/* ---- one turn ---- */

struct test {
	struct sink sink;
	struct agent_input input;
	struct agent_turn *turn;
};

static bool wait_until(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(loop, PATIENCE_MS, x, is_reached);
}

static bool happens_soon(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(loop, A_WHILE_MS, x, is_reached);
}

static bool has_end(struct test *x)
{
	return x->sink.ends > 0;
}

static bool is_loaded(struct test *x)
{
	(void)x;
	return exec_kind.load(agent) == AGENT_LOADED;
}

static bool is_broken(struct test *x)
{
	(void)x;
	return exec_kind.load(agent) == AGENT_BROKEN;
}

/* An event of this type has come. */
static bool has_event(struct test *x, const char *type)
{
	for (size_t i = 0; i < x->sink.n; i++)
		if (sink_has(&x->sink, i, type))
			return true;
	return false;
}

static bool has_begun(struct test *x)
{
	return has_event(x, "begun");
}

/* Open the agent with options of frames.py. */
static void open_agent(const char *options)
{
	struct err err;
	struct buf setting = {0};
	const char *sources = getenv("TOP_SRCDIR");

	buf_printf(&setting, "exec:exec python3 %s/t/agents/frames.py %s",
	    sources ? sources : ".", options);
	free(conf.agent);
	conf.agent = buf_steal(&setting, NULL);
	agent = exec_kind.open(
	    &(struct agent_setup){
		.spec = agent_spec_of(&conf), .loop = loop, .crew = crew},
	    &err);
}

static void start(struct test *x, const char *prompt)
{
	*x = (struct test){.input = sink_input(prompt)};
	sink_init(&x->sink);
	x->turn = exec_kind.start(agent, &x->input, &x->sink.base);
}

static void run(struct test *x, const char *prompt)
{
	start(x, prompt);
	exec_kind.run(x->turn);
}

static void end(struct test *x)
{
	exec_kind.free(&x->turn);
	sink_fini(&x->sink);
}

static void interrupt(struct test *x)
{
	exec_kind.deliver(x->turn, &(struct event){.type = EV_INTERRUPT});
}

static void go_on(struct test *x)
{
	x->sink.room = SIZE_MAX;
	exec_kind.on_room(x->turn);
}

/* The process that a turn ran in: "hi PID". */
static int pid_of(struct test *x)
{
	int pid = 0;

	(void)sscanf(buf_cstr(&x->sink.result), "hi %d", &pid);
	return pid;
}

/* Run a turn to its end. Returns the id of its process. */
static int ask_pid(void)
{
	struct test x;

	run(&x, "hi");
	(void)wait_until(&x, has_end);
	int pid = pid_of(&x);
	end(&x);
	return pid;
}

static bool has_failed(struct test *x, enum err_reason reason)
{
	if (!wait_until(x, has_end) || !x->sink.has_failed ||
	    x->sink.reason != reason)
		fprintf(stderr, "# reason %s: %s\n",
		    x->sink.ends ? err_reason_word(x->sink.reason) : "none",
		    buf_cstr(&x->sink.detail));
	return x->sink.has_failed && x->sink.reason == reason;
}

static bool has_result(struct test *x, const char *result)
{
	return wait_until(x, has_end) && !x->sink.has_failed &&
	       strcmp(buf_cstr(&x->sink.result), result) == 0;
}

#define FOREVER "[\"until\",\"/nonexistent\"]"
#define BEGUN "{\"type\":\"begun\"}"

/* ---- back-pressure ---- */

/* Ten megabytes of events that wait for room. */
static void test_credit(const char *how, bool is_held)
{
	struct test slow, other;
	struct buf prompt = {0};

	open_agent("");
	buf_printf(&prompt, "[[\"%s\",1000,10000]]", how);
	start(&slow, buf_cstr(&prompt));
	slow.sink.room = 3;
	exec_kind.run(slow.turn);
	(void)wait_until(&slow, is_loaded);
	(void)happens_soon(&slow, has_end);
	ok(slow.sink.n == 3, "%s: a full sink gets no more events", how);
	run(&other, "hi");
	if (is_held)
		ok(!happens_soon(&other, has_end),
		    "%s: a turn that exceeds its credit holds up the others",
		    how);
	else
		ok(wait_until(&other, has_end) && pid_of(&other),
		    "%s: a turn without credit does not hold up the others",
		    how);
	go_on(&slow);
	ok(has_result(&slow, "done") && slow.sink.n == 1002,
	    "%s: a turn that got room loses no event", how);
	ok(wait_until(&other, has_end) && pid_of(&other),
	    "%s: the other turn of the process ends well", how);
	end(&slow);
	end(&other);
	exec_kind.close(&agent);
	buf_fini(&prompt);
}

/* Its last line needs credit, too. */
static void test_interrupt_without_credit(void)
{
	struct test slow;

	open_agent("");
	int pid = ask_pid();
	start(&slow, "[[\"write\",1000,10000]]");
	slow.sink.room = 3;
	exec_kind.run(slow.turn);
	(void)happens_soon(&slow, has_end);
	interrupt(&slow);
	(void)happens_soon(&slow, has_end);
	pass_ms(conf.interrupt_grace * 1000);
	ok(wait_until(&slow, has_end) && !slow.sink.has_failed,
	    "a turn that waits for credit can be interrupted");
	end(&slow);
	ok(ask_pid() == pid,
	    "a turn that waited for credit does not cost the process");
	exec_kind.close(&agent);
}

/* ---- turns that are left ---- */

static void test_close(void)
{
	struct test x, other;

	open_agent("");
	run(&other, "[" FOREVER "]");
	run(&x, "[" BEGUN "," FOREVER "]");
	ok(wait_until(&x, has_begun), "a turn begins that will be freed");
	end(&x);
	int pid = ask_pid();
	(void)happens_soon(&other, has_end);
	pass_ms(conf.interrupt_grace * 1000);
	ok(!happens_soon(&other, has_end) && ask_pid() == pid,
	    "a turn that is freed costs neither its process nor other turns");
	end(&other);
	exec_kind.close(&agent);
}

static void test_close_deaf(void)
{
	struct test x, other;

	open_agent("");
	run(&x, "[\"deaf\"," BEGUN "," FOREVER "]");
	run(&other, "[" BEGUN "," FOREVER "]");
	ok(wait_until(&x, has_begun) && wait_until(&other, has_begun),
	    "two turns begin of which one will be freed");
	int pid = ask_pid();
	end(&x);
	pass_ms(conf.interrupt_grace * 1000);
	(void)happens_soon(&other, has_end);
	int next = ask_pid();
	ok(next && next != pid,
	    "a freed turn that does not stop costs its process");
	ok(!other.sink.ends, "other turns of such a process go on");
	pass_ms(conf.drain_timeout * 1000);
	ok(has_failed(&other, REASON_INTERRUPTED),
	    "after drain_timeout they end as interrupted");
	end(&other);
	exec_kind.close(&agent);
}

/* ---- waiting for a process ---- */

static void test_waiting(void)
{
	struct test x, y, z;
	char *path = scratch_path("go");
	struct buf options = {0};

	buf_printf(&options, "--slow %s", path);
	open_agent(buf_cstr(&options));
	run(&x, "[\"listen\"]");
	run(&y, "hi");
	run(&z, "hi");
	exec_kind.deliver(x.turn, &(struct event){.type = EV_MORE_INPUT,
				      .id = "id-1",
				      .id_len = 4,
				      .body = "\"prompt\":\"more\"",
				      .body_len = 15});
	ok(!happens_soon(&x, has_end) && exec_kind.load(agent) == AGENT_LOADING,
	    "turns wait while the agent is loaded");
	exec_kind.free(&y.turn);
	interrupt(&z);
	pass_ms(conf.interrupt_grace * 1000);
	ok(has_result(&z, AGENT_INTERRUPTED_RESULT),
	    "a waiting turn can be interrupted");
	scratch_write(path, "", 0);
	ok(has_result(&x, "done") && has_event(&x, "id-1"),
	    "a turn that waited gets all its lines, in order");
	ok(!y.sink.ends, "a waiting turn that was freed is told nothing");
	end(&x);
	end(&y);
	end(&z);
	exec_kind.close(&agent);
	buf_fini(&options);
	free(path);
}

static void test_too_many(void)
{
	static struct test x[FLEET_WAITING_MAX + 1];

	open_agent("--slow /nonexistent");
	for (size_t i = 0; i <= FLEET_WAITING_MAX; i++)
		run(&x[i], "hi");
	ok(!x[FLEET_WAITING_MAX - 1].sink.ends, "%d turns wait",
	    FLEET_WAITING_MAX);
	ok(x[FLEET_WAITING_MAX].sink.ends &&
		x[FLEET_WAITING_MAX].sink.reason == REASON_SPAWN,
	    "one more turn is refused: %s",
	    buf_cstr(&x[FLEET_WAITING_MAX].sink.detail));
	for (size_t i = 0; i <= FLEET_WAITING_MAX; i++)
		end(&x[i]);
	exec_kind.close(&agent);
}

static void test_broken(void)
{
	struct test x, y;
	char *path = scratch_path("fails");
	struct buf options = {0};

	scratch_write(path, "", 0);
	buf_printf(&options, "--fail %s", path);
	open_agent(buf_cstr(&options));
	run(&x, "hi");
	ok(has_failed(&x, REASON_SPAWN),
	    "a turn that waited for an agent that cannot be loaded is refused");
	ok(wait_until(&x, is_broken), "an agent that fails is broken");
	run(&y, "hi");
	ok(y.sink.ends && y.sink.reason == REASON_SPAWN,
	    "turns of a broken agent are refused: %s",
	    buf_cstr(&y.sink.detail));
	end(&x);
	end(&y);
	(void)unlink(path);
	pass_ms(FLEET_PAUSE_MAX_MS);
	ok(wait_until(&x, is_loaded) && ask_pid(),
	    "an agent that can be loaded again serves turns");
	exec_kind.close(&agent);
	buf_fini(&options);
	free(path);
}

/* Once is not the fault of the agent, twice is. */
static void test_killed(const char *name, const char *kills, bool is_refused)
{
	struct test x;
	char *path = scratch_path("killed-%zu", strlen(kills));
	struct buf options = {0};

	scratch_write(path, kills, strlen(kills));
	buf_printf(&options, "--killed %s", path);
	open_agent(buf_cstr(&options));
	run(&x, "hi");
	if (is_refused) {
		ok(has_failed(&x, REASON_SPAWN),
		    "%s: a turn that waited is refused", name);
		ok(exec_kind.load(agent) == AGENT_BROKEN,
		    "%s: the agent is broken", name);
		pass_ms(FLEET_PAUSE_MAX_MS);
	} else {
		ok(wait_until(&x, has_end) && pid_of(&x),
		    "%s: a turn that waited runs in the next process", name);
	}
	end(&x);
	ok(wait_until(&x, is_loaded) && ask_pid(), "%s: later turns run", name);
	exec_kind.close(&agent);
	buf_fini(&options);
	free(path);
}

/* ---- whose fault it is ---- */

static void test_blame(void)
{
	static const struct {
		const char *prompt;
		enum err_reason alone;
		enum err_reason beside; /* another turn */
		bool is_alive;		/* the process, afterwards */
	} cases[] = {
	    {"[\"exit\"]", REASON_EXITED, REASON_INTERRUPTED, false},
	    {"[\"kill\"]", REASON_KILLED, REASON_INTERRUPTED, false},
	    {"[\"lost\"]", REASON_EXITED, REASON_EXITED, false},
	    {"[[\"raw\",\"hello\\n\"]," FOREVER "]", REASON_GARBAGE,
		REASON_INTERRUPTED, false},
	    {"[[\"raw\",\"99 {}\\n\"]," FOREVER "]", REASON_GARBAGE,
		REASON_INTERRUPTED, false},
	    {"[[\"raw\",\"0 hello\\n\"]," FOREVER "]", REASON_GARBAGE,
		REASON_INTERRUPTED, false},
	    /* These are faults of a turn, and its process goes on. */
	    {"[[\"write\",1,5000000]," FOREVER "]", REASON_LINE_TOO_LONG,
		REASON_LINE_TOO_LONG, true},
	    {"[[\"write\",1,100000]," FOREVER "]", REASON_LINE_TOO_LONG,
		REASON_LINE_TOO_LONG, true},
	    {"[{\"type\":\"thinking\"}," FOREVER "]", REASON_GARBAGE,
		REASON_GARBAGE, true},
	    {"[{\"type\":\"ERROR\",\"message\":\"no\"}]", REASON_FAILED,
		REASON_FAILED, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *prompt = cases[i].prompt;
		struct test x, other;
		open_agent("");
		run(&x, prompt);
		ok(has_failed(&x, cases[i].alone), "alone, %s becomes %s",
		    prompt, err_reason_word(cases[i].alone));
		end(&x);
		run(&other, "[" BEGUN "," FOREVER "]");
		(void)wait_until(&other, has_begun);
		run(&x, prompt);
		ok(has_failed(&x, cases[i].beside),
		    "beside another turn, %s becomes %s", prompt,
		    err_reason_word(cases[i].beside));
		end(&x);
		if (cases[i].is_alive)
			ok(!happens_soon(&other, has_end),
			    "%s leaves another turn alone", prompt);
		else
			ok(has_failed(&other, REASON_INTERRUPTED),
			    "%s interrupts another turn", prompt);
		end(&other);
		ok(ask_pid(), "turns run after %s", prompt);
		exec_kind.close(&agent);
	}
}

/* It ends later, and until then looks as if it were alive. */
static void test_mute(void)
{
	struct test x, other;

	open_agent("");
	run(&x, "[\"mute\"]");
	(void)wait_until(&x, is_loaded);
	(void)happens_soon(&x, has_end);
	run(&other, "hi");
	ok(has_failed(&x, REASON_EXITED),
	    "a process that closes its side of the socket is ended");
	ok(wait_until(&other, has_end) && pid_of(&other),
	    "a turn that comes meanwhile waits for the next process");
	end(&x);
	end(&other);
	exec_kind.close(&agent);
}

/* ---- turns that are given back ---- */

static void test_return(void)
{
	struct test x, other;
	char *path = scratch_path("full");
	struct buf options = {0};

	buf_printf(&options, "--full %s", path);
	scratch_write(path, "", 0);
	open_agent(buf_cstr(&options));
	run(&other, "[" BEGUN "," FOREVER "]");
	(void)wait_until(&other, has_begun);
	int pid = ask_pid();
	scratch_write(path, "x", 1);
	int next = ask_pid();
	ok(next && next != pid,
	    "a turn that a process gives back runs in another one");
	ok(ask_pid() == next, "a process that gave a turn back gets no more");
	ok(!happens_soon(&other, has_end),
	    "turns of a process that gave one back go on");
	end(&other);
	scratch_write(path, "xxxxx", 5);
	run(&x, "hi");
	bool is_refused = has_failed(&x, REASON_SPAWN);
	ok(is_refused, "a turn that each process gives back fails: %s",
	    buf_cstr(&x.sink.detail));
	end(&x);
	run(&x, "[" BEGUN ",{\"type\":\"RETURN\"}]");
	ok(has_failed(&x, REASON_GARBAGE),
	    "a turn that is given back after it has begun fails");
	end(&x);
	exec_kind.close(&agent);
	buf_fini(&options);
	free(path);
}

/* ---- processes that do not answer ---- */

/* Longer than a process may be silent, and how often the server looks. */
#define LOOKS 10

/* Let the server look so often. */
static void look(int times)
{
	for (int i = 0; i < times; i++) {
		pass_ms(conf.hang_timeout * 1000 / 6);
		loop_a_little(loop);
	}
}

/* Begin a turn that stops its process. Returns the id of the process. */
static int freeze(struct test *x, const char *options)
{
	open_agent(options);
	int pid = ask_pid();
	run(x, "[" BEGUN ",\"freeze\"," FOREVER "]");
	(void)wait_until(x, has_begun);
	(void)happens_soon(x, has_end);
	return pid;
}

static void test_frozen(void)
{
	struct test x, other;

	int pid = freeze(&x, "--pings");
	run(&other, "hi");
	pass_ms(conf.hang_timeout * 20000);
	loop_a_little(loop);
	look(3);
	ok(!x.sink.ends, "time in which the server did not look is no silence");
	look(LOOKS);
	ok(has_failed(&x, REASON_INTERRUPTED) &&
		has_failed(&other, REASON_INTERRUPTED),
	    "turns of a process that does not answer end as interrupted");
	int next = ask_pid();
	ok(next && next != pid, "a process that does not answer is replaced");
	end(&x);
	end(&other);
	exec_kind.close(&agent);
}

static void test_frozen_shortly(void)
{
	struct test x;

	int pid = freeze(&x, "--pings");
	look(4);
	(void)kill(pid, SIGCONT);
	look(LOOKS);
	ok(!x.sink.ends && ask_pid() == pid,
	    "a process that is stopped for a short time keeps its turns");
	look(LOOKS);
	ok(!x.sink.ends && ask_pid() == pid,
	    "a process that answers need not do anything else");
	end(&x);
	exec_kind.close(&agent);
}

static void test_frozen_unasked(void)
{
	struct test x;

	int pid = freeze(&x, "");
	look(LOOKS);
	ok(!x.sink.ends, "a process that has not offered to answer is never "
			 "ended for silence");
	(void)kill(pid, SIGCONT);
	end(&x);
	exec_kind.close(&agent);
}

/* A frame whose type is told twice is not what it seems. */
static void test_two_types(void)
{
	struct test x;

	open_agent("");
	run(&x, "[[\"raw\",\"1 {\\\"type\\\":\\\"OUTPUT\\\","
		"\\\"type\\\":\\\"x\\\"}\\n\"]," FOREVER "]");
	ok(has_failed(&x, REASON_GARBAGE),
	    "a turn whose last frame does not end it fails");
	end(&x);
	exec_kind.close(&agent);
}

/* ---- a tool, without a model ---- */

static void test_exec(void)
{
	static const struct agent_exec call = {
	    .session_id = "s-1",
	    .tool = "add",
	    .args = "{\"a\": 1}",
	    .args_len = 8,
	};
	struct test x = {0};

	open_agent("");
	int pid = ask_pid();
	sink_init(&x.sink);
	x.turn = exec_kind.exec(agent, &call, &x.sink.base);
	exec_kind.run(x.turn);
	ok(has_result(&x, "[\"add\", {\"a\": 1}]") && !x.sink.n,
	    "a call of a tool is answered by a process with many turns");
	end(&x);
	ok(ask_pid() == pid, "such a call leaves its process alone");
	exec_kind.close(&agent);
}

static void set_up(void)
{
	const char *build = getenv("TOP_BUILDDIR");

	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 16);
	conf.libexec_dir = mem_strdup(build ? build : ".");
	conf.project_dir = mem_strdup("/tmp");
	conf.agent_line = 65536;
	conf.agent_rate = 10000000;
	conf.agent_user = mem_strdup("");
	conf.agent_memory = 512;
	conf.agent_processes = 64;
	conf.agent_persistent = true;
	conf.max_runs = 1000;
	conf.run_timeout = 1000;
	conf.interrupt_grace = 5;
	conf.drain_timeout = 30;
	conf.hang_timeout = 30;
	follow_clock();
}

int main(void)
{
	if (system("python3 -c '' 2>/dev/null")) {
		skip("no python3");
		return done();
	}
	set_up();
	test_credit("write", false);
	test_credit("flood", true);
	test_interrupt_without_credit();
	test_close();
	test_close_deaf();
	test_waiting();
	test_too_many();
	test_broken();
	test_killed("killed once while loading", "k", false);
	test_killed("killed twice while loading", "kk", true);
	test_blame();
	test_mute();
	test_return();
	test_frozen();
	test_frozen_shortly();
	test_frozen_unasked();
	test_two_types();
	test_exec();
	return done();
}
