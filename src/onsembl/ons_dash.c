/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_dash.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "net/wire.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_owner.h"
#include "onsembl/ons_uuid.h"

#include <string.h>

void ons_dash_send(struct ons_dash *d, struct buf *message)
{
	if (!d->is_over)
		wire_send(d->wire, message->data, message->len);
	buf_fini(message);
}

void ons_dash_make_id(char out[ONS_OWN_ID], const char *prefix)
{
	struct buf id = {0};
	uint64_t random;
	enc_random(&random, sizeof random);
	ons_put_id(&id, prefix, clock_wall_ms(), random);
	strncpy(out, buf_cstr(&id), ONS_OWN_ID - 1);
	out[ONS_OWN_ID - 1] = 0;
	buf_fini(&id);
}

void ons_dash_begin(struct buf *out, enum ons_type type)
{
	char id[ONS_OWN_ID];
	ons_dash_make_id(id, "msg");
	ons_begin(out, type, (struct span){id, strlen(id)}, clock_wall_ms());
}

void ons_dash_begin_ack(struct buf *out, const struct ons_message *m)
{
	char id[ONS_OWN_ID];
	ons_dash_make_id(id, "msg");
	ons_begin_ack(out, (struct span){id, strlen(id)}, clock_wall_ms(), m);
}

void ons_dash_tell_error(struct ons_dash *d, const struct ons_error *error)
{
	struct buf out = {0};
	char id[ONS_OWN_ID];
	ons_dash_make_id(id, "msg");
	ons_put_error(
	    &out, (struct span){id, strlen(id)}, clock_wall_ms(), error);
	ons_dash_send(d, &out);
}

void ons_dash_error(struct ons_dash *d, const char *code, const char *message)
{
	const struct ons_error error = {.code = code, .message = message};
	ons_dash_tell_error(d, &error);
}

void ons_dash_close(struct ons_dash *d, int code, const char *reason)
{
	if (d->is_over)
		return;
	d->is_over = true;
	wire_close(d->wire, code, reason);
}

void ons_dash_admit(struct ons_dash *d, const struct ons_claims *claims)
{
	d->claims = *claims;
	d->is_known = true;
	ons_owner(d->owner, claims->user);
}

/* ---- agents ---- */

static bool wants(const struct ons_set *agents, const char *id)
{
	char uuid[ONS_UUID];
	if (ons_set_has(agents, id))
		return true;
	ons_uuid_of(uuid, "agent", id);
	return ons_set_has(agents, uuid);
}

bool ons_dash_watches(const struct ons_dash *d, const struct ons_agent *a)
{
	return d->is_known && ons_agent_is_seen(a, d->keys, &d->claims) &&
	       wants(&d->wants.agents, a->id);
}

void ons_dash_tell_status(struct ons_dash *d, const struct ons_agent *a)
{
	struct buf out = {0};
	ons_dash_begin(&out, ONS_AGENT_STATUS);
	ons_agent_put_status(&out, a);
	ons_end(&out);
	ons_dash_send(d, &out);
}

struct listing {
	struct ons_dash *dash;
	struct buf array;
};

static void list_agent(const struct ons_agent *a, void *arg)
{
	struct listing *l = arg;
	if (!ons_dash_watches(l->dash, a))
		return;
	if (l->array.len > 1)
		buf_char(&l->array, ',');
	ons_agent_put_listed(&l->array, a);
}

static void tell_status(const struct ons_agent *a, void *arg)
{
	struct ons_dash *d = arg;
	if (ons_dash_watches(d, a))
		ons_dash_tell_status(d, a);
}

void ons_dash_list_agents(struct ons_dash *d)
{
	struct listing l = {.dash = d};
	struct buf out = {0};
	buf_char(&l.array, '[');
	ons_agents_each(d->setup, list_agent, &l);
	buf_char(&l.array, ']');
	ons_dash_begin(&out, ONS_DASHBOARD_CONNECTED);
	ons_put_json(&out, "agents", (struct span){l.array.data, l.array.len});
	ons_put_int(&out, "timestamp", clock_wall_ms());
	ons_end(&out);
	ons_dash_send(d, &out);
	buf_fini(&l.array);
	ons_agents_each(d->setup, tell_status, d);
}
