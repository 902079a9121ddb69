/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/http_get.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

#include <curl/curl.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS 16

struct http_get {
	CURLM *multi;
	char *user_agent;
	int set; /* epoll: libcurl opens and closes its sockets itself */
	int64_t due_ms;
	struct list calls;
};

struct http_get_call {
	struct list link;
	struct http_get *all;
	CURL *easy;
	struct buf body;
	size_t max_bytes;
	bool is_added;
	char error[CURL_ERROR_SIZE];
	http_get_fn *fn; /* NULL: cancelled */
	void *arg;
};

/* ---- the library ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("connect: libcurl cannot be started");
}

static void act(struct http_get *h, curl_socket_t socket, int what)
{
	int running = 0;

	/* What fails is told of each call. */
	(void)curl_multi_socket_action(h->multi, socket, what, &running);
}

static uint32_t events_of(int what)
{
	return (what & CURL_POLL_IN ? EPOLLIN : 0u) |
	       (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
}

static int what_of(uint32_t events)
{
	return (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
	       (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
	       (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
}

static int on_socket(
    CURL *easy, curl_socket_t socket, int what, void *arg, void *unused)
{
	struct http_get *h = arg;
	struct epoll_event event = {
	    .events = events_of(what), .data = {.fd = socket}};

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		/* If it is closed already, it is in no set. */
		(void)epoll_ctl(h->set, EPOLL_CTL_DEL, socket, NULL);
		return 0;
	}
	if (epoll_ctl(h->set, EPOLL_CTL_MOD, socket, &event) == 0 ||
	    (errno == ENOENT &&
		epoll_ctl(h->set, EPOLL_CTL_ADD, socket, &event) == 0))
		return 0;
	return -1;
}

static int on_timeout(CURLM *multi, long delay_ms, void *arg)
{
	struct http_get *h = arg;

	(void)multi;
	h->due_ms = delay_ms < 0 ? INT64_MAX : clock_mono_ms() + delay_ms;
	return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_get_call *c = arg;

	if (c->body.len + size * n > c->max_bytes)
		return CURL_WRITEFUNC_ERROR;
	buf_append(&c->body, data, size * n);
	return size * n;
}

/* ---- calls ---- */

static void free_call(struct http_get_call *c)
{
	list_remove(&c->link);
	if (c->is_added)
		(void)curl_multi_remove_handle(c->all->multi, c->easy);
	curl_easy_cleanup(c->easy);
	buf_fini(&c->body);
	free(c);
}

static void tell(struct http_get_call *c, const char *why)
{
	struct http_get_answer answer = {.why = why};

	if (!why) {
		(void)curl_easy_getinfo(
		    c->easy, CURLINFO_RESPONSE_CODE, &answer.status);
		answer.len = c->body.len;
	}
	answer.body = buf_cstr(&c->body);
	if (c->fn)
		c->fn(c->arg, &answer);
	free_call(c);
}

static void tell_finished(struct http_get *h)
{
	const CURLMsg *m;
	int left = 0;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		char *p = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		struct http_get_call *c = (struct http_get_call *)(void *)p;
		if (code == CURLE_OK)
			tell(c, NULL);
		else
			tell(
			    c, *c->error ? c->error : curl_easy_strerror(code));
	}
}

/* Those that could not be started. */
static void tell_stillborn(struct http_get *h)
{
	list_each_safe(it, &h->calls)
	{
		struct http_get_call *c =
		    list_entry(it, struct http_get_call, link);
		if (!c->is_added) {
			tell(c, "is no URL that can be asked");
			return; /* the list may have changed */
		}
	}
}

/*
 * The variables that the rest of the library follows, since OpenSSL does. A
 * file that is not there fails the call.
 */
static bool set_roots(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *folder = getenv("SSL_CERT_DIR");

	return (!file || !*file ||
		   curl_easy_setopt(easy, CURLOPT_CAINFO, file) == CURLE_OK) &&
	       (!folder || !*folder ||
		   curl_easy_setopt(easy, CURLOPT_CAPATH, folder) == CURLE_OK);
}

static bool set_rules(CURL *easy, int64_t timeout_ms)
{
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ==
		   CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) ==
		   CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool begin(struct http_get_call *c, const char *url, int64_t timeout_ms)
{
	CURL *e = c->easy;

	return curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
	       set_rules(e, timeout_ms) && set_roots(e) &&
	       curl_easy_setopt(e, CURLOPT_USERAGENT, c->all->user_agent) ==
		   CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) ==
		   CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_PRIVATE, c) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error) == CURLE_OK &&
	       curl_multi_add_handle(c->all->multi, e) == CURLM_OK;
}

struct http_get_call *http_get_start(struct http_get *h, const char *url,
    int64_t timeout_ms, size_t max_bytes, http_get_fn *fn, void *arg)
{
	struct http_get_call *c = mem_zero(sizeof *c);

	c->all = h;
	c->max_bytes = max_bytes;
	c->fn = fn;
	c->arg = arg;
	c->easy = curl_easy_init();
	if (!c->easy)
		fatal("connect: out of memory");
	list_append(&h->calls, &c->link);
	c->is_added = begin(c, url, timeout_ms);
	if (!c->is_added)
		h->due_ms = clock_mono_ms();
	return c;
}

void http_get_cancel(struct http_get_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}

/* ---- all of them ---- */

struct http_get *http_get_new(const char *user_agent)
{
	struct http_get *h = mem_zero(sizeof *h);

	(void)pthread_once(&once, set_up);
	h->multi = curl_multi_init();
	h->set = epoll_create1(EPOLL_CLOEXEC);
	h->user_agent = mem_strdup(user_agent);
	h->due_ms = INT64_MAX;
	list_init(&h->calls);
	if (!h->multi || h->set < 0 ||
	    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) !=
		CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout) !=
		CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK)
		fatal("connect: libcurl: %s", strerror(errno));
	return h;
}

void http_get_free(struct http_get **hp)
{
	struct http_get *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	while (!list_is_empty(&h->calls))
		free_call(
		    list_entry(h->calls.next, struct http_get_call, link));
	(void)curl_multi_cleanup(h->multi);
	close(h->set);
	free(h->user_agent);
	free(h);
}

int http_get_fd(const struct http_get *h)
{
	return h->set;
}

int64_t http_get_due_ms(const struct http_get *h)
{
	return h->due_ms;
}

void http_get_step(struct http_get *h)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(h->set, events, MAX_EVENTS, 0);

	/* One event may close the socket of the next; libcurl handles that. */
	for (int i = 0; i < n; i++)
		act(h, events[i].data.fd, what_of(events[i].events));
	if (clock_mono_ms() >= h->due_ms) {
		h->due_ms = INT64_MAX;
		act(h, CURL_SOCKET_TIMEOUT, 0);
	}
	tell_stillborn(h);
	tell_finished(h);
}
