/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LIST_H
#define BASE_LIST_H

/*
 * An intrusive, circular, doubly linked list. The head and the links inside
 * members have the same type. A link is in at most one list at a time. The list
 * owns nothing. A head must be initialised by list_init() before use.
 */
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

/* The struct of type T that holds the link at p as its member m. */
#define list_entry(p, T, m) ((T *)(void *)((char *)(p)-offsetof(T, m)))

/* Visit each member; the current one must not be removed in the body. */
#define list_each(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)

/* Visit each member; the current one may be removed (and freed) in the body. */
#define list_each_safe(it, head)                                    \
	for (struct list *it = (head)->next, *it##_next = it->next; \
	     it != (head); it = it##_next, it##_next = it->next)

/* Make an empty list, or a link that is in no list. */
static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

/* Whether the list has no member, or the link is in no list. */
static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* Add link l at the end of the list. */
static inline void list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Remove link l from its list; does nothing if it is in none. */
static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Remove the first link and return it, or NULL if the list is empty. */
static inline struct list *list_shift(struct list *head)
{
	struct list *l = head->next;
	if (l == head)
		return NULL;
	list_remove(l);
	return l;
}

#endif
