/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "llm/provider.h"

#include "base/buf.h"
#include "model/codec.h"
#include "t/unit/tap.h"

/* What is found for a model, or why not. */
struct finding {
	const char *model, *base_url, *codec, *key_name;
	const char *url;   /* NULL: none is found */
	const char *named; /* as the provider calls it */
	const char *key;
	const char *why; /* a part of the message */
};

static const struct finding findings[] = {
    {"gpt-5", "", "", "", "https://api.openai.com/v1", "gpt-5", "k-openai", ""},
    {"o3-mini", "", "", "", "https://api.openai.com/v1", "o3-mini", "k-openai",
	""},
    {"orca", "", "", "", NULL, NULL, NULL, "no provider that is known"},
    {"claude-x", "", "", "", "https://api.anthropic.com", "claude-x", NULL,
	"ANTHROPIC_API_KEY"},
    {"gemini-x", "", "", "",
	"https://generativelanguage.googleapis.com/v1beta/openai", "gemini-x",
	"k-google", ""},
    {"co/gemini-x", "", "", "", "https://backend.example/v1", "gemini-x",
	"k-managed", ""},
    {"openrouter/a/b", "", "", "OTHER_KEY", "https://openrouter.ai/api/v1",
	"a/b", "k-other", ""},
    {"openrouter/a/b", "", "", "", NULL, NULL, NULL, "OPENROUTER_API_KEY"},
    {"ollama/qwen", "", "", "", "http://127.0.0.1:11434/v1", "qwen", NULL, ""},
    {"gpt-5", "http://127.0.0.1:1/v1/", "", "", "http://127.0.0.1:1/v1",
	"gpt-5", NULL, ""},
    {"gpt-5", "http://127.0.0.1:1/v1", "", "OTHER_KEY", "http://127.0.0.1:1/v1",
	"gpt-5", "k-other", ""},
    {"ollama/qwen", "http://host:1", "", "", "http://host:1", "qwen", NULL, ""},
    {"x", "https://host/v1", "anthropic", "", "https://host", "x", NULL, ""},
    {"x", "host/v1", "", "", NULL, NULL, NULL, "base_url must be"},
    {"x", "http://", "", "", NULL, NULL, NULL, "base_url must be"},
    {"x", "http://me:word@host", "", "", NULL, NULL, NULL, "base_url must be"},
    {"x", "http://host?x=1", "", "", NULL, NULL, NULL, "base_url must be"},
    {"gpt-5", "", "", "ODD_KEY", NULL, NULL, NULL, "holds a line end"},
};

static void check(const struct finding *f, const char *what)
{
	struct provider p;
	struct buf why = {0};
	const struct provider_wish wish = {
	    f->model, f->base_url, f->codec, f->key_name};
	bool is_found = provider_find(&p, &wish, &why);

	if (*f->why) {
		ok(!is_found && strstr(buf_cstr(&why), f->why),
		    "no provider is found for %s: %s", what, buf_cstr(&why));
	} else {
		ok(is_found, "a provider is found for %s", what);
		is_str(p.base_url, f->url, "the place is right for %s", what);
		is_str(p.model, f->named, "the name is right for %s", what);
		is_str(p.key, f->key, "the key is right for %s", what);
		ok(p.is_openai == !strcmp(f->url, "https://api.openai.com/v1"),
		    "OpenAI is known as itself for %s", what);
	}
	ok(!strstr(buf_cstr(&why), "k-"), "no key is shown for %s", what);
	provider_fini(&p);
	buf_fini(&why);
}

int main(void)
{
	(void)unsetenv("ANTHROPIC_API_KEY");
	(void)unsetenv("OPENROUTER_API_KEY");
	(void)unsetenv("GEMINI_API_KEY");
	(void)setenv("OPENAI_API_KEY", "k-openai", 1);
	(void)setenv("GOOGLE_API_KEY", "k-google", 1);
	(void)setenv("OPENONION_API_KEY", "k-managed", 1);
	(void)setenv("OTHER_KEY", "k-other", 1);
	(void)setenv("ODD_KEY", "k-odd\r\nX: y", 1);
	(void)setenv("CONNECTONION_BACKEND_URL", "https://backend.example/", 1);
	for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
		char what[100];
		const struct finding *f = &findings[i];
		(void)snprintf(what, sizeof what, "the model %s at '%s' (%zu)",
		    f->model, f->base_url, i);
		check(f, what);
	}
	return done();
}
