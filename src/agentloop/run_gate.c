/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/json.h"
#include "core/conversation.h"
#include "core/permit.h"

#include <stdlib.h>
#include <string.h>

/* What follows a refusal, for the model to read. */
#define TELL_MODEL_TO_EXPLAIN                                               \
	" They do not see what it is for. Explain in plain words what you " \
	"want to achieve, what this step does, why it is needed and "       \
	"whether it can be undone. Do not call the tool again before they " \
	"have agreed."
#define TELL_MODEL_TO_DO_WITHOUT                                           \
	" Do not call it again. If you cannot go on without it, ask them " \
	"with ask_user and offer alternatives."
#define TELL_MODEL_TO_STOP " They want to say how to go on: stop here."

/* Whether the rules of the settings allow it without asking. */
static bool is_permitted(
    const struct agent_turn *t, const char *tool, const struct json *args)
{
	struct buf why = {0};
	bool is_it = t->agent->permit &&
		     permit_allows(t->agent->permit, tool, args, &why);

	buf_fini(&why);
	return is_it;
}

/* What a grant for the session covers: a tool, but of a shell one command. */
static void put_scope(
    struct buf *out, const char *tool, const struct json *args)
{
	char *command = strcmp(tool, "bash") == 0
			    ? json_strdup(json_get(args, "command"))
			    : NULL;

	if (command)
		buf_printf(out, "Bash(%s)", command);
	else
		buf_str(out, tool);
	free(command);
}

static bool is_granted(
    const struct agent_turn *t, const char *tool, const struct json *args)
{
	struct buf scope = {0};

	put_scope(&scope, tool, args);
	bool is_it = memory_is_granted(&t->memory, buf_cstr(&scope));
	buf_fini(&scope);
	return is_it;
}

enum run_gate run_gate_of(
    const struct agent_turn *t, const struct run_call *c, const struct tool *u)
{
	struct json_doc doc = {0};
	struct json_error why;
	enum run_gate gate = GATE_ASK;
	int64_t turns_left;
	const char *mode = conversation_mode(t->memory.given, &turns_left);
	const struct json *args =
	    json_parse(&doc, c->args.data, c->args.len, 0, &why);

	if (strcmp(mode, CONVERSATION_FULL_ACCESS) == 0 ||
	    is_permitted(t, c->name, args))
		gate = GATE_OPEN;
	else if (strcmp(mode, CONVERSATION_READ_ONLY) == 0 &&
		 !(u->flags & TOOL_READ_ONLY))
		gate = GATE_CLOSED;
	else if (is_granted(t, c->name, args))
		gate = GATE_OPEN;
	json_fini(&doc);
	return gate;
}

static void put_description(struct buf *out, const struct run_call *c)
{
	bool is_shell = strcmp(c->name, "bash") == 0;

	buf_printf(out, "The model wants to use %s", c->name);
	buf_str(out, is_shell ? ". For the session: exactly this command"
			      : ". For the session: with any arguments");
}

void run_gate_ask(struct agent_turn *t, struct run_call *c)
{
	struct draft *d = run_begin(t, EV_APPROVAL_NEEDED);
	struct buf text = {0};

	put_description(&text, c);
	run_str(t, "tool", c->name);
	event_json(d, "arguments", c->args.data, c->args.len);
	event_str(d, "description", text.data, text.len);
	run_str(t, "tool_call_id", c->id);
	run_emit(t);
	t->asked = c;
	c->state = CALL_ASKED;
	buf_fini(&text);
}

/* ---- the answer ---- */

static void grant(struct agent_turn *t, struct run_call *c)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scope = {0};

	put_scope(&scope, c->name,
	    json_parse(&doc, c->args.data, c->args.len, 0, &why));
	memory_grant(&t->memory, buf_cstr(&scope));
	buf_fini(&scope);
	json_fini(&doc);
}

static void put_feedback(struct buf *out, const struct json *answer)
{
	struct buf scratch = {0};
	size_t len;
	const char *text =
	    json_str(json_get(answer, "feedback"), &scratch, &len);

	if (text && len) {
		buf_str(out, " They said: ");
		buf_append(out, text, len);
		buf_char(out, '.');
	}
	buf_fini(&scratch);
}

/* run_calls.c ends a call with which something is wrong. */
static void refuse(
    struct agent_turn *t, struct run_call *c, const struct json *answer)
{
	const struct json *mode = json_get(answer, "mode");

	buf_printf(&c->wrong, "The user did not allow %s.", c->name);
	put_feedback(&c->wrong, answer);
	if (json_str_is(mode, "reject_explain")) {
		buf_str(&c->wrong, TELL_MODEL_TO_EXPLAIN);
	} else if (json_str_is(mode, "reject_soft")) {
		buf_str(&c->wrong, TELL_MODEL_TO_DO_WITHOUT);
	} else {
		t->is_stopped = true;
		buf_str(&c->wrong, TELL_MODEL_TO_STOP);
	}
	c->is_refused = true;
	c->state = CALL_NEW;
}

void run_gate_answer(
    struct agent_turn *t, struct run_call *c, const struct json *answer)
{
	bool is_approved = false;

	(void)json_bool(json_get(answer, "approved"), &is_approved);
	if (!is_approved) {
		refuse(t, c, answer);
		return;
	}
	if (json_str_is(json_get(answer, "scope"), "session"))
		grant(t, c);
	c->state = CALL_GRANTED;
}
