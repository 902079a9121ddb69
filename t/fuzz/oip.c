/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A client that may say anything to the ConnectOnion door, with the session
 *layer and the wire in memory. Each line of the input is a frame; a line that
 *begins with '!' is something the agent does: !e NAME MEMBERS  an event with
 *this body, if MEMBERS are valid !d, !f           the turn ends well, or fails
 *	!s, !r           the client stops reading, or reads on
 *	!t N             events up to N are kept no longer
 *	!c               the client leaves and comes back
 * Whatever happens, each frame the door sends is a JSON object with a type, its
 *keys once each.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/permit.h"
#include "oip/oip_socket.h"
#include "net/wire.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_session.h"
#include "t/unit/fake_wire.h"

#include <stdlib.h>
#include <string.h>

#define SESSION "s"
#define MAX_LINES 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tools[] = {"calculate", NULL};
static const struct agent_about about = {
    .name = "demo", .model = "demo-1", .tools = tools};
static struct conf conf;
static struct sessions *all;
static struct access *access_;
static struct wire *wire;

static void check_frame(const char *frame)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    json_parse(&doc, frame, strlen(frame), 0, &error);

	if (!json_is(v, JSON_OBJECT) ||
	    !json_is(json_get(v, "type"), JSON_STRING))
		panic("the door sent %.200s", frame);
	json_fini(&doc);
}

static void check_frames(void)
{
	const char *frame;

	fake_access_run(access_);
	fake_session_run(all);
	while ((frame = fake_wire_next(wire)))
		check_frame(frame);
}

/* A body as the session layer lets it pass: members of a valid object. */
static bool is_body(const char *members)
{
	struct buf text = {0};
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v;
	bool is_good;

	buf_printf(&text, "{%s}", members);
	v = json_parse(&doc, text.data, text.len, JSON_UNIQUE_KEYS, &error);
	is_good =
	    json_is(v, JSON_OBJECT) &&
	    (json_count(v) > 0 || members[0] == '\0') &&
	    (!json_get(v, "type") || json_is(json_get(v, "type"), JSON_STRING));
	json_fini(&doc);
	buf_fini(&text);
	return is_good;
}

static void agent_event(struct session *s, const char *line)
{
	const char *members = strchr(line, ' ');
	size_t len = members ? (size_t)(members - line) : strlen(line);

	members = members ? members + 1 : "";
	if (session_status(s) == SESSION_RUNNING && is_body(members))
		(void)fake_session_emit(
		    s, event_by_name(line, len), "e", members);
}

static void agent_does(const char *line)
{
	struct session *s = fake_session_get(all, SESSION);
	bool is_running = session_status(s) == SESSION_RUNNING;

	if (line[0] == 'e' && line[1] == ' ')
		agent_event(s, line + 2);
	else if (line[0] == 'd' && is_running)
		fake_session_done(s, "r", "{\"messages\":[]}");
	else if (line[0] == 'f' && is_running)
		fake_session_fail(s, "killed");
	else if (line[0] == 's' || line[0] == 'r')
		fake_wire_stall(wire, line[0] == 's');
	else if (line[0] == 't')
		fake_session_trim(s, strtoul(line + 1, NULL, 10) % 100);
}

static void one_line(const char *line, size_t len)
{
	char *text;

	if (len == 0 || line[0] != '!') {
		fake_wire_say_bytes(wire, line, len);
		return;
	}
	if (len == 2 && line[1] == 'c') {
		fake_wire_gone(&wire);
		wire = fake_wire_open(fake_wire_http(), true);
		return;
	}
	text = strndup(line + 1, len - 1);
	if (text)
		agent_does(text);
	free(text);
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = mem_strdup(text);
}

static void set_up(void)
{
	static struct door_setup setup;

	if (!conf.co_dir) {
		log_threshold(LOG_ERROR);
		conf_init(&conf);
		set_text(&conf.co_dir, "/nonexistent");
		set_text(&conf.project_dir, "/nonexistent");
	}
	struct err err;
	static struct permit *permit;
	if (!permit)
		permit = permit_open("", &err);
	all = fake_session_all();
	access_ = fake_access();
	setup = (struct door_setup){
	    .access = access_,
	    .permit = permit,
	    .sessions = all,
	    .conf = &conf,
	    .about = &about,
	    .name = "demo",
	};
	oip_door.mount(fake_wire_http(), &setup);
	wire = fake_wire_open(fake_wire_http(), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	set_up();
	for (int i = 0; at < end && i < MAX_LINES; i++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((nl ? nl : end) - at);
		one_line(at, len);
		check_frames();
		at += len + 1;
	}
	fake_wire_gone(&wire);
	if (fake_session_log(all)->opens != 0)
		panic("a session was left open");
	fake_session_free(&all);
	fake_access_free(&access_);
	return 0;
}
