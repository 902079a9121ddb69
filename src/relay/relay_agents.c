/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_agents.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "limits/quota.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/wire.h"
#include "proc/crew.h"
#include "relay/announced.h"
#include "relay/directory.h"
#include "relay/ledger.h"
#include "relay/relay_int.h"
#include "relay/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a socket may stay without announcing itself. */
#define NAMELESS_MS 10000

/*
 * A socket without endpoints may be a program that publishes a profile and
 * leaves at once. It gets no clients before this, unless there is no other.
 */
#define LIGHT_MS 1000

/*
 * Sockets of one address at the same time. Two hosts with a key, a reload of
 * each, and a program that publishes are five.
 */
#define SAME_MAX 8

/* What an agent says is written again after this, even if nothing changed. */
#define WRITE_AGAIN_MS 600000

/* Refused ANNOUNCEs of one network address in a minute. */
#define REFUSED 60

struct agent {
	struct tunnel_agent tunnel; /* first */
	struct list link;
	struct scan scan;
	bool starts;		  /* the next part is the first of a frame */
	bool is_dismissed;	  /* nothing that it says is heard */
	struct announce_job *job; /* one at a time */
	struct loop_timer timer;
	int64_t place; /* in the roster; -1: not announced */
	struct roster_entry entry;
	uint8_t said[DIGEST_SIZE]; /* what is in the directory */
	int64_t written_ms;
	unsigned failures; /* of the ledger, when it was written */
};

static struct {
	struct relay *relay;
	struct list all;
} agents;

/* ---- verifying, on a thread ---- */

struct announce_job {
	struct crew_job crew;
	struct agent *agent; /* NULL: it is gone */
	struct directory *directory;
	struct buf text;
	struct announced announce;
	struct directory_record record; /* what was known before */
	bool is_known;
	double now;
	struct err err;
	int rc;
};

static void job_run(struct crew_job *crew)
{
	struct announce_job *job = list_entry(crew, struct announce_job, crew);
	struct announced *a = &job->announce;
	job->rc = announced_read(a, &job->text, &job->err);
	if (job->rc == 0)
		job->rc = announced_verify(a, job->now, &job->err);
	/* A directory that cannot be read does not keep agents away. */
	if (job->rc == 0)
		job->is_known =
		    directory_get(job->directory, a->address, job->now,
			&job->record, &(struct err){0}) > 0;
}

static void job_free(struct announce_job *job)
{
	if (job->is_known)
		directory_free(&job->record);
	announced_fini(&job->announce);
	buf_fini(&job->text);
	free(job);
}

/* ---- judging ---- */

/* A published profile may not go back, nor change without a new revision. */
static int check_revision(const struct announce_job *job, struct err *err)
{
	const struct announced *a = &job->announce;
	const struct directory_record *r = &job->record;
	if (!a->is_attested || !job->is_known || !r->revision)
		return 0;
	if (a->revision < r->revision)
		return err_set(err, ERR_BAD_REQUEST,
		    "Revision %lld is older than %lld, which was published",
		    (long long)a->revision, (long long)r->revision);
	if (a->revision == r->revision &&
	    (!r->published_signature ||
		strlen(r->published_signature) != a->profile_signature.len ||
		memcmp(r->published_signature, a->profile_signature.text,
		    a->profile_signature.len) != 0))
		return err_set(err, ERR_BAD_REQUEST,
		    "Revision %lld was published with another profile",
		    (long long)a->revision);
	return 0;
}

/* An ANNOUNCE counts once, and time does not go back for an address. */
static int check_new(const struct announce_job *job, struct err *err)
{
	const struct announced *a = &job->announce;
	struct roster_found found;
	double latest = job->is_known ? job->record.announced : 0;
	(void)roster_find(agents.relay->roster, a->key, a->digest, &found);
	if (found.is_used ||
	    (job->is_known &&
		memcmp(job->record.digest, a->digest, DIGEST_SIZE) == 0))
		return err_set(err, ERR_UNAUTHORIZED, "Announce already used");
	if (found.timestamp > latest)
		latest = found.timestamp;
	if (a->timestamp < latest)
		return err_set(err, ERR_UNAUTHORIZED,
		    "Timestamp is older than that of an earlier announce");
	return 0;
}

static int judge(
    const struct announce_job *job, const struct agent *agent, struct err *err)
{
	const struct announced *a = &job->announce;
	if (job->rc != 0) {
		*err = job->err;
		return -1;
	}
	if (agent->place >= 0 && strcmp(agent->tunnel.address, a->address) != 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "Invalid address: this socket announced %s",
		    agent->tunnel.address);
	return check_revision(job, err) != 0 ? -1 : check_new(job, err);
}

/* ---- leaving ---- */

/* Its clients are disconnected, and new ones look elsewhere. */
static void withdraw(struct agent *agent)
{
	struct relay *r = agents.relay;
	loop_timer_stop(r->loop, &agent->timer);
	if (agent->place < 0)
		return;
	roster_leave(r->roster, agent->place);
	agent->place = -1;
	tunnel_close(&agent->tunnel);
	ledger_see(r->ledger, agent->tunnel.address);
	relay_stat_add(agents, -1);
}

static void dismiss(struct agent *agent, int code, const char *why)
{
	agent->is_dismissed = true;
	withdraw(agent);
	wire_close(agent->tunnel.wire, code, why);
}

/* ---- announcing ---- */

static void say_ok(struct agent *agent)
{
	struct buf out = {0};
	buf_printf(&out,
	    "{\"type\":\"ANNOUNCE_OK\",\"timestamp\":%lld,"
	    "\"session_id\":null,\"conn_id\":null}",
	    (long long)(clock_wall_ms() / 1000));
	wire_send(agent->tunnel.wire, out.data, out.len);
	buf_fini(&out);
}

/* What is refused without an end ends the socket. */
static void refuse(struct agent *agent, const char *text)
{
	struct wire *w = agent->tunnel.wire;
	relay_say_error(w, text, "ANNOUNCE");
	if (!relay_may(agents.relay, QUOTA_REFUSED, w->place, REFUSED, REFUSED))
		dismiss(agent, WIRE_CLOSE_POLICY, "Rate limit exceeded");
}

static void refuse_limited(struct agent *agent, const char *text)
{
	relay_stat_add(announces_limited, 1);
	refuse(agent, text);
}

/* A host whose first ANNOUNCE is refused for no fault of its own comes again. */
static void refuse_for_now(struct agent *agent, const char *text)
{
	refuse_limited(agent, text);
	if (agent->place < 0 && !agent->is_dismissed)
		dismiss(agent, WIRE_CLOSE_TRY_AGAIN, text);
}

static const char full[] = "Too many agents are connected (max_agents)";

/* Returns why there is no place for another socket, or NULL. */
static const char *why_full(const struct announced *a)
{
	struct relay *r = agents.relay;
	struct roster_found found;
	if (roster_agents(r->roster) >= (uint64_t)r->conf->max_agents)
		return full;
	(void)roster_find(r->roster, a->key, NULL, &found);
	return found.n_live >= SAME_MAX
		   ? "Too many sockets announce this address"
		   : NULL;
}

/* Put it in the roster and into the tunnel. Returns false if it is full. */
static bool enter(struct agent *agent, const struct announced *a)
{
	struct relay *r = agents.relay;
	struct roster_entry *e = &agent->entry;
	*e = (struct roster_entry){
	    .timestamp = a->timestamp,
	    .serial = a->has_endpoints ? roster_serial(r->roster) : 0,
	    .socket = ++r->next_number,
	};
	memcpy(e->key, a->key, sizeof e->key);
	memcpy(e->digest, a->digest, sizeof e->digest);
	agent->place = roster_put(r->roster, e);
	if (agent->place < 0)
		return false;
	memcpy(agent->tunnel.address, a->address, ADDRESS_SIZE);
	agent->tunnel.number = e->socket;
	agent->tunnel.has_conn_id = a->has_conn_id;
	tunnel_open(&agent->tunnel);
	relay_stat_add(agents, 1);
	if (e->serial)
		loop_timer_stop(r->loop, &agent->timer);
	else
		loop_timer_set(r->loop, &agent->timer, LIGHT_MS);
	return true;
}

static void renew(struct agent *agent, const struct announced *a)
{
	agent->entry.timestamp = a->timestamp;
	memcpy(agent->entry.digest, a->digest, sizeof agent->entry.digest);
	roster_change(agents.relay->roster, agent->place, &agent->entry);
}

/* Whether another socket of this address has clients to serve. */
static bool has_other_host(const struct agent *agent)
{
	const struct relay *r = agents.relay;
	struct roster_found found;
	(void)roster_find(r->roster, agent->entry.key, NULL, &found);
	return found.n_live > 1 &&
	       (found.slot != r->slot ||
		   found.entry.socket != agent->entry.socket);
}

static void write_record(struct agent *agent, struct announced *a)
{
	int64_t now_ms = clock_mono_ms();
	unsigned failures = ledger_failures(agents.relay->ledger);
	if (memcmp(agent->said, a->said, sizeof agent->said) == 0 &&
	    agent->written_ms && now_ms - agent->written_ms < WRITE_AGAIN_MS &&
	    agent->failures == failures)
		return;
	agent->failures = failures;
	memcpy(agent->said, a->said, sizeof agent->said);
	agent->written_ms = now_ms;
	if (!ledger_say(agents.relay->ledger, a, agent->tunnel.wire->peer,
		has_other_host(agent)))
		agent->written_ms = 0;
}

static void accept_announce(struct agent *agent, struct announced *a)
{
	struct relay *r = agents.relay;
	int64_t limit = r->conf->limit_announces;
	const char *why;
	if (!relay_may(r, QUOTA_ANNOUNCES, a->address, limit,
		limit > 1 ? limit / 2 : 1)) {
		refuse_for_now(agent, "Rate limit exceeded");
		return;
	}
	if (agent->place >= 0) {
		renew(agent, a);
	} else if ((why = why_full(a)) || !enter(agent, a)) {
		relay_stat_add(roster_full, 1);
		refuse_for_now(agent, why ? why : full);
		return;
	}
	relay_stat_add(announces, 1);
	say_ok(agent);
	write_record(agent, a);
}

static void refuse_announce(struct agent *agent, const char *why)
{
	relay_stat_add(announces_refused, 1);
	refuse(agent, why);
}

static void job_done(struct crew_job *crew)
{
	struct announce_job *job = list_entry(crew, struct announce_job, crew);
	struct agent *agent = job->agent;
	struct err err;
	if (agent)
		agent->job = NULL;
	if (agent && !agent->is_dismissed) {
		if (judge(job, agent, &err) == 0)
			accept_announce(agent, &job->announce);
		else
			refuse_announce(agent, err.text);
	}
	job_free(job);
}

static void take_announce(struct agent *agent, struct buf *text)
{
	struct relay *r = agents.relay;
	if ((int64_t)text->len > r->conf->max_announce) {
		char why[100];
		(void)snprintf(why, sizeof why,
		    "Announce too long (max %lld bytes: max_announce)",
		    (long long)r->conf->max_announce);
		refuse_announce(agent, why);
		return;
	}
	if (agent->job) {
		refuse_limited(agent, "Rate limit exceeded");
		return;
	}
	struct announce_job *job = mem_zero(sizeof *job);
	job->crew = (struct crew_job){.run = job_run, .done = job_done};
	job->agent = agent;
	job->directory = r->directory;
	job->now = (double)clock_wall_ms() / 1000;
	job->text = *text;
	*text = (struct buf){0};
	if (!crew_run(r->crew, &job->crew)) {
		refuse_for_now(agent, "The relay is busy; try again");
		job_free(job);
		return;
	}
	agent->job = job;
}

/* ---- its wire ---- */

static void on_part(void *arg, const char *part, size_t len)
{
	struct agent *agent = arg;
	if (agent->starts)
		scan_begin(&agent->scan);
	agent->starts = false;
	(void)scan_feed(&agent->scan, part, len);
}

static void on_message(void *arg, struct buf *text)
{
	struct agent *agent = arg;
	if (agent->starts)
		scan_begin(&agent->scan); /* an empty text has no parts */
	agent->starts = true;
	if (agent->is_dismissed)
		return;
	bool is_good = scan_end(&agent->scan);
	const char *type = is_good ? scan_text(&agent->scan, SCAN_TYPE) : NULL;
	if (type && strcmp(type, "ANNOUNCE") == 0)
		take_announce(agent, text);
	else if (is_good && agent->place >= 0)
		tunnel_from_agent(&agent->tunnel, &agent->scan, text);
	else
		relay_stat_add(bad_agent_frames, 1);
}

static void agent_on_binary(void *arg)
{
	(void)arg;
	relay_stat_add(bad_agent_frames, 1);
}

static void agent_on_drain(void *arg)
{
	struct agent *agent = arg;
	if (agent->place >= 0)
		tunnel_agent_drained(&agent->tunnel);
}

static void agent_on_gone(void *arg)
{
	struct agent *agent = arg;
	list_remove(&agent->link);
	if (agent->job)
		agent->job->agent = NULL;
	withdraw(agent);
	free(agent);
}

static const struct wire_handlers handlers = {
    .on_part = on_part,
    .on_message = on_message,
    .on_binary = agent_on_binary,
    .on_drain = agent_on_drain,
    .on_gone = agent_on_gone,
};

/* It did not announce itself; or it is a host, as it is still there. */
static void agent_on_time(void *arg)
{
	struct agent *agent = arg;
	struct roster *roster = agents.relay->roster;
	if (agent->place < 0) {
		relay_say_error(
		    agent->tunnel.wire, "No ANNOUNCE came for 10 s", NULL);
		dismiss(agent, WIRE_CLOSE_POLICY, "no ANNOUNCE");
		return;
	}
	agent->entry.serial = roster_serial(roster);
	roster_change(roster, agent->place, &agent->entry);
}

void relay_agents_init(struct relay *r)
{
	agents.relay = r;
	list_init(&agents.all);
}

void relay_agents_accept(struct http_req *req)
{
	struct relay *r = agents.relay;
	struct wire *w = relay_accept(r, req, &r->agent_limits);
	if (!w)
		return;
	struct agent *agent = mem_zero(sizeof *agent);
	agent->tunnel.wire = w;
	agent->place = -1;
	agent->starts = true;
	list_append(&agents.all, &agent->link);
	loop_timer_init(&agent->timer, agent_on_time, agent);
	loop_timer_set(r->loop, &agent->timer, NAMELESS_MS);
	wire_take(w, &handlers, agent);
}

void relay_agents_close_all(void)
{
	list_each(it, &agents.all)
	{
		struct agent *agent = list_entry(it, struct agent, link);
		dismiss(agent, WIRE_CLOSE_RESTART, "the relay restarts");
	}
}
