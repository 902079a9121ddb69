/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_find.h"

#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_asked.h"

#include <string.h>

struct search {
	const struct ons_site *site;
	struct span wanted;
	bool is_name;
	struct ons_found *found;
};

static void look_at(const struct ons_agent *a, void *arg)
{
	struct search *s = arg;
	struct ons_found *f = s->found;
	bool is_it = s->is_name ? ons_is(s->wanted, a->name)
				: ons_agent_is(a, s->wanted);
	if (f->is_there || !is_it ||
	    !ons_agent_is_seen(a, s->site->keys, &f->claims))
		return;
	f->is_there = true;
	f->is_hosted = a->is_hosted;
	f->is_own = !a->is_hosted && strcmp(a->user, f->claims.user) == 0;
	f->is_online = ons_agent_is_there(a);
	strncpy(f->id, a->id, ONS_MAX_ID);
	ons_agent_put_object(&f->object, a);
}

bool ons_find(const struct ons_site *site, struct http_req *req, bool is_name,
    struct ons_found *f)
{
	struct buf name = {0};
	*f = (struct ons_found){.is_there = false};
	if (!ons_asked_admit(site, req, &f->claims))
		return false;
	reply_segment(req, &name);
	struct search s = {site, {name.data, name.len}, is_name, f};
	ons_agents_each(site->setup, look_at, &s);
	buf_fini(&name);
	return true;
}

void ons_find_id(
    const struct ons_site *site, struct span id, struct ons_found *f)
{
	struct search s = {site, id, false, f};
	buf_reset(&f->object);
	f->is_there = false;
	ons_agents_each(site->setup, look_at, &s);
}

void ons_found_fini(struct ons_found *f)
{
	buf_fini(&f->object);
}

void ons_find_refuse(struct http_req *req)
{
	ons_asked_error(req, 404, "Agent not found", NULL);
}
