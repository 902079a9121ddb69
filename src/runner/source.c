/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "runner/source.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "proc/spawn.h"
#include "proc/tree.h"
#include "runner/secrets.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The descriptor at which co-turn expects its control socket. */
#define CONTROL_FD 3

/* The number of words before those of the program. */
#define OWN_WORDS 6

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
	char **environment = secrets_environ(s->variables, s->more);
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

static pid_t source_start(struct source *base, const int *fds, struct err *err)
{
	struct source_exec *s = (struct source_exec *)(void *)base;
	char parent[24], memory[24], space[24], processes[48];
	size_t n = count_words(s->argv);
	char **argv = mem_zero((n + OWN_WORDS + 1) * sizeof *argv);

	(void)snprintf(parent, sizeof parent, "%ld", (long)getpid());
	(void)snprintf(memory, sizeof memory, "%" PRId64, s->memory_bytes);
	(void)snprintf(space, sizeof space, "%" PRId64, s->space_bytes);
	(void)snprintf(processes, sizeof processes, "%" PRId64 ":%" PRId64,
	    s->processes, s->processes_most);
	argv[0] = s->co_turn;
	argv[1] = parent;
	argv[2] = memory;
	argv[3] = space;
	argv[4] = processes;
	argv[5] = s->user;
	memcpy(argv + OWN_WORDS, s->argv, n * sizeof *argv);
	pid_t pid = spawn(s, fds, argv);
	if (pid < 0)
		(void)err_set(err, ERR_AGENT, "cannot start %s: %s", s->co_turn,
		    strerror(errno));
	free(argv);
	return pid;
}

/* ---- another user ---- */

/* The maximum number of supplementary groups of the agents' user. */
#define MAX_GROUPS 64

static char *variable(const char *name, const char *value)
{
	struct buf text = {0};

	buf_printf(&text, "%s=%s", name, value);
	return buf_steal(&text, &(size_t){0});
}

static char *numbers_of(const struct passwd *user)
{
	gid_t groups[MAX_GROUPS];
	int n = MAX_GROUPS;
	struct buf text = {0};

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		n = MAX_GROUPS; /* the user is in more */
	buf_printf(
	    &text, "%u:%u", (unsigned)user->pw_uid, (unsigned)user->pw_gid);
	for (int i = 0; i < n; i++)
		buf_printf(&text, ",%u", (unsigned)groups[i]);
	return buf_steal(&text, &(size_t){0});
}

static void set_user(struct source_exec *s, const char *name)
{
	if (!*name) {
		s->user = mem_strdup("-");
		return;
	}
	const struct passwd *user = getpwnam(name);
	if (!user)
		fatal("agent_user: there is no user %s", name);
	s->user = numbers_of(user);
	s->more = mem_zero(4 * sizeof *s->more);
	s->more[0] = variable("HOME", user->pw_dir);
	s->more[1] = variable("USER", user->pw_name);
	s->more[2] = variable("LOGNAME", user->pw_name);
}

/* ---- life cycle ---- */

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

void source_exec_init(struct source_exec *s, const struct agent_spec *spec,
    const char *const *argv)
{
	struct buf path = {0};
	size_t n = 0;

	while (argv[n])
		n++;
	buf_printf(&path, "%s/co-turn", spec->libexec_dir);
	*s = (struct source_exec){
	    .base = {.start = source_start},
	    .co_turn = buf_steal(&path, &(size_t){0}),
	    .argv = mem_zero((n + 1) * sizeof *s->argv),
	    .directory = mem_strdup(spec->project_dir),
	    .variables = mem_strdup("*"),
	    .memory_bytes = spec->memory_bytes,
	    .space_bytes = spec->space_bytes,
	    .processes = spec->processes,
	};
	for (size_t i = 0; i < n; i++)
		s->argv[i] = mem_strdup(argv[i]);
	set_user(s, spec->user);
}

void source_exec_name_variables(struct source_exec *s, const char *names)
{
	free(s->variables);
	s->variables = mem_strdup(names);
}

/* Returns the place of a variable of the same name, or the end of the list. */
static size_t find_variable(char *const *list, const char *variable)
{
	size_t len = strcspn(variable, "=") + 1;
	size_t i = 0;

	while (list && list[i] && strncmp(list[i], variable, len) != 0)
		i++;
	return i;
}

void source_exec_add_variables(struct source_exec *s, char *const *variables)
{
	size_t n = s->more ? count_words(s->more) : 0;
	size_t added = variables ? count_words(variables) : 0;

	s->more = mem_realloc(s->more, (n + added + 1) * sizeof *s->more);
	for (size_t i = n; i <= n + added; i++)
		s->more[i] = NULL;
	for (size_t i = 0; i < added; i++) {
		size_t at = find_variable(s->more, variables[i]);
		free(s->more[at]);
		s->more[at] = mem_strdup(variables[i]);
	}
}

void source_exec_share(
    struct source_exec *s, int64_t turn_processes, int64_t turns)
{
	s->processes_most =
	    s->processes + TREE_MORE_PROCESSES + turn_processes * turns;
	s->processes += TREE_MORE_PROCESSES;
}

void source_exec_fini(struct source_exec *s)
{
	free_texts(s->argv);
	free_texts(s->more);
	free(s->user);
	free(s->co_turn);
	free(s->directory);
	free(s->variables);
	*s = (struct source_exec){0};
}
