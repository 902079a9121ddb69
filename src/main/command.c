/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/command.h"

#include "main/backup.h"
#include "main/export.h"
#include "main/init.h"
#include "main/inside.h"
#include "main/show_conf.h"
#include "main/token.h"

#include <string.h>

static const struct command commands[] = {
    {"status", "status [--json]", "show whether the server runs well",
	inside_run_status},
    {"sessions", "sessions [--json]", "list the stored sessions",
	inside_run_sessions},
    {"show", "show ID [--json]", "show one session", inside_run_show},
    {"conf", "conf [--json|--diff]", "show each setting with its source",
	show_conf_run},
    {"init", "init [DIR]", "create a project: keys, settings, a sample agent",
	init_run},
    {"export", "export [FILE]", "write all results as JSON lines", export_run},
    {"import", "import FILE", "add the results in such a file to the store",
	export_run_import},
    {"backup", "backup DIR", "copy the project's .co to a new folder",
	backup_run},
    {"token", "token USER [SECONDS]", "print a token for clients of Onsembl",
	token_run},
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

void command_print(FILE *to)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)fprintf(
		    to, "  %-22s %s\n", commands[i].usage, commands[i].help);
}
