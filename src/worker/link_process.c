/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/link_process.h"

#include "agent/agents.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "base/utf8.h"
#include "child/inherit.h"
#include "core/conf.h"
#include "core/err.h"
#include "door/console.h"
#include "door/frame.h"
#include "identity/announce.h"
#include "identity/ident_key.h"
#include "link/endpoints.h"
#include "link/uplink.h"
#include "net/loop.h"
#include "oip/oip_first.h"
#include "oip/oip_socket.h"
#include "proc/crew.h"
#include "websocket/ws_tls.h"
#include "worker/entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Relays refuse a longer summary. */
#define SUMMARY_CHARS 1000

/* One thread connects; another, if a name server keeps that one waiting. */
#define CREW_THREADS 2
#define CREW_JOBS 4

/* A client that says nothing for this long is gone; clients answer PING. */
#define CLIENT_IDLE_MS 300000

/*
 * A generation that replaces another is complete once it is announced, so that
 * clients find the new one before the old one refuses them; or after this long.
 */
#define FIRST_TRY_MS 5000

/* What the relay has sent to the old generation before that is served there. */
#define SETTLE_MS 300

/* How often a draining link looks whether its clients have left. */
#define DRAIN_LOOK_MS 100

/* From the first failures of a row to those of which an operator should know. */
#define FAILURES_TO_WARN 5

/* Of later ones one in so many is logged: one in five minutes. */
#define FAILURES_TO_LOG 10

struct link {
	struct inherited in;
	struct conf conf;
	struct agent_about about;
	char *profile; /* a JSON object */
	char *summary;
	char *domain;		   /* our public name, or "" */
	const uint8_t *secret_key; /* NULL: it cannot be read */
	bool is_beside;		   /* the relay is on this machine */
	bool is_ready;
	bool is_leaving;
	struct crew *crew;
	struct loop_wake *wake;
	struct ws_trust *trust;
	struct uplink *uplink;
	struct loop_timer first_try;
	struct loop_timer drain;
};

/* ---- what is announced ---- */

/* Display data, in the form of the Python host. */
static char *make_profile(const struct link *k)
{
	const struct agent_about *about = &k->about;
	struct buf out = {0};

	buf_str(&out, "{\"alias\":");
	buf_json_str(&out, *k->conf.name ? k->conf.name : about->name);
	if (about->tools && about->tools[0]) {
		for (size_t i = 0; about->tools[i]; i++) {
			buf_str(&out, i ? "," : ",\"tools\":[");
			buf_json_str(&out, about->tools[i]);
		}
		buf_char(&out, ']');
	}
	if (*about->model) {
		buf_str(&out, ",\"model\":");
		buf_json_str(&out, about->model);
	}
	buf_str(&out, ",\"skills\":");
	frame_skills(&out, about->skills, true);
	buf_char(&out, '}');
	return buf_steal(&out, NULL);
}

static void tell_long_summary(size_t chars)
{
	struct buf line = {0};

	buf_printf(&line,
	    "[announce] summary is %zu characters and the relay takes %d; "
	    "announcing the first %d. Shorten `summary:` in .co/host.yaml to "
	    "choose what goes.",
	    chars, SUMMARY_CHARS, SUMMARY_CHARS);
	console_relay(buf_cstr(&line));
	buf_fini(&line);
}

/* The setting, else the beginning of the agent's system prompt, else its name.
 */
static char *make_summary(const struct link *k)
{
	const char *text = k->conf.summary;
	struct buf out = {0};

	if (!*text && k->about.system_prompt)
		text = k->about.system_prompt;
	size_t len = strlen(text);
	size_t chars = utf8_count(text, len);
	if (chars > SUMMARY_CHARS)
		tell_long_summary(chars);
	buf_append(&out, text, utf8_prefix(text, len, SUMMARY_CHARS));
	if (!out.len)
		buf_printf(&out, "%s agent", k->about.name);
	return buf_steal(&out, NULL);
}

/* Some write it as the end of a URL. */
static char *read_domain(void)
{
	const char *text = getenv("AGENT_PUBLIC_DOMAIN");
	size_t n;

	if (!text)
		text = "";
	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n && (isspace((unsigned char)text[n - 1]) || text[n - 1] == '/'))
		n--;
	return mem_strndup(text, n);
}

static bool tells_loopback(const struct link *k)
{
	int when = k->conf.announce_loopback;

	return when == LOOPBACK_ALWAYS ||
	       (when == LOOPBACK_AUTO && k->is_beside);
}

static void write_announce(struct buf *out, void *arg)
{
	const struct link *k = arg;
	struct endpoints where = {
	    .bound = k->conf.bound,
	    .domain = k->domain,
	    .has_loopback = tells_loopback(k),
	};
	struct buf endpoints = {0};

	endpoints_write(&endpoints, &where);
	struct announce a = {
	    .address = k->conf.address,
	    .timestamp_s = clock_wall_ms() / 1000,
	    .summary = k->summary,
	    .endpoints = buf_cstr(&endpoints),
	    .relay = k->conf.relay_url,
	    .profile = k->profile,
	};
	announce_write(out, &a, k->secret_key);
	buf_fini(&endpoints);
}

/* ---- what happens ---- */

static void serve(struct link *k)
{
	if (k->is_ready)
		return;
	k->is_ready = true;
	loop_timer_stop(k->in.loop, &k->first_try);
	inherit_ready(&k->in);
}

static void on_first_try(void *arg)
{
	serve(arg);
}

/* The first attempt has an outcome, unless it goes on. */
static void note_outcome(struct link *k, enum uplink_event event)
{
	if (!k->is_ready && event != UPLINK_REFUSED)
		loop_timer_set(k->in.loop, &k->first_try,
		    event == UPLINK_ANNOUNCED ? SETTLE_MS : 0);
}

static void tell_failure(
    const struct link *k, const char *why, unsigned n, int64_t delay_ms)
{
	struct buf line = {0};
	int seconds = (int)((delay_ms + 500) / 1000);

	if (n < FAILURES_TO_WARN) {
		buf_printf(&line,
		    "[host] relay connection error (%s %s); reconnecting in "
		    "%d s",
		    k->conf.relay_url, why, seconds);
		console_relay(buf_cstr(&line));
	} else if (n % FAILURES_TO_LOG == FAILURES_TO_WARN) {
		log_warn("relay still unreachable after %u attempts (%s %s); "
			 "retrying in %d s",
		    n, k->conf.relay_url, why, seconds);
	}
	buf_fini(&line);
}

static void on_event(void *arg, enum uplink_event event, const char *why,
    unsigned n, int64_t delay_ms)
{
	struct link *k = arg;
	struct buf line = {0};

	switch (event) {
	case UPLINK_ANNOUNCED:
		buf_printf(&line, "✓ relay %s", k->conf.relay_url);
		break;
	case UPLINK_RESTORED:
		buf_str(&line, "[host] relay reconnected");
		break;
	case UPLINK_LOST:
		buf_printf(&line,
		    "[host] relay disconnected (it %s); reconnecting in %d s",
		    why, (int)(delay_ms / 1000));
		break;
	case UPLINK_FAILED:
		tell_failure(k, why, n, delay_ms);
		break;
	case UPLINK_REFUSED:
		log_warn("relay error: %.200s", why);
		break;
	}
	if (line.len)
		console_relay(buf_cstr(&line));
	buf_fini(&line);
	note_outcome(k, event);
}

static void on_msg(const struct msg *m, void *arg)
{
	(void)m;
	(void)arg;
}

/* ---- leaving ---- */

static void on_closed(void *arg)
{
	struct link *k = arg;

	loop_stop(k->in.loop);
}

static void on_drain(void *arg)
{
	struct link *k = arg;

	if (uplink_clients(k->uplink) == 0)
		uplink_close(k->uplink);
	else
		loop_timer_set(k->in.loop, &k->drain, DRAIN_LOOK_MS);
}

/* The clients are those of workers that drain as well. */
static void on_leave(enum leaving how, void *arg)
{
	struct link *k = arg;

	if (how == LEAVE_AT_ONCE || !k->uplink) {
		loop_stop(k->in.loop);
		return;
	}
	if (k->is_leaving)
		return;
	k->is_leaving = true;
	uplink_drain(k->uplink);
	on_drain(k);
}

static void on_meet(int fd, void *arg)
{
	struct link *k = arg;

	if (!k->uplink) {
		close(fd);
		return;
	}
	uplink_add_worker(k->uplink, fd);
	if (!k->is_ready && !k->first_try.heap_at)
		loop_timer_set(k->in.loop, &k->first_try, FIRST_TRY_MS);
}

/* ---- putting it together ---- */

static void on_wake(void *arg)
{
	struct link *k = arg;

	crew_collect(k->crew);
}

static void wake(void *arg)
{
	struct link *k = arg;

	loop_wake_up(k->wake);
}

/* Whether the relay is reached on this machine, and with TLS. */
static bool look_at_relay(struct link *k)
{
	struct url url;
	const char *why;

	if (url_parse(&url, k->conf.relay_url, &why) != 0)
		fatal("relay_url %s", why);
	bool is_secure = url.is_secure;
	k->is_beside = url_is_loopback(&url);
	url_fini(&url);
	return is_secure;
}

static void open_uplink(struct link *k)
{
	const struct conf *conf = &k->conf;
	size_t max_message = oip_socket_max_message(conf);
	size_t max_first = oip_first_max(conf);
	size_t max_clients =
	    (size_t)conf->max_connections * (size_t)conf->workers;
	struct uplink_setup setup = {
	    .loop = k->in.loop,
	    .crew = k->crew,
	    .trust = k->trust,
	    .url = conf->relay_url,
	    .user_agent = "co-hostd",
	    .stall_timeout_ms = conf->slow_reader_timeout * 1000,
	    .clients =
		{
		    .loop = k->in.loop,
		    .max_clients = max_clients,
		    .max_message_bytes = max_message,
		    .max_first_bytes =
			max_first < max_message ? max_first : max_message,
		    .max_client_bytes = 2 * max_message,
		    .max_bytes = (size_t)conf->max_unfinished * 1024 * 1024,
		    .idle_timeout_ms = CLIENT_IDLE_MS,
		},
	    .announce = write_announce,
	    .on_event = on_event,
	    .on_closed = on_closed,
	    .arg = k,
	};
	const char *why;

	k->uplink = uplink_new(&setup, &why);
	if (!k->uplink)
		fatal("relay_url %s", why);
}

/* Without the key nothing can be announced, and the server serves on. */
static bool open_key(struct link *k)
{
	struct err err;

	k->secret_key = ident_key_open(
	    k->conf.co_dir, getenv("HOME"), k->conf.address, &err);
	if (!k->secret_key)
		log_warn("%s: the relay cannot be used", err.text);
	return k->secret_key != NULL;
}

static void prepare(struct link *k)
{
	struct err err;

	if (agents_describe(&k->conf, &k->about, &err) != 0)
		fatal("%s", err.text);
	k->domain = read_domain();
	k->profile = make_profile(k);
	k->summary = make_summary(k);
	if (look_at_relay(k)) {
		k->trust = ws_trust_open();
		if (!k->trust)
			fatal("relay: OpenSSL cannot be used");
	}
	k->wake = loop_wake_open(k->in.loop, on_wake, k);
	k->crew = crew_open(CREW_THREADS, CREW_JOBS, wake, k);
	open_uplink(k);
}

/*
 * The first generation need not wait for a relay that is not there. A later one
 * connects when it has a worker, which may have to load the agent first.
 */
static void become_ready(struct link *k)
{
	loop_timer_init(&k->first_try, on_first_try, k);
	loop_timer_init(&k->drain, on_drain, k);
	if (k->in.heritage->slots[k->in.slot].epoch == 1 || !k->uplink)
		serve(k);
}

/*
 * The threads are left to the end of the process: a name server that does not
 * answer must not hold it up.
 */
int link_main(unsigned slot, unsigned generation)
{
	static struct link k = {
	    .in = {.on_msg = on_msg, .on_leave = on_leave, .on_meet = on_meet}};

	k.in.arg = &k;
	entry_begin(&k.in, &k.conf, KIND_LINK, slot, generation);
	if (open_key(&k))
		prepare(&k);
	become_ready(&k);
	inherit_run(&k.in);
	uplink_free(&k.uplink);
	ident_key_close(&k.secret_key);
	return 0;
}
