/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/exec.h"

#include "agent/child.h"
#include "agent/exec_check.h"
#include "agent/fleet.h"
#include "agent/profile.h"
#include "agent/solo.h"
#include "base/json.h"
#include "base/mem.h"
#include "runner/source.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "exec:"

/* The model of an agent that says nothing about itself. */
#define MODEL "exec"

/* The agent is the first member, so that one pointer serves for both. */
struct exec {
	struct agent agent;
	struct source_exec source;
	struct solo solo;
	struct fleet *fleet; /* NULL: each turn has a process of its own */
	struct profile_history profiles;
	char *name;
};

static const char *command_of(const struct agent_spec *spec)
{
	return spec->setting + strlen(PREFIX);
}

static int check(
    const struct agent_spec *spec, const char *key, struct err *err)
{
	return exec_check(key, command_of(spec), spec->project_dir, err);
}

/*
 * The agent's name is that of the program without its folder. Returns the
 * memory of the name; free() it.
 */
static char *name_agent(const char *command, struct agent_about *about)
{
	static const char *const no_tools[] = {NULL};
	const char *program = command + strspn(command, " \t");
	size_t len = strcspn(program, " \t");
	size_t folder = len;

	while (folder > 0 && program[folder - 1] != '/')
		folder--;
	char *name = mem_strndup(program + folder, len - folder);
	*about = (struct agent_about){
	    .name = name, .model = MODEL, .tools = no_tools};
	return name;
}

static void describe(const struct agent_spec *spec, struct agent_about *about)
{
	static char *name; /* from the last call */

	free(name);
	name = name_agent(command_of(spec), about);
}

static int64_t descriptors(const struct agent_spec *spec)
{
	return spec->is_persistent ? fleet_descriptors(spec)
				   : solo_descriptors(spec);
}

static struct exec *exec_of(struct agent *agent)
{
	return (struct exec *)(void *)agent;
}

/*
 * READY may tell what the agent is. Its name stays, since logs and clients have
 * it already; and it cannot have routes of its own.
 */
static void on_ready(void *arg, const char *json, size_t len)
{
	struct exec *e = arg;
	const struct profile_usual usual = {.name = e->name, .model = MODEL};
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *about =
	    json_get(json_parse(&doc, json, len, 0, &why), "about");
	size_t n;

	if (json_is(about, JSON_OBJECT)) {
		const char *text = json_text(about, &n);
		(void)profile_renew(&e->profiles, &usual, text, n);
		e->agent.about = e->profiles.now.about;
		e->agent.about.name = e->name;
		e->agent.about.routes = NULL;
	}
	json_fini(&doc);
}

static struct channels *open_channels(
    struct exec *e, const struct agent_setup *setup)
{
	const struct agent_spec *spec = &setup->spec;

	if (!spec->is_persistent) {
		solo_init(&e->solo, setup, &e->source.base, (size_t)spec->pool);
		return &e->solo.base;
	}
	source_exec_share(&e->source, 1, spec->turns);
	e->fleet = fleet_open(&(struct fleet_setup){
	    .agent = setup,
	    .source = &e->source.base,
	    .turn_processes = 1,
	    .on_ready = on_ready,
	    .arg = e,
	});
	return fleet_channels(e->fleet);
}

static struct agent *exec_open_agent(
    const struct agent_setup *setup, struct err *err)
{
	struct exec *e = mem_zero(sizeof *e);
	const char *command = command_of(&setup->spec);

	(void)err; /* errors show at the first start */
	source_exec_init(&e->source, &setup->spec,
	    (const char *const[]){"/bin/sh", "-c", command, NULL});
	e->name = name_agent(command, &e->agent.about);
	child_init(&e->agent, setup, open_channels(e, setup));
	return &e->agent;
}

static void close_agent(struct agent **agent)
{
	struct exec *e = exec_of(*agent);

	if (!e)
		return;
	if (e->fleet)
		fleet_close(&e->fleet);
	else
		solo_fini(&e->solo);
	source_exec_fini(&e->source);
	profile_forget(&e->profiles);
	free(e->name);
	free(e);
	*agent = NULL;
}

static enum agent_load load(const struct agent *agent)
{
	const struct exec *e = (const struct exec *)(const void *)agent;

	return e->fleet ? fleet_load(e->fleet) : AGENT_LOADED;
}

static void drain(struct agent *agent)
{
	struct exec *e = exec_of(agent);

	if (e->fleet)
		fleet_drain(e->fleet);
}

const struct agent_kind exec_kind = {
    .name = "exec",
    .prefix = PREFIX,
    .needs = "a command, such as 'exec:python3 agent.py'",
    .usage = PREFIX "COMMAND ARGUMENTS",
    .check = check,
    .describe = describe,
    .descriptors = descriptors,
    .open = exec_open_agent,
    .close = close_agent,
    .drain = drain,
    .about = child_about,
    .load = load,
    .start = child_start,
    .exec = child_exec,
    .run = child_run,
    .deliver = child_deliver,
    .on_room = child_on_room,
    .free = child_free,
};
