/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_info.h"

#include "access/access.h"
#include "api/api_page.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/heritage.h"
#include "door/door.h"
#include "door/frame.h"
#include "door/reply.h"
#include "net/http.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/*
 * A commit that takes longer than this is late, or the process that holds its
 * lock is.
 */
#define LATE_US 5000000

/* The number of characters of a system prompt used as the agent's summary. */
#define SUMMARY_CHARS 1000

static bool is_draining;

void api_info_drain(void)
{
	is_draining = true;
}

/* ---- health ---- */

/* Seconds since the master started, so that all workers agree. */
static int64_t uptime_s(const struct heritage *heritage)
{
	int64_t ms = clock_boot_ms() - heritage->started_boot_ms;
	return ms > 0 ? ms / 1000 : 0;
}

void api_info_health(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	static struct buf out;
	buf_reset(&out);
	buf_str(&out, "{\"status\":\"healthy\",\"agent\":");
	buf_json_str(&out, setup->name);
	buf_str(&out, ",\"uptime\":");
	buf_int(&out, uptime_s(setup->heritage));
	buf_char(&out, '}');
	reply_json(req, 200, &out);
}

void api_info_live(struct http_req *req, void *arg)
{
	(void)arg;
	static const char alive[] = "{\"status\":\"alive\"}";
	http_reply(req, 200, "application/json", alive, sizeof alive - 1);
}

/* ---- readiness ---- */

static bool is_serving(const struct door_setup *setup)
{
	(void)setup;
	return !is_draining;
}

/*
 * Whether the store can be read: an id that no session has must be "not found".
 */
static bool is_store_good(const struct door_setup *setup)
{
	static const char nobody[] = "readyz";
	struct buf mem = {0};
	struct session_record record;
	struct err err;
	int rc = session_get(
	    setup->sessions, nobody, sizeof nobody - 1, &mem, &record, &err);
	buf_fini(&mem);
	return rc == 0 || err.code == ERR_NOT_FOUND ||
	       err.code == ERR_NO_SESSION;
}

static unsigned count_serving(
    const struct heritage *heritage, enum heritage_kind kind)
{
	unsigned n = 0;
	for (int i = 0; i < HERITAGE_SLOTS; i++) {
		const struct heritage_slot *slot = &heritage->slots[i];
		n += slot->kind == kind && slot->state == SLOT_SERVING;
	}
	return n;
}

static bool has_worker(const struct door_setup *setup)
{
	return count_serving(setup->heritage, KIND_WORKER) > 0;
}

/*
 * Whether there is room for an input; the keeper finds out with store_probe().
 */
static bool is_disk_good(const struct door_setup *setup)
{
	return !atomic_load(&setup->heritage->store_refuses);
}

/*
 * Whether a committer of this process, or a loop that waits for a lock, is
 * stuck.
 */
static bool is_slot_late(const struct heritage_slot *slot, int64_t now)
{
	const struct pulse *p = slot->pulses;
	bool is_loop_waiting =
	    atomic_load(&p[PULSE_LOOP].state) == PULSE_WAITING;
	return pulse_is_late(&p[PULSE_CHATTER], now, LATE_US) ||
	       pulse_is_late(&p[PULSE_FACTS], now, LATE_US) ||
	       (is_loop_waiting && pulse_is_late(&p[PULSE_LOOP], now, LATE_US));
}

static bool does_journal_move(const struct door_setup *setup)
{
	int64_t now = clock_steady_us();
	for (int i = 0; i < HERITAGE_SLOTS; i++) {
		const struct heritage_slot *slot = &setup->heritage->slots[i];
		if (atomic_load(&slot->state) != SLOT_FREE &&
		    is_slot_late(slot, now))
			return false;
	}
	return true;
}

static bool is_registry_good(const struct door_setup *setup)
{
	struct session_room room;
	session_room(setup->sessions, &room);
	return room.has_lock && room.has_sessions;
}

static bool has_turns(const struct door_setup *setup)
{
	struct session_room room;
	session_room(setup->sessions, &room);
	return room.has_turns;
}

/* Whether some serving worker has got this far with its agent. */
static bool has_agent(const struct door_setup *setup, enum agent_load load)
{
	for (int i = 0; i < HERITAGE_SLOTS; i++) {
		const struct heritage_slot *slot = &setup->heritage->slots[i];
		if (slot->kind == KIND_WORKER &&
		    atomic_load(&slot->state) == SLOT_SERVING &&
		    atomic_load(&slot->load) == load)
			return true;
	}
	return false;
}

/*
 * Any worker may get the next input, and its turn would wait while the agent is
 * being loaded there.
 */
static bool is_agent_loaded(const struct door_setup *setup)
{
	return has_agent(setup, AGENT_LOADED) &&
	       !has_agent(setup, AGENT_LOADING) &&
	       !has_agent(setup, AGENT_BROKEN);
}

static const char *agent_word(const struct door_setup *setup)
{
	return has_agent(setup, AGENT_LOADING) ? "loading" : "failed";
}

static const struct check {
	const char *name;
	bool (*is_good)(const struct door_setup *setup);
	/* Returns the word for a check that fails; NULL: "failed". */
	const char *(*bad_word)(const struct door_setup *setup);
} checks[] = {
    {"serving", is_serving, NULL},
    {"store", is_store_good, NULL},
    {"workers", has_worker, NULL},
    {"disk", is_disk_good, NULL},
    {"journal", does_journal_move, NULL},
    {"registry", is_registry_good, NULL},
    {"turns", has_turns, NULL},
    {"agent", is_agent_loaded, agent_word},
};

static const char *state_of(
    const struct check *check, const struct door_setup *setup, bool is_good)
{
	if (is_good)
		return "ok";
	return check->bad_word ? check->bad_word(setup) : "failed";
}

static bool run_checks(struct buf *out, const struct door_setup *setup)
{
	bool all = true;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		bool is_good = checks[i].is_good(setup);
		buf_printf(out, "%s\"%s\":\"%s\"", i ? "," : "", checks[i].name,
		    state_of(&checks[i], setup, is_good));
		all = all && is_good;
	}
	return all;
}

void api_info_ready(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct buf states = {0}, out = {0};
	size_t len;
	bool is_ready = run_checks(&states, setup);
	buf_str(&out,
	    is_ready ? "{\"status\":\"ready\""
		     : "{\"error\":\"not ready\",\"status\":\"not ready\"");
	if (reply_query(req, "verbose", &len)) {
		buf_str(&out, ",\"checks\":{");
		buf_append(&out, states.data, states.len);
		buf_char(&out, '}');
	}
	buf_char(&out, '}');
	reply_json(req, is_ready ? 200 : 503, &out);
	buf_fini(&states);
	buf_fini(&out);
}

/* ---- about ---- */

/* A policy is private; only its existence is reported. */
static const char *trust_name(const struct conf *conf)
{
	return conf_trust_is_level(conf) ? conf->trust : "custom";
}

static void put_tools(struct buf *out, const char *const *tools)
{
	buf_char(out, '[');
	for (size_t i = 0; tools && tools[i]; i++) {
		if (i)
			buf_char(out, ',');
		buf_json_str(out, tools[i]);
	}
	buf_char(out, ']');
}

static void put_inputs(struct buf *out, const struct conf *conf)
{
	buf_printf(out,
	    "{\"text\":true,\"images\":true,\"files\":{"
	    "\"max_file_size_mb\":%lld,\"max_files_per_request\":%lld}}",
	    (long long)conf->max_file_size,
	    (long long)conf->max_files_per_request);
}

/* The setting, else the beginning of the agent's system prompt. */
static void put_summary(struct buf *out, const struct door_setup *setup)
{
	const char *text = setup->conf->summary;
	if (!*text && setup->about->system_prompt)
		text = setup->about->system_prompt;
	if (!*text)
		return;
	buf_str(out, ",\"summary\":");
	buf_json(out, text, utf8_prefix(text, strlen(text), SUMMARY_CHARS));
}

/* The setting, else the agent's own. */
static void put_examples(struct buf *out, const struct door_setup *setup)
{
	const char *texts = setup->conf->examples;
	if (!*texts)
		texts = setup->about->examples;
	if (!texts)
		return;
	buf_str(out, ",\"examples\":");
	buf_str(out, texts);
}

static void put_page(struct buf *out, const struct conf *conf)
{
	if (api_page_is_there(conf))
		buf_printf(out, ",\"web\":\"%s\"", api_page_build());
}

/* How a stranger could be admitted. */
static void put_doors(struct buf *out, const struct access *access)
{
	struct access_doors doors;
	if (!access_doors(access, &doors))
		return;
	buf_printf(out, ",\"onboard\":{\"invite_code\":%s,\"payment\":",
	    doors.has_invite ? "true" : "false");
	if (doors.has_payment)
		buf_printf(out, "%.15g}", doors.price);
	else
		buf_str(out, "null}");
}

void api_info_about(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct buf out = {0};
	buf_str(&out, "{\"name\":");
	buf_json_str(&out, setup->name);
	buf_str(&out, ",\"address\":");
	buf_json_str(&out, setup->conf->address);
	buf_str(&out, ",\"tools\":");
	put_tools(&out, setup->about->tools);
	buf_str(&out, ",\"model\":");
	buf_json_str(&out, setup->about->model);
	buf_printf(&out, ",\"trust\":\"%s\"", trust_name(setup->conf));
	buf_str(&out, ",\"version\":\"" PACKAGE_VERSION "\",\"skills\":");
	frame_skills(&out, setup->about->skills, true);
	put_summary(&out, setup);
	put_examples(&out, setup);
	buf_str(&out, ",\"accepted_inputs\":");
	put_inputs(&out, setup->conf);
	buf_str(&out, ",\"protocol\":{\"name\":\"oip\",\"version\":\"0.1\","
		      "\"min_version\":\"0.1\",\"max_version\":\"0.1\","
		      "\"websocket_path\":\"/ws\"}");
	buf_printf(&out, ",\"can_seal\":%s",
	    access_can_seal(setup->access) ? "true" : "false");
	put_doors(&out, setup->access);
	put_page(&out, setup->conf);
	buf_char(&out, '}');
	http_add_header(req, "cache-control", "no-store");
	reply_json(req, 200, &out);
	buf_fini(&out);
}
