/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/approve.h"

#include "base/json.h"
#include "base/log.h"
#include "core/agent.h"
#include "core/permit.h"
#include "turn/turn_int.h"

#include <stdlib.h>
#include <string.h>

#define YES "{\"approved\":true,\"scope\":\"once\"}"
#define NO                                                                 \
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_hard\"," \
	"\"feedback\":\"forbidden: approvals need a contact or admin\"}"

static bool may_approve(const char *level)
{
	static const char *const known[] = {"contact", "whitelist", "admin"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(level, known[i]) == 0)
			return true;
	return false;
}

static bool is_permitted(const struct turn *t, const struct draft *d)
{
	struct json_doc doc = {0};
	struct buf text = {0}, why = {0};
	struct event ev = {.type = d->type,
	    .body = d->body.data ? d->body.data : "",
	    .body_len = d->body.len};
	const struct json *v = event_fields(&ev, &doc, &text);
	char *tool = json_strdup(json_get(v, "tool"));
	bool yes = tool && permit_allows(turn_all(t)->setup.permit, tool,
			       json_get(v, "arguments"), &why);
	free(tool);
	buf_fini(&why);
	buf_fini(&text);
	json_fini(&doc);
	return yes;
}

bool approve_decides(struct turn *t, const struct draft *d)
{
	struct sessions *all = turn_all(t);
	if (d->type != EV_APPROVAL_NEEDED || turn_is_effect_free(t))
		return false;
	if (is_permitted(t, d))
		t->decision = YES;
	else if (!may_approve(t->input->level))
		t->decision = NO;
	else
		return false;
	log_info("session=%s turn=%u: approval decided by rule: %s",
	    t->session->id, t->number,
	    strcmp(t->decision, YES) == 0 ? "allowed" : "refused");
	list_append(&all->decided, &t->decided);
	all->setup.ask_flush(all->setup.arg);
	return true;
}

static void approve_deliver(struct turn *t)
{
	struct draft d = {0};
	if (!t->agent || t->is_ended)
		return;
	event_begin(&d, EV_ANSWER, t->number);
	event_str(&d, "kind", "approval_needed", 15);
	event_json(&d, "answer", t->decision, strlen(t->decision));
	event_int(&d, "question", 0);
	struct event ev = {.type = d.type,
	    .turn = t->number,
	    .id = "",
	    .body = d.body.data,
	    .body_len = d.body.len};
	t->named->kind->deliver(t->agent, &ev);
	event_fini(&d);
}

void approve_flush(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->decided)))
		approve_deliver(list_entry(l, struct turn, decided));
}
