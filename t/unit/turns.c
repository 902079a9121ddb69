/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/turns.h"
#include "t/unit/tap.h"

static struct turn *begin(uint64_t number, const char *text)
{
	turns_begin(turns_line(number, text, strlen(text)));
	return turns_find(number);
}

static const char *take(void)
{
	static char text[32];
	struct turn *t;
	struct line *line = turns_take(&t);

	if (!line)
		return NULL;
	(void)snprintf(text, sizeof text, "%d %s", (int)t->number, line->text);
	free(line);
	return text;
}

static const char *hear(void)
{
	static char text[32];
	struct line *line = turns_hear();

	if (!line)
		return NULL;
	(void)snprintf(text, sizeof text, "%d %s", (int)line->turn, line->text);
	free(line);
	return text;
}

static void later(struct turn *t, const char *text)
{
	turns_later(t, turns_line(t->number, text, strlen(text)));
}

static void count(struct turn *t, void *arg)
{
	*(uint64_t *)arg += t->number;
}

int main(void)
{
	uint64_t sum = 0;

	ok(!turns_find(1), "a turn that never began is not found");
	is_str(take(), NULL, "an empty queue gives no turn");
	struct turn *one = begin(1, "a");
	struct turn *far = begin(1 + 1024, "b"); /* in the same bucket */
	ok(turns_find(1) == one && turns_find(1025) == far,
	    "turns in one bucket are told apart");
	is_int(
	    (intmax_t)turns_waiting(), 2, "turns wait before they are taken");
	turns_each(count, &sum);
	is_int(
	    (intmax_t)sum, 0, "turns that wait are not among those that run");
	is_str(take(), "1 a", "the first turn is taken first");
	is_str(take(), "1025 b", "the second turn is taken after the first");
	turns_each(count, &sum);
	is_int((intmax_t)sum, 1026, "turns that were taken run");
	is_int(one->credit, TURNS_WINDOW, "a turn begins with a whole window");

	later(one, "x");
	later(far, "y");
	later(one, "z");
	is_str(hear(), NULL, "later lines wait until somebody listens");
	ok(!turns_have_news(), "lines that wait for a listener are no news");
	turns_listen(one);
	is_str(hear(), "1 x", "a listener hears what came before");
	later(one, "w");
	is_str(hear(), "1 z", "later lines are heard in their order");
	is_str(hear(), "1 w", "a line that comes later is heard last");
	turns_listen(far);
	ok(turns_have_news(), "a line that can be heard is news");
	is_str(hear(), "1025 y", "each turn is listened to by itself");

	later(one, "never heard");
	turns_push(&one->backlog, turns_line(1, "never sent", 10));
	turns_end(one);
	ok(!turns_find(1), "a turn that has ended is not found");
	ok(turns_find(1025) == far, "the end of a turn leaves others alone");
	is_int(
	    (intmax_t)turns_running(), 1, "a turn that has ended runs no more");
	is_str(hear(), "1 never heard",
	    "what was news before the end of its turn can still be taken");
	turns_end(far);
	return done();
}
