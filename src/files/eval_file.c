/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/eval_file.h"

#include "files/eval_text.h"

#include <string.h>

/* How much of long texts is kept, so that the file stays readable. */
#define MAX_INPUT ((size_t)16 * 1024)
#define MAX_OUTPUT ((size_t)64 * 1024)
#define MAX_ARGUMENT 50

/* Limits of one eval: turns, earlier runs of each turn, bytes in total. */
#define MAX_TURNS 100
#define MAX_HISTORY 20
#define MAX_EVAL ((size_t)768 * 1024)

/* ---- text ---- */

static void put_c_string(struct buf *out, const char *text)
{
	eval_text_string(out, text, strlen(text));
}

static void put_value(struct buf *out, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);
	eval_text_json(out, v ? text : "\"\"", v ? len : 2);
}

static void put_cut(struct buf *out, struct store_span s, size_t most)
{
	struct store_span part = eval_text_cut(s, most);
	eval_text_string(out, part.data ? part.data : "", part.len);
}

static bool eval_file_is_text(const struct json *v, struct store_span s)
{
	struct buf scratch = {0};
	size_t n;
	const char *text = json_str(v, &scratch, &n);
	bool is_same = text && n == s.len && (!n || !memcmp(text, s.data, n));
	buf_fini(&scratch);
	return is_same;
}

/* ---- the conversation ---- */

/* The text of a message: a string, or the first text of its parts. */
static struct store_span eval_file_text_of(
    const struct json *content, struct buf *scratch)
{
	struct store_span s = {NULL, 0};
	if (json_is(content, JSON_ARRAY))
		for (const struct json *p = json_first(content); p && !s.data;
		     p = json_next(p))
			s.data = json_str(json_get(p, "text"), scratch, &s.len);
	else
		s.data = json_str(content, scratch, &s.len);
	return s;
}

static const struct json *first_message(
    const struct json *talk, const char *role)
{
	const struct json *m = json_first(json_get(talk, "messages"));
	while (m && !json_str_is(json_get(m, "role"), role))
		m = json_next(m);
	return m;
}

struct store_span eval_file_first(
    const struct eval_turn *t, struct buf *scratch)
{
	const struct record *r = t->record;
	struct store_span s = {NULL, 0};
	if (r->client_turn > 1)
		s = eval_file_text_of(
		    json_get(first_message(t->talk, "user"), "content"),
		    scratch);
	else
		s = r->prompt;
	return eval_text_cut(s, MAX_INPUT);
}

/*
 * Returns where the trace of this turn begins; all of it if there is no mark.
 */
static const struct json *trace_of(const struct eval_turn *t)
{
	const struct json *all = json_first(json_get(t->talk, "trace"));
	const struct json *begin = all;
	int64_t turn;
	for (const struct json *e = all; e; e = json_next(e))
		if (json_str_is(json_get(e, "type"), "user_input") &&
		    json_int(json_get(e, "turn"), &turn) &&
		    turn == t->record->client_turn)
			begin = e;
	return begin;
}

struct totals {
	double tokens;
	double cost;
};

static double number_of(const struct json *v)
{
	double d;
	return json_double(v, &d) && d > 0 && d < 1e15 ? d : 0;
}

static struct totals totals_of(const struct eval_turn *t)
{
	struct totals sum = {0, 0};
	for (const struct json *e = trace_of(t); e; e = json_next(e)) {
		const struct json *usage = json_get(e, "usage");
		if (!json_str_is(json_get(e, "type"), "llm_result"))
			continue;
		double all = number_of(json_get(usage, "total_tokens"));
		if (all <= 0)
			all = number_of(json_get(usage, "input_tokens")) +
			      number_of(json_get(usage, "output_tokens"));
		sum.tokens += all;
		sum.cost += number_of(json_get(usage, "cost"));
	}
	return sum;
}

/* In the notation that a person would use: name='Alice'. */
static void add_argument(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	struct store_span s = {NULL, 0};
	size_t len;
	s.data = json_str(v, &scratch, &s.len);
	const char *quote = s.data ? "'" : "";
	if (!s.data) {
		s.data = json_text(v, &len);
		s.len = len;
	}
	struct store_span part = eval_text_cut(s, MAX_ARGUMENT);
	buf_str(out, quote);
	buf_append(out, part.data, part.len);
	if (part.len < s.len)
		buf_str(out, "...");
	buf_str(out, quote);
	buf_fini(&scratch);
}

static void add_string(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);
	if (text)
		buf_append(out, text, len);
	buf_fini(&scratch);
}

static void put_tool(struct buf *out, const struct json *e)
{
	struct buf text = {0};
	const struct json *args = json_get(e, "args");
	add_string(&text, json_get(e, "name"));
	buf_char(&text, '(');
	for (const struct json *a =
		 json_is(args, JSON_OBJECT) ? json_first(args) : NULL;
	     a; a = json_next(a)) {
		if (a != json_first(args))
			buf_str(&text, ", ");
		add_string(&text, json_key(a));
		buf_char(&text, '=');
		add_argument(&text, a);
	}
	buf_char(&text, ')');
	put_cut(out, (struct store_span){text.data, text.len}, MAX_INPUT);
	buf_fini(&text);
}

static void put_tools(struct buf *out, const struct eval_turn *t)
{
	bool is_first = true;
	buf_str(out, "  tools_called: [");
	for (const struct json *e = trace_of(t); e; e = json_next(e)) {
		if (!json_str_is(json_get(e, "type"), "tool_result"))
			continue;
		if (!is_first)
			buf_str(out, ", ");
		is_first = false;
		put_tool(out, e);
	}
	buf_str(out, "]\n");
}

static void add_meta(struct buf *out, const struct eval_turn *t)
{
	struct totals sum = totals_of(t);
	buf_printf(out,
	    "{\"tokens\": %.0f, \"cost\": %.4f, \"duration_ms\": %lld, "
	    "\"ts\": \"",
	    sum.tokens, sum.cost, (long long)t->record->duration_ms);
	eval_text_time(out, t->record->updated_ms);
	buf_str(out, "\", \"session_id\": ");
	buf_json(out, t->record->id.data, t->record->id.len);
	buf_printf(out, ", \"turn\": %u}", t->record->turn);
}

/* ---- the eval ---- */

bool eval_file_is_generated(const struct json *eval)
{
	return json_get(eval, "created") && json_get(eval, "runs") &&
	       json_get(eval, "turns") && !json_get(eval, "agent") &&
	       !json_get(eval, "expected");
}

/* An eval being written. */
struct writing {
	struct buf *out;
	const struct eval_turn *turn;
	struct buf meta;
	int64_t run;
	bool is_placed; /* our turn has been written */
	size_t n_turns;
};

/* Write what is kept of a turn's latest run when another replaces it. */
static void put_history(struct buf *out, const struct json *old)
{
	int n = 1;
	buf_str(out, "  history: [");
	if (old) {
		buf_str(out, "{\"run\": ");
		put_value(out, json_get(old, "run"));
		buf_str(out, ", \"status\": ");
		put_value(out, json_get(old, "evaluation"));
		buf_str(out, ", \"meta\": ");
		put_value(out, json_get(old, "meta"));
		buf_char(out, '}');
	}
	const struct json *h = json_first(json_get(old, "history"));
	for (; h && n < MAX_HISTORY; h = json_next(h), n++) {
		buf_str(out, ", ");
		put_value(out, h);
	}
	buf_str(out, "]\n");
}

/* Write our turn, given the previous entry for the same input (NULL: none). */
static void put_turn(struct writing *w, const struct json *old)
{
	struct buf *out = w->out;
	const struct record *r = w->turn->record;
	const struct json *talk = w->turn->talk;
	const struct json *expected = json_get(talk, "expected");
	buf_str(out, "- input: ");
	put_cut(out, r->prompt, MAX_INPUT);
	buf_printf(out, "\n  run: %lld\n  output: ", (long long)w->run);
	put_cut(out, r->result, MAX_OUTPUT);
	buf_char(out, '\n');
	put_tools(out, w->turn);
	buf_str(out, "  expected: ");
	put_value(out, expected ? expected : json_get(old, "expected"));
	buf_str(out, "\n  evaluation: ");
	put_value(out, json_get(talk, "evaluation"));
	buf_str(out, "\n  meta: ");
	eval_text_string(out, w->meta.data, w->meta.len);
	buf_char(out, '\n');
	put_history(out, old);
	w->is_placed = true;
	w->n_turns++;
}

static void eval_file_put_member(struct buf *out, const struct json *m)
{
	put_value(out, json_key(m));
	buf_str(out, ": ");
	put_value(out, m);
	buf_char(out, '\n');
}

/* Write a turn unchanged. */
static void put_old_turn(struct writing *w, const struct json *old)
{
	const struct json *m =
	    json_is(old, JSON_OBJECT) ? json_first(old) : NULL;
	for (const char *lead = "- "; m; m = json_next(m), lead = "  ") {
		buf_str(w->out, lead);
		eval_file_put_member(w->out, m);
	}
	w->n_turns++;
}

static bool is_same_input(const struct writing *w, const struct json *old)
{
	return eval_file_is_text(json_get(old, "input"),
	    eval_text_cut(w->turn->record->prompt, MAX_INPUT));
}

static void put_turns(struct writing *w, const struct json *before)
{
	uint32_t at = w->turn->record->client_turn, i = 1;
	const struct json *old = json_first(json_get(before, "turns"));
	for (; old; old = json_next(old), i++) {
		if (!w->is_placed && i >= at && is_same_input(w, old))
			put_turn(w, old);
		else
			put_old_turn(w, old);
	}
	if (!w->is_placed && w->n_turns < MAX_TURNS)
		put_turn(w, NULL);
}

static void eval_file_put_head(
    struct writing *w, const struct json *before, struct store_span first)
{
	struct buf *out = w->out, name = {0}, now = {0};
	eval_text_name(&name, first.data, first.len);
	eval_text_time(&now, w->turn->record->updated_ms);
	buf_str(out, "name: ");
	eval_text_string(out, name.data, name.len);
	buf_str(out, "\ncreated: ");
	if (before)
		put_value(out, json_get(before, "created"));
	else
		eval_text_string(out, now.data, now.len);
	buf_str(out, "\nupdated: ");
	eval_text_string(out, now.data, now.len);
	buf_printf(out, "\nruns: %lld\nmodel: ", (long long)w->run);
	put_c_string(out, w->turn->model);
	buf_str(out, "\nturns:\n");
	buf_fini(&name);
	buf_fini(&now);
}

/*
 * Whether our turn was already written, by a process that was killed before it
 * could record that.
 */
static bool is_told(const struct writing *w, const struct json *before)
{
	const struct json *old = json_first(json_get(before, "turns"));
	for (; old; old = json_next(old))
		if (is_same_input(w, old) &&
		    eval_file_is_text(json_get(old, "meta"),
			(struct store_span){w->meta.data, w->meta.len}))
			return true;
	return false;
}

/* Later turns of a conversation belong to the run that its first turn began. */
static int64_t run_of(const struct writing *w, const struct json *before)
{
	int64_t runs = 0;
	(void)json_int(json_get(before, "runs"), &runs);
	if (runs < 0 || runs > INT32_MAX)
		runs = 0;
	if (w->turn->record->client_turn > 1 && runs)
		return runs;
	return runs + 1;
}

static void write_eval(
    struct writing *w, const struct json *before, struct store_span first)
{
	size_t from = w->out->len;
	eval_file_put_head(w, before, first);
	put_turns(w, before);
	if (w->out->len - from <= MAX_EVAL)
		return;
	/* Too much for one file: continue with only this turn. */
	w->out->len = from;
	eval_file_put_head(w, before, first);
	put_turn(w, NULL);
}

int64_t eval_file_write(
    struct buf *out, const struct json *before, const struct eval_turn *t)
{
	struct writing w = {.out = out, .turn = t};
	struct buf scratch = {0};
	struct store_span first = eval_file_first(t, &scratch);
	const struct json *begun =
	    json_get(json_first(json_get(before, "turns")), "input");
	add_meta(&w.meta, t);
	bool is_kept =
	    before && (!eval_file_is_generated(before) || is_told(&w, before));
	/*
	 * If a different first prompt has the same name, the file starts
	 * afresh.
	 */
	if (!eval_file_is_text(begun, first))
		before = NULL;
	w.run = run_of(&w, before);
	if (!is_kept)
		write_eval(&w, before, first);
	buf_fini(&w.meta);
	buf_fini(&scratch);
	return is_kept ? 0 : w.run;
}

/* ---- the run ---- */

static void eval_file_put_messages(struct buf *out, const struct json *talk)
{
	const struct json *m = json_first(json_get(talk, "messages"));
	buf_str(out, "messages: |\n  [\n");
	for (; m; m = json_next(m)) {
		buf_str(out, "    ");
		put_value(out, m);
		buf_str(out, json_next(m) ? ",\n" : "\n");
	}
	buf_str(out, "  ]\n");
}

static void put_system(struct buf *out, const struct json *talk)
{
	struct buf scratch = {0};
	struct store_span s = eval_file_text_of(
	    json_get(first_message(talk, "system"), "content"), &scratch);
	buf_str(out, "system_prompt: ");
	put_cut(out, s, MAX_OUTPUT);
	buf_char(out, '\n');
	buf_fini(&scratch);
}

void eval_file_write_run(struct buf *out, const struct eval_turn *t,
    const char *agent, const char *cwd)
{
	struct totals sum = totals_of(t);
	buf_str(out, "agent: ");
	put_c_string(out, agent);
	buf_char(out, '\n');
	put_system(out, t->talk);
	buf_str(out, "model: ");
	put_c_string(out, t->model);
	buf_str(out, "\ncwd: ");
	put_c_string(out, cwd);
	buf_printf(out,
	    "\ntokens: %.0f\ncost: %.4f\nduration_ms: %lld\n"
	    "timestamp: \"",
	    sum.tokens, sum.cost, (long long)t->record->duration_ms);
	eval_text_time(out, t->record->updated_ms);
	buf_str(out, "\"\n");
	eval_file_put_messages(out, t->talk);
}
