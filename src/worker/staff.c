/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/staff.h"

#include "access/judge.h"
#include "agent/agents.h"
#include "base/log.h"
#include "base/mem.h"
#include "child/inherit.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/doors.h"
#include "core/err.h"
#include "core/permit.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_turn.h"
#include "fetch/fetch.h"
#include "runner/runner.h"

#include <stdlib.h>

/* The number of concurrent HTTP requests that agents of a worker may make. */
#define FETCH_CALLS 64

struct staff {
	struct staff_setup setup;
	const struct agent_kind *kind;
	struct agent *agent;
	struct agent_dir *agents; /* that one, and those that dial in */
	struct dialin_dock *dock; /* NULL: none may dial in */
	struct agent *dialed_in;  /* the family of these agents */
	const struct agent_kind *judge_kind;
	struct agent *judge_agent;
	struct judge *judge; /* NULL: there is none */
	struct permit *permit;
	struct fetch *fetch; /* of agents */
};

/* ---- opening ---- */

static struct agent_setup setup_agent(const struct staff *s)
{
	return (struct agent_setup){
	    .spec = agent_spec_of(s->setup.conf),
	    .loop = s->setup.in->loop,
	    .crew = s->setup.crew,
	    .fetch = s->fetch,
	    .permit = s->permit,
	    .dock = s->dock,
	};
}

static void open_dock(struct staff *s)
{
	const struct inherited *in = s->setup.in;
	if (!doors_have(s->setup.conf->doors, DOOR_ONSEMBL))
		return;
	s->dock = dialin_dock_new(&(struct dialin_setup){
	    .loop = in->loop,
	    .heritage = in->heritage,
	    .slot = in->slot,
	    .generation = in->generation,
	    .patience_ms = s->setup.conf->agent_wait * 1000,
	    .on_arrival = s->setup.on_arrival,
	    .arg = s->setup.arg,
	});
}

static void open_agent(struct staff *s)
{
	struct err err;
	struct agent_setup setup = setup_agent(s);
	runner_inherit_orphans();
	s->kind = agents_of(&setup.spec, &err);
	if (s->kind)
		s->agent = s->kind->open(&setup, &err);
	if (!s->agent)
		fatal("agent: %s", err.text);
	s->agents = agent_dir_new(s->kind, s->agent);
}

/* Sessions may name the agents that dial in, whatever the default is. */
static void add_dialed_in(struct staff *s)
{
	struct err err;
	struct agent_setup setup = setup_agent(s);
	if (!s->dock)
		return;
	setup.spec.setting = DIALIN_PREFIX;
	s->dialed_in = dialin_kind.open(&setup, &err);
	if (!s->dialed_in)
		fatal("%s", err.text);
	agent_dir_add_family(
	    s->agents, DIALIN_PREFIX, &dialin_kind, s->dialed_in);
}

/* The trust agent is an agent like any other, with a setting of its own. */
static void open_trust_agent(struct staff *s)
{
	struct err err;
	struct agent_setup setup = setup_agent(s);
	setup.permit = NULL;
	setup.spec = agent_spec_of_trust(s->setup.conf);
	setup.spec.model.system = judge_instructions;
	setup.spec.model.calls = JUDGE_MAX_TURNS;
	s->judge_kind = agents_find(setup.spec.setting, &err);
	if (s->judge_kind)
		s->judge_agent = s->judge_kind->open(&setup, &err);
	if (!s->judge_agent)
		fatal("trust_agent: %s", err.text);
	s->judge = judge_new(
	    s->judge_kind, s->judge_agent, s->setup.ask_flush, s->setup.arg);
}

static void open_judge(struct staff *s)
{
	if (*s->setup.conf->trust_object) {
		s->judge = judge_new(
		    s->kind, s->agent, s->setup.ask_flush, s->setup.arg);
		judge_ask_host(s->judge);
	} else if (*s->setup.conf->trust_agent) {
		open_trust_agent(s);
	}
}

struct staff *staff_open(const struct staff_setup *setup)
{
	struct staff *s = mem_zero(sizeof *s);
	struct err err;
	s->setup = *setup;
	s->fetch = fetch_open(setup->in->loop, FETCH_CALLS);
	s->permit = permit_open(setup->conf->permissions, &err);
	if (!s->permit)
		fatal("%s", err.text);
	open_dock(s);
	open_agent(s);
	add_dialed_in(s);
	open_judge(s);
	return s;
}

void staff_close(struct staff **sp)
{
	struct staff *s = *sp;
	judge_free(&s->judge);
	if (s->judge_agent)
		s->judge_kind->close(&s->judge_agent);
	agent_dir_free(&s->agents);
	s->kind->close(&s->agent);
	if (s->dialed_in)
		dialin_kind.close(&s->dialed_in);
	dialin_dock_free(&s->dock);
	permit_close(&s->permit);
	fetch_close(&s->fetch);
	free(s);
	*sp = NULL;
}

/* ---- using ---- */

static enum agent_load load_of(
    const struct agent_kind *kind, const struct agent *a)
{
	return kind->load ? kind->load(a) : AGENT_LOADED;
}

enum agent_load staff_load(const struct staff *s)
{
	enum agent_load load = load_of(s->kind, s->agent);
	if (load == AGENT_LOADED && s->judge_agent)
		load = load_of(s->judge_kind, s->judge_agent);
	return load;
}

const struct agent_about *staff_about(const struct staff *s)
{
	return s->kind->about(s->agent);
}

const struct agent_dir *staff_dir(const struct staff *s)
{
	return s->agents;
}

const struct permit *staff_permit(const struct staff *s)
{
	return s->permit;
}

struct dialin_dock *staff_dock(const struct staff *s)
{
	return s->dock;
}

struct judge *staff_judge(const struct staff *s)
{
	return s->judge;
}

void staff_flush(struct staff *s)
{
	if (s->judge)
		judge_flush(s->judge);
}

void staff_tick(struct staff *s)
{
	if (s->judge)
		judge_tick(s->judge);
}

void staff_drain(struct staff *s)
{
	if (s->kind->drain)
		s->kind->drain(s->agent);
}
