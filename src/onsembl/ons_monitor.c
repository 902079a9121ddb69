/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_monitor.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/stat.h"
#include "dialin/dialin_monitor.h"
#include "net/wire.h"
#include "onsembl/ons_dash.h"
#include "onsembl/ons_dash_command.h"

#include <string.h>

static struct dialin_cursor cursor;

/* A piece that is being told. */
struct telling {
	struct list *dashes;
	const struct dialin_piece *piece;
	struct buf message;
};

static void put_stream(struct buf *out, const struct dialin_piece *p,
    struct span text, bool is_stderr, int64_t sequence)
{
	struct buf name = {0};
	int64_t now_ms = clock_wall_ms();
	buf_printf(&name, "agent-session-%s", p->id);
	ons_dash_begin(out, ONS_TERMINAL_STREAM);
	ons_put_text(out, "commandId", (struct span){name.data, name.len});
	ons_put_str(out, "agentId", p->id);
	ons_put_text(out, "content", text);
	ons_put_str(out, "streamType", is_stderr ? "STDERR" : "STDOUT");
	ons_put_int(out, "sequence", sequence);
	ons_put_int(out, "timestamp", now_ms);
	ons_end(out);
	buf_fini(&name);
}

/* Whether this dashboard is to see what the agent writes. */
static bool is_for(const struct ons_dash *d, const struct dialin_piece *p)
{
	if (!d->is_known || d->is_over || !d->wants.has_terminals ||
	    !ons_set_has(&d->wants.agents, p->id))
		return false;
	return p->is_private
		   ? strcmp(d->claims.user, p->user) == 0
		   : ons_token_may_see(d->keys, &d->claims, p->user, p->org);
}

static void tell_missed(struct ons_dash *d, const struct dialin_piece *p)
{
	struct buf line = {0}, out = {0};
	buf_printf(&line,
	    "[co-hostd: %llu pieces of output are missing here: they were not "
	    "read in time]\n",
	    (unsigned long long)d->n_unwatched);
	put_stream(&out, p, (struct span){line.data, line.len}, true, 0);
	ons_dash_send(d, &out);
	buf_fini(&line);
	d->n_unwatched = 0;
}

static void tell(struct telling *t, struct ons_dash *d, uint64_t n_missed)
{
	d->n_unwatched += n_missed;
	stat_add(onsembl_unwatched, n_missed);
	if (wire_is_full(d->wire)) {
		d->n_unwatched++;
		stat_add(onsembl_unwatched, 1);
		return;
	}
	if (d->n_unwatched)
		tell_missed(d, t->piece);
	if (!t->message.len)
		put_stream(&t->message, t->piece, t->piece->text,
		    t->piece->is_stderr, t->piece->sequence);
	wire_send(d->wire, t->message.data, t->message.len);
}

/*
 * A user has stopped all agents. The commands of the same user to the hosted
 * agent are stopped by their dashboards.
 */
static void tell_stop(struct ons_dash *d, const struct dialin_piece *p)
{
	if (!d->is_known || d->is_over || strcmp(d->id, p->id) == 0 ||
	    !ons_token_may_see(d->keys, &d->claims, p->user, p->org))
		return;
	wire_send(d->wire, p->text.text, p->text.len);
	if (strcmp(d->claims.user, p->user) == 0)
		(void)ons_dash_command_cancel_all(d, NULL);
}

static void on_stop(const struct dialin_piece *p, struct list *dashes)
{
	list_each(it, dashes)
	    tell_stop(list_entry(it, struct ons_dash, link), p);
}

static void on_piece(const struct dialin_piece *p, uint64_t n_missed, void *arg)
{
	struct telling t = {.dashes = arg, .piece = p};
	if (p->kind == DIALIN_PIECE_STOP) {
		on_stop(p, arg);
		return;
	}
	list_each(it, t.dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		if (is_for(d, p))
			tell(&t, d, n_missed);
	}
	buf_fini(&t.message);
}

void ons_monitor_skip(struct dialin_monitor *m)
{
	dialin_monitor_skip(m, &cursor);
}

void ons_monitor_look(struct dialin_monitor *m, struct list *dashes)
{
	dialin_monitor_read(m, &cursor, on_piece, dashes);
}
