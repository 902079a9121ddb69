/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* onsembl-agent(1): connects an agent on this machine to a server. */
#include "base/fds.h"
#include "wrapper/agent_settings.h"
#include "wrapper/commands.h"

int main(int argc, char **argv)
{
	static struct agent_settings settings;

	fds_fill_standard();
	agent_settings_read(&settings, argc, argv);
	return commands_run(&settings);
}
