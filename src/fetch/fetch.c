/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "fetch/fetch.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS 16

struct fetch {
	struct loop *loop;
	CURLM *multi;
	/*
	 * libcurl opens and closes its sockets itself, so they are in an epoll
	 * set of their own: the set is one descriptor that the loop can watch.
	 */
	int set;
	struct loop_watch *watch;
	struct loop_timer timer;
	struct loop_later later;
	struct list calls;	    /* all */
	struct list stillborn;	    /* calls that could not be started */
	struct list fed;	    /* calls with a part to deliver */
	struct list held;	    /* calls that may be resumed */
	struct fetch_call *telling; /* the one whose part is being delivered */
	size_t n_calls;
	size_t max_calls;
};

struct fetch_call {
	struct list link;
	struct list stillborn;
	struct list fed;
	struct list held;
	struct fetch *fetch;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body; /* the whole body, or what on_part has yet to get */
	size_t n_bytes;	 /* of the body so far */
	size_t max_bytes;
	bool is_added;
	bool is_full;	/* on_part had no room */
	bool is_paused; /* libcurl holds a part back */
	char error[CURL_ERROR_SIZE];
	fetch_part_fn *on_part;
	fetch_fn *fn;
	void *arg;
};

/* ---- the end of a call ---- */

static void fetch_free_call(struct fetch_call *c)
{
	if (c->is_added)
		(void)curl_multi_remove_handle(c->fetch->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	buf_fini(&c->body);
	list_remove(&c->link);
	list_remove(&c->stillborn);
	list_remove(&c->fed);
	list_remove(&c->held);
	if (c->fetch->telling == c)
		c->fetch->telling = NULL;
	c->fetch->n_calls--;
	free(c);
}

static long fetch_status_of(const struct fetch_call *c)
{
	long status = 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* A date is converted by libcurl. */
static int64_t fetch_retry_after(const struct fetch_call *c)
{
	curl_off_t seconds = 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &seconds);
	return (int64_t)seconds;
}

static void fetch_tell(struct fetch_call *c, const char *error)
{
	struct fetch_answer answer = {
	    .error = error,
	    .body = buf_cstr(&c->body),
	    .body_len = c->body.len,
	};
	if (!error) {
		answer.status = fetch_status_of(c);
		answer.retry_after_s = fetch_retry_after(c);
	}
	c->fn(c->arg, &answer);
	fetch_free_call(c);
}

/*
 * Deliver what has come of the body. Never called from inside libcurl, where no
 * call may be started or cancelled. Returns whether the call still exists.
 */
static bool tell_part(struct fetch_call *c)
{
	struct fetch *f = c->fetch;
	struct buf part = c->body;
	c->body = (struct buf){0};
	list_remove(&c->fed);
	f->telling = c;
	bool has_room =
	    c->on_part(c->arg, fetch_status_of(c), part.data, part.len);
	bool is_there = f->telling == c;
	f->telling = NULL;
	buf_fini(&part);
	if (!is_there)
		return false;
	c->is_full = !has_room;
	if (has_room)
		fetch_resume(c);
	return true;
}

static void tell_parts(struct fetch *f)
{
	while (!list_is_empty(&f->fed))
		(void)tell_part(
		    list_entry(f->fed.next, struct fetch_call, fed));
}

static void fetch_finish(struct fetch_call *c, CURLcode code)
{
	if (c->on_part && c->body.len && !tell_part(c))
		return;
	if (c->n_bytes > c->max_bytes)
		fetch_tell(c, "the answer is too long");
	else if (code == CURLE_OK)
		fetch_tell(c, NULL);
	else
		fetch_tell(c, *c->error ? c->error : curl_easy_strerror(code));
}

static void tell_finished(struct fetch *f)
{
	const CURLMsg *m;
	int left = 0;
	while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
		char *c = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		fetch_finish((struct fetch_call *)(void *)c, code);
	}
}

static void tell_stillborn(struct fetch *f)
{
	struct list *link;
	while ((link = list_shift(&f->stillborn)) != NULL)
		fetch_tell(list_entry(link, struct fetch_call, stillborn),
		    "too many requests, or not one");
}

/* Let libcurl deliver what it holds back, and read on. */
static void fetch_go_on(struct fetch *f)
{
	struct list *link;
	while ((link = list_shift(&f->held)) != NULL) {
		struct fetch_call *c =
		    list_entry(link, struct fetch_call, held);
		c->is_paused = false;
		CURLcode code = curl_easy_pause(c->easy, CURLPAUSE_CONT);
		if (code != CURLE_OK)
			fetch_finish(c, code);
	}
}

static void tell_all(struct fetch *f)
{
	tell_parts(f);
	tell_finished(f);
}

static void on_later(void *arg)
{
	struct fetch *f = arg;
	tell_stillborn(f);
	fetch_go_on(f);
	tell_all(f);
}

/* ---- driving the library ---- */

static void fetch_act(struct fetch *f, curl_socket_t socket, int what)
{
	int running = 0;
	CURLMcode code =
	    curl_multi_socket_action(f->multi, socket, what, &running);
	if (code != CURLM_OK)
		log_warn("fetch: %s", curl_multi_strerror(code));
}

static void fetch_on_time(void *arg)
{
	struct fetch *f = arg;
	fetch_act(f, CURL_SOCKET_TIMEOUT, 0);
	tell_all(f);
}

static int what_of(uint32_t events)
{
	int what = 0;
	if (events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	return what;
}

/* One event may close the socket of the next; libcurl handles that. */
static void on_events(void *arg)
{
	struct fetch *f = arg;
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(f->set, events, MAX_EVENTS, 0);
	for (int i = 0; i < n; i++)
		fetch_act(f, events[i].data.fd, what_of(events[i].events));
	tell_all(f);
}

static uint32_t events_of(int what)
{
	uint32_t events = 0;
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	return events;
}

/* libcurl wants this socket watched for these events from now on. */
static int on_socket(
    CURL *easy, curl_socket_t socket, int what, void *arg, void *unused)
{
	struct fetch *f = arg;
	struct epoll_event event = {
	    .events = events_of(what), .data = {.fd = socket}};
	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		/* If it is closed already, it is in no set. */
		(void)epoll_ctl(f->set, EPOLL_CTL_DEL, socket, NULL);
		return 0;
	}
	if (epoll_ctl(f->set, EPOLL_CTL_MOD, socket, &event) == 0 ||
	    (errno == ENOENT &&
		epoll_ctl(f->set, EPOLL_CTL_ADD, socket, &event) == 0))
		return 0;
	log_warn("fetch: epoll: %s", strerror(errno));
	return -1;
}

static int on_timeout(CURLM *multi, long delay_ms, void *arg)
{
	struct fetch *f = arg;
	(void)multi;
	if (delay_ms < 0)
		loop_timer_stop(f->loop, &f->timer);
	else
		loop_timer_set(f->loop, &f->timer, delay_ms);
	return 0;
}

/* ---- asking ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch_call *c = arg;
	size_t len = size * n;
	if (c->on_part && (c->is_full || c->body.len >= FETCH_PART_BYTES)) {
		c->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	c->n_bytes += len;
	if (c->n_bytes > c->max_bytes)
		return CURL_WRITEFUNC_ERROR;
	buf_append(&c->body, data, len);
	if (c->on_part && len && list_is_empty(&c->fed))
		list_append(&c->fetch->fed, &c->fed);
	return len;
}

static bool set_headers(struct fetch_call *c, const char *const *headers)
{
	for (; headers && *headers; headers++) {
		struct curl_slist *more =
		    curl_slist_append(c->headers, *headers);
		if (!more)
			fatal("out of memory");
		c->headers = more;
	}
	return curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers) ==
	       CURLE_OK;
}

static bool set_body(CURL *easy, const struct fetch_ask *ask)
{
	if (!ask->body)
		return true;
	return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		   (curl_off_t)ask->body_len) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->body) ==
		   CURLE_OK;
}

/* Silence is a speed below one byte a second. */
static bool set_idle_limit(CURL *easy, const struct fetch_ask *ask)
{
	return ask->idle_timeout_s == 0 ||
	       (curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) ==
		       CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
		       (long)ask->idle_timeout_s) == CURLE_OK);
}

static bool set_limits(CURL *easy, const struct fetch_ask *ask)
{
	int64_t connect_ms =
	    ask->connect_timeout_ms ? ask->connect_timeout_ms : ask->timeout_ms;
	return set_idle_limit(easy, ask) &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
		   (long)ask->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		   (long)connect_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
		   (curl_off_t)ask->max_bytes) == CURLE_OK &&
	       /* Otherwise a slow name server would block the loop at exit. */
	       curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool set_safety(CURL *easy)
{
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ==
		   CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
}

static bool set_callbacks(struct fetch_call *c)
{
	return curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body) ==
		   CURLE_OK &&
	       curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c) == CURLE_OK &&
	       curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c) == CURLE_OK &&
	       curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error) ==
		   CURLE_OK;
}

static bool fetch_begin(struct fetch_call *c, const struct fetch_ask *ask)
{
	c->is_added =
	    curl_easy_setopt(c->easy, CURLOPT_URL, ask->url) == CURLE_OK &&
	    set_safety(c->easy) && set_limits(c->easy, ask) &&
	    set_callbacks(c) && set_headers(c, ask->headers) &&
	    set_body(c->easy, ask) &&
	    curl_multi_add_handle(c->fetch->multi, c->easy) == CURLM_OK;
	return c->is_added;
}

/* With the first call: most processes never make one. */
static void set_up(struct fetch *f)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("fetch: cannot start the library");
	CURLM *m = f->multi = curl_multi_init();
	f->set = epoll_create1(EPOLL_CLOEXEC);
	if (!m || f->set < 0)
		fatal("fetch: %s", strerror(errno));
	f->watch = loop_watch_open(f->loop, f->set, on_events, f);
	if (curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) !=
		CURLM_OK ||
	    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
	    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timeout) !=
		CURLM_OK ||
	    curl_multi_setopt(m, CURLMOPT_TIMERDATA, f) != CURLM_OK)
		fatal("fetch: the library refuses its settings");
}

struct fetch_call *fetch_start(
    struct fetch *f, const struct fetch_ask *ask, fetch_fn *fn, void *arg)
{
	struct fetch_call *c = mem_zero(sizeof *c);
	if (!f->multi)
		set_up(f);
	c->fetch = f;
	c->max_bytes = ask->max_bytes;
	c->on_part = ask->on_part;
	c->fn = fn;
	c->arg = arg;
	c->easy = curl_easy_init();
	if (!c->easy)
		fatal("out of memory");
	list_init(&c->stillborn);
	list_init(&c->fed);
	list_init(&c->held);
	list_append(&f->calls, &c->link);
	if (++f->n_calls <= f->max_calls && fetch_begin(c, ask))
		return c;
	list_append(&f->stillborn, &c->stillborn);
	loop_later_ask(f->loop, &f->later);
	return c;
}

const char *fetch_header(const struct fetch_call *call, const char *name)
{
	struct curl_header *header = NULL;
	return curl_easy_header(
		   call->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
		   ? header->value
		   : NULL;
}

void fetch_resume(struct fetch_call *call)
{
	call->is_full = false;
	if (call->is_paused && list_is_empty(&call->held)) {
		list_append(&call->fetch->held, &call->held);
		loop_later_ask(call->fetch->loop, &call->fetch->later);
	}
}

void fetch_forget(struct fetch_call **call)
{
	if (*call)
		fetch_free_call(*call);
	*call = NULL;
}

/* ---- life ---- */

static void tear_down(struct fetch *f)
{
	(void)curl_multi_cleanup(f->multi);
	loop_timer_stop(f->loop, &f->timer);
	loop_watch_close(&f->watch);
	curl_global_cleanup();
}

struct fetch *fetch_open(struct loop *loop, size_t max_calls)
{
	struct fetch *f = mem_zero(sizeof *f);
	f->loop = loop;
	f->max_calls = max_calls;
	list_init(&f->calls);
	list_init(&f->stillborn);
	list_init(&f->fed);
	list_init(&f->held);
	loop_timer_init(&f->timer, fetch_on_time, f);
	loop_later_init(&f->later, on_later, f);
	return f;
}

void fetch_close(struct fetch **fp)
{
	struct fetch *f = *fp;
	*fp = NULL;
	if (!f)
		return;
	list_each_safe(link, &f->calls)
	    fetch_free_call(list_entry(link, struct fetch_call, link));
	loop_later_cancel(&f->later);
	if (f->multi)
		tear_down(f);
	free(f);
}
