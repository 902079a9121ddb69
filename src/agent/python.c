/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/python.h"

#include "agent/child.h"
#include "agent/fleet.h"
#include "agent/python_describe.h"
#include "agent/secrets.h"
#include "agent/solo.h"
#include "agent/source.h"
#include "agent/zygote.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"

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

/* A replaced profile to which others may still point. */
struct past {
	struct past *next;
	struct python_profile profile;
};

/* The agent is the first member, so that one pointer serves for both. */
struct python {
	struct agent agent;
	struct source_exec source; /* of what runs the file */
	struct fleet *fleet;	   /* shared: processes with many turns */
	struct zygote *zygote;	   /* isolated: the fork server */
	struct solo solo;	   /* its forks */
	char *setting;
	int state; /* agent_state */
	struct python_profile profile;
	char *about; /* the JSON from which it was read, or NULL */
	struct past *past;
};

/* ---- profiles ---- */

/* Returns a copy of a string member; NULL if it is missing or not a string. */
static char *copy_str(const struct json *object, const char *key)
{
	struct buf scratch = {0};
	size_t len;
	const char *s = json_str(json_get(object, key), &scratch, &len);
	char *copy = s ? mem_strndup(s, len) : NULL;

	buf_fini(&scratch);
	return copy;
}

static char *copy_text(const struct json *v, enum json_type type)
{
	size_t len;

	if (!v || !json_is(v, type))
		return NULL;
	const char *text = json_text(v, &len);
	return mem_strndup(text, len);
}

static char **copy_texts(const struct json *list)
{
	struct buf scratch = {0};
	size_t n = 0, len;

	if (json_is(list, JSON_ARRAY))
		for (const struct json *v = json_first(list); v;
		     v = json_next(v))
			n++;
	char **texts = mem_zero((n + 1) * sizeof *texts);
	n = 0;
	for (const struct json *v = json_is(list, JSON_ARRAY) ? json_first(list)
							      : NULL;
	     v; v = json_next(v)) {
		const char *s = json_str(v, &scratch, &len);
		if (s)
			texts[n++] = mem_strndup(s, len);
		buf_reset(&scratch);
	}
	buf_fini(&scratch);
	return texts;
}

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

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

static const char *const states[] = {"auto", "shared", "isolated"};

/*
 * Returns "isolated: what that means for this file"; NULL if the agent did not
 * say.
 */
static char *copy_state(const struct json *said, int state)
{
	struct buf text = {0};
	char *usual = copy_str(said, "auto");
	const char *name = state == STATE_AUTO && usual ? usual : states[state];
	char *meaning = copy_str(said, name);
	bool is_told = meaning != NULL;
	if (is_told)
		buf_printf(&text, "%s: %s", name, meaning);
	free(usual);
	free(meaning);
	return is_told ? buf_steal(&text, NULL) : NULL;
}

void python_profile_read(struct python_profile *p, const char *setting,
    int state, const char *json, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    len ? json_parse(&doc, json, len, 0, &why) : NULL;

	if (o && !json_is(o, JSON_OBJECT))
		o = NULL;
	p->name = o ? copy_str(o, "name") : NULL;
	p->model = o ? copy_str(o, "model") : NULL;
	p->system_prompt = o ? copy_str(o, "system_prompt") : NULL;
	p->skills = o ? copy_text(json_get(o, "skills"), JSON_ARRAY) : NULL;
	p->state = o ? copy_state(json_get(o, "states"), state) : NULL;
	p->tools = copy_texts(o ? json_get(o, "tools") : NULL);
	p->routes = copy_texts(o ? json_get(o, "routes") : NULL);
	if (!p->name)
		p->name = name_of(setting);
	if (!p->model)
		p->model = mem_strdup("unknown");
	p->about = (struct agent_about){
	    .name = p->name,
	    .model = p->model,
	    .tools = (const char *const *)p->tools,
	    .system_prompt = p->system_prompt,
	    .skills = p->skills,
	    .routes = (const char *const *)p->routes,
	    .state = p->state,
	};
	json_fini(&doc);
}

void python_profile_free(struct python_profile *p)
{
	free_texts(p->tools);
	free_texts(p->routes);
	free(p->name);
	free(p->model);
	free(p->system_prompt);
	free(p->skills);
	free(p->state);
	*p = (struct python_profile){0};
}

/* ---- what runs the file ---- */

/* Callers may keep pointers into an old profile as long as the agent exists. */
static void renew_profile(struct python *p, const struct json *about)
{
	size_t len;
	const char *text = json_text(about, &len);

	if (p->about && strlen(p->about) == len &&
	    memcmp(p->about, text, len) == 0)
		return; /* a process like the one before */
	struct past *past = mem_zero(sizeof *past);
	free(p->about);
	p->about = mem_strndup(text, len);
	past->profile = p->profile;
	past->next = p->past;
	p->past = past;
	p->profile = (struct python_profile){0};
	python_profile_read(&p->profile, p->setting, p->state, text, len);
	p->agent.about = p->profile.about;
}

static void on_ready(void *arg, const char *json, size_t len)
{
	struct python *p = arg;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o = json_parse(&doc, json, len, 0, &why);

	if (o && json_is(json_get(o, "about"), JSON_OBJECT)) {
		char *state = copy_str(o, "state");
		char *because = copy_str(o, "why");
		renew_profile(p, json_get(o, "about"));
		log_info("agent %s: loaded, its state is %s: %s",
		    p->profile.name, state ? state : "unknown",
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
	char numbers[4][24];
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
	finish_command(&c, p, spec);
	p->source.processes += THREADS_PER_TURN * spec->turns;
	p->fleet = fleet_open(&(struct fleet_setup){
	    .agent = setup,
	    .source = &p->source.base,
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
	static struct python_profile profile; /* of the last call */

	python_profile_free(&profile);
	python_profile_read(&profile, spec->setting, spec->state, spec->profile,
	    strlen(spec->profile));
	*about = profile.about;
}

static struct agent *python_open_agent(
    const struct agent_setup *setup, struct err *err)
{
	struct python *p = mem_zero(sizeof *p);
	const char *profile = setup->spec.profile;

	(void)err; /* errors occur in the processes */
	p->setting = mem_strdup(setup->spec.setting);
	p->state = setup->spec.state;
	python_profile_read(
	    &p->profile, p->setting, p->state, profile, strlen(profile));
	p->agent.about = p->profile.about;
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
	while (p->past) {
		struct past *past = p->past;
		p->past = past->next;
		python_profile_free(&past->profile);
		free(past);
	}
	python_profile_free(&p->profile);
	free(p->about);
	free(p->setting);
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
    .flags = AGENT_WRITES_EVALS | AGENT_HAS_PROCESSES,
    .ask = python_describe,
    .describe = describe,
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
