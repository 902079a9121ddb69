/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LLM_PROVIDER_H
#define LLM_PROVIDER_H

/*
 * Which provider has a model, where it is, and what key it wants:
 *
 *	co/NAME			the managed endpoint, OPENONION_API_KEY
 *	gpt*, o1*, o3*, o4*	OpenAI, OPENAI_API_KEY
 *	claude*			Anthropic, ANTHROPIC_API_KEY
 *	gemini*			Google, GEMINI_API_KEY or GOOGLE_API_KEY
 *	groq/NAME		Groq, GROQ_API_KEY
 *	openrouter/NAME		OpenRouter, OPENROUTER_API_KEY
 *	grok/NAME		xAI, XAI_API_KEY
 *	mistral/NAME		Mistral, MISTRAL_API_KEY
 *	ollama/NAME		Ollama on this machine, no key
 *
 * A base URL of the user's own comes before the name, as in the Python package:
 * it may have any model, and gets no key unless the user names its variable, so
 * that the key of a provider is never sent to another place.
 */
#include <stdbool.h>

struct buf;
struct model_codec;

/* What the user said. Borrowed. */
struct provider_wish {
	const char *model;
	const char *base_url; /* "": the provider's own */
	const char *codec;    /* "openai", "anthropic"; "": by the model */
	const char *key_name; /* variable with the key; "": the provider's */
};

/* What follows from it. */
struct provider {
	const struct model_codec *codec;
	char *base_url;	      /* without a slash at its end */
	char *model;	      /* as the provider calls it */
	const char *key_name; /* NULL: no key is sent */
	const char *key;      /* of the environment; NULL: none */
	bool is_openai;	      /* OpenAI itself, not who imitates it */
};

/*
 * Find the provider. Returns false, with a line for the operator appended to
 * *why, if the model is unknown, the URL is none, or the key is missing; then
 * nothing has to be freed.
 */
bool provider_find(
    struct provider *p, const struct provider_wish *wish, struct buf *why);

/* Free what it owns; *p is then {0}. */
void provider_fini(struct provider *p);

#endif
