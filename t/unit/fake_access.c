/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_access.h"

#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "access/lists.h"

#include <stdlib.h>
#include <string.h>

struct access {
	struct list calls;
	bool is_closed;
	bool has_door;
	const char *level;
	bool was_relayed; /* the latest question */
	struct lists_change change;
	bool has_broken_lists;
};

struct access_call {
	struct list link;
	struct access *access;
	access_fn *fn;
	access_change_fn *on_changed; /* of a change, which has no fn */
	void *arg;
	struct caller caller;
	struct err err;
	bool is_refused;
	bool may_onboard;
};

struct access *fake_access(void)
{
	struct access *a = mem_zero(sizeof(*a));

	list_init(&a->calls);
	a->level = "stranger";
	return a;
}

void fake_access_free(struct access **a)
{
	struct list *l;

	while ((l = list_shift(&(*a)->calls)))
		free(list_entry(l, struct access_call, link));
	free(*a);
	*a = NULL;
}

void fake_access_close(struct access *a, bool is_closed)
{
	a->is_closed = is_closed;
}

void fake_access_door(struct access *a)
{
	a->has_door = true;
	a->is_closed = true;
}

void fake_access_level(struct access *a, const char *level)
{
	a->level = level;
}

unsigned fake_access_waiting(const struct access *a)
{
	unsigned n = 0;

	list_each(it, &a->calls) n++;
	return n;
}

const struct lists_change *fake_access_changed(const struct access *a)
{
	return &a->change;
}

bool fake_access_was_relayed(const struct access *a)
{
	return a->was_relayed;
}

void fake_access_break_lists(struct access *a)
{
	a->has_broken_lists = true;
}

/* Whoever is named becomes a contact. */
static void tell_change(const struct access_call *q)
{
	struct lists_result result = {
	    .is_done = true,
	    .has_level = true,
	    .message = "changed",
	    .level = LEVEL_CONTACT,
	};

	q->on_changed(q->arg, q->is_refused ? NULL : &result,
	    q->is_refused ? &q->err : NULL);
}

static void tell(struct access_call *q)
{
	struct access_verdict v = {
	    .caller = &q->caller,
	    .err = q->is_refused ? &q->err : NULL,
	    .may_onboard = q->may_onboard,
	};

	list_remove(&q->link);
	if (q->fn)
		q->fn(q->arg, &v);
	if (q->on_changed)
		tell_change(q);
	free(q);
}

void fake_access_judge(struct access *a)
{
	list_each_safe(it, &a->calls)
	{
		struct access_call *q =
		    list_entry(it, struct access_call, link);
		if (!q->on_changed)
			tell(q);
	}
}

void fake_access_run(struct access *a)
{
	while (!list_is_empty(&a->calls))
		tell(list_entry(a->calls.next, struct access_call, link));
}

/* ---- access.h ---- */

static void describe(const struct access *a, struct caller *caller)
{
	caller->level = a->level;
	caller->is_super = strcmp(a->level, "super") == 0;
	caller->is_admin = caller->is_super || strcmp(a->level, "admin") == 0;
	caller->is_known = strcmp(a->level, "stranger") != 0 &&
			   strcmp(a->level, "blocked") != 0;
}

static struct access_call *new_call(struct access *a, access_fn *fn, void *arg)
{
	struct access_call *q = mem_zero(sizeof(*q));

	q->access = a;
	q->fn = fn;
	q->arg = arg;
	q->caller = CALLER_NOBODY;
	list_append(&a->calls, &q->link);
	return q;
}

static void refuse(struct access_call *q, enum err_code code, const char *text)
{
	q->is_refused = true;
	(void)err_set(&q->err, code, "%s", text);
}

struct access_call *access_ask(
    struct access *a, const struct access_ask *ask, access_fn *fn, void *arg)
{
	struct access_call *q = new_call(a, fn, arg);
	char *from = json_strdup(ask->from);

	a->was_relayed = ask->is_relayed;
	if (!ask->payload && !ask->from && !ask->signature) {
		if (a->is_closed || ask->use == ACCESS_ONBOARD ||
		    ask->use == ACCESS_ADMIN)
			refuse(q, ERR_UNAUTHORIZED,
			    "unauthorized: signed request required");
	} else if (!json_is(ask->payload, JSON_OBJECT) || !ask->signature) {
		refuse(q, ERR_UNAUTHORIZED,
		    "unauthorized: signed request required");
	} else if (!from ||
		   !address_parse(from, strlen(from), q->caller.address) ||
		   !json_str_is(ask->signature, "good")) {
		refuse(q, ERR_UNAUTHORIZED, "unauthorized: invalid signature");
	} else if (ask->late) {
		refuse(q, ERR_UNAUTHORIZED, ask->late);
	} else {
		describe(a, &q->caller);
		if (ask->use == ACCESS_CONNECT && a->has_door &&
		    !q->caller.is_known) {
			refuse(q, ERR_FORBIDDEN, "forbidden: Onboard required");
			q->may_onboard = true;
		}
	}
	free(from);
	return q;
}

struct seal_call *access_seal(struct access *a,
    const struct access_sealing *sealing, seal_call_fn *fn, void *arg,
    struct err *err)
{
	a->was_relayed = sealing->is_relayed;
	(void)fn; /* there is no key */
	(void)arg;
	(void)err_set(err, ERR_UNAUTHORIZED, "this host cannot seal");
	return NULL;
}

void access_forget(struct access_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}

bool access_is_open(const struct access *a)
{
	return !a->is_closed;
}

bool access_can_seal(const struct access *a)
{
	(void)a;
	return true;
}

int access_look(struct access *a, const char *address, struct caller *caller,
    struct err *err)
{
	memmove(caller->address, address, strlen(address) + 1);
	describe(a, caller);
	if (strcmp(a->level, "blocked") == 0)
		return err_set(err, ERR_FORBIDDEN, "forbidden: blocked");
	return 0;
}

bool access_has_changed(struct access *a)
{
	(void)a;
	return false;
}

bool access_is_blocked(const struct access *a, const char *address)
{
	(void)a;
	(void)address;
	return false;
}

bool access_doors(const struct access *a, struct access_doors *doors)
{
	*doors = (struct access_doors){.has_invite = a->has_door};
	return a->has_door;
}

struct access_call *access_onboard(struct access *a, const char *address,
    const struct json *payload, const char *peer, access_fn *fn, void *arg)
{
	struct access_call *q = new_call(a, fn, arg);

	(void)peer; /* no limit on guesses here */
	memcpy(q->caller.address, address, strlen(address) + 1);
	if (json_str_is(json_get(payload, "invite_code"), "code"))
		a->level = "contact";
	else
		refuse(q, ERR_FORBIDDEN, "Invalid invite code");
	describe(a, &q->caller);
	return q;
}

void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg)
{
	struct access_call *q = new_call(a, NULL, arg);

	q->on_changed = fn;
	a->change = *change;
	if (a->has_broken_lists)
		refuse(q, ERR_MISCONFIGURED,
		    "misconfigured: cannot write contacts.txt");
}
