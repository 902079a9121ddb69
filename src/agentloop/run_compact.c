/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "core/stat.h"

#include <stdio.h>
#include <string.h>

/* How full the context may be, in percent. */
#define FULL_PERCENT 85

/* Of the context, in percent, for what the model is to summarise. */
#define TRANSCRIPT_PERCENT 60
#define TOKEN_BYTES 3

#define INSTRUCTION                                                        \
	"Below is the record of a conversation between a user and an "     \
	"assistant that calls tools. Write a summary with which the "      \
	"assistant can go on: what the user wants, what was decided, "     \
	"what was done with which result, names of files and values that " \
	"matter, and what remains to be done. Write only the summary.\n"

static double percent_of(const struct agent_turn *t)
{
	return 100.0 * (double)memory_tokens(&t->memory) /
	       (double)t->agent->context_tokens;
}

bool run_compact_is_due(const struct agent_turn *t)
{
	/* Right after a compaction another one would not help. */
	if (t->compacted_at && t->iteration < t->compacted_at + 2)
		return false;
	return t->is_context_full || t->context_percent >= FULL_PERCENT ||
	       (t->context_percent <= 0 && percent_of(t) >= FULL_PERCENT);
}

static struct draft *begin(struct agent_turn *t, const char *status)
{
	struct draft *d = run_begin(t, EV_COMPACT);

	(void)snprintf(d->id, sizeof d->id, "compact%u-%lld", t->input->turn,
	    (long long)t->iteration);
	run_str(t, "status", status);
	return d;
}

static void put_percent(struct agent_turn *t, const char *field, double percent)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%.1f", percent);
	event_json(&t->draft, field, text, strlen(text));
}

/* What the model is asked: the messages of a request. */
static void put_brief(const struct agent_turn *t, struct buf *out)
{
	size_t max = (size_t)(t->agent->context_tokens * TOKEN_BYTES / 100 *
			      TRANSCRIPT_PERCENT);
	struct buf text = {0};

	buf_str(&text, INSTRUCTION);
	memory_put_transcript(&t->memory, &text, max);
	buf_str(out, "[{\"role\":\"user\",\"content\":");
	buf_json(out, text.data, text.len);
	buf_str(out, "}]");
	buf_fini(&text);
}

void run_compact_begin(struct agent_turn *t)
{
	t->is_compacting = true;
	t->is_context_full = false;
	t->compacted_at = t->iteration + 1;
	if (t->context_percent <= 0)
		t->context_percent = percent_of(t);
	stat_add(compactions, 1);
	(void)begin(t, "compacting");
	put_percent(t, "context_percent", t->context_percent);
	run_emit(t);
	buf_reset(&t->brief);
	put_brief(t, &t->brief);
	run_ask(t);
}

void run_compact_apply(struct agent_turn *t, const char *summary, size_t len)
{
	memory_replace(&t->memory, summary, len);
	memory_add_user(&t->memory, t->input->prompt, t->input->prompt_len,
	    t->input->images, t->input->images_len);
}

void run_compact_end(struct agent_turn *t)
{
	double before = t->context_percent;
	bool is_good = !t->failure.len && t->said.len;

	t->is_compacting = false;
	if (is_good) {
		run_begin(t, EV_CHECKPOINT);
		event_str(&t->draft, "summary", t->said.data, t->said.len);
		run_emit(t);
		run_compact_apply(t, t->said.data, t->said.len);
	}
	t->context_percent = percent_of(t);
	(void)begin(t, is_good ? "done" : "error");
	put_percent(t, "context_before", before);
	put_percent(t, "context_after", t->context_percent);
	if (!is_good)
		run_str(t, "error", "the model gave no summary");
	run_emit(t);
	buf_reset(&t->failure);
	buf_reset(&t->said);
	buf_fini(&t->brief);
}
