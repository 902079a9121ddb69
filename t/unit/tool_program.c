/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Tools that are programs, under the real co-turn from TOP_BUILDDIR: bash, and
 * commands of the settings.
 */
#include "tools/tool_program.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "proc/crew.h"
#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"
#include "t/unit/tool_caller.h"
#include "tools/tools.h"

/* An argument of sleep(1) by which our processes are found. */
#define MARK "27182.818"

#define PATIENCE_MS 20000

static struct loop *loop;
static struct crew *crew;
static struct tool_caller caller;
static char project[200];
static char libexec[400];

/* ---- processes ---- */

static bool is_marked(const char *pid)
{
	char path[300], text[4096];
	bool answer = false;

	(void)snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof text - 1, f);
	(void)fclose(f);
	if (n >= strlen(MARK))
		answer = memmem(text, n, "sleep\0" MARK, 6 + strlen(MARK));
	return answer;
}

static int count_marked(void)
{
	DIR *d = opendir("/proc");
	int n = 0;

	if (!d)
		abort();
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		     is_marked(e->d_name);
	closedir(d);
	return n;
}

struct test {
	int wanted;
};

static bool has_marked(struct test *x)
{
	return count_marked() >= x->wanted;
}

static bool has_none(struct test *x)
{
	(void)x;
	return count_marked() == 0;
}

static void expect_none(const char *what)
{
	ok(loop_until(loop, PATIENCE_MS, NULL, has_none),
	    "no process is left after %s", what);
}

/* ---- results ---- */

static const char *bash(const char *command, const char *more)
{
	struct buf args = {0};

	buf_str(&args, "{\"command\":");
	buf_json_str(&args, command);
	buf_printf(&args, "%s}", more);
	const char *result = tool_caller_call(&caller, "bash", buf_cstr(&args));
	buf_fini(&args);
	return result;
}

static const struct {
	const char *what;
	const char *command;
	const char *more;
	const char *result;
	enum tool_status status;
} rows[] = {
    {"a command has its output as result", "echo hi", "", "hi", TOOL_SUCCESS},
    {"a command with two outputs has both as result", "echo a; echo b >&2", "",
	"a\nSTDERR:\nb", TOOL_SUCCESS},
    {"a command without output has a note as result", "true", "", "(no output)",
	TOOL_SUCCESS},
    {"a command that fails has its status in the result", "echo a; exit 3", "",
	"a\n\nExit code: 3", TOOL_SUCCESS},
    {"a command that does not exist is a status", "nosuch 2>/dev/null", "",
	"Exit code: 127", TOOL_SUCCESS},
    {"a command killed by a signal is an error", "kill -9 $$", "",
	"Error: it was ended by signal 9 (Killed)", TOOL_ERROR},
    {"output that is not UTF-8 becomes UTF-8", "printf 'a\\377\\000b'", "",
	"a\xef\xbf\xbd\xef\xbf\xbd"
	"b",
	TOOL_SUCCESS},
    {"a command finds its input at the end", "cat; echo end", "", "end",
	TOOL_SUCCESS},
    {"a command runs in the folder it names", "basename $PWD",
	",\"cwd\":\"sub\",\"timeout\":9,\"description\":\"Show it\"", "sub",
	TOOL_SUCCESS},
    {"a command that closes its output goes on",
	"exec >&- 2>&-; sleep 3; echo done >sub/late", "", "(no output)",
	TOOL_SUCCESS},
    {"a command does not run outside the project", "pwd", ",\"cwd\":\"..\"",
	"Error: '..' leads out of the project, where tools have no access",
	TOOL_ERROR},
    {"a command has a limit on its time", "echo a; sleep " MARK,
	",\"timeout\":1",
	"a\n\nError: it was ended after its time limit of 1 seconds",
	TOOL_ERROR},
    {"a time limit of nothing is refused", "true", ",\"timeout\":0",
	"Error: argument 'timeout' must be at least 1", TOOL_ERROR},
    {"a command with a NUL is refused", "a", ",\"command\":\"a\\u0000\"",
	"Error: an argument of a command must not hold a NUL", TOOL_ERROR},
};

static void test_results(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		is_str(bash(rows[i].command, rows[i].more), rows[i].result,
		    "%s", rows[i].what);
		is_int(caller.status, rows[i].status,
		    "the status is right where %s", rows[i].what);
	}
	char *path = scratch_path("project/sub/late");
	ok(access(path, F_OK) == 0,
	    "a command is not ended because it closed its output");
	free(path);
	expect_none("commands of all kinds");
}

static void test_environment(void)
{
	(void)setenv("OPENAI_API_KEY", "sk-secret", 1);
	(void)setenv("CONNECTONION_ADMIN_TOKEN", "token", 1);
	(void)setenv("LC_ALL", "C.UTF-8", 1);
	(void)setenv("MY_TOOL", "mine", 1);
	(void)setenv("MY_OTHER", "other", 1);
	const char *got = bash("env", "");
	ok(!strstr(got, "sk-secret") && !strstr(got, "token"),
	    "keys and tokens are not in the environment of a command");
	ok(strstr(got, "PATH=") && strstr(got, "LC_ALL=C.UTF-8"),
	    "a command has the usual variables");
	ok(strstr(got, "MY_TOOL=mine") && !strstr(got, "other"),
	    "a command has the variables that tool_environment names");
}

static void test_output(void)
{
	const char *got = bash("seq 1 100000; echo 2 >&2", "");

	ok(strncmp(got, "1\n2\n3\n", 6) == 0 && strstr(got, "bytes left out") &&
		strstr(got, "99999\n100000\nSTDERR:\n2"),
	    "long output keeps its beginning and its end");
	ok(caller.result.len < 32768, "long output is cut (%zu bytes)",
	    caller.result.len);
	ok(caller.output.len > 65536 && caller.output.len <= TOOL_RESULT_MAX,
	    "people are shown output while it comes, up to a limit (%zu "
	    "bytes)",
	    caller.output.len);

	got = bash("head -c 1G /dev/zero | tr '\\0' 'x'; sleep " MARK, "");
	ok(strstr(got, "Error: it was ended because it wrote more than 64 "
		       "MiB") != NULL,
	    "a command that prints a gigabyte is ended");
	is_int(caller.status, TOOL_ERROR,
	    "a command that prints too much is an error");
	expect_none("a command that printed too much");
}

/* ---- the end of a tree ---- */

static const struct {
	const char *what;
	const char *command;
	int n; /* processes to wait for */
} trees[] = {
    {"a command that ignores TERM", "trap '' TERM INT HUP; sleep " MARK, 1},
    {"a command with 50 children",
	"for i in {1..50}; do sleep " MARK " & done; wait", 50},
    {"a daemon",
	"setsid sh -c 'setsid sleep " MARK
	" >/dev/null 2>&1 & exit' & sleep " MARK,
	2},
    {"a command that closed its output", "exec >/dev/null 2>&1; sleep " MARK,
	1},
};

/* Time for a cancel, on a busy machine as well. */
static void test_cancel(void)
{
	for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
		struct buf args = {0};
		struct test x = {trees[i].n};

		buf_str(&args, "{\"command\":");
		buf_json_str(&args, trees[i].command);
		buf_char(&args, '}');
		tool_caller_start(&caller, "bash", args.data, args.len);
		ok(loop_until(loop, PATIENCE_MS, &x, has_marked),
		    "%s has its processes", trees[i].what);
		caller.box->ops->cancel(&caller.run);
		expect_none(trees[i].what);
		is_int(caller.ends, 0, "nothing follows the cancel of %s",
		    trees[i].what);
		buf_fini(&args);
	}
}

static void test_background(void)
{
	is_str(bash("sleep " MARK " & (setsid sleep " MARK " &) ; echo on", ""),
	    "on", "a command does not wait for what it leaves behind");
	expect_none("a command with processes in the background");
}

static void test_processes(void)
{
	const char *got =
	    bash("exec perl -e 'for (1..100) { my $pid = fork; die qq(no "
		 "more\\n) unless defined $pid; exec qw(sleep " MARK
		 ") unless $pid } sleep 9'",
		"");

	ok(strstr(got, "Error: it was ended because it had more than 60 "
		       "processes (agent_processes)") ||
		strstr(got, "no more"),
	    "a command with too many processes is stopped (%s)", got);
	expect_none("a command with too many processes");
}

/* ---- waiting ---- */

#define MANY 6

static unsigned n_ended;

static void on_one_end(
    void *arg, enum tool_status status, const char *result, size_t len)
{
	(void)arg;
	(void)result;
	(void)len;
	n_ended += status == TOOL_SUCCESS;
}

static bool has_all_ended(struct test *x)
{
	return (int)n_ended == x->wanted;
}

static struct tool_run *start_one(const char *args)
{
	static const struct tool_call_ops ops = {.on_end = on_one_end};
	const struct tool_call call = {
	    .tool = tool_caller_find(caller.box, "bash"),
	    .args = args,
	    .args_len = strlen(args),
	};

	return caller.box->ops->start(caller.box, &call, &ops, NULL);
}

/* Each command is alone with another one, or it fails. */
static void test_waiting(void)
{
	static const char args[] =
	    "{\"command\":\"mkdir sub/$$; test $(ls -d sub/[0-9]* | wc -l) "
	    "-le 2; rc=$?; sleep 0.05; rmdir sub/$$; "
	    "test $rc = 0 || kill -9 $$\"}";
	struct test x = {MANY};

	n_ended = 0;
	for (int i = 0; i < MANY; i++)
		(void)start_one(args);
	ok(loop_until(loop, PATIENCE_MS, &x, has_all_ended),
	    "commands beyond tool_commands wait, and all of them run");

	struct tool_run *runs[MANY];
	n_ended = 0;
	for (int i = 0; i < MANY; i++)
		runs[i] = start_one("{\"command\":\"sleep " MARK "\"}");
	for (int i = 0; i < MANY; i++)
		caller.box->ops->cancel(&runs[i]);
	expect_none("the cancel of commands that ran and waited");
	is_int(n_ended, 0, "commands that wait can be cancelled");
}

/* ---- commands of the settings ---- */

static const struct {
	const char *what;
	const char *tool;
	const char *args;
	const char *result;
	enum tool_status status;
} declared[] = {
    {"a placeholder becomes one argument, whatever is in it", "show",
	"{\"text\":\"a  b; $(id) '\",\"n\":7}", "[a  b; $(id) '] [n=7]",
	TOOL_SUCCESS},
    {"a placeholder without argument is empty", "show", "{\"text\":\"{n}\"}",
	"[{n}] [n=]", TOOL_SUCCESS},
    {"a value that is no string becomes JSON", "show",
	"{\"text\":\"\",\"n\":{\"a\":[1,true]}}", "[] [n={\"a\":[1,true]}]",
	TOOL_SUCCESS},
    {"arguments come as a line of JSON", "take",
	"{\n\"x\": 1,\n\"y\": \"\\u00e9\"}", "{ \"x\": 1, \"y\": \"\\u00e9\"}",
	TOOL_SUCCESS},
    {"a status other than 0 is an error, with the output", "fail", "{}",
	"a\nSTDERR:\nb\n\nExit code: 4", TOOL_ERROR},
    {"a command runs in its directory", "where", "{}", "sub", TOOL_SUCCESS},
    {"a command ends at its time limit", "hang", "{}",
	"Error: it was ended after its time limit of 1 seconds", TOOL_ERROR},
    {"a program that does not exist is an error", "missing", "{}",
	"STDERR:\nco-turn: cannot run ./nosuch: No such file or directory"
	"\n\nExit code: 127",
	TOOL_ERROR},
    {"an argument that is missing is told", "show", "{\"n\":1}",
	"Error: argument 'text' is missing", TOOL_ERROR},
    {"an argument that is unknown is told", "where", "{\"n\":1}",
	"Error: argument 'n' is unknown", TOOL_ERROR},
};

static const char tools[] =
    "[\"bash\","
    "{\"name\":\"show\",\"description\":\"d\",\"argv\":[\"printf\",\"[%s] "
    "[%s]\",\"{text}\",\"n={n}\"],\"schema\":{\"type\":\"object\","
    "\"properties\":{\"text\":{\"type\":\"string\"},\"n\":{}},\"required\":"
    "[\"text\"]}},"
    "{\"name\":\"take\",\"description\":\"d\",\"argv\":[\"cat\"],\"schema\":"
    "{\"type\":\"object\"}},"
    "{\"name\":\"fail\",\"description\":\"d\",\"argv\":[\"sh\",\"-c\","
    "\"echo a; echo b >&2; exit 4\"],\"idempotent\":true},"
    "{\"name\":\"where\",\"description\":\"d\",\"argv\":[\"sh\",\"-c\","
    "\"basename $PWD\"],\"dir\":\"sub\",\"read_only\":true},"
    "{\"name\":\"hang\",\"description\":\"d\",\"argv\":[\"sleep\",\"" MARK
    "\"],\"timeout\":1},"
    "{\"name\":\"missing\",\"description\":\"d\",\"argv\":[\"./nosuch\"]}]";

static void test_declared(void)
{
	for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
		is_str(tool_caller_call(
			   &caller, declared[i].tool, declared[i].args),
		    declared[i].result, "%s", declared[i].what);
		is_int(caller.status, declared[i].status,
		    "the status of a declared command is right where %s",
		    declared[i].what);
	}
	ok(tool_caller_find(caller.box, "where")->flags == TOOL_READ_ONLY &&
		tool_caller_find(caller.box, "fail")->flags == TOOL_IDEMPOTENT,
	    "a command has the flags that the settings give it");
	expect_none("commands of the settings");
}

static struct toolbox *open_box(const char *libexec_dir)
{
	const struct agent_setup setup = {
	    .spec = {.project_dir = project,
		.libexec_dir = libexec_dir,
		.user = "",
		.tools = tools,
		.tool_environment = "MY_TOOL, MY_NONE",
		.tool_commands = 2,
		.memory_bytes = (int64_t)256 << 20,
		.processes = 60},
	    .loop = loop,
	    .crew = crew};
	struct err err;

	return tools_open(&setup, &err);
}

static void test_no_supervisor(void)
{
	struct toolbox *usual = caller.box;

	caller.box = open_box("/nowhere");
	ok(strstr(bash("true", ""), "Error: cannot start /nowhere/co-turn"),
	    "a call ends with an error if its program cannot be started");
	caller.box->ops->close(&caller.box);
	caller.box = usual;
}

int main(void)
{
	const char *top = getenv("TOP_BUILDDIR");

	(void)snprintf(project, sizeof project, "%s/project", scratch_dir());
	(void)snprintf(libexec, sizeof libexec, "%s", top ? top : ".");
	char *sub = scratch_path("project/sub");
	if (mkdir(project, 0755) != 0 || mkdir(sub, 0755) != 0)
		abort();
	free(sub);
	runner_inherit_orphans();
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 64);
	caller.loop = loop;
	caller.box = open_box(libexec);
	test_results();
	test_environment();
	test_output();
	test_cancel();
	test_background();
	test_processes();
	test_waiting();
	test_declared();
	test_no_supervisor();
	caller.box->ops->close(&caller.box);
	loop_crew_close(&crew);
	tool_caller_fini(&caller);
	return done();
}
