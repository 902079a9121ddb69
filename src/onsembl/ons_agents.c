/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_agents.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "dialin/dialin_conn.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_table.h"
#include "door/door.h"
#include "ons/ons_message.h"
#include "onsembl/ons_token.h"
#include "onsembl/ons_uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* So many digits of the server's address are in the id of its agent. */
#define ADDRESS_DIGITS 12

#define MILLISECONDS 1000

/* Whether any worker runs a turn of the hosted agent. */
static bool is_busy(const struct heritage *h)
{
	for (int i = 0; i < HERITAGE_SLOTS; i++) {
		const struct stat_set *stats = &h->stats[i];
		if (__atomic_load_n(&stats->runs, __ATOMIC_RELAXED) >
		    __atomic_load_n(&stats->runs_named, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void tell_hosted(const struct door_setup *setup,
    void (*fn)(const struct ons_agent *a, void *arg), void *arg)
{
	char id[16 + ADDRESS_DIGITS];
	const char *address = setup->conf->address;
	if (strncmp(address, "0x", 2) == 0)
		address += 2;
	(void)snprintf(id, sizeof id, "custom-%.*s", ADDRESS_DIGITS, address);
	const struct ons_agent hosted = {
	    .id = id,
	    .name = setup->name,
	    .type = "custom",
	    .version = PACKAGE_VERSION,
	    .host = "co-hostd",
	    .user = "",
	    .org = "",
	    .capabilities = "[\"basic\",\"interrupt\",\"trace\"]",
	    .description = "",
	    .metadata = "",
	    .status = is_busy(setup->heritage) ? ONS_IS_BUSY : ONS_IS_ONLINE,
	    .seen_ms = clock_wall_ms(),
	    .created_ms = setup->heritage->started_ms,
	    .is_hosted = true,
	};
	fn(&hosted, arg);
}

/* ---- agents that have dialed in ---- */

/* Whom to tell of them. */
struct telling {
	void (*fn)(const struct ons_agent *a, void *arg);
	void *arg;
};

static void add_word(struct buf *out, const struct json *word)
{
	size_t n;
	const char *text = json_text(word, &n);
	if (out->len > 1)
		buf_char(out, ',');
	buf_append(out, text, n);
}

/* The words of an array, or the names in an object that are true. */
static void put_words(struct buf *out, const char *json)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool is_true;
	const struct json *root = json_parse(&doc, json, strlen(json), 0, &why);
	bool is_object = json_is(root, JSON_OBJECT);
	buf_char(out, '[');
	for (const struct json *v = json_first(root); v; v = json_next(v)) {
		if (!is_object && json_is(v, JSON_STRING))
			add_word(out, v);
		else if (is_object && json_bool(v, &is_true) && is_true)
			add_word(out, json_key(v));
	}
	buf_char(out, ']');
	json_fini(&doc);
}

static enum ons_agent_state state_of(const struct dialin_info *info)
{
	if (!info->is_online)
		return ONS_IS_DISCONNECTED;
	if (info->has_error)
		return ONS_IS_ERROR;
	return info->n_running ? ONS_IS_BUSY : ONS_IS_ONLINE;
}

static bool tell_dialed_in(const struct dialin_info *info, void *arg)
{
	const struct telling *t = arg;
	const struct dialin_who *who = &info->who;
	struct buf words = {0};
	put_words(&words, who->capabilities);
	const struct ons_agent a = {
	    .id = who->id,
	    .name = *who->name ? who->name : who->id,
	    .type = who->type,
	    .version = who->version,
	    .host = who->host,
	    .user = who->user,
	    .org = who->org,
	    .capabilities = buf_cstr(&words),
	    .description = info->notes.description,
	    .metadata = info->notes.metadata,
	    .status = state_of(info),
	    .seen_ms = info->connected_ms ? info->seen_ms : 0,
	    .created_ms = info->created_ms,
	    .n_running = info->n_running,
	    .queue = &info->queue,
	    .health = info->has_health ? &info->health : NULL,
	};
	t->fn(&a, t->arg);
	buf_fini(&words);
	return true;
}

void ons_agents_each(const struct door_setup *setup,
    void (*fn)(const struct ons_agent *a, void *arg), void *arg)
{
	struct telling t = {fn, arg};
	tell_hosted(setup, fn, arg);
	if (setup->dock)
		dialin_table_each(setup->dock->table, tell_dialed_in, &t);
}

uint64_t ons_agents_version(const struct door_setup *setup)
{
	uint64_t version =
	    setup->dock ? dialin_table_version(setup->dock->table) : 0;
	return 2 * version + is_busy(setup->heritage);
}

bool ons_agent_is(const struct ons_agent *a, struct span id)
{
	return ons_uuid_is(id, "agent", a->id);
}

bool ons_agent_is_there(const struct ons_agent *a)
{
	return a->status != ONS_IS_DISCONNECTED;
}

static bool order(const struct door_setup *setup, const char *id, uint32_t kind,
    const char *what, const char *user)
{
	struct dialin_order o = {
	    .kind = kind, .is_urgent = kind == DIALIN_EMERGENCY_STOP};
	(void)snprintf(o.reason, sizeof o.reason, "%s %s", what, user);
	return setup->dock &&
	       dialin_table_order(setup->dock->table, id, strlen(id), &o);
}

bool ons_agent_control(const struct door_setup *setup, const char *id,
    enum ons_action action, const char *user)
{
	return order(
	    setup, id, (uint32_t)action, "Control from dashboard", user);
}

bool ons_agent_stop(
    const struct door_setup *setup, const char *id, const char *user)
{
	return order(
	    setup, id, DIALIN_EMERGENCY_STOP, "Emergency stop by", user);
}

bool ons_agent_is_seen(const struct ons_agent *a,
    const struct ons_token_keys *keys, const struct ons_claims *claims)
{
	return a->is_hosted || ons_token_may_see(keys, claims, a->user, a->org);
}

/* ---- what is written about them ---- */

void ons_put_iso(struct buf *out, const char *key, int64_t time_ms)
{
	char text[64];
	struct tm tm;
	time_t s = (time_t)(time_ms / MILLISECONDS);
	if (!time_ms) {
		ons_put_json(out, key, (struct span){"null", 4});
		return;
	}
	(void)gmtime_r(&s, &tm); /* the year fits */
	size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(
	    text + n, sizeof text - n, ".%03dZ", (int)(time_ms % MILLISECONDS));
	ons_put_str(out, key, text);
}

static const char *status_word(const struct ons_agent *a)
{
	static const char *const words[] = {
	    [ONS_IS_ONLINE] = "ONLINE",
	    [ONS_IS_BUSY] = "BUSY",
	    [ONS_IS_DISCONNECTED] = "DISCONNECTED",
	    [ONS_IS_ERROR] = "ERROR",
	};
	return words[a->status];
}

const char *ons_agent_rest_status(const struct ons_agent *a)
{
	static const char *const words[] = {
	    [ONS_IS_ONLINE] = "online",
	    [ONS_IS_BUSY] = "busy",
	    [ONS_IS_DISCONNECTED] = "offline",
	    [ONS_IS_ERROR] = "error",
	};
	return words[a->status];
}

static void put_type(struct buf *out, const char *key, const char *type)
{
	char upper[33];
	size_t n = 0;
	for (; type[n] && n < sizeof upper - 1; n++)
		upper[n] = (char)toupper((unsigned char)type[n]);
	ons_put_text(out, key, (struct span){upper, n});
}

static void put_capabilities(struct buf *out, const struct ons_agent *a)
{
	ons_put_json(out, "capabilities",
	    (struct span){a->capabilities, strlen(a->capabilities)});
}

static void put_metrics(
    struct buf *out, const char *key, const struct ons_agent *a)
{
	const struct dialin_health *h = a->health;
	char text[160];
	if (!h)
		return;
	int n = snprintf(text, sizeof text,
	    "{\"commandsExecuted\":%lld,\"uptime\":%lld,\"memoryUsage\":%.2f,"
	    "\"cpuUsage\":%.2f}",
	    (long long)h->n_commands, (long long)h->uptime_s, h->memory_mb,
	    h->cpu);
	ons_put_json(out, key, (struct span){text, (size_t)n});
}

void ons_agent_put_listed(struct buf *out, const struct ons_agent *a)
{
	buf_char(out, '{');
	ons_put_str(out, "agentId", a->id);
	ons_put_str(out, "name", a->name);
	put_type(out, "type", a->type);
	ons_put_str(out, "status", status_word(a));
	ons_put_str(out, "version", a->version);
	put_capabilities(out, a);
	ons_put_iso(out, "lastHeartbeat", a->seen_ms);
	put_metrics(out, "metrics", a);
	buf_char(out, '}');
}

/* What its user has noted, and the machine that it says it runs on. */
static void put_metadata(struct buf *out, const struct ons_agent *a)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *noted =
	    json_parse(&doc, a->metadata, strlen(a->metadata), 0, &why);
	ons_begin_object(out, "metadata");
	for (const struct json *v = json_first(noted); v; v = json_next(v)) {
		char *key = json_strdup(json_key(v));
		struct span value = {0};
		value.text = json_text(v, &value.len);
		ons_put_json(out, key, value);
		free(key);
	}
	if (!json_get(noted, "hostMachine"))
		ons_put_str(out, "hostMachine", a->host);
	ons_end_object(out);
	json_fini(&doc);
}

static void put_uuid(
    struct buf *out, const char *key, const char *kind, const char *name)
{
	char uuid[ONS_UUID];
	ons_uuid_of(uuid, kind, name);
	ons_put_str(out, key, uuid);
}

void ons_agent_put_object(struct buf *out, const struct ons_agent *a)
{
	buf_char(out, '{');
	ons_put_str(out, "agent_id", a->id);
	put_uuid(out, "id", "agent", a->id);
	put_uuid(out, "user_id", "user", a->user);
	ons_put_str(out, "name", a->name);
	ons_put_str(out, "agent_type", a->type);
	ons_put_str(out, "type", a->type);
	ons_put_str(out, "status", ons_agent_rest_status(a));
	ons_put_str(out, "version", a->version);
	put_capabilities(out, a);
	ons_put_iso(out, "last_heartbeat", a->seen_ms);
	ons_put_iso(out, "last_ping", a->seen_ms);
	put_metrics(out, "last_metrics", a);
	ons_put_str(out, "description", a->description);
	put_metadata(out, a);
	ons_put_iso(out, "created_at", a->created_ms);
	ons_put_iso(out, "updated_at", a->seen_ms ? a->seen_ms : a->created_ms);
	buf_char(out, '}');
}

void ons_agent_put_connected(
    struct buf *out, const struct ons_agent *a, int64_t now_ms)
{
	ons_put_str(out, "agentId", a->id);
	ons_put_str(out, "agentName", a->name);
	put_type(out, "agentType", a->type);
	ons_put_str(out, "version", a->version);
	ons_put_str(out, "hostMachine", a->host);
	put_capabilities(out, a);
	ons_put_int(out, "timestamp", now_ms);
}

static const char *activity_word(const struct ons_agent *a, uint64_t n_queued)
{
	if (a->status == ONS_IS_BUSY)
		return "PROCESSING";
	return n_queued ? "QUEUED" : "IDLE";
}

void ons_agent_put_status(struct buf *out, const struct ons_agent *a)
{
	uint64_t n_queued = a->queue ? a->queue->n : 0;
	ons_put_str(out, "agentId", a->id);
	ons_put_str(out, "status", status_word(a));
	ons_put_str(out, "activityState", activity_word(a, n_queued));
	ons_put_int(out, "queuedCommands", (int64_t)n_queued);
	ons_put_iso(out, "lastPing", a->seen_ms);
}
