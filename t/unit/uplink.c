/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The connection to a relay and what follows its end: the test is the relay, a
 * listener on the same loop, and moves the clock from one attempt to the next.
 */
#include "link/uplink.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/stat.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "proc/crew.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"

#define PATIENCE_MS 600000
#define JITTER_MS 1000

static struct loop *loop;
static struct crew *crew;
static int listener;
static uint16_t port;

static struct test {
	struct uplink *uplink;
	struct http *http; /* the relay; NULL: away */
	struct wire *wire; /* its end of the connection; NULL: none */
	struct buf heard;  /* what it got, a line for each frame */
	unsigned n_announced;
	unsigned n_refusals; /* that are still to come */
	unsigned n_events;
	enum uplink_event event; /* the last one */
	unsigned n;
	int64_t delay_ms;
	bool is_closed;
} x;

/* ---- the relay ---- */

static void relay_says(const char *text)
{
	wire_send(x.wire, text, strlen(text));
}

static void on_wire_text(void *arg, const char *text, size_t len)
{
	(void)arg;
	buf_append(&x.heard, text, len);
	buf_char(&x.heard, '\n');
	if (x.n_refusals) {
		x.n_refusals--;
		relay_says("{\"type\":\"ERROR\",\"error\":\"no\"}");
	} else if (len > 9 && memcmp(text, "ANNOUNCE ", 9) == 0) {
		relay_says("{\"type\":\"ANNOUNCE_OK\"}");
	}
}

static void on_wire_nothing(void *arg)
{
	(void)arg;
}

static void on_wire_gone(void *arg)
{
	(void)arg;
	x.wire = NULL;
}

static const struct wire_handlers wire_handlers = {
    .on_text = on_wire_text,
    .on_binary = on_wire_nothing,
    .on_drain = on_wire_nothing,
    .on_gone = on_wire_gone,
};

static void get_ws(struct http_req *req, void *arg)
{
	struct ws_limits limits = {
	    .max_message_bytes = 100000,
	    .max_fragments = 10,
	    .max_output_bytes = 100000,
	};

	(void)arg;
	x.wire = ws_accept(req, &limits);
	wire_take(x.wire, &wire_handlers, NULL);
}

static int bind_somewhere(uint16_t *to)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&in, sizeof in) < 0 ||
	    getsockname(fd, (void *)&in, &len) < 0)
		fatal("uplink: no listener");
	*to = ntohs(in.sin_port);
	return fd;
}

/* Until this, connections to its port are refused. */
static void relay_comes(void)
{
	struct http_setup setup = {
	    .listeners = &listener,
	    .n_listeners = 1,
	    .max_body_bytes = 1000,
	    .max_connections = 100,
	    .request_timeout_ms = 60000,
	    .trusted_proxies = "",
	};

	if (listen(listener, 8) < 0)
		fatal("uplink: no listener");
	x.http = http_new(loop, &setup);
	http_route(x.http, "WEBSOCKET", "/ws/announce", get_ws, NULL);
	http_start(x.http);
}

/* ---- the host ---- */

static void announce(struct buf *out, void *arg)
{
	(void)arg;
	buf_printf(out, "ANNOUNCE %u", ++x.n_announced);
}

static void on_event(void *arg, enum uplink_event event, const char *why,
    unsigned n, int64_t delay_ms)
{
	(void)arg;
	(void)why;
	x.n_events++;
	x.event = event;
	x.n = n;
	x.delay_ms = delay_ms;
}

static void on_closed(void *arg)
{
	(void)arg;
	x.is_closed = true;
}

static void set_up(void)
{
	char url[64];
	int fds[2];
	const char *why;

	(void)snprintf(url, sizeof url, "ws://127.0.0.1:%u", port);
	struct uplink_setup setup = {
	    .loop = loop,
	    .crew = crew,
	    .url = url,
	    .user_agent = "test",
	    .stall_timeout_ms = 10000,
	    .clients =
		{
		    .loop = loop,
		    .max_clients = 10,
		    .max_message_bytes = 100000,
		    .max_first_bytes = 1000,
		    .max_client_bytes = 200000,
		    .max_bytes = 1000000,
		    .idle_timeout_ms = 300000,
		},
	    .announce = announce,
	    .on_event = on_event,
	    .on_closed = on_closed,
	};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	x.uplink = uplink_new(&setup, &why);
	uplink_add_worker(x.uplink, fds[0]);
	/* fds[1] stays open: there is a worker as long as the test runs. */
}

static unsigned n_events_before;

static bool has_event(struct test *t)
{
	return t->n_events > n_events_before;
}

/* The next thing that happens. */
static enum uplink_event next_event(void)
{
	n_events_before = x.n_events;
	if (!loop_until(loop, PATIENCE_MS, &x, has_event))
		fatal("uplink: nothing happens");
	return x.event;
}

/* ---- tests ---- */

/* Whether the wait is this one, up to a second longer from the second on. */
static bool is_wait(unsigned n, int64_t ms)
{
	int64_t most = ms + (n > 1 ? JITTER_MS : 0);

	return x.n == n && x.delay_ms >= ms && x.delay_ms <= most;
}

static void test_failures(void)
{
	static const int64_t waits[] = {
	    1000, 2000, 4000, 8000, 16000, 30000, 30000};

	for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
		enum uplink_event event = next_event();
		ok(event == UPLINK_FAILED && is_wait(i + 1, waits[i]),
		    "failure %u in a row waits for %d s", i + 1,
		    (int)(waits[i] / 1000));
		pass_ms(x.delay_ms);
	}
	is_int(x.n_announced, 0,
	    "without a connection, the host announces itself nowhere");
}

static void test_restored(void)
{
	relay_comes();
	pass_ms(JITTER_MS + 30000);
	while (next_event() == UPLINK_FAILED)
		pass_ms(x.delay_ms);
	is_int(x.event, UPLINK_ANNOUNCED, "a relay that comes is announced to");
	is_str(buf_cstr(&x.heard), "ANNOUNCE 1\n",
	    "the announcement is the first frame");
	is_int((int64_t)stat_mine()->relay_connected, 1,
	    "an accepted announcement is counted");
}

static bool has_heard_two(struct test *t)
{
	return strstr(buf_cstr(&t->heard), "ANNOUNCE 2\n") != NULL;
}

static void test_heartbeat(void)
{
	pass_ms(59000);
	loop_a_little(loop);
	is_int(x.n_announced, 1, "the announcement lasts for a minute");
	pass_ms(1000);
	ok(loop_until(loop, PATIENCE_MS, &x, has_heard_two),
	    "after a minute it is made anew, and not repeated");
}

static void test_loss(void)
{
	wire_close(x.wire, 1001, "");
	is_int(next_event(), UPLINK_LOST, "the end of a connection is a loss");
	ok(x.delay_ms == 1000 && !x.n, "a loss waits for one second");
	pass_ms(1000);
	is_int(next_event(), UPLINK_RESTORED, "after a loss it comes back");
	is_int(x.n_announced, 3, "after a loss the announcement is a new one");
	wire_close(x.wire, 1012, "");
	(void)next_event();
	ok(x.delay_ms == 1000 && !x.n,
	    "waits begin anew once an announcement was accepted");
	pass_ms(1000);
	(void)next_event();
}

static void test_replaced(void)
{
	for (unsigned i = 1; i <= 3; i++) {
		wire_close(x.wire, 4001, "");
		is_int(next_event(), UPLINK_FAILED,
		    "being replaced is a failure, time %u", i);
		ok(is_wait(i, 1000 << (i - 1)),
		    "a host that is replaced again waits longer, time %u", i);
		pass_ms(x.delay_ms);
		(void)next_event();
	}
	pass_ms(60000);
	loop_a_little(loop);
	wire_close(x.wire, 1001, "");
	is_int(next_event(), UPLINK_LOST, "a connection that lasted is lost");
	ok(x.delay_ms == 1000 && !x.n,
	    "waits begin anew after a connection that lasted");
}

static void test_refused(void)
{
	x.n_refusals = 2;
	pass_ms(1000);
	is_int(next_event(), UPLINK_REFUSED, "an ERROR is reported");
	ok(is_wait(1, 1000), "a refused announcement is made anew after 1 s");
	pass_ms(x.delay_ms);
	(void)next_event();
	ok(x.event == UPLINK_REFUSED && is_wait(2, 2000),
	    "an announcement that is refused again waits longer");
	pass_ms(x.delay_ms);
	is_int(next_event(), UPLINK_RESTORED,
	    "an announcement is accepted after two that were refused");
	x.n_refusals = 1;
	pass_ms(60000);
	is_int(next_event(), UPLINK_REFUSED, "a renewal may be refused");
	ok(x.wire && x.delay_ms == 60000,
	    "a host whose renewal was refused stays, until the next one");
}

static bool is_closed(struct test *t)
{
	return t->is_closed;
}

int main(void)
{
	log_threshold(LOG_ERROR);
	follow_clock();
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 4);
	listener = bind_somewhere(&port);
	set_up();
	test_failures();
	test_restored();
	test_heartbeat();
	test_loss();
	test_replaced();
	test_refused();
	uplink_close(x.uplink);
	ok(loop_until(loop, PATIENCE_MS, &x, is_closed),
	    "a link reports that it was closed");
	uplink_free(&x.uplink);
	loop_a_little(loop);
	http_free(&x.http);
	loop_crew_close(&crew);
	buf_fini(&x.heard);
	return done();
}
