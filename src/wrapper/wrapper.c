/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/wrapper.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "ons/ons_order.h"
#include "proc/crew.h"
#include "websocket/ws_tls.h"
#include "wrapper/agent_settings.h"
#include "wrapper/backlog.h"
#include "wrapper/doer.h"
#include "wrapper/job.h"
#include "wrapper/kind.h"
#include "wrapper/login.h"
#include "wrapper/orders.h"
#include "wrapper/pane.h"
#include "wrapper/private_file.h"
#include "wrapper/server.h"
#include "wrapper/workdir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Threads that find and connect to the server, and what may wait for them. */
#define CREW_THREADS 1
#define CREW_JOBS 4

/* The time for commands to end and for the server to hear of it, at the end. */
#define LEAVE_MS 8000

/* The last of it is for the server, when no command runs any more. */
#define FAREWELL_MS 1000

/* The time in which all processes must be gone at last. */
#define CLEAR_MS 5000

/* Who waits for the start waits so long for the first connection. */
#define READY_MS 10000

/* A longer token is not taken from a server. */
#define MAX_TOKEN_BYTES 8192

struct wrapper {
	const struct agent_settings *settings;
	const struct kind *kind;
	struct loop *loop;
	struct crew *crew;
	struct loop_wake *wake;
	struct ws_trust *trust;
	struct backlog *backlog;
	struct doer *doer;
	struct orders *orders;
	struct server *server;
	struct loop_timer leave;
	struct loop_timer late;
	char *token;	     /* from the server; NULL: that of the user */
	struct login *login; /* NULL: the settings have the token */
	char agent_id[AGENT_MAX_ID + 1];
	int64_t reported_drops;
	int status;
	bool is_leaving;
	bool is_renewed; /* the login, since the last connection */
	bool is_shown;	 /* the program has the terminal of the user */
	void (*tell)(enum wrapper_news news, const char *text);
};

static struct wrapper wrapper;

static void say(struct wrapper *w, enum wrapper_news news, const char *text)
{
	if (news != WRAPPER_WAITING)
		loop_timer_stop(w->loop, &w->late);
	if (!w->is_shown || news == WRAPPER_FAILED)
		w->tell(news, text);
}

/* For the person at the terminal. */
static void tell_bar(struct wrapper *w, const char *connection)
{
	const char *name = w->settings->name;
	struct buf text = {0};

	buf_printf(&text, " %s | %s | %s", w->kind->name, connection,
	    name ? name : w->agent_id);
	pane_tell(w->doer, buf_cstr(&text));
	buf_fini(&text);
}

static void tell_status(struct wrapper *w, const char *connection)
{
	bool is_interactive = w->settings->is_interactive;

	if (is_interactive)
		tell_bar(w, connection);
	workdir_tell(&(struct workdir_status){
	    .agent_id = w->agent_id,
	    .agent_name = w->settings->name,
	    .agent_type = w->kind->name,
	    .mode = is_interactive ? "interactive" : "headless",
	    .connection = connection,
	    .server = w->settings->server,
	});
}

/* ---- the end ---- */

static void on_leave_time(void *arg)
{
	struct wrapper *w = arg;

	loop_stop(w->loop);
}

/* The commands have ended: the server hears of it, then of our leaving. */
static void say_farewell(struct wrapper *w)
{
	loop_timer_set(w->loop, &w->leave, w->server ? FAREWELL_MS : 0);
	if (!w->server)
		return;
	server_send(w->server);
	server_close(w->server);
}

static void leave(struct wrapper *w, bool is_graceful, int64_t limit_ms)
{
	if (!w->is_leaving)
		loop_timer_set(w->loop, &w->leave, limit_ms + LEAVE_MS);
	w->is_leaving = true;
	orders_finish(w->orders, is_graceful);
}

static void fail(struct wrapper *w)
{
	w->status = EXIT_FAILED;
	if (!w->is_leaving)
		loop_stop(w->loop);
}

/* ---- the terminal of the user ---- */

static void show_program(struct wrapper *w);

static void on_program_over(void *arg, int status, bool was_killed)
{
	struct wrapper *w = arg;

	if (w->is_leaving)
		return;
	if (was_killed) {
		show_program(w); /* a dashboard wants it to begin anew */
		return;
	}
	w->status = status ? EXIT_FAILED : 0;
	leave(w, false, 0);
}

static void show_program(struct wrapper *w)
{
	char why[300];

	w->is_shown = true;
	if (pane_start(w->doer, on_program_over, w, why, sizeof why))
		return;
	log_error("agent: %s", why);
	fail(w);
}

/* When the connection is made, or when that takes too long. */
static void begin_to_show(struct wrapper *w)
{
	if (w->settings->is_interactive && !w->is_shown)
		show_program(w);
}

/* A person at the terminal goes on without the server. */
static bool goes_on_alone(struct wrapper *w)
{
	if (!w->is_shown || w->is_leaving)
		return false;
	tell_status(w, "offline");
	return true;
}

/* ---- the server ---- */

/* What may stand in a header. */
static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.text[i] <= ' ' || s.text[i] >= 127)
			return false;
	return s.len > 0 && s.len <= MAX_TOKEN_BYTES;
}

static const char *on_token(void *arg)
{
	struct wrapper *w = arg;

	if (w->login && !w->token)
		return login_token(w->login);
	return w->token ? w->token : w->settings->token;
}

/*
 * A token of the server may have expired while it was away, and one of a login
 * when the clocks differ.
 */
static bool on_refused(void *arg)
{
	struct wrapper *w = arg;
	bool had_token = w->token != NULL;

	free(w->token);
	w->token = NULL;
	if (had_token)
		return true;
	if (!w->login || w->is_renewed)
		return false;
	w->is_renewed = true;
	login_renew(w->login);
	return true;
}

/* For the next connection: this one is authenticated. */
static void take_token(
    struct wrapper *w, const struct ons_message *m, struct ons_reader *r)
{
	struct ons_refresh f;
	const char *fault = ons_read_refresh(&f, r, m);

	if (!fault && !is_token(f.access))
		fault = "has no token that can be one";
	if (fault) {
		log_warn("server: its TOKEN_REFRESH %s", fault);
		return;
	}
	free(w->token);
	w->token = mem_strndup(f.access.text, f.access.len);
	log_info("server: it has refreshed the token");
}

static void on_active(void *arg, struct buf *out)
{
	struct wrapper *w = arg;

	orders_active(w->orders, out);
}

static void on_message(
    void *arg, const struct ons_message *m, struct ons_reader *r)
{
	struct wrapper *w = arg;

	if (m->type == ONS_TOKEN_REFRESH)
		take_token(w, m, r);
	else
		orders_take(w->orders, m, r);
}

static void report_drops(struct wrapper *w)
{
	int64_t n = backlog_dropped(w->backlog);

	if (n > w->reported_drops)
		log_warn("backlog: output was dropped, bytes=%lld",
		    (long long)(n - w->reported_drops));
	w->reported_drops = n;
}

static void on_connected(struct wrapper *w)
{
	char text[AGENT_MAX_ID + 100];

	w->is_renewed = false;
	report_drops(w);
	log_info("server: connected as %s", w->agent_id);
	(void)snprintf(text, sizeof text, "connected as %s", w->agent_id);
	tell_status(w, "connected");
	say(w, WRAPPER_CONNECTED, text);
	begin_to_show(w);
}

/* why: what it did, or how it is. */
static void say_server(struct wrapper *w, enum wrapper_news news,
    const char *why, int64_t delay_ms)
{
	char text[800], more[100] = "";

	if (news == WRAPPER_WAITING)
		(void)snprintf(more, sizeof more, "; next attempt in %.1f s",
		    (double)delay_ms / 1000);
	else if (!on_token(w))
		(void)snprintf(more, sizeof more,
		    "; set ONSEMBL_API_KEY, or use 'onsembl-agent login'");
	(void)snprintf(text, sizeof text, "the server %s %s%s",
	    w->settings->server, why, more);
	say(w, news, text);
}

static void on_event(
    void *arg, enum server_event event, const char *why, int64_t delay_ms)
{
	struct wrapper *w = arg;

	switch (event) {
	case SERVER_READY:
		on_connected(w);
		break;
	case SERVER_LOST:
		log_warn("server: it %s; next attempt in %lld ms", why,
		    (long long)delay_ms);
		say_server(w, WRAPPER_WAITING, why, delay_ms);
		tell_status(w, "connecting");
		orders_balance(w->orders);
		break;
	case SERVER_CLOSED:
		log_info("server: the connection is closed: it %s", why);
		if (w->is_leaving)
			loop_stop(w->loop);
		else if (!goes_on_alone(w))
			leave(w, false, 0);
		break;
	case SERVER_GIVEN_UP:
		log_error("server: it %s; given up", why);
		if (goes_on_alone(w))
			break;
		say_server(w, WRAPPER_FAILED, why, 0);
		fail(w);
		break;
	}
}

static void on_room(void *arg)
{
	struct wrapper *w = arg;

	orders_balance(w->orders);
	server_send(w->server);
}

static const struct server_handlers server_handlers = {
    .token = on_token,
    .on_refused = on_refused,
    .active = on_active,
    .on_message = on_message,
    .on_event = on_event,
    .on_room = on_room,
};

/* ---- the commands ---- */

static void on_news(void *arg)
{
	struct wrapper *w = arg;
	const struct server_health health = {
	    .n_commands = orders_count(w->orders),
	    .total_ms = orders_total_ms(w->orders),
	};

	if (!w->server)
		return;
	server_report(w->server, &health);
	server_send(w->server);
}

static bool is_connected(void *arg)
{
	struct wrapper *w = arg;

	return w->server && server_is_ready(w->server);
}

static bool takes_events(void *arg)
{
	struct wrapper *w = arg;

	return w->server && server_takes_events(w->server);
}

static void on_stop(void *arg, bool is_graceful, int64_t timeout_ms)
{
	leave(arg, is_graceful, is_graceful ? timeout_ms : 0);
}

static void on_idle(void *arg)
{
	say_farewell(arg);
}

static const struct orders_handlers orders_handlers = {
    .on_news = on_news,
    .is_connected = is_connected,
    .takes_events = takes_events,
    .on_stop = on_stop,
    .on_idle = on_idle,
};

/* ---- the process ---- */

static void on_signal(int signo, void *arg)
{
	struct wrapper *w = arg;

	if (signo == SIGWINCH && w->is_shown)
		pane_resize(w->doer);
	if (signo == SIGCONT && w->is_shown)
		pane_redraw(w->doer);
	if (signo == SIGWINCH || signo == SIGCONT)
		return;
	log_info("signal=%s: stopping", strsignal(signo));
	if (w->is_leaving)
		orders_kill(w->orders); /* somebody is in a hurry */
	leave(w, false, 0);
}

static void wake_loop(void *arg)
{
	struct wrapper *w = arg;

	loop_wake_up(w->wake);
}

static void on_wake(void *arg)
{
	struct wrapper *w = arg;

	crew_collect(w->crew);
}

static void on_late(void *arg)
{
	say(arg, WRAPPER_LATE,
	    "not connected yet, but still trying; see 'onsembl-agent logs'");
	begin_to_show(arg);
}

/* {agentType}-{timestamp}-{9 random characters} */
static void make_id(struct wrapper *w)
{
	const char *given = w->settings->agent_id;
	struct buf id = {0};
	uint64_t random;

	enc_random(&random, sizeof random);
	ons_put_id(&id, w->kind->name, clock_wall_ms(), random);
	(void)snprintf(w->agent_id, sizeof w->agent_id, "%s",
	    given && strcmp(given, AGENT_NEW_ID) != 0 ? given : buf_cstr(&id));
	buf_fini(&id);
}

static void open_loop(struct wrapper *w)
{
	static const int signals[] = {
	    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGWINCH, SIGCONT, 0};

	w->loop = loop_new();
	loop_signals(w->loop, signals, on_signal, w);
	w->wake = loop_wake_open(w->loop, on_wake, w);
	w->crew = crew_open(CREW_THREADS, CREW_JOBS, wake_loop, w);
	loop_timer_init(&w->leave, on_leave_time, w);
	loop_timer_init(&w->late, on_late, w);
	loop_timer_set(w->loop, &w->late, READY_MS);
}

static void open_orders(struct wrapper *w)
{
	w->backlog = backlog_new((size_t)w->settings->outage_bytes);
	w->orders = orders_new(&(struct orders_setup){
	    .loop = w->loop,
	    .settings = w->settings,
	    .backlog = w->backlog,
	    .doer = w->doer,
	    .agent_id = w->agent_id,
	    .handlers = &orders_handlers,
	    .arg = w,
	});
}

static void open_server(struct wrapper *w)
{
	w->server = server_open(&(struct server_setup){
	    .loop = w->loop,
	    .crew = w->crew,
	    .trust = w->trust,
	    .settings = w->settings,
	    .backlog = w->backlog,
	    .agent_id = w->agent_id,
	    .agent_type = w->kind->name,
	    .handlers = &server_handlers,
	    .arg = w,
	});
}

static void on_login(void *arg)
{
	open_server(arg);
}

/* Without a token in the settings, the login decides, if there is a server. */
static void begin(struct wrapper *w)
{
	open_orders(w);
	if (w->settings->is_alone) {
		tell_status(w, "offline");
		say(w, WRAPPER_CONNECTED, "without a server");
		begin_to_show(w);
		return;
	}
	tell_status(w, "connecting");
	if (!w->settings->token)
		w->login = login_keep(w->loop, w->settings, on_login, w);
	if (!w->login)
		open_server(w);
}

static void close_all(struct wrapper *w)
{
	report_drops(w);
	login_free(&w->login);
	server_free(&w->server);
	w->doer->ops->free(w->doer);
	orders_free(&w->orders);
	backlog_free(&w->backlog);
	if (!job_clear(CLEAR_MS))
		log_error("job: some processes cannot be killed");
	private_file_clear();
	free(w->token);
	crew_close(&w->crew);
	loop_wake_close(&w->wake);
	ws_trust_close(&w->trust);
}

int wrapper_run(const struct agent_settings *settings,
    void (*tell)(enum wrapper_news news, const char *text))
{
	struct wrapper *w = &wrapper;
	char why[300];

	w->settings = settings;
	w->kind = kind_find(settings->agent);
	w->tell = tell;
	make_id(w);
	open_loop(w);
	w->trust = ws_trust_open();
	if (job_init(NULL, why, sizeof why))
		w->doer =
		    w->kind->make(w->loop, w->kind, settings, why, sizeof why);
	if (!w->doer) {
		log_error("agent: %s", why);
		say(w, WRAPPER_FAILED, why);
		return EXIT_FAILED;
	}
	begin(w);
	loop_run(w->loop);
	close_all(w);
	return w->status;
}
