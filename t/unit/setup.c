/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The options of a client: defaults, environment, key. */
#include "connect/setup.h"

#include <stdlib.h>
#include <string.h>

#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static const char *const variables[] = {"RELAY_URL", "CONNECTONION_BACKEND_URL",
    "OPENONION_API_URL", "OPENONION_BASE_URL"};

/* The relay that is taken, "" for none; or the error's name. */
static const char *relay_of(const char *url)
{
	static char text[200];
	struct settings s = {.relay = NULL};
	struct co_options o;
	struct co_error error;

	co_options_init(&o);
	o.relay_url = url;
	o.flags = CO_KEYLESS;
	(void)snprintf(text, sizeof(text), "%s",
	    setup_read(&s, &o, &error) != 0 ? co_code_name(error.code)
	    : s.relay			    ? s.relay
					    : "");
	setup_fini(&s);
	return text;
}

static void finds_the_relay(void)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
	    {"", ""},
	    {"wss://relay.example", "wss://relay.example"},
	    {"ws://relay.example:8010/", "ws://relay.example:8010"},
	    {"http://relay.example:8010", "ws://relay.example:8010"},
	    {"https://relay.example/ws/announce", "wss://relay.example"},
	    {"wss://relay.example/ws", "wss://relay.example"},
	    {"ws://h/ws/announce/ws/announce/", "ws://h"},
	    {"relay.example", "argument"},
	    {"ftp://relay.example", "argument"},
	    {"ws://", "argument"},
	};

	for (size_t i = 0; i < N(cases); i++)
		is_str(relay_of(cases[i].url), cases[i].want,
		    "relay_url \"%s\" is read", cases[i].url);
	for (size_t i = 0; i < N(variables); i++)
		(void)unsetenv(variables[i]);
	is_str(relay_of(NULL), CO_DEFAULT_RELAY, "there is a default relay");
	for (size_t i = N(variables); i-- > 0;) {
		char url[64], want[64];
		(void)snprintf(url, sizeof(url), "http://h%zu/ws", i);
		(void)snprintf(want, sizeof(want), "ws://h%zu", i);
		(void)setenv(variables[i], url, 1);
		is_str(relay_of(NULL), want,
		    "%s names the relay, before those after it", variables[i]);
	}
	(void)setenv("RELAY_URL", "", 1);
	is_str(relay_of(NULL), "ws://h1", "an empty variable is not set");
	(void)setenv("RELAY_URL", "nonsense", 1);
	is_str(relay_of(NULL), "argument", "a wrong variable is an error");
	is_str(relay_of("ws://mine"), "ws://mine",
	    "the option comes before the environment");
	(void)unsetenv("RELAY_URL");
}

static int read_options(struct settings *s, const struct co_options *o)
{
	struct co_error error = {.code = CO_OK};

	return setup_read(s, o, &error) == 0 ? CO_OK : (int)error.code;
}

static void finds_the_key(void)
{
	static const unsigned char seed[32] = {7};
	char *empty = scratch_path("empty");
	struct settings s = {.relay = NULL}, other = {.relay = NULL};
	struct co_options o;

	(void)mkdir(empty, 0700);
	(void)setenv("HOME", empty, 1);
	co_options_init(&o);
	o.key = seed;
	is_int(read_options(&s, &o), CO_OK, "a seed is taken");
	ok(s.secret_key && strlen(s.own_address) == 66,
	    "a seed has an address");
	is_int(s.seal, CO_SEAL_REQUIRED, "connections are sealed");
	setup_fini(&s);

	o.key = NULL;
	o.co_dir = empty;
	is_int(read_options(&s, &o), CO_ERR_KEY,
	    "a folder without a key is an error");
	setup_fini(&s);

	o.co_dir = NULL;
	is_int(read_options(&s, &o), CO_OK, "a client without a key is set up");
	is_int(read_options(&other, &o), CO_OK,
	    "a second client without a key is set up");
	ok(s.secret_key && strcmp(s.own_address, other.own_address) != 0,
	    "each client without a key makes one of its own");
	setup_fini(&s);
	setup_fini(&other);

	o.flags = CO_KEYLESS;
	is_int(read_options(&s, &o), CO_OK, "a client may have no key");
	ok(!s.secret_key && !*s.own_address && s.seal == CO_SEAL_NEVER,
	    "a client without a key seals nothing");
	setup_fini(&s);
	free(empty);
}

static void knows_sizes(void)
{
	struct settings s = {.relay = NULL};
	struct co_options o;

	memset(&o, 0, sizeof(o));
	is_int(read_options(&s, &o), CO_ERR_ARGUMENT,
	    "options that were not set up are refused");
	setup_fini(&s);
	co_options_init(&o);
	o.flags = CO_KEYLESS;
	o.size += 8;
	is_int(read_options(&s, &o), CO_ERR_ARGUMENT,
	    "options of a later version are refused");
	setup_fini(&s);
	/* A caller that was built when on_event was the last one. */
	o.size = offsetof(struct co_options, on_connection);
	o.arg = &o;
	is_int(read_options(&s, &o), CO_OK, "shorter options are taken");
	ok(!s.arg, "what they do not have is not read");
	is_int(s.open_timeout_ms, 30000, "there is a time for each attempt");
	is_int(s.max_message_bytes, 256 << 20, "there is a largest message");
	setup_fini(&s);
}

int main(void)
{
	finds_the_relay();
	finds_the_key();
	knows_sizes();
	return done();
}
