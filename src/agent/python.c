/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/python.h"

#include "agent/child.h"
#include "agent/fleet.h"
#include "agent/profile.h"
#include "agent/python_describe.h"
#include "agent/solo.h"
#include "agent/zygote.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "runner/secrets.h"
#include "runner/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The minimum number of forks that wait for a turn. */
#define SPARES 2

/* The maximum number of words of a command line, including the final NULL. */
#define WORDS 24

/*
 * Threads for each turn in a process that has many: the package starts some for
 * the calls of a turn.
 */
#define THREADS_PER_TURN 4

/* The agent is the first member, so that one pointer serves for both. */
struct python {
	struct agent agent;
	struct source_exec source; /* of what runs the file */
	struct fleet *fleet;	   /* shared: processes with many turns */
	struct zygote *zygote;	   /* isolated: the fork server */
	struct solo solo;	   /* its forks */
	char *name;		   /* of the file */
	int state;		   /* agent_state */
	struct profile_history profiles;
};

/* The name of the file without its folder and suffix. */
static char *name_of(const char *setting)
{
	const char *file = setting + strlen(PYTHON_PREFIX);
	const char *slash = strrchr(file, '/');

	file = slash ? slash + 1 : file;
	size_t len = strcspn(file, ":");
	if (len > 3 && memcmp(file + len - 3, ".py", 3) == 0)
		len -= 3;
	return mem_strndup(file, len);
}

/* ---- what runs the file ---- */

static struct profile_usual usual(const char *name, int state)
{
	return (struct profile_usual){name, "unknown", state};
}

static void renew_profile(struct python *p, const char *json, size_t len)
{
	const struct profile_usual u = usual(p->name, p->state);

	if (profile_renew(&p->profiles, &u, json, len))
		p->agent.about = p->profiles.now.about;
}

static void on_ready(void *arg, const char *json, size_t len)
{
	struct python *p = arg;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o = json_parse(&doc, json, len, 0, &why);
	size_t n;

	if (o && json_is(json_get(o, "about"), JSON_OBJECT)) {
		char *state = json_strdup(json_get(o, "state"));
		char *because = json_strdup(json_get(o, "why"));
		const char *about = json_text(json_get(o, "about"), &n);
		renew_profile(p, about, n);
		log_info("agent %s: loaded, its state is %s: %s",
		    p->profiles.now.name, state ? state : "unknown",
		    because ? because : "unknown");
		free(state);
		free(because);
	}
	json_fini(&doc);
}

/* The words of a command line, and those of them that are made for it. */
struct command {
	const char *words[WORDS];
	size_t n;
	struct buf script, co_turn;
	char numbers[5][24];
	size_t n_numbers;
};

static void add(struct command *c, const char *word)
{
	c->words[c->n++] = word;
}

static void add_number(struct command *c, const char *option, int64_t value)
{
	char *text = c->numbers[c->n_numbers++];

	(void)snprintf(text, sizeof c->numbers[0], "%" PRId64, value);
	add(c, option);
	add(c, text);
}

static void begin_command(struct command *c, const struct agent_spec *spec)
{
	*c = (struct command){0};
	buf_printf(&c->script, "%s/co-agent-python", spec->libexec_dir);
	add(c, spec->python);
	add(c, buf_cstr(&c->script));
	add(c, "--serve");
	add_number(c, "--memory", spec->memory_bytes);
	add(c, "--forget"); /* variables that the package loads from .env */
	add(c, SECRETS_NAMES);
	if (spec->notices_edits)
		add(c, "--reload");
}

static void finish_command(
    struct command *c, struct python *p, const struct agent_spec *spec)
{
	add(c, "--");
	add(c, spec->setting + strlen(PYTHON_PREFIX));
	source_exec_init(&p->source, spec, c->words);
	buf_fini(&c->script);
	buf_fini(&c->co_turn);
}

static struct channels *open_fleet(
    struct python *p, const struct agent_setup *setup)
{
	const struct agent_spec *spec = &setup->spec;
	struct command c;

	begin_command(&c, spec);
	add(&c, "--state");
	add(&c, "shared");
	add_number(&c, "--recycle-turns", spec->recycle_turns);
	add_number(&c, "--recycle-memory", spec->recycle_memory_bytes >> 20);
	add_number(&c, "--grace", spec->interrupt_grace_ms / 1000);
	add_number(&c, "--processes", spec->processes);
	finish_command(&c, p, spec);
	source_exec_share(&p->source, THREADS_PER_TURN, spec->turns);
	p->fleet = fleet_open(&(struct fleet_setup){
	    .agent = setup,
	    .source = &p->source.base,
	    .turn_processes = THREADS_PER_TURN,
	    .on_ready = on_ready,
	    .arg = p,
	});
	return fleet_channels(p->fleet);
}

static struct channels *open_zygote(
    struct python *p, const struct agent_setup *setup)
{
	const struct agent_spec *spec = &setup->spec;
	struct command c;

	begin_command(&c, spec);
	buf_printf(&c.co_turn, "%s/co-turn", spec->libexec_dir);
	add(&c, "--state");
	add(&c, "isolated");
	add(&c, "--co-turn");
	add(&c, buf_cstr(&c.co_turn));
	add_number(&c, "--processes", spec->processes);
	add_number(&c, "--spares", spec->pool > SPARES ? spec->pool : SPARES);
	finish_command(&c, p, spec);
	p->source.processes = 0; /* each turn has its own limit */
	p->zygote = zygote_open(&(struct zygote_setup){
	    .loop = setup->loop,
	    .crew = setup->crew,
	    .source = &p->source.base,
	    .on_ready = on_ready,
	    .arg = p,
	});
	solo_init(&p->solo, setup, zygote_source(p->zygote), 0);
	return &p->solo.base;
}

/* ---- the kind ---- */

static void describe(const struct agent_spec *spec, struct agent_about *about)
{
	static struct profile profile; /* of the last call */
	char *name = name_of(spec->setting);
	const struct profile_usual u = usual(name, spec->state);

	profile_free(&profile);
	profile_read(&profile, &u, spec->profile, strlen(spec->profile));
	*about = profile.about;
	free(name);
}

static int64_t descriptors(const struct agent_spec *spec)
{
	return spec->state == STATE_ISOLATED ? solo_descriptors(spec)
					     : fleet_descriptors(spec);
}

static struct agent *python_open_agent(
    const struct agent_setup *setup, struct err *err)
{
	struct python *p = mem_zero(sizeof *p);
	const char *said = setup->spec.profile;

	(void)err; /* errors occur in the processes */
	p->name = name_of(setup->spec.setting);
	p->state = setup->spec.state;
	renew_profile(p, said, strlen(said));
	child_init(&p->agent, setup,
	    p->state == STATE_ISOLATED ? open_zygote(p, setup)
				       : open_fleet(p, setup));
	return &p->agent;
}

static void close_agent(struct agent **agent)
{
	struct python *p = (struct python *)(void *)*agent;

	if (!p)
		return;
	if (p->fleet) {
		fleet_close(&p->fleet);
	} else {
		solo_fini(&p->solo);
		zygote_close(&p->zygote);
	}
	source_exec_fini(&p->source);
	profile_forget(&p->profiles);
	free(p->name);
	free(p);
	*agent = NULL;
}

static enum agent_load load(const struct agent *agent)
{
	const struct python *p = (const struct python *)(const void *)agent;

	return p->fleet ? fleet_load(p->fleet) : zygote_load(p->zygote);
}

static void drain(struct agent *agent)
{
	struct python *p = (struct python *)(void *)agent;

	if (p->fleet)
		fleet_drain(p->fleet);
}

const struct agent_kind python_kind = {
    .name = "python",
    .prefix = PYTHON_PREFIX,
    .needs = "a file, such as 'python:agent.py'",
    .usage = PYTHON_PREFIX "FILE.py",
    .flags = AGENT_WRITES_EVALS,
    .ask = python_describe,
    .describe = describe,
    .descriptors = descriptors,
    .open = python_open_agent,
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
