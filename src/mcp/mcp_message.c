/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_message.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define CLIENT "{\"name\":\"co-hostd\",\"version\":\"" PACKAGE_VERSION "\"}"

/* We ask people, and show them addresses. Nothing else is offered. */
#define ABILITIES "{\"elicitation\":{\"form\":{},\"url\":{}}}"

#define META "io.modelcontextprotocol/"

/* The longest data of an error that are shown. */
#define DATA_BYTES 2048

/* Errors of the range that the specification keeps for itself. */
#define CODE_FIRST_MODERN (-32099)
#define CODE_LAST_MODERN (-32020)
/* An older server's "URL elicitation required", in the same range. */
#define CODE_URL_ELICITATION (-32042)

/* ---- what a server says ---- */

/* Some servers return the number as a text. */
static int64_t number_of(const struct json *id)
{
	int64_t number = -1;
	char *text = json_strdup(id);
	char *end = NULL;

	if (text && *text >= '0' && *text <= '9' && strlen(text) < 18) {
		number = strtoll(text, &end, 10);
		if (*end)
			number = -1;
	} else if (!text && !json_int(id, &number)) {
		number = -1;
	}
	free(text);
	return number;
}

static enum mcp_kind kind_of(const struct json *message, bool has_id)
{
	if (!json_is(message, JSON_OBJECT))
		return MCP_INVALID;
	if (json_is(json_get(message, "method"), JSON_STRING))
		return has_id ? MCP_REQUEST : MCP_NOTIFICATION;
	if (json_is(json_get(message, "error"), JSON_OBJECT))
		return MCP_ERROR;
	if (json_is(json_get(message, "result"), JSON_OBJECT))
		return MCP_RESULT;
	return MCP_INVALID;
}

void mcp_message_read(struct mcp_message *m, const struct json *message)
{
	const struct json *id = json_get(message, "id");
	bool has_id = json_is(id, JSON_STRING) || json_is(id, JSON_NUMBER);

	*m = (struct mcp_message){.id = -1};
	m->kind = kind_of(message, has_id);
	if (has_id)
		m->id_text.text = json_text(id, &m->id_text.len);
	m->method = json_get(message, "method");
	m->params = json_get(message, "params");
	m->body = json_get(message, m->kind == MCP_ERROR ? "error" : "result");
	if (m->kind == MCP_RESULT || m->kind == MCP_ERROR)
		m->id = number_of(id);
}

int64_t mcp_message_code(const struct mcp_message *m)
{
	int64_t code = 0;

	if (m->kind == MCP_ERROR && !json_int(json_get(m->body, "code"), &code))
		code = 0;
	return code;
}

void mcp_message_put_error(struct buf *out, const struct mcp_message *m)
{
	struct buf scratch = {0};
	size_t len;
	const char *text =
	    json_str(json_get(m->body, "message"), &scratch, &len);
	const struct json *data = json_get(m->body, "data");

	if (text && len)
		buf_append(out, text, len);
	else
		buf_str(out, "an error without a message");
	buf_printf(out, " (error %" PRId64 ")", mcp_message_code(m));
	text = data ? json_text(data, &len) : NULL;
	if (text && json_type(data) != JSON_NULL && len <= DATA_BYTES) {
		buf_str(out, ": ");
		buf_json_line(out, text, len);
	}
	buf_fini(&scratch);
}

bool mcp_message_is_modern_error(const struct mcp_message *m)
{
	int64_t code = mcp_message_code(m);

	return code >= CODE_FIRST_MODERN && code <= CODE_LAST_MODERN &&
	       code != CODE_URL_ELICITATION;
}

static void read_abilities(struct mcp_about *about, const struct json *body)
{
	const struct json *tools =
	    json_get(json_get(body, "capabilities"), "tools");

	about->has_tools = json_is(tools, JSON_OBJECT);
	if (!json_bool(json_get(tools, "listChanged"), &about->tells_changes))
		about->tells_changes = false;
}

static bool has_version(const struct json *versions, const char *version)
{
	for (const struct json *v = json_first(versions); v; v = json_next(v))
		if (json_str_is(v, version))
			return true;
	return false;
}

bool mcp_message_read_discover(
    struct mcp_about *about, const struct mcp_message *m)
{
	const struct json *versions;

	*about = (struct mcp_about){
	    .era = MCP_MODERN, .version = MCP_VERSION_MODERN};
	if (m->kind == MCP_RESULT) {
		versions = json_get(m->body, "supportedVersions");
		read_abilities(about, m->body);
	} else {
		versions = json_get(json_get(m->body, "data"), "supported");
	}
	return has_version(versions, MCP_VERSION_MODERN);
}

static bool is_spoken(const char *version)
{
	static const char *const versions[] = {
	    MCP_VERSION_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"};

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (strcmp(versions[i], version) == 0)
			return true;
	return false;
}

bool mcp_message_read_initialize(
    struct mcp_about *about, const struct mcp_message *m)
{
	char *version = json_strdup(json_get(m->body, "protocolVersion"));
	bool is_known = version && is_spoken(version);

	*about = (struct mcp_about){.era = MCP_LEGACY};
	(void)snprintf(about->version, sizeof about->version, "%.15s",
	    version ? version : "");
	read_abilities(about, m->body);
	free(version);
	return is_known;
}

/* ---- what we say ---- */

static void begin(struct buf *out, int64_t id, const char *method)
{
	buf_str(out, "{\"jsonrpc\":\"2.0\"");
	if (id >= 0)
		buf_printf(out, ",\"id\":%" PRId64, id);
	buf_printf(out, ",\"method\":\"%s\",\"params\":{", method);
}

static void end(struct buf *out)
{
	buf_str(out, "}}");
}

/* What each request of the modern generation says of its sender. */
static void put_meta(struct buf *out, int64_t progress_of)
{
	buf_str(out, "\"_meta\":{\"" META "protocolVersion\":"
		     "\"" MCP_VERSION_MODERN "\",\"" META "clientInfo\":" CLIENT
		     ",\"" META "clientCapabilities\":" ABILITIES);
	if (progress_of >= 0)
		buf_printf(out, ",\"progressToken\":%" PRId64, progress_of);
	buf_char(out, '}');
}

void mcp_message_put_discover(struct buf *out, int64_t id)
{
	begin(out, id, "server/discover");
	put_meta(out, -1);
	end(out);
}

void mcp_message_put_initialize(struct buf *out, int64_t id)
{
	begin(out, id, "initialize");
	buf_str(out,
	    "\"protocolVersion\":\"" MCP_VERSION_LEGACY
	    "\",\"capabilities\":" ABILITIES ",\"clientInfo\":" CLIENT);
	end(out);
}

void mcp_message_put_ping(struct buf *out, int64_t id)
{
	begin(out, id, "ping");
	end(out);
}

void mcp_message_put_listen(struct buf *out, int64_t id)
{
	begin(out, id, "subscriptions/listen");
	buf_str(out, "\"notifications\":{\"toolsListChanged\":true},");
	put_meta(out, -1);
	end(out);
}

void mcp_message_put_list(
    struct buf *out, enum mcp_era era, int64_t id, const struct json *cursor)
{
	size_t len;

	begin(out, id, "tools/list");
	if (cursor) {
		const char *text = json_text(cursor, &len);
		buf_str(out, "\"cursor\":");
		buf_append(out, text, len);
		if (era == MCP_MODERN)
			buf_char(out, ',');
	}
	if (era == MCP_MODERN)
		put_meta(out, -1);
	end(out);
}

void mcp_message_put_call(struct buf *out, enum mcp_era era, int64_t id,
    const struct mcp_message_call *call)
{
	begin(out, id, "tools/call");
	buf_str(out, "\"name\":");
	buf_json_str(out, call->name);
	buf_str(out, ",\"arguments\":");
	buf_json_line(out, call->args, call->args_len);
	if (call->responses) {
		buf_str(out, ",\"inputResponses\":");
		buf_str(out, call->responses);
	}
	if (call->state) {
		buf_str(out, ",\"requestState\":");
		buf_str(out, call->state);
	}
	buf_char(out, ',');
	if (era == MCP_MODERN)
		put_meta(out, id);
	else
		buf_printf(
		    out, "\"_meta\":{\"progressToken\":%" PRId64 "}", id);
	end(out);
}

void mcp_message_put_initialized(struct buf *out)
{
	begin(out, -1, "notifications/initialized");
	end(out);
}

void mcp_message_put_cancelled(struct buf *out, int64_t id, const char *reason)
{
	begin(out, -1, "notifications/cancelled");
	buf_printf(out, "\"requestId\":%" PRId64 ",\"reason\":", id);
	buf_json_str(out, reason);
	end(out);
}

static void begin_answer(struct buf *out, struct span id)
{
	buf_str(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_append(out, id.text, id.len);
}

void mcp_message_put_result(struct buf *out, struct span id, const char *json)
{
	begin_answer(out, id);
	buf_str(out, ",\"result\":");
	buf_str(out, json);
	buf_char(out, '}');
}

void mcp_message_put_refusal(struct buf *out, struct span id)
{
	begin_answer(out, id);
	buf_str(out, ",\"error\":{\"code\":-32601,\"message\":"
		     "\"Method not found\"}}");
}
