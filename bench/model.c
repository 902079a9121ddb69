/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * A language model that takes a fixed time to answer: model MS PIECES. It
 * speaks the chat completions of OpenAI, streams so many pieces of text when
 * the time is over, and keeps connections open. Prints its port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST (1 << 20)
#define EVENTS 256

/* A connection; its requests come one after the other. */
struct client {
	struct client *next; /* of those that wait: the oldest first */
	int fd;
	bool is_waiting;
	bool is_gone;
	int64_t due_us;
	size_t len;
	size_t cap;
	char *text;
};

static struct client *first, *last;
static int64_t delay_us;
static char *answer;
static size_t answer_len;

static int64_t now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void drop(struct client *c)
{
	(void)close(c->fd);
	free(c->text);
	c->text = NULL;
	c->is_gone = true;
	if (!c->is_waiting)
		free(c);
}

/* ---- the answer ---- */

static void put(const char *piece)
{
	char head[32];
	int n = snprintf(head, sizeof head, "%zx\r\n", strlen(piece));
	size_t len = strlen(piece);
	answer = realloc(answer, answer_len + (size_t)n + len + 2);
	if (!answer)
		abort();
	memcpy(answer + answer_len, head, (size_t)n);
	memcpy(answer + answer_len + n, piece, len);
	memcpy(answer + answer_len + (size_t)n + len, "\r\n", 2);
	answer_len += (size_t)n + len + 2;
}

static void make_answer(int pieces)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	answer = strdup(head);
	answer_len = sizeof head - 1;
	for (int i = 0; i < pieces; i++)
		put("data: {\"choices\":[{\"delta\":{\"content\":"
		    "\"some words of the answer \"}}]}\n\n");
	put("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
	    "\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,"
	    "\"completion_tokens\":50}}\n\ndata: [DONE]\n\n");
	put("");
}

/* ---- connections ---- */

static bool is_whole(const struct client *c)
{
	char *end = memmem(c->text, c->len, "\r\n\r\n", 4);
	char *length = end ? strcasestr(c->text, "\r\ncontent-length:") : NULL;
	return length && length < end &&
	       c->len >=
		   (size_t)(end + 4 - c->text) + strtoul(length + 17, NULL, 10);
}

static void wait_for_model(struct client *c)
{
	c->is_waiting = true;
	c->due_us = now_us() + delay_us;
	c->next = NULL;
	if (last)
		last->next = c;
	else
		first = c;
	last = c;
	c->len = 0;
}

static void read_from(struct client *c)
{
	if (c->len + 4096 > c->cap) {
		c->cap = c->cap * 2 + 8192;
		c->text = realloc(c->text, c->cap);
		if (!c->text || c->cap > MAX_REQUEST)
			abort();
	}
	ssize_t n = read(c->fd, c->text + c->len, c->cap - c->len - 1);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			drop(c);
		return;
	}
	c->len += (size_t)n;
	c->text[c->len] = '\0';
	if (is_whole(c))
		wait_for_model(c);
}

static void answer_due(void)
{
	while (first && first->due_us <= now_us()) {
		struct client *c = first;
		first = c->next;
		if (!first)
			last = NULL;
		c->is_waiting = false;
		if (c->is_gone)
			free(c);
		else if (write(c->fd, answer, answer_len) !=
			 (ssize_t)answer_len)
			drop(c);
	}
}

static void accept_all(int set, int listener)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct client *c = calloc(1, sizeof *c);
		if (!c)
			abort();
		c->fd = fd;
		struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = c}};
		(void)epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
	}
}

static int wait_ms(void)
{
	int64_t left = first ? first->due_us - now_us() : 1000000;
	return left < 0 ? 0 : (int)(left / 1000) + 1;
}

static void serve(int listener)
{
	int set = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN}, events[EVENTS];
	(void)epoll_ctl(set, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		int n = epoll_wait(set, events, EVENTS, wait_ms());
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				read_from(events[i].data.ptr);
			else
				accept_all(set, listener);
		}
		answer_due();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	struct rlimit files;
	if (argc != 3)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	delay_us = atoll(argv[1]) * 1000;
	make_answer(atoi(argv[2]));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(fd, 8192) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return 1;
	printf("%d\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	serve(fd);
	return 0;
}
