/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/setup.h"

#include "base/mem.h"
#include "base/url.h"
#include "core/err.h"
#include "identity/ident_key.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_TIMEOUT_MS 30000
#define MAX_MESSAGE_BYTES ((size_t)256 << 20)
#define USER_AGENT "libcoconnect/" CO_CONNECT_VERSION

static int __attribute__((format(printf, 3, 4)))
refuse(struct co_error *error, enum co_code code, const char *fmt, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(error->text, sizeof error->text, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- the relay ---- */

/* The variables that name a relay: the first that is set counts. */
static const char *const relay_variables[] = {
    "RELAY_URL",
    "CONNECTONION_BACKEND_URL",
    "OPENONION_API_URL",
    "OPENONION_BASE_URL",
};

static const char *relay_of_environment(void)
{
	for (size_t i = 0; i < sizeof relay_variables / sizeof *relay_variables;
	     i++) {
		const char *value = getenv(relay_variables[i]);
		if (value && *value)
			return value;
	}
	return CO_DEFAULT_RELAY;
}

static int read_relay(
    struct settings *s, const char *text, struct co_error *error)
{
	if (!text)
		text = relay_of_environment();
	if (!*text)
		return 0;
	s->relay = url_relay(text);
	return s->relay ? 0
			: refuse(error, CO_ERR_ARGUMENT,
			      "\"%.200s\" is not the URL of a relay, "
			      "such as ws://HOST:8010",
			      text);
}

static int read_direct(
    struct settings *s, const char *text, struct co_error *error)
{
	struct url url;
	const char *why;

	if (!text || !*text)
		return 0;
	if (url_parse(&url, text, &why) != 0)
		return refuse(
		    error, CO_ERR_ARGUMENT, "\"%.200s\" %s", text, why);
	url_fini(&url);
	s->direct = mem_strdup(text);
	return 0;
}

/* ---- the key ---- */

static int read_key(
    struct settings *s, const struct co_options *o, struct co_error *error)
{
	struct err err;

	if (o->flags & CO_KEYLESS) {
		s->seal = CO_SEAL_NEVER;
		return 0;
	}
	if (o->key)
		s->secret_key = ident_key_make(o->key, s->own_address);
	else if (o->co_dir)
		s->secret_key =
		    ident_key_find(o->co_dir, NULL, s->own_address, &err);
	else
		s->secret_key =
		    ident_key_find(".co", getenv("HOME"), s->own_address, &err);
	if (!s->secret_key && !o->co_dir && err.code == ERR_NOT_FOUND)
		s->secret_key = ident_key_make(NULL, s->own_address);
	return s->secret_key ? 0 : refuse(error, CO_ERR_KEY, "%s", err.text);
}

/* ---- all of them ---- */

/* A caller built with an older header has a shorter struct: the rest is 0. */
static int take(struct co_options *o, const struct co_options *given,
    struct co_error *error)
{
	co_options_init(o);
	if (!given)
		return 0;
	if (given->size < sizeof given->size || given->size > sizeof *o)
		return refuse(error, CO_ERR_ARGUMENT,
		    "options were not set up by co_options_init()");
	memcpy(o, given, given->size);
	return 0;
}

int setup_read(
    struct settings *s, const struct co_options *given, struct co_error *error)
{
	struct co_options o;

	if (take(&o, given, error) != 0)
		return -1;
	s->is_direct_off = o.flags & CO_NO_DIRECT;
	s->seal = o.seal;
	s->retries = o.retries;
	s->open_timeout_ms =
	    o.open_timeout_ms > 0 ? o.open_timeout_ms : OPEN_TIMEOUT_MS;
	s->max_message_bytes =
	    o.max_message_bytes ? o.max_message_bytes : MAX_MESSAGE_BYTES;
	s->on_event = o.on_event;
	s->on_connection = o.on_connection;
	s->arg = o.arg;
	s->session = mem_strdup(o.session);
	s->session_id = mem_strdup(o.session_id);
	s->last_event_id = mem_strdup(o.last_event_id);
	s->invite_code = mem_strdup(o.invite_code);
	s->user_agent = mem_strdup(o.user_agent ? o.user_agent : USER_AGENT);
	if (read_relay(s, o.relay_url, error) != 0 ||
	    read_direct(s, o.direct_url, error) != 0)
		return -1;
	return read_key(s, &o, error);
}

void setup_fini(struct settings *s)
{
	free(s->relay);
	free(s->direct);
	free(s->session);
	free(s->session_id);
	free(s->last_event_id);
	free(s->invite_code);
	free(s->user_agent);
	ident_key_close(&s->secret_key);
	*s = (struct settings){.relay = NULL};
}
