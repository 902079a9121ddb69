/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/turns.h"

#include <stdlib.h>
#include <string.h>

/* Numbers are consecutive, so that buckets are evenly used. */
#define BUCKETS 1024

static struct turn *buckets[BUCKETS];
static struct lines queue; /* first lines of those that wait */
static struct lines news;  /* later lines of those that are heard */
static size_t waiting, running;

struct line *turns_line(uint64_t turn, const char *text, size_t len)
{
	struct line *line = malloc(sizeof *line + len + 1);

	if (!line)
		abort(); /* out of memory ends the process */
	line->next = NULL;
	line->turn = turn;
	line->len = len;
	memcpy(line->text, text, len);
	line->text[len] = 0;
	return line;
}

void turns_push(struct lines *l, struct line *line)
{
	if (!l->first)
		l->end = &l->first;
	*l->end = line;
	l->end = &line->next;
	l->bytes += line->len;
}

struct line *turns_pop(struct lines *l)
{
	struct line *line = l->first;

	if (!line)
		return NULL;
	l->first = line->next;
	l->bytes -= line->len;
	line->next = NULL;
	return line;
}

static void drop(struct lines *l)
{
	struct line *line;

	while ((line = turns_pop(l)) != NULL)
		free(line);
}

static struct turn **bucket_of(uint64_t number)
{
	return &buckets[number % BUCKETS];
}

struct turn *turns_find(uint64_t number)
{
	struct turn *t = *bucket_of(number);

	while (t && t->number != number)
		t = t->next;
	return t;
}

void turns_begin(struct line *first)
{
	struct turn *t = calloc(1, sizeof *t);
	struct turn **bucket = bucket_of(first->turn);

	if (!t)
		abort();
	t->number = first->turn;
	t->credit = TURNS_WINDOW;
	t->next = *bucket;
	*bucket = t;
	turns_push(&queue, first);
	waiting++;
}

struct line *turns_take(struct turn **t)
{
	struct line *line = turns_pop(&queue);

	if (!line)
		return NULL;
	*t = turns_find(line->turn);
	if (!*t)
		abort(); /* it ends after it was taken */
	(*t)->is_running = true;
	waiting--;
	running++;
	return line;
}

void turns_listen(struct turn *t)
{
	struct line *line;

	t->is_heard = true;
	while ((line = turns_pop(&t->inbox)) != NULL)
		turns_push(&news, line);
}

void turns_later(struct turn *t, struct line *line)
{
	turns_push(t->is_heard ? &news : &t->inbox, line);
}

struct line *turns_hear(void)
{
	return turns_pop(&news);
}

bool turns_have_news(void)
{
	return news.first != NULL;
}

void turns_end(struct turn *t)
{
	struct turn **at = bucket_of(t->number);

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	drop(&t->inbox);
	drop(&t->backlog);
	running--;
	free(t);
}

size_t turns_waiting(void)
{
	return waiting;
}

size_t turns_running(void)
{
	return running;
}

void turns_each(void (*call)(struct turn *t, void *arg), void *arg)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct turn *t = buckets[i]; t; t = t->next)
			if (t->is_running)
				call(t, arg);
}
