/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/secrets.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/conf.h"
#include "proc/spawn.h"

/* The descriptor that co-turn expects its control socket at. */
#define CONTROL_FD 3

/* Words before those of the program. */
#define OWN_WORDS 5

static size_t count_words(char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	return n;
}

static pid_t spawn(const struct source_exec *s, const int *fds, char **argv)
{
	const struct spawn_fd places[] = {
	    {fds[SOURCE_IN], STDIN_FILENO},
	    {fds[SOURCE_OUT], STDOUT_FILENO},
	    {fds[SOURCE_ERR], STDERR_FILENO},
	    {fds[SOURCE_CONTROL], CONTROL_FD},
	};
	char **environment = secrets_environ();
	const struct spawn_plan plan = {
	    .path = s->co_turn,
	    .argv = argv,
	    .envp = environment,
	    .cwd = s->directory,
	    .fds = places,
	    .n_fds = sizeof places / sizeof *places,
	    .has_own_group = 1,
	};

	pid_t pid = spawn_start(&plan);
	int why = errno;
	free(environment);
	errno = why;
	return pid;
}

static pid_t start(struct source *base, const int *fds, struct err *err)
{
	struct source_exec *s = (struct source_exec *)(void *)base;
	char parent[24], memory[24], space[24], processes[24];
	size_t n = count_words(s->argv);
	char **argv = mem_zero((n + OWN_WORDS + 1) * sizeof *argv);

	(void)snprintf(parent, sizeof parent, "%ld", (long)getpid());
	(void)snprintf(memory, sizeof memory, "%" PRId64, s->memory_bytes);
	(void)snprintf(space, sizeof space, "%" PRId64, s->space_bytes);
	(void)snprintf(processes, sizeof processes, "%" PRId64, s->processes);
	argv[0] = s->co_turn;
	argv[1] = parent;
	argv[2] = memory;
	argv[3] = space;
	argv[4] = processes;
	memcpy(argv + OWN_WORDS, s->argv, n * sizeof *argv);
	pid_t pid = spawn(s, fds, argv);
	if (pid < 0)
		(void)err_set(err, ERR_AGENT, "cannot start %s: %s", s->co_turn,
		    strerror(errno));
	free(argv);
	return pid;
}

void source_exec_init(
    struct source_exec *s, const struct conf *conf, const char *const *argv)
{
	struct buf path = {0};
	size_t n = 0;

	while (argv[n])
		n++;
	buf_printf(&path, "%s/co-turn", conf->libexec_dir);
	*s = (struct source_exec){
	    .base = {start},
	    .co_turn = buf_steal(&path, &(size_t){0}),
	    .argv = mem_zero((n + 1) * sizeof *s->argv),
	    .directory = mem_strdup(conf->project_dir),
	    .memory_bytes = conf->agent_memory << 20,
	    .space_bytes = conf->agent_address_space << 20,
	    .processes = conf->agent_processes,
	};
	for (size_t i = 0; i < n; i++)
		s->argv[i] = mem_strdup(argv[i]);
}

void source_exec_fini(struct source_exec *s)
{
	for (size_t i = 0; s->argv && s->argv[i]; i++)
		free(s->argv[i]);
	free(s->argv);
	free(s->co_turn);
	free(s->directory);
	*s = (struct source_exec){0};
}
