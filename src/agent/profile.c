/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/profile.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"

#include <stdlib.h>
#include <string.h>

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

/*
 * Returns "isolated: what that means for this file"; NULL if the agent did not
 * say.
 */
static char *copy_state(const struct json *said, int state)
{
	struct buf text = {0};
	const char *name = state == STATE_ISOLATED ? "isolated" : "shared";
	char *meaning = json_strdup(json_get(said, name));
	bool is_told = meaning != NULL;
	if (is_told)
		buf_printf(&text, "%s: %s", name, meaning);
	free(meaning);
	return is_told ? buf_steal(&text, NULL) : NULL;
}

void profile_read(struct profile *p, const struct profile_usual *usual,
    const char *json, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    len ? json_parse(&doc, json, len, 0, &why) : NULL;

	if (o && !json_is(o, JSON_OBJECT))
		o = NULL;
	p->name = o ? json_strdup(json_get(o, "name")) : NULL;
	p->model = o ? json_strdup(json_get(o, "model")) : NULL;
	p->system_prompt = o ? json_strdup(json_get(o, "system_prompt")) : NULL;
	p->skills = o ? copy_text(json_get(o, "skills"), JSON_ARRAY) : NULL;
	p->state = o ? copy_state(json_get(o, "states"), usual->state) : NULL;
	p->tools = copy_texts(o ? json_get(o, "tools") : NULL);
	p->routes = copy_texts(o ? json_get(o, "routes") : NULL);
	if (!p->name)
		p->name = mem_strdup(usual->name);
	if (!p->model)
		p->model = mem_strdup(usual->model);
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

void profile_free(struct profile *p)
{
	free_texts(p->tools);
	free_texts(p->routes);
	free(p->name);
	free(p->model);
	free(p->system_prompt);
	free(p->skills);
	free(p->state);
	*p = (struct profile){0};
}

/* ---- the profile of a running agent ---- */

/* A replaced profile to which others may still point. */
struct profile_past {
	struct profile_past *next;
	struct profile profile;
};

bool profile_renew(struct profile_history *h, const struct profile_usual *usual,
    const char *json, size_t len)
{
	if (h->json && strlen(h->json) == len &&
	    memcmp(h->json, json, len) == 0)
		return false;
	free(h->json);
	h->json = mem_strndup(json, len);
	if (h->now.name) {
		struct profile_past *past = mem_zero(sizeof *past);
		past->profile = h->now;
		past->next = h->past;
		h->past = past;
	}
	h->now = (struct profile){0};
	profile_read(&h->now, usual, json, len);
	return true;
}

void profile_forget(struct profile_history *h)
{
	while (h->past) {
		struct profile_past *past = h->past;
		h->past = past->next;
		profile_free(&past->profile);
		free(past);
	}
	profile_free(&h->now);
	free(h->json);
	h->json = NULL;
}
