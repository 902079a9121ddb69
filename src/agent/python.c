/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/python.h"

#include "agent/child.h"
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

/*
 * The maximum number of words of the zygote's command line, including the final
 * NULL.
 */
#define WORDS 24

/* A replaced profile to which others may still point. */
struct past {
	struct past *next;
	struct python_profile profile;
};

/* The agent is the first member, so that one pointer serves for both. */
struct python {
	struct agent agent;
	struct source_exec source; /* of the zygote */
	struct zygote *zygote;
	struct solo solo; /* its forks */
	char *setting;
	int state; /* agent_state */
	struct python_profile profile;
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

/* ---- the zygote ---- */

/* Callers may keep pointers into an old profile as long as the agent exists. */
static void renew_profile(struct python *p, const struct json *about)
{
	struct past *past = mem_zero(sizeof *past);
	size_t len;
	const char *text = json_text(about, &len);

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

static void open_zygote(struct python *p, const struct agent_setup *setup)
{
	const struct agent_spec *spec = &setup->spec;
	int64_t n_spares = spec->pool > SPARES ? spec->pool : SPARES;
	const char *argv[WORDS];
	struct buf script = {0}, co_turn = {0};
	char processes[24], memory[24], spares[24];
	size_t n = 0;

	buf_printf(&script, "%s/co-agent-python", spec->libexec_dir);
	buf_printf(&co_turn, "%s/co-turn", spec->libexec_dir);
	(void)snprintf(
	    processes, sizeof processes, "%" PRId64, spec->processes);
	(void)snprintf(memory, sizeof memory, "%" PRId64, spec->memory_bytes);
	(void)snprintf(spares, sizeof spares, "%" PRId64, n_spares);
	argv[n++] = spec->python;
	argv[n++] = buf_cstr(&script);
	argv[n++] = "--serve";
	argv[n++] = "--state";
	argv[n++] = states[spec->state];
	argv[n++] = "--co-turn";
	argv[n++] = buf_cstr(&co_turn);
	argv[n++] = "--processes";
	argv[n++] = processes;
	argv[n++] = "--memory";
	argv[n++] = memory;
	argv[n++] = "--spares";
	argv[n++] = spares;
	argv[n++] = "--forget"; /* variables that the package loads from .env */
	argv[n++] = SECRETS_NAMES;
	if (spec->notices_edits)
		argv[n++] = "--reload";
	argv[n++] = "--";
	argv[n++] = spec->setting + strlen(PYTHON_PREFIX);
	argv[n] = NULL;
	source_exec_init(&p->source, spec, argv);
	p->source.processes = 0; /* each turn has its own limit */
	p->zygote = zygote_open(&(struct zygote_setup){
	    .loop = setup->loop,
	    .crew = setup->crew,
	    .source = &p->source.base,
	    .on_ready = on_ready,
	    .arg = p,
	});
	buf_fini(&script);
	buf_fini(&co_turn);
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

	(void)err; /* errors occur in the zygote */
	p->setting = mem_strdup(setup->spec.setting);
	p->state = setup->spec.state;
	python_profile_read(
	    &p->profile, p->setting, p->state, profile, strlen(profile));
	p->agent.about = p->profile.about;
	open_zygote(p, setup);
	solo_init(&p->solo, setup, zygote_source(p->zygote), 0);
	child_init(&p->agent, setup, &p->solo.base);
	return &p->agent;
}

static void close_agent(struct agent **agent)
{
	struct python *p = (struct python *)(void *)*agent;

	if (!p)
		return;
	solo_fini(&p->solo);
	zygote_close(&p->zygote);
	source_exec_fini(&p->source);
	while (p->past) {
		struct past *past = p->past;
		p->past = past->next;
		python_profile_free(&past->profile);
		free(past);
	}
	python_profile_free(&p->profile);
	free(p->setting);
	free(p);
	*agent = NULL;
}

static enum agent_load load(const struct agent *agent)
{
	return zygote_load(
	    ((const struct python *)(const void *)agent)->zygote);
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
    .about = child_about,
    .load = load,
    .start = child_start,
    .exec = child_exec,
    .run = child_run,
    .deliver = child_deliver,
    .on_room = child_on_room,
    .free = child_free,
};
