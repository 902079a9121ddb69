/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Programs with all their descendants, below a co-turn. */
#include "wrapper/job.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "t/unit/loop_until.h"
#include "t/unit/tap.h"

#include <errno.h>
#include <limits.h>
#include <termios.h>

static struct loop *loop;

struct test {
	struct job *job;
	struct buf out;
	struct buf errors;
	int status;
	pid_t pid;
	bool is_over;
};

static void on_output(
    void *arg, enum job_stream stream, const char *data, size_t len)
{
	struct test *x = arg;

	buf_append(stream == JOB_ERRORS ? &x->errors : &x->out, data, len);
}

static void on_end(void *arg, int status)
{
	struct test *x = arg;

	x->status = status;
	x->is_over = true;
	job_free(&x->job);
}

static const struct job_handlers handlers = {
    .on_output = on_output, .on_end = on_end};

/* terminal: NULL for pipes. */
static void begin_at(
    struct test *x, const char *script, const struct job_terminal *terminal)
{
	char *argv[] = {
	    mem_strdup("sh"), mem_strdup("-c"), mem_strdup(script), NULL};
	char why[200];

	*x = (struct test){0};
	x->job = job_start(
	    &(struct job_plan){
		.loop = loop,
		.argv = argv,
		.envp = environ,
		.cwd = "/",
		.terminal = terminal,
		.handlers = &handlers,
		.arg = x,
	    },
	    why, sizeof why);
	if (!x->job)
		printf("# %s\n", why);
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
}

static void begin(struct test *x, const char *script)
{
	begin_at(x, script, NULL);
}

static bool is_over(struct test *x)
{
	return x->is_over;
}

static bool has_output(struct test *x)
{
	return x->out.len > 0;
}

static void finish(struct test *x)
{
	(void)loop_until(loop, 20000, x, is_over);
	buf_fini(&x->out);
	buf_fini(&x->errors);
}

/* The pid that the job has written. */
static pid_t pid_of(struct test *x)
{
	(void)loop_until(loop, 20000, x, has_output);
	return (pid_t)atoi(buf_cstr(&x->out));
}

static bool is_alive(pid_t pid)
{
	return pid > 0 && kill(pid, 0) == 0;
}

static void test_streams(void)
{
	struct test x;

	begin(&x, "cat; echo bad >&2; exit 7");
	ok(job_write(x.job, "hello", 5), "input is taken");
	job_finish_input(x.job);
	(void)loop_until(loop, 20000, &x, is_over);
	is_str(buf_cstr(&x.out), "hello", "the input comes back");
	is_str(buf_cstr(&x.errors), "bad\n", "errors come on their stream");
	is_int(WEXITSTATUS(x.status), 7, "the exit status is reported");
	finish(&x);

	begin(&x, "exec no-such-program-here");
	(void)loop_until(loop, 20000, &x, is_over);
	is_int(WEXITSTATUS(x.status), 127, "a missing program ends with 127");
	finish(&x);
}

static void test_signals(void)
{
	struct test x;

	begin(&x,
	    "trap 'echo got; exit 3' INT; echo $$; while :; do sleep 0.01; "
	    "done");
	(void)pid_of(&x);
	job_stop(x.job, 0);
	(void)loop_until(loop, 20000, &x, is_over);
	ok(strstr(buf_cstr(&x.out), "got") && WEXITSTATUS(x.status) == 3,
	    "a job that is stopped gets SIGINT first");
	finish(&x);

	begin(&x, "trap 'echo got; exit 4' TERM; echo $$; while :; do sleep "
		  "0.01; done");
	(void)pid_of(&x);
	job_terminate(x.job);
	(void)loop_until(loop, 20000, &x, is_over);
	is_int(WEXITSTATUS(x.status), 4, "a job can get SIGTERM at once");
	finish(&x);
}

static void test_kill(void)
{
	struct test x;

	begin(&x, "setsid sh -c 'echo $$; exec sleep 1000' & wait");
	pid_t pid = pid_of(&x);
	ok(is_alive(pid), "a descendant in a session of its own runs");
	job_kill(x.job);
	(void)loop_until(loop, 20000, &x, is_over);
	ok(!is_alive(pid), "a job that is killed leaves no descendant");
	finish(&x);

	begin(&x, "sh -c 'echo $$; exec sleep 1000' & sleep 0.1");
	pid = pid_of(&x);
	(void)loop_until(loop, 20000, &x, is_over);
	ok(!is_alive(pid), "a program that ends leaves no descendant");
	finish(&x);
}

static bool has_line(struct test *x)
{
	return memchr(x->out.data ? x->out.data : "", '\n', x->out.len);
}

static void test_terminal(void)
{
	/* Lines, without an echo. */
	const struct termios settings = {
	    .c_cflag = CREAD | CS8, .c_lflag = ICANON};
	const struct job_terminal terminal = {12, 34, &settings};
	struct test x;

	begin_at(&x,
	    "echo $(stty size); read go </dev/tty; echo $go $(stty size) >&2",
	    &terminal);
	(void)loop_until(loop, 20000, &x, has_line);
	is_str(buf_cstr(&x.out), "12 34\n", "a terminal has its size");
	ok(!job_has_foreground(x.job),
	    "a program without a job of its own is in the foreground");
	job_resize(x.job, 56, 78);
	ok(job_write(x.job, "typed\n", 6), "something is typed");
	(void)loop_until(loop, 20000, &x, is_over);
	is_str(buf_cstr(&x.out), "12 34\ntyped 56 78\n",
	    "a program reads its terminal, whose size has changed, and writes "
	    "errors to it");
	is_int(x.status, 0, "a program at a terminal ends");
	finish(&x);
}

static bool is_gone(struct test *x)
{
	return !is_alive(x->pid);
}

static void test_free(void)
{
	struct test x;

	begin(&x, "echo $$; exec sleep 1000");
	x.pid = pid_of(&x);
	job_free(&x.job);
	(void)loop_until(loop, 20000, &x, is_gone);
	ok(!is_alive(x.pid) && !x.is_over,
	    "a job that is freed ends without a report");
	x.is_over = true;
	finish(&x);
}

static void test_co_turn_killed(void)
{
	struct test x;

	begin(&x, "echo $$; setsid sleep 1000 & exec sleep 1000");
	pid_t pid = pid_of(&x);
	char path[64];
	int parent = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	ok(f && fscanf(f, "%*d %*s %*c %d", &parent) == 1 && parent > 1,
	    "the parent of the program is its co-turn");
	if (f)
		(void)fclose(f);
	(void)kill(parent, SIGKILL);
	(void)loop_until(loop, 20000, &x, is_over);
	ok(!is_alive(pid), "a co-turn that is killed leaves no process");
	finish(&x);
}

static void test_clear(void)
{
	struct test x;

	begin(&x, "echo $$; trap '' TERM INT; while :; do sleep 1; done");
	pid_t pid = pid_of(&x);
	ok(job_clear(5000), "all jobs can be ended at once");
	ok(!is_alive(pid), "a cleared job leaves no process");
	ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
	    "cleared jobs have been reaped");
	x.is_over = true;
	finish(&x);
}

int main(void)
{
	const char *build = getenv("TOP_BUILDDIR");
	char why[200];

	loop = loop_new();
	ok(!job_init("/nowhere", why, sizeof why),
	    "a directory without co-turn is noticed");
	ok(job_init(build ? build : ".", why, sizeof why), "co-turn is found");
	test_streams();
	test_signals();
	test_kill();
	test_terminal();
	test_free();
	test_co_turn_killed();
	test_clear();
	return done();
}
