/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/settings.h"

#include "access/lists.h"
#include "access/policy.h"
#include "agent/agents.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "dialin/dialin_turn.h"
#include "launch/failure.h"
#include "launch/options.h"
#include "launch/user.h"
#include "main/effect.h"
#include "main/project.h"
#include "net/http.h"
#include "onsembl/ons_token.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CO_LIBEXECDIR
#define CO_LIBEXECDIR "/usr/libexec/co-hostd"
#endif

static const struct options *options;
static const char *program;
static char *project_dir;

/* ---- places ---- */

static char *settings_join(const char *dir, const char *rest)
{
	struct buf b = {0};
	buf_printf(&b, "%s%s", dir, rest);
	return buf_steal(&b, NULL);
}

static void own(char **to, char *value)
{
	free(*to);
	*to = value;
}

/* key NULL means all. */
static int set_overrides(struct conf *c, const char *key, struct err *err)
{
	for (size_t i = 0; i < options->n_overrides; i++) {
		const struct override *o = &options->overrides[i];
		if (!o->is_preset && (!key || strcmp(o->key, key) == 0) &&
		    conf_set(c, o->where, o->key, o->value, err) != 0)
			return -1;
	}
	return 0;
}

static int set_presets(struct conf *c, struct err *err)
{
	for (size_t i = 0; i < options->n_overrides; i++) {
		const struct override *o = &options->overrides[i];
		if (o->is_preset &&
		    conf_preset(c, o->where, o->key, o->value, err) != 0)
			return -1;
	}
	return 0;
}

static int set_places(struct conf *c, struct err *err)
{
	own(&c->project_dir, mem_strdup(project_dir));
	if (set_overrides(c, "co_dir", err) != 0)
		return -1;
	if (!*c->co_dir)
		own(&c->co_dir, settings_join(project_dir, "/.co"));
	if (options->log)
		own(&c->log_file, mem_strdup(options->log));
	if (options->test_clock)
		own(&c->test_clock, mem_strdup(options->test_clock));
	own(&c->host_yaml, options->config
			       ? mem_strdup(options->config)
			       : settings_join(c->co_dir, "/host.yaml"));
	return 0;
}

/* In a build tree co-turn is beside us, otherwise where it was installed. */
static void find_libexec(struct conf *c)
{
	char *dir = mem_strdup(program);
	char *slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	char *beside = settings_join(dir, "/co-turn");
	bool is_built = access(beside, X_OK) == 0;
	own(&c->libexec_dir, mem_strdup(is_built ? dir : CO_LIBEXECDIR));
	free(beside);
	free(dir);
}

/* ---- the environment ---- */

/* Which files were loaded, for the banner. */
static struct buf loaded;

static void load_env_file(const char *dir, const char *name, const char *what)
{
	char *path = settings_join(dir, name);
	if (conf_load_env_file(path) >= 0)
		buf_printf(&loaded, "INFO: Loaded %s: %s\n", what, path);
	free(path);
}

/*
 * Done once, as the user who will serve: root must not read files for that user
 * that the user cannot read.
 */
static void load_env_files(const struct conf *c)
{
	static bool is_loaded;
	if (is_loaded)
		return;
	is_loaded = true;
	const struct passwd *user = user_find(c->user);
	const char *home = user ? user->pw_dir : getenv("HOME");
	user_act_as(user);
	load_env_file(c->project_dir, "/.env", "environment");
	if (home)
		load_env_file(home, "/.co/keys.env", "global keys");
	user_act_as_root(user);
}

/* ---- layers ---- */

/*
 * What root's check runs must not leave files in the project that the server
 * cannot write: unless a user is set, it is done as the owner of the project.
 */
static void check_as_owner(struct conf *c)
{
	struct stat st;
	const struct passwd *owner = NULL;
	if (*c->user || getuid() != 0)
		return;
	if (stat(c->project_dir, &st) == 0 && st.st_uid != 0)
		owner = getpwuid(st.st_uid);
	if (owner)
		own(&c->user, mem_strdup(owner->pw_name));
}

static void on_warning(const char *text, void *arg)
{
	(void)arg;
	log_warn("%s", text);
}

static int read_yaml(struct conf *c, struct err *err)
{
	if (access(c->host_yaml, F_OK) == 0)
		return conf_read_yaml(c, c->host_yaml, on_warning, NULL, err);
	if (options->config)
		return err_set(
		    err, ERR_CONFIG, "%s: %s", c->host_yaml, strerror(errno));
	own(&c->host_yaml, mem_strdup(""));
	return 0;
}

static int settings_check(const struct conf *c, struct err *err)
{
	const char *why;
	if (!http_proxies_are_valid(c->trusted_proxies, &why))
		return err_set(err, ERR_CONFIG,
		    "%s: trusted_proxies: %s: \"%.100s\"", c->proxies_where,
		    why, c->trusted_proxies);
	if (!http_origins_are_valid(c->allowed_origins, &why))
		return err_set(err, ERR_CONFIG,
		    "%s: allowed_origins: %s: \"%.100s\"", c->origins_where,
		    why, c->allowed_origins);
	if (!http_hosts_are_valid(c->allowed_hosts, &why))
		return err_set(err, ERR_CONFIG,
		    "%s: allowed_hosts: %s: \"%.100s\"", c->hosts_where, why,
		    c->allowed_hosts);
	return conf_check(c, err);
}

/* A policy that leaves callers open needs somebody who decides. */
static void find_judge(struct conf *c, const struct policy *policy)
{
	if (!policy_needs_judge(policy) || *c->trust_agent || *c->trust_object)
		return;
	if (strcmp(c->agent, "llm") == 0)
		own(&c->trust_agent, mem_strdup("llm"));
	else
		log_warn(
		    "trust: no trust_agent is set: callers that the policy "
		    "leaves open are denied");
}

/* The workers read the policy again, and may then rely on this check. */
static int check_policy(struct conf *c, struct err *err)
{
	struct policy *policy = policy_open(c, err);
	if (!policy)
		return -1;
	find_judge(c, policy);
	effect_warn(c, policy);
	policy_close(&policy);
	lists_warn(c);
	return 0;
}

static bool is_dialed(const char *agent)
{
	return agent &&
	       strncmp(agent, DIALIN_PREFIX, strlen(DIALIN_PREFIX)) == 0;
}

/* The same for keys of tokens. */
static int check_tokens(const struct conf *c, struct err *err)
{
	struct ons_token_keys *keys = ons_token_open(c, err);
	if (!keys)
		return -1;
	if (!c->onsembl_auth)
		log_warn("onsembl_auth is off: whoever reaches this server "
			 "commands the agents of Onsembl");
	else if (is_dialed(c->agent) && !ons_token_is_on(keys))
		log_warn("agent %s cannot connect, since no token can be good: "
			 "set onsembl_secret_file or onsembl_keys",
		    c->agent);
	ons_token_close(&keys);
	return 0;
}

int settings_init(
    const struct options *o, const char *our_program, struct err *err)
{
	options = o;
	program = our_program;
	project_dir = project_find(o->dir, getenv("HOME"), err);
	return project_dir ? 0 : -1;
}

int settings_read(struct conf *c, struct err *err)
{
	if (set_places(c, err) != 0 || set_presets(c, err) != 0)
		return -1;
	find_libexec(c);
	if (read_yaml(c, err) != 0)
		return -1;
	/* The user comes first: it determines whose environment to read. */
	if (set_overrides(c, "user", err) != 0)
		return -1;
	if (options->is_check)
		check_as_owner(c);
	load_env_files(c);
	if (conf_read_env(c, err) != 0 || set_overrides(c, NULL, err) != 0)
		return -1;
	return settings_check(c, err);
}

/* ---- the agent ---- */

/* Asks an agent of a kind about itself. */
struct question {
	const struct agent_kind *kind;
	const struct conf *conf;
};

static int ask_as_user(const void *arg, struct buf *out, struct err *err)
{
	const struct question *q = arg;
	return q->kind->ask(q->conf, out, err);
}

/* Ask an agent about itself, as the user who will run it. */
static int ask(const struct agent_kind *kind, const struct conf *c,
    struct buf *out, struct err *err)
{
	const struct passwd *user = user_find(c->user);
	if (!user || *c->agent_user) /* another user will run it */
		return kind->ask(c, out, err);
	struct question question = {kind, c};
	return user_ask(user, ask_as_user, &question, out, err);
}

/*
 * An object given to host() as trust judges callers, unless an option sets
 * trust.
 */
static void read_trust_object(struct conf *c, const struct json *said)
{
	char *type = json_strdup(json_get(said, "trust_object"));
	if (type && strcmp(c->trust_where, CONF_HOST_CALL) != 0)
		log_warn("the %s passed to host() as trust is not used: %s "
			 "sets trust",
		    type, c->trust_where);
	else if (type && *c->trust_agent)
		log_warn("trust_agent is not used: the %s passed to host() as "
			 "trust decides",
		    type);
	char *warning = json_strdup(json_get(said, "trust_warning"));
	bool is_used = type && strcmp(c->trust_where, CONF_HOST_CALL) == 0;
	if (is_used && warning)
		log_warn("trust: %s", warning);
	own(&c->trust_object, mem_strdup(is_used ? type : ""));
	free(warning);
	free(type);
}

static int read_args(struct conf *c, const struct buf *words, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *said =
	    json_parse(&doc, words->data, words->len, 0, &why);
	const struct json *args = json_get(said, "host_args");
	int rc = 0;
	if (!json_is(said, JSON_OBJECT))
		rc = err_set(err, ERR_CONFIG,
		    "agent: what it says of itself is no JSON object: %s",
		    why.message);
	else if (json_is(args, JSON_OBJECT))
		rc = conf_read_args(c, args, on_warning, NULL, err);
	if (rc == 0)
		read_trust_object(c, said);
	json_fini(&doc);
	return rc;
}

int settings_ask_agent(struct conf *c, struct err *err)
{
	struct agent_about about;
	struct buf words = {0};
	int rc = 0;
	const struct agent_kind *kind = agents_find(c->agent, err);
	if (!kind)
		return -1;
	if (kind->ask) {
		rc = ask(kind, c, &words, err);
		if (rc != 0)
			failure_show(words.data, words.len);
		else
			rc = read_args(c, &words, err);
		if (rc == 0)
			own(&c->agent_profile, mem_strdup(buf_cstr(&words)));
		if (rc == 0)
			rc = settings_check(c, err);
	}
	buf_fini(&words);
	if (rc == 0)
		rc = check_policy(c, err);
	if (rc == 0)
		rc = check_tokens(c, err);
	if (rc == 0)
		rc = agents_check(c, err);
	return rc == 0 ? agents_describe(c, &about, err) : rc;
}

void settings_print_loaded(struct buf *out)
{
	buf_append(out, loaded.data, loaded.len);
}
