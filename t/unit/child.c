/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The subprocess agent with real processes under the real co-turn, and a sink
 * of our own. co-turn is taken from TOP_BUILDDIR.
 */
#include "agent/agents.h"
#include "agent/child.h"
#include "demo/demo.h"
#include "agent/exec.h"
#include "agent/native.h"
#include "agent/python.h"
#include "runner/runner.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static struct loop *loop;
static struct crew *crew;
static struct conf conf;
static char place[256];

/* ---- one turn ---- */

struct test {
	struct sink sink;
	struct agent *agent;
	struct agent_turn *turn;
	bool is_late; /* a condition was waited for in vain */
};

/* Run the loop until the condition holds. */
static bool wait_until(struct test *x, bool (*is_reached)(struct test *x))
{
	x->is_late = !loop_until(loop, PATIENCE_MS, x, is_reached);
	return !x->is_late;
}

static bool has_end(struct test *x)
{
	return x->sink.ends > 0;
}

static bool has_log(struct test *x)
{
	return x->sink.log.len > 0;
}

static bool has_three_events(struct test *x)
{
	return x->sink.n >= 3;
}

static void open_agent(struct test *x, const char *command)
{
	struct err err;
	struct buf setting = {0};

	*x = (struct test){0};
	sink_init(&x->sink);
	buf_str(&setting, "exec:");
	buf_str(&setting, command);
	free(conf.agent);
	conf.agent = buf_steal(&setting, &(size_t){0});
	x->agent = exec_kind.open(
	    &(struct agent_setup){
		.spec = agent_spec_of(&conf), .loop = loop, .crew = crew},
	    &err);
}

static void start(struct test *x, const char *prompt)
{
	static struct agent_input in;

	in = sink_input(prompt);
	x->turn = exec_kind.start(x->agent, &in, &x->sink.base);
	exec_kind.run(x->turn);
}

static void close_agent(struct test *x)
{
	exec_kind.free(&x->turn);
	exec_kind.close(&x->agent);
	sink_fini(&x->sink);
}

static void deliver(struct test *x, enum event_type type, const char *body)
{
	struct event ev = {
	    .type = type,
	    .id = "id-7",
	    .id_len = 4,
	    .body = body,
	    .body_len = strlen(body),
	};

	exec_kind.deliver(x->turn, &ev);
}

static bool is_text(struct buf *b, const char *text)
{
	bool is_same = strcmp(buf_cstr(b), text) == 0;

	if (!is_same)
		fprintf(stderr, "# got  %s\n# want %s\n", buf_cstr(b), text);
	return is_same;
}

/* ---- processes that carry a mark in their command line ---- */

static bool is_marked(const char *pid, const char *mark)
{
	char path[300], text[4096];
	size_t n = 0;

	(void)snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
	FILE *f = fopen(path, "r");
	if (f) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
	}
	return memmem(text, n, mark, strlen(mark)) &&
	       !memmem(text, n, "co-turn", 7);
}

static unsigned count_marked(const char *mark)
{
	unsigned n = 0;
	DIR *d = opendir("/proc");

	if (!d)
		return 1;
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		     is_marked(e->d_name, mark);
	closedir(d);
	return n;
}

#define MARK "31415.926"

static bool has_no_marked(struct test *x)
{
	(void)x;
	return count_marked(MARK) == 0;
}

static bool has_marked(struct test *x)
{
	(void)x;
	return count_marked(MARK) > 0;
}

/* ---- how turns end ---- */

#define OUTPUT(text) "echo '{\"type\":\"OUTPUT\",\"result\":\"" text "\"}'"

static void test_results(void)
{
	static const struct {
		const char *name;
		const char *command;
		const char *result;
	} cases[] = {
	    {"a process that answers", "read line; " OUTPUT("hi"), "hi"},
	    {"one that never reads", OUTPUT("hi"), "hi"},
	    {"one that goes on after OUTPUT",
		OUTPUT("hi") "; echo garbage; sleep " MARK, "hi"},
	    {"a last line without newline",
		"printf '{\"type\":\"OUTPUT\",\"result\":\"end\"}'", "end"},
	    {"one with blank lines", "echo; echo ' '; " OUTPUT("b"), "b"},
	    {"one that answers and fails", OUTPUT("hi") "; exit 3", "hi"},
	    {"one that gets its prompt",
		"read l; case $l in *'\"prompt\":\"the prompt\"'*) " OUTPUT(
		    "yes") ";; esac",
		"yes"},
	    {"one that looks at its descriptors",
		"ls /proc/self/fd | grep -qx 4 || " OUTPUT("few"), "few"},
	    {"one that runs in the project",
		"test \"$(pwd -P)\" = \"$(cd /tmp; pwd -P)\" && " OUTPUT(
		    "there"),
		"there"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test x;
		open_agent(&x, cases[i].command);
		start(&x, "the prompt");
		ok(wait_until(&x, has_end) && x.sink.ends == 1 &&
			is_text(&x.sink.result, cases[i].result) &&
			strcmp(sink_names(&x.sink), "user_input turn_result") ==
			    0,
		    "%s ends well", cases[i].name);
		close_agent(&x);
	}
}

static void test_failures(void)
{
	static const struct {
		const char *name;
		const char *command;
		enum err_reason reason;
	} cases[] = {
	    {"an exit without OUTPUT", "exit 0", REASON_EXITED},
	    {"a failing exit", "exit 7", REASON_EXITED},
	    {"a missing program", "/no/such/program", REASON_EXITED},
	    {"a kill -9 of itself", "kill -9 $$", REASON_KILLED},
	    {"a kill -9 of its program", "sh -c 'kill -9 $$'; exit $?",
		REASON_KILLED},
	    {"garbage", "echo hello; sleep " MARK, REASON_GARBAGE},
	    {"an unfinished line", "printf '{\"type\":'; exit 1",
		REASON_EXITED},
	    {"an endless line", "tr '\\0' x </dev/zero", REASON_LINE_TOO_LONG},
	    {"an ERROR", "echo '{\"type\":\"ERROR\",\"message\":\"no\"}'",
		REASON_FAILED},
	    {"a hang", "sleep " MARK, REASON_TIMEOUT},
	    {"a hang with a closed output", "exec >&-; sleep " MARK,
		REASON_KILLED},
	    /* exec: the shell ends if it cannot fork beside its bomb. */
	    {"a fork bomb", "b() { b | b & }; b; exec sleep " MARK,
		REASON_TIMEOUT},
	    {"too much memory", "exec perl -e '$x = \"x\" x 1e9; sleep 9'",
		REASON_MEMORY},
	    {"an ERROR for want of memory",
		"echo '{\"type\":\"ERROR\",\"message\":\"no\","
		"\"reason\":\"memory\"}'",
		REASON_MEMORY},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test x;
		conf.run_timeout = cases[i].reason == REASON_TIMEOUT ? 1 : 60;
		open_agent(&x, cases[i].command);
		start(&x, "p");
		bool is_ended = wait_until(&x, has_end);
		ok(is_ended && x.sink.ends == 1 && x.sink.has_failed &&
			/* A bomb may also be seen as too many processes. */
			(x.sink.reason == cases[i].reason ||
			    (cases[i].reason == REASON_TIMEOUT &&
				x.sink.reason == REASON_KILLED)),
		    "%s becomes '%s': %s", cases[i].name,
		    err_reason_word(cases[i].reason), buf_cstr(&x.sink.detail));
		ok(wait_until(&x, has_no_marked), "%s leaves no process",
		    cases[i].name);
		close_agent(&x);
	}
	conf.run_timeout = 60;
	conf.interrupt_grace = 5;
	follow_clock();
}

static void test_no_trampoline(void)
{
	struct test x;
	char *was = conf.libexec_dir;

	conf.libexec_dir = mem_strdup("/nonexistent");
	open_agent(&x, "true");
	start(&x, "p");
	ok(x.sink.ends == 1 && x.sink.reason == REASON_SPAWN,
	    "a missing trampoline is a failure to start: %s",
	    buf_cstr(&x.sink.detail));
	close_agent(&x);
	free(conf.libexec_dir);
	conf.libexec_dir = was;
}

/* ---- one tool ---- */

#define RESULT(members) "echo '{\"type\":\"EXEC_RESULT\"," members "}'"

static void test_exec(void)
{
	static const struct agent_exec call = {
	    .session_id = "s-1",
	    .tool = "add",
	    .args = "{\"a\":1}",
	    .args_len = 7,
	};
	static const struct {
		const char *name;
		const char *command;
		const char *result; /* NULL: */
		enum err_reason reason;
		const char *detail;
	} cases[] = {
	    {"a tool that returns",
		"read l; case $l in *EXEC*add*) echo "
		"'{\"type\":\"x\"}'; " RESULT(
		    "\"status\":\"success\",\"result\":\"2\"") ";; esac",
		"2", REASON_FAILED, NULL},
	    {"a tool that fails",
		RESULT("\"status\":\"error\",\"error\":\"ValueError: bad\""),
		NULL, REASON_FAILED, "ValueError: bad"},
	    {"an answer to something else", OUTPUT("x"), NULL, REASON_GARBAGE,
		"OUTPUT answers no EXEC"},
	    {"no answer", "exit 0", NULL, REASON_EXITED, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test x;
		open_agent(&x, cases[i].command);
		x.turn = exec_kind.exec(x.agent, &call, &x.sink.base);
		exec_kind.run(x.turn);
		bool is_ended = wait_until(&x, has_end);
		ok(is_ended && x.sink.ends == 1 && x.sink.n == 0 &&
			x.sink.has_failed == !cases[i].result,
		    "%s ends a call, without events", cases[i].name);
		ok(cases[i].result
			? is_text(&x.sink.result, cases[i].result)
			: x.sink.reason == cases[i].reason &&
			      (!cases[i].detail ||
				  is_text(&x.sink.detail, cases[i].detail)),
		    "%s ends a call with the right result or reason",
		    cases[i].name);
		close_agent(&x);
	}
}

static void test_exec_interrupt(void)
{
	static const struct agent_exec call = {
	    .session_id = "s-1", .tool = "nap", .args = "{}", .args_len = 2};
	struct test x;

	open_agent(&x, "read l; read i; exit 1");
	x.turn = exec_kind.exec(x.agent, &call, &x.sink.base);
	exec_kind.run(x.turn);
	deliver(&x, EV_INTERRUPT, "");
	ok(wait_until(&x, has_end) && x.sink.reason == REASON_FAILED &&
		is_text(&x.sink.detail, "interrupted"),
	    "a call can be interrupted");
	close_agent(&x);
}

/* ---- talking ---- */

static void test_questions(void)
{
	struct test x;

	open_agent(&x,
	    "read l; echo '{\"type\":\"ask_user\",\"question\":\"?\"}'; "
	    "echo '{\"type\":\"thinking\",\"content\":\"t\"}'; "
	    "read a; read b; case $a$b in "
	    "*ASK_USER_RESPONSE*blue*id-7*more*) " OUTPUT("both") ";; esac");
	start(&x, "p");
	ok(wait_until(&x, has_three_events) &&
		strcmp(sink_names(&x.sink), "user_input ask_user thinking") ==
		    0,
	    "events come as they happen");
	deliver(&x, EV_ANSWER, "\"kind\":\"ask_user\",\"answer\":\"blue\"");
	deliver(&x, EV_MORE_INPUT, "\"prompt\":\"more\"");
	ok(wait_until(&x, has_end) && is_text(&x.sink.result, "both"),
	    "the process of a turn gets answers and later prompts");
	close_agent(&x);
}

static void test_session(void)
{
	struct test x;

	open_agent(&x,
	    "echo '{\"type\":\"OUTPUT\",\"result\":\"r\",\"session\":"
	    "{\"messages\":[ 1.0 ]}}'");
	start(&x, "p");
	ok(wait_until(&x, has_end) &&
		is_text(&x.sink.session, "{\"messages\":[ 1.0 ]}"),
	    "a conversation is taken as it is spelled");
	close_agent(&x);
}

static void test_log(void)
{
	struct test x;

	open_agent(&x, "echo one >&2; echo two >&2; sleep 0.2; " OUTPUT("x"));
	start(&x, "p");
	ok(wait_until(&x, has_log) && wait_until(&x, has_end) &&
		is_text(&x.sink.log, "one\ntwo\n"),
	    "standard error goes to the agent log");
	close_agent(&x);
	open_agent(&x,
	    "echo '{\"type\":\"LOG\",\"text\":\"three\\u000afour\"}'; " OUTPUT(
		"x"));
	start(&x, "p");
	ok(wait_until(&x, has_end) && is_text(&x.sink.log, "three\nfour\n"),
	    "LOG goes to the agent log, line by line");
	close_agent(&x);
	open_agent(&x, "yes '{\"type\":\"LOG\",\"text\":\"again\"}' | head "
		       "-n 5000; " OUTPUT("x"));
	start(&x, "p");
	ok(wait_until(&x, has_end) &&
		strstr(buf_cstr(&x.sink.log), " lines dropped)\n"),
	    "LOG lines above the rate of standard error are only counted");
	close_agent(&x);
}

static bool has_one_event(struct test *x)
{
	return x->sink.n >= 1;
}

/* Both pipes are readable before the loop looks at either. */
static void test_last_words(bool words_first)
{
	struct test x;
	struct buf command = {0};
	char *path = scratch_path("go-on-%d", words_first);

	buf_printf(&command,
	    "echo '{\"type\":\"thinking\",\"content\":\"x\"}'; "
	    "until [ -e %s ]; do sleep 0.02; done; ",
	    path);
	if (!words_first)
		buf_str(&command,
		    "echo '{\"type\":\"thinking\",\"content\":\"y\"}'; ");
	buf_str(&command, "echo last words >&2; " OUTPUT("hi"));
	open_agent(&x, buf_cstr(&command));
	start(&x, "p");
	ok(wait_until(&x, has_one_event), "a process runs that will say more");
	scratch_write(path, "", 0);
	(void)usleep(500000);
	ok(wait_until(&x, has_end) && is_text(&x.sink.log, "last words\n"),
	    "the agent log has what a process wrote just before OUTPUT, "
	    "standard error %s",
	    words_first ? "first" : "second");
	close_agent(&x);
	buf_fini(&command);
	free(path);
}

static void test_interrupts(void)
{
	static const struct {
		const char *name;
		const char *command;
		const char *result;
	} cases[] = {
	    {"one that answers it",
		"read l; echo '{\"type\":\"x\"}'; echo '{\"type\":\"y\"}'; "
		"read i; case $i in *INTERRUPT*) " OUTPUT("stopped") ";; esac",
		"stopped"},
	    {"one that exits",
		"read l; echo '{\"type\":\"x\"}'; echo '{\"type\":\"y\"}'; "
		"read i; exit 1",
		AGENT_INTERRUPTED_RESULT},
	    {"one that is deaf, with daemons",
		"trap '' TERM INT HUP; (setsid sleep " MARK " &); "
		"setsid sleep " MARK " & echo '{\"type\":\"x\"}'; "
		"echo '{\"type\":\"y\"}'; sleep " MARK "; sleep " MARK,
		AGENT_INTERRUPTED_RESULT},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test x;
		open_agent(&x, cases[i].command);
		start(&x, "p");
		(void)wait_until(&x, has_three_events);
		deliver(&x, EV_INTERRUPT, "");
		ok(wait_until(&x, has_end) &&
			is_text(&x.sink.result, cases[i].result) &&
			sink_has(&x.sink, x.sink.n - 1, "interrupted"),
		    "an interrupt ends %s", cases[i].name);
		ok(wait_until(&x, has_no_marked),
		    "an interrupt of %s ends its whole process tree",
		    cases[i].name);
		close_agent(&x);
	}
}

/* Nothing is due: the loop has run for a while. */
static bool has_end_soon(struct test *x)
{
	return loop_until(loop, 100, x, has_end);
}

static void test_grace(void)
{
	struct test x;

	conf.interrupt_grace = 30;
	open_agent(&x, "trap '' TERM; echo '{\"type\":\"x\"}'; "
		       "echo '{\"type\":\"y\"}'; sleep " MARK);
	start(&x, "p");
	(void)wait_until(&x, has_three_events);
	deliver(&x, EV_INTERRUPT, "");
	pass_ms(29000);
	ok(!has_end_soon(&x), "an interrupted turn has interrupt_grace to end");
	pass_ms(1000);
	ok(wait_until(&x, has_end) &&
		is_text(&x.sink.result, AGENT_INTERRUPTED_RESULT),
	    "after interrupt_grace a turn is ended");
	close_agent(&x);
	conf.interrupt_grace = 5;
}

/* ---- limits ---- */

static void test_room(void)
{
	struct test x;

	open_agent(&x, "i=0; while test $i -lt 3000; do "
		       "echo '{\"type\":\"thinking\",\"content\":\"t\"}'; "
		       "i=$((i+1)); done; " OUTPUT("all"));
	x.sink.room = 3;
	start(&x, "p");
	ok(wait_until(&x, has_three_events) && x.sink.n == 3,
	    "a full sink makes the process wait");
	while (!x.sink.ends && !x.is_late) {
		x.sink.room = 100;
		exec_kind.on_room(x.turn);
		if (!x.sink.ends)
			(void)wait_until(&x, has_three_events);
	}
	ok(x.sink.n == 3002 && is_text(&x.sink.result, "all"),
	    "a process that waited for room loses no event");
	close_agent(&x);
}

static void test_rate(void)
{
	struct test x;
	int64_t rate = conf.agent_rate;

	conf.agent_rate = 1000;
	open_agent(&x, "yes '{\"type\":\"thinking\",\"content\":\"t\"}' | head "
		       "-n 350; " OUTPUT("all"));
	int64_t began_ms = clock_mono_ms();
	start(&x, "p");
	ok(wait_until(&x, has_end) && x.sink.n == 352 &&
		clock_mono_ms() - began_ms >= 300,
	    "a process that is too fast is held back");
	close_agent(&x);
	conf.agent_rate = rate;
}

/* ---- processes that wait, and processes that are left ---- */

static bool is_warm(struct test *x)
{
	(void)x;
	return count_marked(MARK) == 2;
}

static void test_pool(void)
{
	struct test x;

	conf.agent_pool = 2;
	open_agent(&x, ": " MARK "; read l; " OUTPUT("warm") "; exit");
	ok(wait_until(&x, is_warm), "a pool starts its processes at once");
	start(&x, "p");
	ok(wait_until(&x, has_end) && is_text(&x.sink.result, "warm"),
	    "a warm process does the turn");
	ok(wait_until(&x, is_warm), "a used warm process is replaced");
	close_agent(&x);
	ok(wait_until(&x, has_no_marked), "a closed pool leaves no process");
	open_agent(&x, "exit 1");
	start(&x, "p");
	ok(wait_until(&x, has_end) && x.sink.has_failed,
	    "a pool of processes that die still fails turns well");
	close_agent(&x);
	conf.agent_pool = 0;
}

static void test_free(void)
{
	struct test x;

	open_agent(&x, "sleep " MARK);
	start(&x, "p");
	ok(wait_until(&x, has_marked), "a turn runs before it is freed");
	exec_kind.free(&x.turn);
	ok(x.turn == NULL && wait_until(&x, has_no_marked),
	    "a freed turn ends its process");
	ok(x.sink.ends == 0, "a freed turn tells its sink no end");
	close_agent(&x);
}

/* A worker that is killed: a process of ours runs a turn and gets SIGKILL. */
static void test_killed_worker(void)
{
	struct test x;
	pid_t pid = fork();

	if (pid == 0) {
		loop = loop_new();
		loop_crew_open(&crew, loop, 1, 16);
		open_agent(&x,
		    "(setsid sh -c 'sleep " MARK " & sleep " MARK "' &); "
		    "sleep " MARK);
		start(&x, "p");
		loop_run(loop);
		_exit(0);
	}
	x = (struct test){0};
	ok(wait_until(&x, has_marked), "a worker runs a turn");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(wait_until(&x, has_no_marked),
	    "no process of a turn is left when its worker is killed");
}

static void test_find(void)
{
	struct err err;

	ok(agents_find("demo", &err) == &demo_kind, "demo is known");
	ok(agents_find("exec:true", &err) != NULL, "exec:COMMAND is known");
	ok(agents_find("python:a.py", &err) == &python_kind,
	    "python:FILE is known");
	ok(agents_find("c:a.so", &err) == &native_kind, "c:FILE.so is known");
	ok(!agents_find("c:", &err) && strstr(err.text, "a shared object"),
	    "c: without a file is refused");
	ok(!agents_find("python:", &err) && err.code == ERR_CONFIG,
	    "python: without a file is refused");
	ok(!agents_find("exec: ", &err) && err.code == ERR_CONFIG,
	    "exec: without a command is refused");
	ok(!agents_find("gpt", &err) && strstr(err.text, "'demo'"),
	    "anything else is refused with what is allowed");
	is_str(err.text,
	    "agent 'gpt' is not known: allowed are 'demo', 'exec:COMMAND "
	    "ARGUMENTS', 'python:FILE.py', 'c:FILE.so', 'llm' and 'onsembl:ID'",
	    "the refusal of an unknown agent names all kinds");
	ok(!agents_find("demos", &err) && !agents_find("demo:x", &err),
	    "a kind without a target refuses one");
	ok(!agents_find("exec:", &err) &&
		strstr(err.text, "'exec:' needs a command"),
	    "an exec: agent without a command is told what it needs");
}

static void test_check(void)
{
	static const struct {
		const char *command, *name;
		bool is_good;
	} cases[] = {
	    {"sh agent.sh", "a program in PATH", true},
	    {"  /bin/sh -c true", "a program by its path", true},
	    {"sh", "a program alone", true},
	    {"sh;true", "a program before a semicolon", true},
	    {"cd /tmp && ./agent", "a word of the shell", true},
	    {"A=1 no-such-agent", "an assignment", true},
	    {"$AGENT", "a variable", true},
	    {"'no such agent'", "a quoted name", true},
	    {"(no-such-agent)", "a subshell", true},
	    {"no-such() { true; }; no-such", "a function", true},
	    {"no-such-agent --fast", "no program in PATH", false},
	    {"/no/such/agent", "no file", false},
	    {"./no-such-agent", "no file in the folder", false},
	    {"/tmp", "a folder", false},
	    {"/etc/passwd", "a file that is not executable", false},
	};

	free(conf.trust_agent);
	conf.trust_agent = mem_strdup("");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf setting = {0};
		struct err err;
		buf_printf(&setting, "exec:%s", cases[i].command);
		free(conf.agent);
		conf.agent = buf_steal(&setting, &(size_t){0});
		ok((agents_check(&conf, &err) == 0) == cases[i].is_good,
		    "%s %s", cases[i].name,
		    cases[i].is_good ? "passes" : "is refused");
	}
}

/* Agents of one server differ in their specs alone. */
static void test_spec(void)
{
	struct agent_setup setup = {
	    .spec = agent_spec_of(&conf), .loop = loop, .crew = crew};
	struct err err;

	is_int(setup.spec.memory_bytes, (int64_t)512 << 20,
	    "a spec has memory in bytes");
	is_int(setup.spec.run_timeout_ms, 60000,
	    "a spec has times in milliseconds");
	setup.spec.setting = "exec:one";
	struct agent *one = exec_kind.open(&setup, &err);
	setup.spec.setting = "exec:two";
	setup.spec.run_timeout_ms = 5;
	struct agent *two = exec_kind.open(&setup, &err);
	is_str(exec_kind.about(one)->name, "one",
	    "an agent has the name of its own command");
	is_str(exec_kind.about(two)->name, "two",
	    "a second agent has the name of another one");
	ok(one->run_timeout_ms == 60000 && two->run_timeout_ms == 5,
	    "each of two agents has its own limits");
	exec_kind.close(&one);
	exec_kind.close(&two);
}

static void test_describe(void)
{
	struct agent_about about;
	struct err err;

	free(conf.agent);
	conf.agent = mem_strdup("exec: /usr/bin/python3 agent.py");
	ok(agents_describe(&conf, &about, &err) == 0 &&
		strcmp(about.name, "python3") == 0 && !about.tools[0],
	    "a subprocess agent is called by its program");
	free(conf.agent);
	conf.agent = mem_strdup("demo");
	ok(agents_describe(&conf, &about, &err) == 0 &&
		strcmp(about.name, "demo") == 0,
	    "demo is called demo");
}

static void set_up(void)
{
	const char *dir = getenv("TOP_BUILDDIR");

	(void)snprintf(place, sizeof place, "%s", dir ? dir : ".");
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 16);
	conf.libexec_dir = place;
	conf.project_dir = mem_strdup("/tmp");
	conf.agent_line = 65536;
	conf.agent_rate = 200000;
	conf.agent_user = mem_strdup("");
	conf.agent_memory = 512;
	conf.agent_processes = 64;
	conf.run_timeout = 60;
}

int main(void)
{
	set_up();
	test_results();
	test_failures();
	test_no_trampoline();
	test_exec();
	test_exec_interrupt();
	test_questions();
	test_session();
	test_log();
	test_last_words(true);
	test_last_words(false);
	test_interrupts();
	test_grace();
	test_room();
	test_rate();
	test_pool();
	test_free();
	test_killed_worker();
	test_find();
	test_check();
	test_spec();
	test_describe();
	free(conf.project_dir);
	free(conf.agent);
	return done();
}
