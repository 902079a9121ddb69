/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/server.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "net/loop.h"
#include "net/wire.h"
#include "net/ws_dial.h"
#include "ons/ons_order.h"
#include "ons/ons_report.h"
#include "wrapper/agent_settings.h"
#include "wrapper/backlog.h"
#include "wrapper/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The time for a connection to open: name, TCP, TLS and handshake. */
#define OPEN_TIMEOUT_MS 20000

/* The time for the server to know the agent after that. */
#define WELCOME_TIMEOUT_MS 30000

/* Cut a server that takes nothing of what waits for so long. */
#define STALL_TIMEOUT_MS 60000

/* So much is given to the connection at a time; the rest waits. */
#define WINDOW_BYTES ((size_t)256 * 1024)

struct server {
	struct server_setup setup;
	struct url url;
	char host[256];
	struct ws_dial *dial; /* NULL: none now */
	struct ons_reader reader;
	struct retry retry;
	struct loop_timer redial;
	struct loop_timer welcome;
	struct loop_timer heartbeat;
	struct loop_later flush;
	char connect_id[64];
	char refusal[600]; /* of the agent; "": none */
	struct server_health health;
	int64_t began_ms;
	bool is_open;
	bool is_ready;
	bool was_ready; /* on any connection */
	bool takes_events;
	bool is_closing;
};

static void tell(struct server *s, enum server_event event, const char *why,
    int64_t delay_ms)
{
	s->setup.handlers->on_event(s->setup.arg, event, why, delay_ms);
}

/* ---- output ---- */

/* The output's place in words, for people. */
static struct span gap_text(char *out, size_t size, int64_t bytes)
{
	int n = snprintf(out, size,
	    "\r\n[onsembl-agent: %lld bytes of output are missing here: the "
	    "connection was lost for too long]\r\n",
	    (long long)bytes);

	return (struct span){out, (size_t)n};
}

static void put_output(struct server *s, struct buf *out, const char *id,
    const struct backlog_output *o)
{
	char gap[160];
	const struct ons_output output = {
	    .command = span_cstr(o->command_id),
	    .content = o->dropped_bytes
			   ? gap_text(gap, sizeof gap, o->dropped_bytes)
			   : (struct span){o->text, o->len},
	    .is_stderr = o->is_errors || o->dropped_bytes,
	    .sequence = o->sequence,
	};

	ons_put_output(out, span_cstr(id), clock_wall_ms(),
	    span_cstr(s->setup.agent_id), &output);
}

static void send_item(void *arg, const char *id,
    const struct backlog_output *output, const char *text, size_t len)
{
	struct server *s = arg;
	struct buf message = {0};

	if (!output) {
		ws_dial_send(s->dial, text, len);
		return;
	}
	put_output(s, &message, id, output);
	ws_dial_send(s->dial, message.data, message.len);
	buf_fini(&message);
}

static void flush(void *arg)
{
	struct server *s = arg;

	if (!s->is_ready || !s->dial)
		return;
	size_t waiting = ws_dial_waiting(s->dial);
	if (waiting < WINDOW_BYTES)
		backlog_send(
		    s->setup.backlog, WINDOW_BYTES - waiting, send_item, s);
}

void server_send(struct server *s)
{
	loop_later_ask(s->setup.loop, &s->flush);
}

static void say(struct server *s, struct buf *message)
{
	if (s->dial && s->is_open)
		ws_dial_send(s->dial, message->data, message->len);
	buf_fini(message);
}

/* ---- introduction ---- */

static void put_connect(struct server *s, struct buf *out)
{
	struct buf active = {0};
	struct ons_connect c = {
	    .agent = span_cstr(s->setup.agent_id),
	    .name = span_cstr(s->setup.settings->name),
	    .type = span_cstr(s->setup.agent_type),
	    .version = span_cstr(PACKAGE_VERSION),
	    .host = span_cstr(s->host),
	    .capabilities = span_cstr("{\"commands\":true,\"fileAccess\":true,"
				      "\"streaming\":true,"
				      "\"supportsInterrupt\":true,"
				      "\"supportsTrace\":true}"),
	};

	s->setup.handlers->active(s->setup.arg, &active);
	c.active = (struct span){active.data, active.len};
	ons_put_connect(out, span_cstr(s->connect_id), clock_wall_ms(), &c);
	buf_fini(&active);
}

static void introduce(struct server *s)
{
	struct buf message = {0};

	(void)snprintf(s->connect_id, sizeof s->connect_id, "connect-%lld",
	    (long long)clock_wall_ms());
	put_connect(s, &message);
	say(s, &message);
	loop_timer_set(s->setup.loop, &s->welcome, WELCOME_TIMEOUT_MS);
}

static void on_no_welcome(void *arg)
{
	struct server *s = arg;

	if (s->dial)
		ws_dial_close(s->dial, WIRE_CLOSE_POLICY, "no ACK");
}

/* ---- heartbeats ---- */

/* Of all that ran since the start; in percent of one processor. */
static double cpu_percent(const struct server *s)
{
	struct rusage u;
	int64_t up_ms = clock_mono_ms() - s->began_ms;

	(void)getrusage(RUSAGE_SELF, &u); /* cannot fail */
	double ms = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
		    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
	return up_ms > 0 ? 100 * ms / (double)up_ms : 0;
}

static double memory_mb(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u); /* cannot fail */
	return (double)u.ru_maxrss / 1024;
}

static void on_heartbeat(void *arg)
{
	struct server *s = arg;
	struct buf message = {0};
	const int64_t n = s->health.n_commands;
	const struct ons_health health = {
	    .is_there = true,
	    .cpu = cpu_percent(s),
	    .memory_mb = memory_mb(),
	    .uptime_s = (clock_mono_ms() - s->began_ms) / 1000,
	    .n_commands = n,
	    .response_ms = n ? (double)s->health.total_ms / (double)n : 0,
	};
	char id[64];

	(void)snprintf(
	    id, sizeof id, "heartbeat-%lld", (long long)clock_wall_ms());
	ons_put_heartbeat(&message, span_cstr(id), clock_wall_ms(),
	    span_cstr(s->setup.agent_id), &health);
	say(s, &message);
	loop_timer_set(
	    s->setup.loop, &s->heartbeat, s->setup.settings->heartbeat_ms);
}

void server_report(struct server *s, const struct server_health *health)
{
	s->health = *health;
}

/* ---- input ---- */

static void become_ready(struct server *s, const struct ons_message *m)
{
	struct ons_welcome w;

	ons_read_welcome(&w, &s->reader, m);
	s->is_ready = s->was_ready = true;
	s->takes_events = w.takes_events;
	retry_accepted(&s->retry, clock_mono_ms());
	loop_timer_stop(s->setup.loop, &s->welcome);
	loop_timer_set(
	    s->setup.loop, &s->heartbeat, s->setup.settings->heartbeat_ms);
	tell(s, SERVER_READY, "connected", 0);
	server_send(s);
}

static void on_ack(struct server *s, const struct ons_message *m)
{
	struct span id = ons_text(&s->reader, m->payload, "messageId");

	if (!s->is_ready && ons_is(id, s->connect_id)) {
		if (ons_bool(m->payload, "success", true))
			become_ready(s, m);
		return;
	}
	if (id.text)
		backlog_acknowledge(s->setup.backlog, id.text, id.len);
	s->setup.handlers->on_room(s->setup.arg);
}

static void on_error(struct server *s, const struct ons_message *m)
{
	struct span code = ons_text(&s->reader, m->payload, "code");
	struct span what = ons_text(&s->reader, m->payload, "message");
	const struct json *details = json_get(m->payload, "details");
	struct span reason = ons_text(&s->reader, details, "reason");
	char why[500];

	(void)snprintf(why, sizeof why, "%.*s: %.*s%s%.*s",
	    code.len > 60 ? 60 : (int)code.len, code.len ? code.text : "",
	    what.len > 200 ? 200 : (int)what.len, what.len ? what.text : "",
	    reason.len ? "; " : "", reason.len > 200 ? 200 : (int)reason.len,
	    reason.len ? reason.text : "");
	log_warn("server: it reports %s", why);
	if (s->is_ready)
		return;
	(void)snprintf(s->refusal, sizeof s->refusal, "refuses us (%s)", why);
	ws_dial_close(s->dial, WIRE_CLOSE_POLICY, "not accepted");
}

static void on_ping(struct server *s, const struct ons_message *m)
{
	struct buf message = {0};
	struct ons_ping ping;
	char id[64];

	ons_read_ping(&ping, m);
	(void)snprintf(id, sizeof id, "pong-%lld", (long long)clock_wall_ms());
	ons_put_pong(&message, span_cstr(id), clock_wall_ms(), &ping);
	say(s, &message);
}

static void server_on_text(void *arg, const char *text, size_t len)
{
	struct server *s = arg;
	struct ons_message m;

	if (ons_message_read(&m, &s->reader, text, len) != ONS_FINE) {
		log_warn("server: it sent something that is no message");
		return;
	}
	switch (m.type) {
	case ONS_ACK:
		on_ack(s, &m);
		break;
	case ONS_ERROR:
		on_error(s, &m);
		break;
	case ONS_PING:
		on_ping(s, &m);
		break;
	case ONS_PONG:
	case ONS_SERVER_HEARTBEAT:
		break;
	default:
		if (s->is_ready)
			s->setup.handlers->on_message(
			    s->setup.arg, &m, &s->reader);
		break;
	}
}

static void server_on_open(void *arg)
{
	struct server *s = arg;

	s->is_open = true;
	introduce(s);
}

static void server_on_drain(void *arg)
{
	struct server *s = arg;

	flush(s);
	s->setup.handlers->on_room(s->setup.arg);
}

/* ---- the end of a connection ---- */

static void try_again(struct server *s, const char *why)
{
	uint32_t random;

	enc_random(&random, sizeof random);
	int64_t delay_ms = retry_lost(&s->retry, clock_mono_ms(), random);
	if (delay_ms < 0) {
		tell(s, SERVER_GIVEN_UP, why, 0);
		return;
	}
	loop_timer_set(s->setup.loop, &s->redial, delay_ms);
	tell(s, SERVER_LOST, why, delay_ms);
}

static void server_on_end(void *arg, int code, const char *why)
{
	struct server *s = arg;

	ws_dial_free(&s->dial);
	s->is_open = s->is_ready = false;
	loop_timer_stop(s->setup.loop, &s->welcome);
	loop_timer_stop(s->setup.loop, &s->heartbeat);
	backlog_rewind(s->setup.backlog);
	if (s->is_closing || code == WIRE_CLOSE_NORMAL)
		tell(s, SERVER_CLOSED, why, 0);
	else if (*s->refusal && !s->setup.handlers->on_refused(s->setup.arg) &&
		 !s->was_ready)
		tell(s, SERVER_GIVEN_UP, s->refusal, 0);
	else
		try_again(s, *s->refusal ? s->refusal : why);
}

static const struct ws_dial_handlers dial_handlers = {
    .on_open = server_on_open,
    .on_text = server_on_text,
    .on_drain = server_on_drain,
    .on_end = server_on_end,
};

/* ---- dialing ---- */

/* As a field of the handshake, so that it is in no log of URLs. */
static void put_fields(struct buf *out, const char *token)
{
	if (token)
		buf_printf(out, "Authorization: Bearer %s\r\n", token);
}

static void dial(void *arg)
{
	struct server *s = arg;
	struct buf fields = {0};

	s->refusal[0] = '\0';
	put_fields(&fields, s->setup.handlers->token(s->setup.arg));
	s->dial = ws_dial_open(&(struct ws_dial_setup){
	    .loop = s->setup.loop,
	    .crew = s->setup.crew,
	    .url = &s->url,
	    .trust = s->setup.trust,
	    .user_agent = "onsembl-agent/" PACKAGE_VERSION,
	    .fields = buf_cstr(&fields),
	    .open_timeout_ms = OPEN_TIMEOUT_MS,
	    .stall_timeout_ms = STALL_TIMEOUT_MS,
	    .max_message_bytes = ONS_MAX_MESSAGE,
	    .handlers = &dial_handlers,
	    .arg = s,
	});
	buf_fini(&fields);
}

/* The path of the server, then that of its socket for agents. */
static void set_target(struct server *s)
{
	static const char place[] = "/ws/agent";
	const size_t n_place = sizeof place - 1;
	size_t n = strcspn(s->url.target, "?");
	struct buf target = {0};

	while (n && s->url.target[n - 1] == '/')
		n--;
	buf_append(&target, s->url.target, n);
	if (n < n_place ||
	    memcmp(s->url.target + n - n_place, place, n_place) != 0)
		buf_str(&target, place);
	buf_printf(&target, "?agentId=%s", s->setup.agent_id);
	free(s->url.target);
	s->url.target = buf_steal(&target, NULL);
}

struct server *server_open(const struct server_setup *setup)
{
	struct server *s = mem_zero(sizeof *s);
	const char *why;

	s->setup = *setup;
	if (url_parse(&s->url, setup->settings->server, &why) != 0)
		panic("server: the URL was checked: it %s", why);
	set_target(s);
	if (gethostname(s->host, sizeof s->host - 1) != 0)
		(void)strcpy(s->host, "localhost");
	s->began_ms = clock_mono_ms();
	s->retry.first_ms = setup->settings->delay_ms;
	s->retry.max_attempts = setup->settings->attempts;
	loop_timer_init(&s->redial, dial, s);
	loop_timer_init(&s->welcome, on_no_welcome, s);
	loop_timer_init(&s->heartbeat, on_heartbeat, s);
	loop_later_init(&s->flush, flush, s);
	dial(s);
	return s;
}

void server_close(struct server *s)
{
	s->is_closing = true;
	loop_timer_stop(s->setup.loop, &s->redial);
	if (s->dial)
		ws_dial_close(s->dial, WIRE_CLOSE_NORMAL, "Normal closure");
	else
		tell(s, SERVER_CLOSED, "was not connected", 0);
}

void server_free(struct server **sp)
{
	struct server *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	ws_dial_free(&s->dial);
	loop_timer_stop(s->setup.loop, &s->redial);
	loop_timer_stop(s->setup.loop, &s->welcome);
	loop_timer_stop(s->setup.loop, &s->heartbeat);
	loop_later_cancel(&s->flush);
	ons_reader_fini(&s->reader);
	url_fini(&s->url);
	free(s);
}

bool server_is_ready(const struct server *s)
{
	return s->is_ready;
}

bool server_takes_events(const struct server *s)
{
	return s->takes_events;
}
