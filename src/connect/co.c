/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "connect/client.h"
#include "connect/drive.h"
#include "connect/prompt.h"
#include "connect/setup.h"

#include <co_connect.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
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

static enum co_code __attribute__((format(printf, 3, 4)))
co_refuse(struct co_client *c, enum co_code code, const char *fmt, ...)
{
	va_list ap;

	c->error.code = code;
	va_start(ap, fmt);
	(void)vsnprintf(c->error.text, sizeof c->error.text, fmt, ap);
	va_end(ap);
	return code;
}

static void co_watch(struct co_client *c, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0 || epoll_ctl(c->set, EPOLL_CTL_ADD, fd, &event) != 0)
		fatal("connect: %s", strerror(errno));
}

static void co_open_set(struct co_client *c)
{
	c->set = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	c->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	co_watch(c, c->timer);
	co_watch(c, c->cancel);
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
	buf_fini(&c->waiting);
	buf_fini(&c->record);
	buf_fini(&c->info);
	json_fini(&c->doc);
	json_fini(&c->inner_doc);
	free(c->direct);
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
		return co_refuse(
		    c, CO_ERR_STATE, "a callback may not begin an operation");
	if (client_is_busy(c))
		return co_refuse(
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

static enum co_code co_undo(struct co_client *c, enum co_code code)
{
	co_reset_operation(c);
	return code;
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

	if (code != CO_OK)
		return code;
	co_name_operation(c, prompt->input_id);
	c->op.type = "INPUT";
	if (prompt_write(&c->op.members, prompt, c->op.name, c->error.text,
		sizeof c->error.text) != 0) {
		c->error.code = CO_ERR_ARGUMENT;
		return co_undo(c, CO_ERR_ARGUMENT);
	}
	return co_kick(c);
}

enum co_code co_begin_resume(struct co_client *c, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_RESUME, timeout_ms);

	if (code != CO_OK)
		return code;
	if (!c->bookmark.session_id.len) {
		co_reset_operation(c);
		return co_refuse(c, CO_ERR_STATE, "there is no session");
	}
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
	if (arguments && !co_is_object(arguments)) {
		co_reset_operation(c);
		return co_refuse(c, CO_ERR_ARGUMENT,
		    "the arguments of a tool are a JSON object");
	}
	co_name_operation(c, NULL);
	c->op.type = "EXEC";
	buf_printf(&c->op.members, ",\"exec_id\":\"%s\",\"tool\":", c->op.name);
	buf_json_str(&c->op.members, tool);
	buf_str(&c->op.members, ",\"args\":");
	buf_str(&c->op.members, arguments ? arguments : "{}");
	buf_char(&c->op.members, '\0');
	c->op.members.len--;
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
	buf_char(&c->op.members, '\0');
	c->op.members.len--;
	return co_kick(c);
}

enum co_code co_begin_open(struct co_client *c, int64_t timeout_ms)
{
	enum co_code code = co_begin(c, OP_OPEN, timeout_ms);

	return code == CO_OK ? co_kick(c) : code;
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

enum co_code co_wait(
    struct co_client *c, int64_t timeout_ms, struct co_result *result)
{
	enum co_code code = CO_OK;

	c->error = (struct co_error){.code = CO_OK};
	if (c->is_in_callback)
		code = co_refuse(c, CO_ERR_STATE, "a callback may not wait");
	else if (c->op.kind == OP_NONE || (c->op.is_done && c->op.is_told))
		code = co_refuse(c, CO_ERR_STATE, "nothing runs");
	else if (client_is_busy(c))
		c->op.deadline_ms =
		    timeout_ms < 0
			? INT64_MAX
			: clock_mono_ms() +
			      (timeout_ms ? timeout_ms : CO_DEFAULT_TIMEOUT);
	return co_run(c, code, result);
}

/* ---- while a turn runs ---- */

static enum co_code co_reply(struct co_client *c, enum co_question_kind kind,
    const char *type, struct buf *members)
{
	if (c->query.question.kind != kind || !client_is_busy(c)) {
		buf_fini(members);
		return co_refuse(
		    c, CO_ERR_STATE, "no question of this kind is open");
	}
	if (*c->query.question.id) {
		buf_str(members, ",\"request_id\":");
		buf_json_str(members, c->query.question.id);
	}
	client_drop_question(c);
	client_command(c, type, buf_cstr(members));
	buf_fini(members);
	return CO_OK;
}

enum co_code co_answer(struct co_client *c, const char *text)
{
	struct buf members = {0};

	buf_str(&members, ",\"answer\":");
	buf_json_str(&members, text);
	return co_reply(c, CO_ASK, "ASK_USER_RESPONSE", &members);
}

enum co_code co_answer_many(
    struct co_client *c, const char *const *texts, size_t n)
{
	struct buf members = {0};

	buf_str(&members, ",\"answer\":[");
	for (size_t i = 0; i < n; i++) {
		buf_str(&members, i ? "," : "");
		buf_json_str(&members, texts[i]);
	}
	buf_char(&members, ']');
	return co_reply(c, CO_ASK, "ASK_USER_RESPONSE", &members);
}

enum co_code co_approve(
    struct co_client *c, enum co_verdict verdict, const char *explanation)
{
	static const char *const modes[] = {
	    [CO_REJECT] = "reject_soft",
	    [CO_REJECT_EXPLAIN] = "reject_explain",
	    [CO_REJECT_STOP] = "reject_hard",
	};
	struct buf members = {0};

	buf_printf(&members, ",\"approved\":%s,\"scope\":\"%s\"",
	    verdict <= CO_APPROVE_SESSION ? "true" : "false",
	    verdict == CO_APPROVE_SESSION ? "session" : "once");
	if (verdict > CO_APPROVE_SESSION)
		buf_printf(&members, ",\"mode\":\"%s\"", modes[verdict]);
	if (explanation) {
		buf_str(&members, ",\"feedback\":");
		buf_json_str(&members, explanation);
	}
	return co_reply(c, CO_APPROVAL, "APPROVAL_RESPONSE", &members);
}

enum co_code co_review(struct co_client *c, const char *text)
{
	struct buf members = {0};

	buf_str(&members, ",\"message\":");
	buf_json_str(&members, text);
	return co_reply(c, CO_PLAN, "PLAN_REVIEW_RESPONSE", &members);
}

enum co_code co_interrupt(struct co_client *c)
{
	if (!client_is_busy(c) || !c->op.has_turn)
		return co_refuse(c, CO_ERR_STATE, "no turn runs");
	client_drop_question(c);
	client_command(c, "INTERRUPT", "");
	return CO_OK;
}

void co_cancel(struct co_client *c)
{
	/* Can only fail when it is readable already. */
	(void)eventfd_write(c->cancel, 1);
}

/* ---- the conversation ---- */

const char *co_session_id(const struct co_client *c)
{
	return bookmark_text(&c->bookmark.session_id);
}

const char *co_last_event_id(const struct co_client *c)
{
	return bookmark_text(&c->bookmark.last_event_id);
}

char *co_session_save(const struct co_client *c)
{
	struct buf text = {0};

	bookmark_save(&c->bookmark, &text);
	return buf_steal(&text, NULL);
}

enum co_code co_reset(struct co_client *c)
{
	if (client_is_busy(c) || c->is_in_callback)
		return co_refuse(
		    c, CO_ERR_STATE, "another operation has not ended yet");
	drive_drop(c);
	bookmark_fini(&c->bookmark);
	return CO_OK;
}
