/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_stop.h"

#include "base/buf.h"
#include "base/clock.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_monitor.h"
#include "door/door.h"
#include "ons/ons_order.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_token.h"

#include <string.h>

struct stopping {
	const struct ons_stopper *by;
	struct ons_stopped done;
};

static void stop_agent(const struct ons_agent *a, void *arg)
{
	struct stopping *s = arg;
	const struct ons_stopper *by = s->by;
	if (a->is_hosted || !ons_agent_is_seen(a, by->keys, by->claims) ||
	    !ons_agent_stop(by->setup, a->id, by->claims->user))
		return;
	s->done.n_agents++;
	s->done.n_commands += a->n_running;
}

/* To all workers, by the ring that their dashboards look at. */
static void tell_dashboards(const struct stopping *s)
{
	static const char none[] = "Emergency stop";
	const struct ons_claims *claims = s->by->claims;
	struct buf id = {0}, out = {0};
	struct ons_stop stop = {
	    .by = {claims->user, strlen(claims->user)},
	    .reason = s->by->reason,
	    .n_agents = s->done.n_agents,
	    .n_commands = s->done.n_commands,
	};
	if (!stop.reason.text)
		stop.reason = (struct span){none, sizeof none - 1};
	dialin_id(&id);
	ons_put_stop(
	    &out, (struct span){id.data, id.len}, clock_wall_ms(), &stop);
	const struct dialin_piece p = {
	    .kind = DIALIN_PIECE_STOP,
	    .id = s->by->dashboard,
	    .user = claims->user,
	    .org = claims->org,
	    .text = {out.data, out.len},
	};
	dialin_monitor_add(s->by->setup->dock->monitor, &p);
	buf_fini(&id);
	buf_fini(&out);
}

struct ons_stopped ons_stop_all(const struct ons_stopper *by)
{
	struct stopping s = {.by = by};
	ons_agents_each(by->setup, stop_agent, &s);
	if (by->setup->dock)
		tell_dashboards(&s);
	return s.done;
}
