/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "native/inbox.h"

#include <pthread.h>

#define TASK "{\"type\":\"INPUT\",\"prompt\":\"x\"}\n"
#define MORE "{\"type\":\"INPUT\",\"id\":\"%u\",\"prompt\":\"p%u\"}\n"
#define ANSWER "{\"type\":\"ASK_USER_RESPONSE\",\"answer\":\"blue\"}\n"
#define INTERRUPT "{\"type\":\"INTERRUPT\"}\n"

/* An inbox with the server's end of its pipe. */
struct pair {
	struct inbox in;
	int server;
};

static void say(struct pair *p, const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	if (write(p->server, text, (size_t)n) != n)
		abort();
}

static void open_pair(struct pair *p)
{
	int fds[2];

	if (pipe(fds) != 0)
		abort();
	inbox_init(&p->in, fds[0]);
	p->server = fds[1];
}

/* One that has read its task already. */
static void open_busy(struct pair *p)
{
	size_t len;

	open_pair(p);
	say(p, TASK);
	(void)inbox_task(&p->in, &len);
}

static void hang_up(struct pair *p)
{
	if (p->server >= 0)
		(void)close(p->server);
	p->server = -1;
}

static void close_pair(struct pair *p)
{
	hang_up(p);
	(void)close(p->in.fd);
	inbox_fini(&p->in);
}

static void *say_task_in_pieces(void *arg)
{
	struct pair *p = arg;

	for (const char *c = TASK; *c; c++)
		say(p, (char[]){*c, '\0'});
	return NULL;
}

static void test_task(void)
{
	struct pair p;
	pthread_t thread;
	size_t len;

	open_pair(&p);
	(void)pthread_create(&thread, NULL, say_task_in_pieces, &p);
	const char *task = inbox_task(&p.in, &len);
	(void)pthread_join(thread, NULL);
	ok(task && len == strlen(TASK) - 1 && memcmp(task, TASK, len) == 0,
	    "a task that comes byte by byte is read whole");
	ok(!inbox_is_interrupted(&p.in), "a task interrupts nothing");
	close_pair(&p);
	open_pair(&p);
	hang_up(&p);
	ok(!inbox_task(&p.in, &len), "a server that hangs up has no task");
	close_pair(&p);
}

static void test_inputs(void)
{
	struct pair p;
	char text[128];
	struct inbox_input *input;
	unsigned n = 0, n_right = 0;

	open_busy(&p);
	ok(!inbox_take(&p.in), "no input is there before the server writes it");
	for (unsigned i = 0; i < INBOX_INPUTS_MAX + 3; i++) {
		(void)snprintf(text, sizeof text, MORE, i, i);
		say(&p, text);
	}
	say(&p, "{\"type\":\"INPUT\",\"id\":\"x\"}\nno JSON\n[]\n");
	ok(!inbox_wait(&p.in, -1), "input ends a wait");
	while ((input = inbox_take(&p.in))) {
		(void)snprintf(text, sizeof text, "p%u", n);
		n_right += strcmp(input->prompt, text) == 0 &&
			   strcmp(input->id, text + 1) == 0;
		free(input);
		n++;
	}
	is_int(n, INBOX_INPUTS_MAX, "inputs above the limit are not kept");
	is_int(n_right, n, "inputs come in order, with their ids");
	ok(!inbox_wait(&p.in, 1), "a wait ends when its time is over");
	close_pair(&p);
}

static void *wait_for_answer(void *arg)
{
	size_t len;

	return inbox_answer(&((struct pair *)arg)->in, &len);
}

static void *wait_for_input(void *arg)
{
	struct pair *p = arg;

	return inbox_wait(&p->in, -1) ? NULL : inbox_take(&p->in);
}

static void test_answer(void)
{
	struct pair p;
	size_t len;

	open_busy(&p);
	say(&p, ANSWER);
	ok(!inbox_is_interrupted(&p.in), "an answer interrupts nothing");
	inbox_expect(&p.in, "ASK_USER_RESPONSE");
	say(&p, "{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true}\n" ANSWER);
	char *answer = inbox_answer(&p.in, &len);
	ok(answer && len == strlen(ANSWER) - 1 &&
		memcmp(answer, ANSWER, len) == 0,
	    "a question gets the answer of its kind");
	free(answer);
	inbox_expect(&p.in, "ASK_USER_RESPONSE");
	hang_up(&p);
	ok(!inbox_answer(&p.in, &len),
	    "a question has no answer when the server hangs up");
	ok(!inbox_is_interrupted(&p.in),
	    "a server that hangs up is no interrupt");
	ok(inbox_wait(&p.in, -1), "a server that hangs up ends a wait");
	close_pair(&p);
}

/* Which of the two threads reads is left to the system: try it often. */
static void test_threads(void)
{
	unsigned n_right = 0, n_interrupted = 0;

	for (int i = 0; i < 100; i++) {
		struct pair p;
		pthread_t asks, waits;
		void *answer, *input;
		open_busy(&p);
		inbox_expect(&p.in, "ASK_USER_RESPONSE");
		(void)pthread_create(&asks, NULL, wait_for_answer, &p);
		(void)pthread_create(&waits, NULL, wait_for_input, &p);
		say(&p, i % 2 ? ANSWER "{\"type\":\"INPUT\",\"id\":\"1\","
				       "\"prompt\":\"p\"}\n"
			      : INTERRUPT);
		(void)pthread_join(asks, &answer);
		(void)pthread_join(waits, &input);
		n_right += answer && input;
		n_interrupted +=
		    !answer && !input && inbox_is_interrupted(&p.in);
		free(answer);
		free(input);
		close_pair(&p);
	}
	is_int(
	    n_right, 50, "of two threads that wait, each gets what is its own");
	is_int(n_interrupted, 50, "an interrupt ends the waits of two threads");
}

int main(void)
{
	test_task();
	test_inputs();
	test_answer();
	test_threads();
	return done();
}
