/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/mem.h"
#include "connect/client.h"
#include "connect/drive.h"
#include "connect/http_get.h"
#include "connect/prompt.h"
#include "connect/setup.h"
#include "websocket/ws_tls.h"

#include <co_connect.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char *const code_names[] = {
    [CO_OK] = "ok",
    [CO_ERR_ARGUMENT] = "argument",
    [CO_ERR_KEY] = "key",
    [CO_ERR_STATE] = "state",
    [CO_ERR_UNREACHABLE] = "unreachable",
    [CO_ERR_AWAY] = "away",
    [CO_ERR_IDENTITY] = "identity",
    [CO_ERR_SEAL] = "seal",
    [CO_ERR_REFUSED] = "refused",
    [CO_ERR_ONBOARD] = "onboard",
    [CO_ERR_LIMIT] = "limit",
    [CO_ERR_AGENT] = "agent",
    [CO_ERR_LOST] = "lost",
    [CO_ERR_TIMEOUT] = "timeout",
    [CO_ERR_CANCELLED] = "cancelled",
    [CO_ERR_PROTOCOL] = "protocol",
    [CO_ERR_TOO_LARGE] = "too_large",
    [CO_ERR_QUESTION] = "question",
};

const char *co_code_name(enum co_code code)
{
	return (size_t)code < sizeof code_names / sizeof *code_names
		   ? code_names[code]
		   : "unknown";
}

/* ---- the client ---- */

static void co_open_set(struct co_client *c)
{
	c->set = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	c->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	client_watch(c, c->timer);
	client_watch(c, c->cancel);
}

/* An agent without an address has a URL, or is not talked to. */
static int co_set_address(struct co_client *c, const char *address,
    const struct co_options *options, struct co_error *error)
{
	if (!address || address_parse(address, strlen(address), c->address) ||
	    (options && options->direct_url && *options->direct_url))
		return 0;
	error->code = CO_ERR_ARGUMENT;
	(void)snprintf(error->text, sizeof error->text,
	    "\"%.80s\" is not an address: \"0x\" and 64 hex digits", address);
	return -1;
}

static int co_set_session(struct co_client *c, struct co_error *error)
{
	const struct settings *s = &c->settings;

	if (s->session && !bookmark_load(&c->bookmark, s->session)) {
		error->code = CO_ERR_ARGUMENT;
		(void)snprintf(error->text, sizeof error->text,
		    "the option session is not what co_session_save() wrote");
		return -1;
	}
	if (s->session_id)
		bookmark_set(&c->bookmark.session_id, s->session_id);
	if (s->last_event_id)
		bookmark_set(&c->bookmark.last_event_id, s->last_event_id);
	return 0;
}

struct co_client *co_connect(const char *address,
    const struct co_options *options, struct co_error *error)
{
	struct co_error unused;
	struct co_client *c = mem_zero(sizeof *c);

	error = error ? error : &unused;
	*error = (struct co_error){.code = CO_OK};
	c->set = c->timer = c->cancel = -1;
	if (co_set_address(c, address, options, error) != 0 ||
	    setup_read(&c->settings, options, error) != 0) {
		co_free(&c);
		return NULL;
	}
	if (co_set_session(c, error) != 0) {
		co_free(&c);
		return NULL;
	}
	co_open_set(c);
	return c;
}

static void co_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void co_reset_operation(struct co_client *c)
{
	query_fini(&c->query);
	buf_fini(&c->op.members);
	buf_fini(&c->op.joined);
	buf_fini(&c->op.text);
	buf_fini(&c->op.json);
	free(c->op.name);
	c->op = (struct operation){.kind = OP_NONE};
}

void co_free(struct co_client **cp)
{
	struct co_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	drive_drop(c);
	co_reset_operation(c);
	bookmark_fini(&c->bookmark);
	client_drop_answers(c);
	json_fini(&c->doc);
	json_fini(&c->inner_doc);
	http_get_free(&c->http);
	ws_trust_close(&c->trust);
	free(c->direct);
	free(c->info);
	free(c->record);
	co_close(c->set);
	co_close(c->timer);
	co_close(c->cancel);
	setup_fini(&c->settings);
	free(c);
}

const char *co_own_address(const struct co_client *c)
{
	return c->settings.own_address;
}

const char *co_agent_address(const struct co_client *c)
{
	return c->address;
}

const char *co_error_text(const struct co_client *c)
{
	return c->error.text;
}

/* ---- operations ---- */

/* Begin an operation; its members follow. */
static enum co_code co_begin(
    struct co_client *c, enum op_kind kind, int64_t timeout_ms)
{
	c->error = (struct co_error){.code = CO_OK};
	if (c->is_in_callback)
		return client_refuse(
		    c, CO_ERR_STATE, "a callback may not begin an operation");
	if (client_is_busy(c))
		return client_refuse(
		    c, CO_ERR_STATE, "another operation has not ended yet");
	co_reset_operation(c);
	if (timeout_ms == 0)
		timeout_ms = CO_DEFAULT_TIMEOUT;
	c->op.kind = kind;
	c->op.deadline_ms =
	    timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
	return CO_OK;
}

/* The descriptor has to become readable for the first step. */
static enum co_code co_kick(struct co_client *c)
{
	struct itimerspec now = {.it_value = {.tv_nsec = 1}};

	(void)timerfd_settime(c->timer, 0, &now, NULL);
	return CO_OK;
}

/* Refuse the operation that was just begun. */
static enum co_code co_refuse(
    struct co_client *c, enum co_code code, const char *text)
{
	co_reset_operation(c);
	return client_refuse(c, code, "%s", text);
}

static void co_name_operation(struct co_client *c, const char *name)
{
	char fresh[ENC_UUID_SIZE];

	enc_uuid(fresh);
	c->op.name = mem_strdup(name ? name : fresh);
}

enum co_code co_begin_input(
    struct co_client *c, const struct co_prompt *prompt, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_INPUT, timeout_ms);
	char why[sizeof c->error.text];

	if (code != CO_OK)
		return code;
	co_name_operation(c, prompt->input_id);
	c->op.type = "INPUT";
	if (prompt_write(&c->op.members, prompt, c->op.name, why, sizeof why))
		return co_refuse(c, CO_ERR_ARGUMENT, why);
	return co_kick(c);
}

enum co_code co_begin_resume(struct co_client *c, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_RESUME, timeout_ms);

	if (code != CO_OK)
		return code;
	if (!c->bookmark.session_id.len)
		return co_refuse(c, CO_ERR_STATE, "there is no session");
	return co_kick(c);
}

static bool co_is_object(const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    json_parse(&doc, text, strlen(text), JSON_UNIQUE_KEYS, &why);
	bool is_object = json_is(v, JSON_OBJECT);

	json_fini(&doc);
	return is_object;
}

enum co_code co_begin_call(struct co_client *c, const char *tool,
    const char *arguments, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_CALL, timeout_ms);

	if (code != CO_OK)
		return code;
	if (arguments && !co_is_object(arguments))
		return co_refuse(c, CO_ERR_ARGUMENT,
		    "the arguments of a tool are a JSON object");
	co_name_operation(c, NULL);
	c->op.type = "EXEC";
	buf_printf(&c->op.members, ",\"exec_id\":\"%s\",\"tool\":", c->op.name);
	buf_json_str(&c->op.members, tool);
	buf_str(&c->op.members, ",\"args\":");
	buf_str(&c->op.members, arguments ? arguments : "{}");
	(void)buf_cstr(&c->op.members);
	return co_kick(c);
}

enum co_code co_begin_set_mode(
    struct co_client *c, const char *mode, unsigned turns, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_MODE, timeout_ms);

	if (code != CO_OK)
		return code;
	c->op.type = "mode_change";
	buf_str(&c->op.members, ",\"mode\":");
	buf_json_str(&c->op.members, mode);
	if (turns)
		buf_printf(&c->op.members, ",\"turns\":%u", turns);
	(void)buf_cstr(&c->op.members);
	return co_kick(c);
}

enum co_code co_begin_open(struct co_client *c, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_OPEN, timeout_ms);

	return code == CO_OK ? co_kick(c) : code;
}

enum co_code co_begin_info(struct co_client *c, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_INFO, timeout_ms);

	if (code != CO_OK)
		return code;
	if (!*c->address && !c->settings.direct)
		return co_refuse(
		    c, CO_ERR_ARGUMENT, "there is no address to ask about");
	return co_kick(c);
}

enum co_code co_begin_find(
    struct co_client *c, const char *query, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_FIND, timeout_ms);

	if (code != CO_OK)
		return code;
	if (!c->settings.relay)
		return co_refuse(
		    c, CO_ERR_ARGUMENT, "there is no relay to ask");
	buf_str(&c->op.members, "{\"type\":\"FIND\",\"query\":");
	buf_json_str(&c->op.members, query);
	if (*c->settings.own_address)
		buf_printf(&c->op.members, ",\"from\":\"%s\"",
		    c->settings.own_address);
	buf_printf(&c->op.members, ",\"timestamp\":%lld}",
	    (long long)(clock_wall_ms() / 1000));
	(void)buf_cstr(&c->op.members);
	return co_kick(c);
}

/* ---- results ---- */

enum co_state co_state(const struct co_client *c)
{
	if (!client_is_busy(c))
		return CO_IDLE;
	return c->query.question.kind ? CO_WAITING : CO_WORKING;
}

const struct co_question *co_question(const struct co_client *c)
{
	return c->query.question.kind ? &c->query.question : NULL;
}

static void co_fill(struct co_client *c, struct co_result *result)
{
	*result = (struct co_result){
	    .code = c->op.is_done ? c->op.code : CO_ERR_QUESTION,
	    .text =
		c->op.is_done ? buf_cstr(&c->op.text) : c->query.question.text,
	    .json =
		c->op.is_done ? buf_cstr(&c->op.json) : c->query.question.json,
	    .duration_ms = c->op.duration_ms,
	    .retry_after_ms = c->op.retry_after_ms,
	};
	result->text_len =
	    c->op.is_done ? c->op.text.len : strlen(result->text);
	result->json_len =
	    c->op.is_done ? c->op.json.len : strlen(result->json);
	c->error = (struct co_error){
	    .code = result->code, .retry_after_ms = result->retry_after_ms};
	if (result->code != CO_OK)
		(void)snprintf(
		    c->error.text, sizeof c->error.text, "%s", result->text);
}

int co_take(struct co_client *c, struct co_result *result)
{
	struct co_result unused;
	bool is_ready = c->op.kind != OP_NONE && !c->op.is_told &&
			(c->op.is_done || c->query.question.kind);

	if (!is_ready)
		return 0;
	c->op.is_told = true;
	co_fill(c, result ? result : &unused);
	return 1;
}

int co_fd(const struct co_client *c)
{
	return c->set;
}

void co_step(struct co_client *c)
{
	if (!c->is_in_callback)
		drive_step(c);
}

/* ---- blocking ---- */

static enum co_code co_finish(struct co_client *c, struct co_result *result)
{
	struct co_result own;
	struct pollfd p = {.fd = c->set, .events = POLLIN};

	result = result ? result : &own;
	while (co_step(c), !co_take(c, result))
		(void)poll(&p, 1, -1); /* a signal only makes us look */
	return result->code;
}

static enum co_code co_run(
    struct co_client *c, enum co_code begun, struct co_result *result)
{
	if (begun == CO_OK)
		return co_finish(c, result);
	if (result)
		*result = (struct co_result){
		    .code = begun,
		    .text = c->error.text,
		    .text_len = strlen(c->error.text),
		    .json = "",
		};
	return begun;
}

enum co_code co_input(struct co_client *c, const struct co_prompt *prompt,
    int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_input(c, prompt, timeout_ms), result);
}

enum co_code co_resume(
    struct co_client *c, int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_resume(c, timeout_ms), result);
}

enum co_code co_call(struct co_client *c, const char *tool,
    const char *arguments, int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_call(c, tool, arguments, timeout_ms), result);
}

enum co_code co_set_mode(struct co_client *c, const char *mode, unsigned turns,
    int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_set_mode(c, mode, turns, timeout_ms), result);
}

enum co_code co_open(
    struct co_client *c, int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_open(c, timeout_ms), result);
}

enum co_code co_info(
    struct co_client *c, int64_t timeout_ms, struct co_result *result)
{
	return co_run(c, co_begin_info(c, timeout_ms), result);
}

enum co_code co_find(struct co_client *c, const char *query, int64_t timeout_ms,
    struct co_result *result)
{
	return co_run(c, co_begin_find(c, query, timeout_ms), result);
}

enum co_code co_wait(
    struct co_client *c, int64_t timeout_ms, struct co_result *result)
{
	enum co_code code = CO_OK;

	c->error = (struct co_error){.code = CO_OK};
	if (c->is_in_callback)
		code =
		    client_refuse(c, CO_ERR_STATE, "a callback may not wait");
	else if (c->op.kind == OP_NONE || (c->op.is_done && c->op.is_told))
		code = client_refuse(c, CO_ERR_STATE, "nothing runs");
	else if (client_is_busy(c))
		c->op.deadline_ms =
		    timeout_ms < 0
			? INT64_MAX
			: clock_mono_ms() +
			      (timeout_ms ? timeout_ms : CO_DEFAULT_TIMEOUT);
	return co_run(c, code, result);
}
