/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_rest_options.h"

#include "base/buf.h"
#include "core/agent.h"
#include "door/door.h"
#include "door/reply.h"
#include "openhands/oh_asked.h"

static void reply_text(struct oh_asked *a, const char *json)
{
	struct buf out = {0};
	buf_str(&out, json);
	reply_json(a->req, 200, &out);
	buf_fini(&out);
}

/* A list of one name, or of none if it is unknown. */
static void reply_name(struct oh_asked *a, const char *name)
{
	struct buf out = {0};
	buf_char(&out, '[');
	if (name && *name)
		buf_json_str(&out, name);
	buf_char(&out, ']');
	reply_json(a->req, 200, &out);
	buf_fini(&out);
}

void oh_rest_options_models(struct oh_asked *a)
{
	reply_name(a, a->setup->about->model);
}

void oh_rest_options_agents(struct oh_asked *a)
{
	reply_name(a, a->setup->name);
}

void oh_rest_options_analyzers(struct oh_asked *a)
{
	reply_text(a, "[]");
}

/* The page hides what it cannot set here. */
void oh_rest_options_config(struct oh_asked *a)
{
	reply_text(a, "{\"APP_MODE\":\"oss\",\"GITHUB_CLIENT_ID\":\"\","
		      "\"POSTHOG_CLIENT_KEY\":\"\",\"FEATURE_FLAGS\":{"
		      "\"ENABLE_BILLING\":false,\"HIDE_LLM_SETTINGS\":true}}");
}
