/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/agent.h"

#include "core/conf.h"

static struct agent_model model_of(const struct conf *conf)
{
	static const char *const apis[] = {[MODEL_API_AUTO] = "",
	    [MODEL_API_OPENAI] = "openai",
	    [MODEL_API_ANTHROPIC] = "anthropic"};
	return (struct agent_model){
	    .name = conf->model,
	    .base_url = conf->base_url,
	    .api = apis[conf->model_api],
	    .key_name = conf->model_key,
	    .system = conf->system_prompt,
	    .temperature = conf->temperature,
	    .price = conf->model_price,
	    .max_iterations = conf->max_iterations,
	    .max_tokens = conf->max_tokens,
	    .context_tokens = conf->context_window,
	    .calls = conf->model_calls,
	    .connect_timeout_ms = conf->model_connect_timeout * 1000,
	    .idle_timeout_s = conf->model_idle_timeout,
	    .timeout_ms = conf->model_timeout * 1000,
	};
}

struct agent_spec agent_spec_of(const struct conf *conf)
{
	return (struct agent_spec){
	    .role = "agent",
	    .setting = conf->agent,
	    .profile = conf->agent_profile,
	    .project_dir = conf->project_dir,
	    .libexec_dir = conf->libexec_dir,
	    .user = conf->agent_user,
	    .python = conf->python,
	    .state = conf->agent_state,
	    .notices_edits = conf->reload,
	    .is_persistent = conf->agent_persistent,
	    .pool = conf->agent_pool,
	    .recycle_turns = conf->agent_recycle_turns,
	    .recycle_memory_bytes = conf->agent_recycle_memory << 20,
	    .memory_bytes = conf->agent_memory << 20,
	    .space_bytes = conf->agent_address_space << 20,
	    .processes = conf->agent_processes,
	    .tools = conf->tools,
	    .tool_environment = conf->tool_environment,
	    .tool_commands = conf->tool_commands,
	    .turns = conf->max_runs,
	    .line_bytes = conf->agent_line,
	    .lines_per_s = conf->agent_rate,
	    .run_timeout_ms = conf->run_timeout * 1000,
	    .interrupt_grace_ms = conf->interrupt_grace * 1000,
	    .drain_timeout_ms = conf->drain_timeout * 1000,
	    .hang_timeout_ms = conf->hang_timeout * 1000,
	    .session_bytes = conf->max_session,
	    .mcp_servers = conf->mcp_servers,
	    .model = model_of(conf),
	};
}

/* A decision is one short answer, in the time that access/judge.h allows. */
static void limit_decisions(struct agent_model *m)
{
	m->system = "";
	m->temperature = "0";
	m->max_iterations = 1;
	m->max_tokens = 2000;
}

struct agent_spec agent_spec_of_trust(const struct conf *conf)
{
	struct agent_spec spec = agent_spec_of(conf);
	spec.role = "trust agent";
	spec.setting = conf->trust_agent;
	spec.profile = ""; /* it is of another agent */
	spec.pool = 0;
	spec.is_persistent = conf->trust_agent_persistent;
	spec.user = ""; /* agents must not be able to reach it */
	spec.has_no_tools = true;
	if (*conf->trust_model)
		spec.model.name = conf->trust_model;
	limit_decisions(&spec.model);
	return spec;
}
