/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <limits.h>

#include "base/clock.h"
#include "master/children.h"
#include "master/orphans.h"
#include "t/unit/scratch.h"

static struct children children; /* none */
static struct orphans orphans;
static int64_t ahead_ms;
static char *clock_file;

static void pass(int64_t ms)
{
	FILE *f = fopen(clock_file, "r+b");

	ahead_ms += ms;
	if (!f || fwrite(&ahead_ms, sizeof ahead_ms, 1, f) != 1 ||
	    fclose(f) != 0)
		abort();
}

/* The child executes a file that is "sleep". */
static pid_t run(const char *path)
{
	char exe[64], at[PATH_MAX] = "";
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl(path, "co-turn", "600", (char *)NULL);
		_exit(127);
	}
	(void)snprintf(exe, sizeof exe, "/proc/%ld/exe", (long)pid);
	while (strcmp(at, path) != 0) {
		ssize_t n = readlink(exe, at, sizeof at - 1);
		at[n > 0 ? n : 0] = '\0';
	}
	return pid;
}

/* Whether it is gone soon, when we look again and again. */
static bool is_ended(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		orphans_end(&orphans, &children);
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return true;
		if (kill(pid, 0) == 0 && i > 20 && orphans.n_spared)
			return false; /* it had its chance */
		(void)usleep(1000);
	}
	return false;
}

static char *copy_sleep(const char *folder)
{
	char command[256];
	char *dir = scratch_path("%s", folder), *path;

	(void)snprintf(command, sizeof command,
	    "mkdir -p %s && cp /bin/sleep %s/co-turn.new && "
	    "mv %s/co-turn.new %s/co-turn",
	    dir, dir, dir, dir);
	if (system(command) != 0)
		abort();
	path = scratch_path("%s/co-turn", folder);
	free(dir);
	return path;
}

static void test_co_turn(const char *ours, const char *other)
{
	pid_t co_turn = run(ours), forged = run(other);

	orphans_expect(&orphans);
	ok(is_ended(forged), "an orphan that calls itself co-turn is killed");
	ok(!is_ended(co_turn), "a co-turn is spared");
	pass(9000);
	ok(!is_ended(co_turn), "a co-turn has 10 s to end its tree");
	pass(3000);
	ok(is_ended(co_turn),
	    "a co-turn that takes longer than 10 s is killed");
}

static void test_upgrade(const char *ours)
{
	pass(20000);
	orphans_end(&orphans, &children);
	pid_t old = run(ours);

	free(copy_sleep("libexec"));
	pid_t new = run(ours);
	orphans_expect(&orphans);
	ok(!is_ended(old), "a co-turn of before an upgrade is spared");
	ok(!is_ended(new), "a co-turn of after an upgrade is spared");
	(void)kill(old, SIGKILL);
	(void)kill(new, SIGKILL);
}

int main(void)
{
	int64_t none = 0;
	char *ours = copy_sleep("libexec"), *other = copy_sleep("other");
	char *dir = scratch_path("libexec");

	clock_file = scratch_path("clock");
	FILE *f = fopen(clock_file, "wb");
	if (!f || fwrite(&none, sizeof none, 1, f) != 1 || fclose(f) != 0 ||
	    !clock_follow(clock_file))
		abort();
	orphans_inherit(&orphans, dir);
	test_co_turn(ours, other);
	test_upgrade(ours);
	free(orphans.spared);
	free(orphans.co_turn);
	free(clock_file);
	free(ours);
	free(other);
	free(dir);
	return done();
}
