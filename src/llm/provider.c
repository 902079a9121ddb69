/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "llm/provider.h"

#include "base/buf.h"
#include "base/mem.h"
#include "model/codec.h"

#include <stdlib.h>
#include <string.h>

/* A family of models. */
struct family {
	const char *prefix;
	bool is_cut; /* the provider does not know the prefix */
	const struct model_codec *codec;
	const char *base_url; /* NULL: that of the managed endpoint */
	const char *key_name; /* NULL: none is needed */
	const char *other_key_name;
};

#define OPENAI "https://api.openai.com/v1"

static const struct family families[] = {
    {"co/", true, &openai_codec, NULL, "OPENONION_API_KEY", NULL},
    {"groq/", true, &openai_codec, "https://api.groq.com/openai/v1",
	"GROQ_API_KEY", NULL},
    {"openrouter/", true, &openai_codec, "https://openrouter.ai/api/v1",
	"OPENROUTER_API_KEY", NULL},
    {"grok/", true, &openai_codec, "https://api.x.ai/v1", "XAI_API_KEY", NULL},
    {"mistral/", true, &openai_codec, "https://api.mistral.ai/v1",
	"MISTRAL_API_KEY", NULL},
    {"ollama/", true, &openai_codec, "http://127.0.0.1:11434/v1", NULL, NULL},
    {"claude", false, &anthropic_codec, "https://api.anthropic.com",
	"ANTHROPIC_API_KEY", NULL},
    {"gemini", false, &openai_codec,
	"https://generativelanguage.googleapis.com/v1beta/openai",
	"GEMINI_API_KEY", "GOOGLE_API_KEY"},
    {"gpt", false, &openai_codec, OPENAI, "OPENAI_API_KEY", NULL},
    {"o1", false, &openai_codec, OPENAI, "OPENAI_API_KEY", NULL},
    {"o3", false, &openai_codec, OPENAI, "OPENAI_API_KEY", NULL},
    {"o4", false, &openai_codec, OPENAI, "OPENAI_API_KEY", NULL},
};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const struct family *family_of(const char *model)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (starts_with(model, families[i].prefix))
			return &families[i];
	return NULL;
}

static const char *variable(const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	return value && *value ? value : NULL;
}

/* As the Python package finds the managed endpoint. */
static const char *backend(void)
{
	static const char *const names[] = {"CONNECTONION_BACKEND_URL",
	    "OPENONION_API_URL", "OPENONION_BASE_URL"};
	const char *environment = variable("ENVIRONMENT");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (variable(names[i]))
			return variable(names[i]);
	if (variable("OPENONION_DEV") ||
	    (environment && strcmp(environment, "development") == 0))
		return "http://localhost:8000";
	return "https://oo.openonion.ai";
}

static char *cut_slashes(const char *url, const char *more)
{
	struct buf out = {0};
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	buf_append(&out, url, len);
	buf_str(&out, more);
	return buf_steal(&out, NULL);
}

/* ---- a place of the user's own ---- */

/*
 * Anthropic's path begins with the version, which users of its SDK leave out of
 * the base URL and others put in.
 */
static void cut_version(char *url)
{
	size_t len = strlen(url);

	if (len > 3 && strcmp(url + len - 3, "/v1") == 0)
		url[len - 3] = '\0';
}

static bool is_url(const char *text)
{
	const char *host = starts_with(text, "http://")	   ? text + 7
			   : starts_with(text, "https://") ? text + 8
							   : "";

	return *host && *host != '/' && !strpbrk(text, "?# @");
}

static bool find_own(
    struct provider *p, const struct provider_wish *wish, struct buf *why)
{
	const struct family *f = family_of(wish->model);

	if (!is_url(wish->base_url)) {
		buf_str(why, "base_url must be an http:// or https:// URL "
			     "without a query, a fragment and credentials");
		return false;
	}
	p->codec = *wish->codec ? codec_find(wish->codec) : &openai_codec;
	p->base_url = cut_slashes(wish->base_url, "");
	if (p->codec == &anthropic_codec)
		cut_version(p->base_url);
	bool is_cut = f && f->is_cut && !strcmp(f->prefix, "ollama/");
	p->model = mem_strdup(wish->model + (is_cut ? strlen(f->prefix) : 0));
	return true;
}

/* ---- a provider that we know ---- */

static bool find_known(
    struct provider *p, const struct provider_wish *wish, struct buf *why)
{
	const struct family *f = family_of(wish->model);

	if (!f) {
		buf_printf(why,
		    "model \"%.100s\" is of no provider that is known: set "
		    "base_url to the place that has it",
		    wish->model);
		return false;
	}
	p->codec = *wish->codec ? codec_find(wish->codec) : f->codec;
	p->base_url = f->base_url ? mem_strdup(f->base_url)
				  : cut_slashes(backend(), "/v1");
	p->model =
	    mem_strdup(wish->model + (f->is_cut ? strlen(f->prefix) : 0));
	p->key_name = f->key_name;
	p->is_openai = f->base_url && strcmp(f->base_url, OPENAI) == 0;
	if (!variable(f->key_name) && variable(f->other_key_name))
		p->key_name = f->other_key_name;
	return true;
}

static bool find_key(
    struct provider *p, const struct provider_wish *wish, struct buf *why)
{
	if (*wish->key_name)
		p->key_name = wish->key_name;
	p->key = variable(p->key_name);
	if (!p->key_name || p->key)
		return true;
	buf_printf(why,
	    "model \"%.100s\" needs a key: set %.100s in the environment, in "
	    ".env or in ~/.co/keys.env",
	    wish->model, p->key_name);
	return false;
}

/* A key with a line end would become another header. */
static bool check_key(const struct provider *p, struct buf *why)
{
	if (!p->key || !strpbrk(p->key, "\r\n"))
		return true;
	buf_printf(why, "%.100s holds a line end", p->key_name);
	return false;
}

bool provider_find(
    struct provider *p, const struct provider_wish *wish, struct buf *why)
{
	*p = (struct provider){0};
	bool is_found =
	    *wish->base_url ? find_own(p, wish, why) : find_known(p, wish, why);

	if (is_found && find_key(p, wish, why) && check_key(p, why))
		return true;
	provider_fini(p);
	return false;
}

void provider_fini(struct provider *p)
{
	free(p->base_url);
	free(p->model);
	*p = (struct provider){0};
}
