/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/inbox.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOREVER INT64_MAX

/* ---- lines; the lock is held ---- */

static struct inbox_input *read_input(const struct json *object)
{
	char *id = json_strdup(json_get(object, "id"));
	char *prompt = json_strdup(json_get(object, "prompt"));
	struct inbox_input *input = NULL;

	/* A prompt with a NUL is left to the server, as a turn of its own. */
	if (id && prompt) {
		size_t n = strlen(id) + 1, m = strlen(prompt) + 1;
		input = mem_alloc(sizeof *input + n + m);
		char *text = (char *)(input + 1);
		(void)memcpy(text, id, n);
		(void)memcpy(text + n, prompt, m);
		input->id = text;
		input->prompt = text + n;
	}
	free(id);
	free(prompt);
	return input;
}

static void keep_input(struct inbox *in, const struct json *object)
{
	struct inbox_input *input =
	    in->n_inputs < INBOX_INPUTS_MAX ? read_input(object) : NULL;

	if (!input)
		return;
	list_append(&in->inputs, &input->link);
	in->n_inputs++;
}

static void keep_answer(struct inbox *in, const char *text, size_t len)
{
	if (in->answer)
		return; /* the first one counts */
	in->answer = mem_strndup(text, len);
	in->answer_len = len;
}

static void take_line(struct inbox *in, const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;

	if (!in->task) {
		in->task = mem_strndup(text, len);
		in->task_len = len;
		return;
	}
	const struct json *object = json_parse(&doc, text, len, 0, &why);
	const struct json *type = json_get(object, "type");
	if (json_str_is(type, "INTERRUPT"))
		in->is_interrupted = true;
	else if (json_str_is(type, "INPUT"))
		keep_input(in, object);
	else if (in->wanted && json_str_is(type, in->wanted))
		keep_answer(in, text, len);
	json_fini(&doc);
}

static void take_lines(struct inbox *in)
{
	const char *text;
	size_t len;

	while (line_next(&in->lines, &text, &len) == LINE_WHOLE)
		take_line(in, text, len);
}

/* Read once; the descriptor is readable. */
static void read_some(struct inbox *in)
{
	char bytes[65536];
	ssize_t n = read(in->fd, bytes, sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		in->is_closed = true; /* the server is gone */
		return;
	}
	line_feed(&in->lines, bytes, (size_t)n);
	take_lines(in);
}

/* ---- waiting; the lock is held, and released meanwhile ---- */

static bool poll_once(struct inbox *in, int64_t left_ms)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	int timeout_ms = left_ms == FOREVER  ? -1
			 : left_ms > INT_MAX ? INT_MAX
					     : (int)left_ms;

	return poll(&p, 1, timeout_ms) > 0;
}

/* Another thread reads: wait until it has read something, or stops. */
static void wait_for_reader(struct inbox *in, int64_t left_ms)
{
	struct timespec until;

	if (left_ms == FOREVER) {
		(void)pthread_cond_wait(&in->changed, &in->lock);
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += left_ms / 1000;
	until.tv_nsec += left_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&in->changed, &in->lock, &until);
}

/* Whether nothing will come that anybody needs. */
static bool is_over(const struct inbox *in)
{
	return in->is_interrupted || in->is_closed;
}

/* Wait until a line may have come, at most so long. */
static void look(struct inbox *in, int64_t left_ms)
{
	if (is_over(in))
		return;
	if (in->is_being_read) {
		if (left_ms > 0)
			wait_for_reader(in, left_ms);
		return;
	}
	in->is_being_read = true;
	(void)pthread_mutex_unlock(&in->lock);
	bool is_readable = poll_once(in, left_ms);
	(void)pthread_mutex_lock(&in->lock);
	in->is_being_read = false;
	if (is_readable && !is_over(in))
		read_some(in);
	(void)pthread_cond_broadcast(&in->changed);
}

/* ---- the calls ---- */

void inbox_init(struct inbox *in, int fd)
{
	pthread_condattr_t attr;

	*in = (struct inbox){.fd = fd};
	line_init(&in->lines, SIZE_MAX);
	list_init(&in->inputs);
	(void)pthread_mutex_init(&in->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&in->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void inbox_fini(struct inbox *in)
{
	struct list *l;

	while ((l = list_shift(&in->inputs)))
		free(list_entry(l, struct inbox_input, link));
	line_fini(&in->lines);
	free(in->task);
	free(in->answer);
	(void)pthread_cond_destroy(&in->changed);
	(void)pthread_mutex_destroy(&in->lock);
}

const char *inbox_task(struct inbox *in, size_t *len)
{
	(void)pthread_mutex_lock(&in->lock);
	while (!in->task && !is_over(in))
		look(in, FOREVER);
	(void)pthread_mutex_unlock(&in->lock);
	*len = in->task_len;
	return in->task;
}

void inbox_expect(struct inbox *in, const char *wanted)
{
	(void)pthread_mutex_lock(&in->lock);
	in->wanted = wanted;
	(void)pthread_mutex_unlock(&in->lock);
}

char *inbox_answer(struct inbox *in, size_t *len)
{
	(void)pthread_mutex_lock(&in->lock);
	while (!in->answer && !is_over(in))
		look(in, FOREVER);
	char *answer = in->is_interrupted ? NULL : in->answer;
	if (!answer)
		free(in->answer);
	*len = in->answer_len;
	in->answer = NULL;
	in->wanted = NULL;
	(void)pthread_mutex_unlock(&in->lock);
	return answer;
}

bool inbox_is_interrupted(struct inbox *in)
{
	return inbox_wait(in, 0);
}

bool inbox_wait(struct inbox *in, int64_t timeout_ms)
{
	int64_t until_ms =
	    timeout_ms < 0 ? FOREVER : clock_mono_ms() + timeout_ms;
	int64_t left_ms = timeout_ms < 0 ? FOREVER : timeout_ms;

	(void)pthread_mutex_lock(&in->lock);
	do {
		if (is_over(in) || (timeout_ms && in->n_inputs))
			break;
		look(in, left_ms);
		if (until_ms != FOREVER)
			left_ms = until_ms - clock_mono_ms();
	} while (left_ms > 0);
	bool is_stopping = timeout_ms ? is_over(in) : in->is_interrupted;
	(void)pthread_mutex_unlock(&in->lock);
	return is_stopping;
}

struct inbox_input *inbox_take(struct inbox *in)
{
	(void)pthread_mutex_lock(&in->lock);
	if (!in->n_inputs)
		look(in, 0);
	struct list *first = list_shift(&in->inputs);
	in->n_inputs -= first != NULL;
	(void)pthread_mutex_unlock(&in->lock);
	return first ? list_entry(first, struct inbox_input, link) : NULL;
}
