/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * co-agent-c runs an agent in C, a shared object (co_agent(3)), for one turn of
 * co-agent(7) or one direct call of a tool.
 *
 *	co-agent-c FILE			wait for the turn, run it, exit
 *	co-agent-c --describe FILE	write what the agent is, a JSON object
 *
 * FILE is a path. The exit status is 0; 1 if the agent cannot be loaded, after a
 * line on standard error that says why; or 2 if the arguments are wrong.
 */
#include "base/log.h"
#include "base/write_all.h"
#include "native/host.h"
#include "native/object.h"
#include "native/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Keep a descriptor for us, and put another one in its place: what the agent
 * prints must not be taken for a line of ours.
 */
static int take(int fd, int instead)
{
	int ours = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (ours < 0 || dup2(instead, fd) < 0)
		fatal("cannot move descriptor %d: %s", fd, strerror(errno));
	return ours;
}

static int take_input(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0)
		fatal("cannot open /dev/null: %s", strerror(errno));
	int ours = take(STDIN_FILENO, null);
	(void)close(null);
	return ours;
}

static int open_object(struct object *o, const char *path)
{
	struct err err;

	if (object_open(o, path, host_table(), &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.text);
	return -1;
}

static int describe(const struct object *o, int out)
{
	size_t len;
	char *text = object_describe(o, &len);
	bool is_written = write_all(out, text, len);

	free(text);
	return is_written ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct task task; /* lives until exit */
	struct object object;
	bool is_question = argc == 3 && strcmp(argv[1], "--describe") == 0;

	if (argc != 2 && !is_question) {
		(void)fprintf(stderr, "usage: co-agent-c [--describe] FILE\n");
		return 2;
	}
	int in = take_input();
	int out = take(STDOUT_FILENO, STDERR_FILENO);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (open_object(&object, argv[argc - 1]) != 0)
		return 1;
	if (is_question)
		return describe(&object, out);
	task_init(&task, host_table(), in, out);
	(void)task_run(&task, &object);
	/* Functions of atexit() belong to the agent, and may need its texts. */
	exit(0);
}
