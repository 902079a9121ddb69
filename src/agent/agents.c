/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/agents.h"

#include "agent/exec.h"
#include "agent/native.h"
#include "agent/python.h"
#include "agentloop/agentloop.h"
#include "base/buf.h"
#include "core/conf.h"
#include "demo/demo.h"
#include "dialin/dialin_turn.h"

#include <string.h>

static const struct agent_kind *const kinds[] = {
    &demo_kind,
    &exec_kind,
    &python_kind,
    &native_kind,
    &agentloop_kind,
    &dialin_kind,
};

#define N_KINDS (sizeof kinds / sizeof *kinds)

/*
 * Returns what follows the kind's prefix, or NULL if the setting is of another
 * kind.
 */
static const char *rest_of(const struct agent_kind *kind, const char *setting)
{
	size_t n = strlen(kind->prefix);

	if (strncmp(setting, kind->prefix, n) != 0)
		return NULL;
	return kind->needs || !setting[n] ? setting + n : NULL;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

static void refuse_unknown(const char *setting, struct err *err)
{
	struct buf allowed = {0};

	for (size_t i = 0; i < N_KINDS; i++)
		buf_printf(&allowed, "%s'%s'",
		    i == 0	       ? ""
		    : i + 1 == N_KINDS ? " and "
				       : ", ",
		    kinds[i]->usage);
	(void)err_set(err, ERR_CONFIG,
	    "agent '%s' is not known: allowed are %s", setting,
	    buf_cstr(&allowed));
	buf_fini(&allowed);
}

const struct agent_kind *agents_find(const char *setting, struct err *err)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct agent_kind *kind = kinds[i];
		const char *rest = rest_of(kind, setting);
		if (!rest)
			continue;
		if (!kind->needs || !is_blank(rest))
			return kind;
		(void)err_set(err, ERR_CONFIG, "agent '%s' needs %s",
		    kind->prefix, kind->needs);
		return NULL;
	}
	refuse_unknown(setting, err);
	return NULL;
}

const struct agent_kind *agents_of(
    const struct agent_spec *spec, struct err *err)
{
	const struct agent_kind *kind = agents_find(spec->setting, err);

	return kind && kind->variant ? kind->variant(spec) : kind;
}

/* A program that cannot be found is refused when the settings are read. */
static int check(
    const struct agent_spec *spec, const char *key, struct err *err)
{
	struct err unknown;
	const struct agent_kind *kind = agents_of(spec, &unknown);

	return kind && kind->check ? kind->check(spec, key, err) : 0;
}

int agents_check(const struct conf *conf, struct err *err)
{
	struct agent_spec spec = agent_spec_of(conf);

	if (check(&spec, "agent", err) != 0)
		return -1;
	if (!*conf->trust_agent)
		return 0;
	spec = agent_spec_of_trust(conf);
	return check(&spec, "trust_agent", err);
}

int agents_describe(
    const struct conf *conf, struct agent_about *about, struct err *err)
{
	struct agent_spec spec = agent_spec_of(conf);
	const struct agent_kind *kind = agents_of(&spec, err);

	if (!kind)
		return -1;
	kind->describe(&spec, about);
	return 0;
}
