/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_SCRIPT_H
#define DEMO_SCRIPT_H

/*
 * A script is what the demo agent will do for one prompt. It depends only on
 * the input, so another process can make it again. It lives in the turn, and
 * its text points into the prompt.
 */
#include "base/buf.h"
#include "core/agent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct talk;

/* What a script does. */
enum script_kind {
	SCRIPT_SAY,	/* only answer */
	SCRIPT_TOOL,	/* one tool call, then answer */
	SCRIPT_THINK,	/* 'count' thoughts */
	SCRIPT_STREAM,	/* 'count' tool calls, pause_ms apart */
	SCRIPT_SLEEP,	/* do nothing for pause_ms */
	SCRIPT_ASK,	/* the first of choices is the question */
	SCRIPT_APPROVE, /* ask permission to use the tool named by text */
	SCRIPT_PLAN,	/* each choice is a step */
	SCRIPT_EVENTS,	/* the events that no other script shows */
	SCRIPT_FAIL,	/* fail with text */
};

/*
 * The maximum number of thoughts or tool calls, and the longest pause (a day).
 */
#define SCRIPT_COUNT_MAX 10000000
#define SCRIPT_PAUSE_MAX_MS 86400000

/* The maximum number of choices taken from "A|B|C". */
#define SCRIPT_CHOICES_MAX 32

/* One part of "A|B|C"; points into the prompt. */
struct script_choice {
	const char *text;
	size_t len;
};

/* A script. Which members are set depends on its kind. */
struct script {
	enum script_kind kind;
	int64_t count;
	int64_t pause_ms;
	const char *text; /* of SCRIPT_APPROVE and SCRIPT_FAIL */
	size_t len;
	struct script_choice choices[SCRIPT_CHOICES_MAX];
	size_t n_choices;
	const char *tool;  /* of SCRIPT_TOOL: name, */
	struct buf args;   /* arguments (a JSON object), */
	struct buf found;  /* what it returns, */
	bool has_failed;   /* and how */
	struct buf answer; /* empty if the answer depends on the run */
};

/*
 * Parse the prompt of an input; talk is the conversation before it. *s must be
 * {0}.
 */
void script_read(
    struct script *s, const struct agent_input *input, struct talk *talk);

/* Free the contents. */
void script_fini(struct script *s);

#endif
