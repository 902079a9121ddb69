/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"
#include "cli/chat.h"
#include "cli/cli.h"
#include "cli/cli_options.h"
#include "cli/lookup.h"
#include "cli/output.h"
#include "cli/talking.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static bool is_chat(const struct cli *cli)
{
	const struct cli_options *o = cli->options;

	return cli->editor && isatty(STDIN_FILENO) == 1 && !o->text &&
	       !o->is_resume && !o->is_lines;
}

static enum exit_status run(struct cli *cli)
{
	switch (cli->options->command) {
	case CLI_FIND:
		return lookup_find(cli);
	case CLI_INFO:
		return lookup_info(cli);
	case CLI_TALK:
		break;
	}
	return is_chat(cli) ? chat_run(cli) : talking_batch(cli);
}

int main(int argc, char **argv)
{
	static struct cli_options options;
	static struct cli cli;
	enum exit_status status = STATUS_USAGE;

	fds_fill_unwritable();
	/* Of the locale we need what characters there are, and no more. */
	(void)setlocale(LC_CTYPE, "");
	cli_options_read(&options, argc, argv);
	if (cli_init(&cli, &options))
		status = run(&cli);
	if (status == STATUS_OK && cli.is_unsaved)
		status = STATUS_USAGE;
	if (!output_flush()) {
		screen_fail(&cli.screen, "cannot write the output: %s",
		    strerror(errno));
		status = STATUS_USAGE;
	}
	cli_fini(&cli);
	return (int)status;
}
