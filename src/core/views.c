/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/views.h"

#include "base/enc.h"
#include "base/json.h"

/* Sets of views. */
enum { NONE = 0, ONE = 1, TWO = 3, THREE = 7, SECOND = 2 };

/* The parsed fields of an event. */
struct parsed {
	struct json_doc doc;
	struct buf text;
	const struct json *fields;
};

static void parse(struct parsed *p, const struct event *ev)
{
	*p = (struct parsed){0};
	p->fields = event_fields(ev, &p->doc, &p->text);
}

static void forget(struct parsed *p)
{
	json_fini(&p->doc);
	buf_fini(&p->text);
}

/* Returns the digest of a field; 0 if it is no text. */
static uint32_t digest_of(const struct event *ev, const char *field)
{
	struct parsed p;
	struct buf scratch = {0};
	size_t len = 0;
	parse(&p, ev);
	const char *text = json_str(json_get(p.fields, field), &scratch, &len);
	uint32_t digest = text ? enc_crc32c(0, text, len) | 1 : 0;
	buf_fini(&scratch);
	forget(&p);
	return digest;
}

static bool is_field(
    const struct event *ev, const char *field, const char *value)
{
	struct parsed p;
	parse(&p, ev);
	bool is_it = json_str_is(json_get(p.fields, field), value);
	forget(&p);
	return is_it;
}

/* A pause does not weaken the wish to stop. */
static void note_interrupt(const struct event *ev, struct views_memory *memory)
{
	struct parsed p;
	bool is_pause = false;
	parse(&p, ev);
	(void)json_bool(json_get(p.fields, "is_pause"), &is_pause); /* absent */
	forget(&p);
	if (!is_pause)
		memory->stop = VIEWS_STOP;
	else if (memory->stop == VIEWS_STOP_NONE)
		memory->stop = VIEWS_STOP_PAUSE;
}

static uint8_t stopped(const struct views_memory *memory)
{
	return memory->stop == VIEWS_STOP_PAUSE ? VIEWS_STOPPED | VIEWS_PAUSED
						: VIEWS_STOPPED;
}

static bool is_rejection(const struct event *ev)
{
	struct parsed p;
	bool is_approved = false;
	parse(&p, ev);
	bool is_approval =
	    json_str_is(json_get(p.fields, "kind"), "approval_needed");
	(void)json_bool(json_get(json_get(p.fields, "answer"), "approved"),
	    &is_approved); /* else it is not */
	forget(&p);
	return is_approval && !is_approved;
}

/* A result that the agent has just said is not repeated. */
static uint8_t views_of_done(
    const struct event *ev, struct views_memory *memory)
{
	uint32_t said = digest_of(ev, "result");
	bool was_said = said && said == memory->said;
	uint8_t views = was_said ? SECOND : TWO;
	if (memory->stop != VIEWS_STOP_NONE)
		views |= stopped(memory);
	memory->said = said;
	return views;
}

uint8_t views_of(const struct event *ev, struct views_memory *memory)
{
	switch (ev->type) {
	case EV_INPUT:
		*memory = (struct views_memory){0};
		return TWO;
	case EV_INTERRUPT:
		note_interrupt(ev, memory);
		return ONE;
	case EV_ASSISTANT:
		memory->said = digest_of(ev, "content");
		return ONE;
	case EV_MORE_INPUT:
	case EV_TOOL_CALL:
	case EV_TOOL_RESULT:
	case EV_TOOL_BLOCKED:
		return ONE;
	case EV_ASK_USER:
	case EV_PLAN_REVIEW:
	case EV_APPROVAL_NEEDED:
		return TWO;
	case EV_ANSWER:
		return is_rejection(ev) ? THREE : TWO;
	case EV_THINKING:
		return is_field(ev, "content", "") ? NONE : ONE;
	case EV_DONE:
		return views_of_done(ev, memory);
	case EV_FAILED:
		return is_field(ev, "reason", "interrupted")
			   ? SECOND | stopped(memory)
			   : TWO;
	case EV_START:
	case EV_USER_INPUT:
	case EV_INPUT_DROPPED:
	case EV_LLM_CALL:
	case EV_LLM_RESULT:
	case EV_PLAN:
	case EV_COMPACT:
	case EV_INTENT:
	case EV_EVAL:
	case EV_FILES_RECEIVED:
	case EV_AGENT_IMAGE:
	case EV_TURN_RESULT:
	case EV_TERMINAL_OUTPUT:
	case EV_COMMAND_STATUS:
	case EV_TRACE_EVENT:
	case EV_INVESTIGATION_REPORT:
	case EV_ASSISTANT_DELTA:
	case EV_CHECKPOINT:
	case EV_CUSTOM:
	case EV_COUNT:
		break;
	}
	return NONE;
}
