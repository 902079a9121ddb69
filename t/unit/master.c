/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/heritage.h"
#include "core/process.h"
#include "master/children.h"
#include "master/listen.h"
#include "master/master.h"
#include "proc/shm.h"
#include "t/unit/scratch.h"

/*
 * Keeper and workers are this script: with good settings it serves for ever,
 * else it ends before it is ready. It notes its kind and number.
 */
static const char program_text[] =
    "#!/bin/sh\n"
    "set -- \"$2\"\n"
    "if [ $1 = worker ] && grep -aq broken /proc/$$/fd/3; then\n"
    "	echo $$ >>\"${0%/*}/broken\"\n"
    "	exit 1\n"
    "fi\n"
    "[ $1 = worker ] || sleep 0.2\n"
    "echo $1 >>\"${0%/*}/order\"\n"
    "echo $$ >>\"${0%/*}/$1\"\n"
    "printf 1 >&5\n"
    "exec sleep 600\n";

static struct conf conf;

/* The new settings are good by themselves, yet no worker starts with them. */
static struct master_plan plan_for(const struct conf *c)
{
	struct master_plan plan = {.conf_fd = shm_create("conf", 0)};

	for (int kind = KIND_NONE + 1; kind < KINDS; kind++)
		plan.want[kind] = process_count(kind, c);
	if (conf_save(c, plan.conf_fd) != 0)
		abort();
	return plan;
}

static int reload_broken(struct master_plan *plan, struct err *err)
{
	if (conf_set(&conf, "test", "name", "broken", err) != 0)
		return -1;
	*plan = plan_for(&conf);
	return 0;
}

static void serve(void)
{
	char name[100];
	struct err err;
	char *program = scratch_path("program"), *log = scratch_path("log");

	conf_init(&conf);
	conf.workers = 2;
	conf.port = 0;
	(void)log_open(log);
	(void)setpgid(0, 0);
	int fd = listen_open(conf.bind, conf.port, name, sizeof(name), &err);
	struct master_setup setup = {
	    .name = "co-hostd",
	    .kinds = process_kinds,
	    .n_kinds = KINDS,
	    .plan = plan_for(&conf),
	    .work = "turns",
	    .program = program,
	    .listen_fd = fd,
	    .address = name,
	    .ready_fd = -1,
	    .reload = reload_broken,
	};
	_exit(fd < 0 ? 1 : master_run(&setup));
}

/* The process numbers in a file, and how many there are. */
static int read_pids(const char *file, pid_t *pids, int most)
{
	size_t len;
	char *path = scratch_path("%s", file);
	char *text = scratch_read(path, &len), *p = text;
	int n = 0;

	while (n < most && *p) {
		pids[n++] = (pid_t)strtol(p, &p, 10);
		p += strspn(p, "\n");
	}
	free(text);
	free(path);
	return n;
}

/* Wait until a file names so many processes; how many it names. */
static int wait_for(const char *file, int n, int timeout_ms)
{
	pid_t pids[100];
	int found = 0;

	for (int ms = 0; ms < timeout_ms && found < n; ms += 10) {
		found = read_pids(file, pids, 100);
		(void)usleep(10000);
	}
	return found;
}

static void starts_in_order(void)
{
	size_t len;
	char *path = scratch_path("order"), *text = scratch_read(path, &len);

	ok(strcmp(text, "keeper\nlink\nworker\nworker\n") == 0 ||
		strcmp(text, "link\nkeeper\nworker\nworker\n") == 0,
	    "workers start when the keeper and the link serve");
	free(text);
	free(path);
}

/* The table of kinds says what the master does with each. */
static void test_kinds(void)
{
	const struct process *worker = &process_kinds[KIND_WORKER];
	const struct process *keeper = &process_kinds[KIND_KEEPER];

	conf_init(&conf);
	conf.workers = 7;
	is_str(worker->name, "worker", "a worker is named in --child");
	is_int(process_count(KIND_WORKER, &conf), 7,
	    "a setting says how many workers run");
	is_int(process_count(KIND_KEEPER, &conf), 1, "there is one keeper");
	is_int(process_count(KIND_LINK, &conf), 1,
	    "a process holds the connection to the relay");
	free(conf.relay_url);
	conf.relay_url = strdup("");
	is_int(process_count(KIND_LINK, &conf), 0,
	    "no process holds a connection if there is no relay");
	is_int(process_kinds[KIND_LINK].stage, keeper->stage,
	    "the link leaves after the workers, whose clients it has");
	is_int(process_count(KIND_NONE, &conf), 0,
	    "there is no process of no kind");
	is_int(worker->flags, PROCESS_LISTENS | PROCESS_DRAINS,
	    "workers accept clients and end their turns");
	is_int(keeper->flags, 0, "the keeper does not get the listener");
	ok(keeper->stage < worker->stage,
	    "the keeper starts first and leaves last");
	conf_fini(&conf);
}

static void test_broken_generation(void)
{
	pid_t pids[100];
	int status = -1;
	pid_t master = fork();

	if (master == 0)
		serve();
	ok(wait_for("worker", 2, 10000) == 2 &&
		wait_for("keeper", 1, 10000) == 1,
	    "the first generation is running");
	starts_in_order();
	(void)usleep(300000); /* until the master has heard so */
	(void)kill(master, SIGHUP);
	ok(wait_for("broken", 1, 10000) >= 1,
	    "a broken generation does not start");
	(void)read_pids("worker", pids, 100);
	(void)kill(pids[0], SIGKILL);
	is_int(wait_for("worker", 3, 1500), 3,
	    "a worker of the old generation is replaced beside a broken one");
	(void)read_pids("keeper", pids, 100);
	(void)kill(pids[0], SIGKILL);
	is_int(wait_for("keeper", 3, 1500), 3,
	    "a keeper of the old generation is replaced beside a broken one");
	(void)kill(master, SIGQUIT);
	ok(waitpid(master, &status, 0) == master && status == 0,
	    "all processes end after SIGQUIT");
}

/* The gauges of a dead process count nothing, even before it is replaced. */
static void test_reap(void)
{
	struct children *c = mem_zero(sizeof *c);
	struct child child;
	struct msg died;

	c->heritage = mem_zero(sizeof *c->heritage);
	c->n_slots = 2;
	c->kinds = process_kinds;
	c->n_kinds = KINDS;
	c->child[1] =
	    (struct child){.pid = 4242, .kind = KIND_WORKER, .ready_fd = -1};
	c->heritage->stats[0].runs = 2;
	c->heritage->stats[1].runs = 3;
	c->heritage->stats[1].runs_done = 5;
	ok(children_reap(c, 4242, SIGKILL, &child, &died) &&
		child.pid == 4242 && died.a == 1,
	    "a dead child is known by its pid");
	is_int((long long)c->heritage->stats[1].runs, 0,
	    "a dead process runs no turns in /metrics");
	is_int((long long)c->heritage->stats[1].runs_done, 5,
	    "the counters of a dead process stay in /metrics");
	is_int((long long)c->heritage->stats[0].runs, 2,
	    "the death of a process leaves the gauges of others");
	free(c->heritage);
	free(c);
}

int main(void)
{
	char *program = scratch_path("program");

	scratch_write(program, program_text, sizeof(program_text) - 1);
	if (chmod(program, 0700) != 0)
		abort();
	free(program);
	test_kinds();
	test_reap();
	test_broken_generation();
	return done();
}
