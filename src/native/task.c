/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/task.h"

#include "agent/line.h"
#include "base/json.h"
#include "base/mem.h"
#include "native/value.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "there is no such tool"
#define NO_RUN "the agent has no function run"

/* ---- memory ---- */

/* What lives as long as the task: memory, or a document's nodes. */
struct kept {
	struct kept *next;
	struct json_doc doc;
	_Alignas(16) char bytes[];
};

static struct kept *keep(struct task *t, size_t n)
{
	struct kept *k = mem_alloc(sizeof *k + n);

	k->doc = (struct json_doc){0};
	(void)pthread_mutex_lock(&t->lock);
	k->next = t->kept;
	t->kept = k;
	(void)pthread_mutex_unlock(&t->lock);
	return k;
}

void *task_alloc(struct task *t, size_t n)
{
	return keep(t, n)->bytes;
}

char *task_copy(struct task *t, const char *text, size_t len)
{
	char *copy = task_alloc(t, len + 1);

	if (len)
		(void)memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

const struct json *task_parse(struct task *t, const char *json, size_t len)
{
	struct json_error why;

	return json_parse(&keep(t, 0)->doc, json, len, 0, &why);
}

void task_init(struct task *t, const struct co_host *host, int in, int out)
{
	*t = (struct task){.host = host};
	inbox_init(&t->inbox, in);
	outlet_init(&t->outlet, out);
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_mutex_init(&t->asking, NULL);
}

struct part *task_part(struct co_turn *turn)
{
	return (struct part *)(void *)turn;
}

/* ---- lines ---- */

/* Append a member whose value is a string. */
static void put(struct buf *out, const char *name, const char *text, size_t len)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json(out, text, len);
}

static void begin(struct buf *out, const char *type)
{
	buf_str(out, "{\"type\":");
	buf_json_str(out, type);
}

void task_log(struct task *t, const char *text, size_t len)
{
	struct buf line = {0};

	begin(&line, "LOG");
	put(&line, "text", text, len);
	buf_char(&line, '}');
	outlet_write(&t->outlet, &line);
	buf_fini(&line);
}

int task_refuse(struct task *t, const char *fmt, ...)
{
	struct buf text = {0};
	va_list list;

	va_start(list, fmt);
	buf_vprintf(&text, fmt, list);
	va_end(list);
	task_log(t, text.data, text.len);
	buf_fini(&text);
	return CO_TURN_INVALID;
}

/* Append the members of an object, without its type. */
static void put_members(struct buf *out, const struct json *object)
{
	size_t len;

	for (const struct json *v = json_first(object); v; v = json_next(v)) {
		if (json_str_is(json_key(v), "type"))
			continue;
		buf_char(out, ',');
		const char *text = json_text(json_key(v), &len);
		buf_append(out, text, len);
		buf_char(out, ':');
		text = json_text(v, &len);
		buf_json_line(out, text, len);
	}
}

/* A wrong event is refused here, where its author is: it would end the turn. */
static int check_event(struct task *t, const char *name, const struct buf *text)
{
	struct line line = {0};
	struct err err;
	int rc = CO_TURN_OK;

	if (line_read(&line, text->data, text->len, 1, &err) != 0)
		rc = task_refuse(t, "event %s is refused: %s", name, err.text);
	else if (line.kind != LINE_EVENT)
		rc = task_refuse(t,
		    "event %s is refused: the name has another meaning", name);
	line_free(&line);
	return rc;
}

int task_emit(struct task *t, const char *name, const char *members)
{
	const char *json = members ? members : "{}";
	struct json_doc doc = {0};
	struct json_error why;
	struct buf line = {0};
	const struct json *object =
	    json_parse(&doc, json, strlen(json), 0, &why);
	int rc = CO_TURN_OK;

	if (!json_is(object, JSON_OBJECT)) {
		rc = task_refuse(t, "event %s is refused: %s in %.200s", name,
		    object ? "no object" : why.message, json);
	} else {
		begin(&line, name);
		put_members(&line, object);
		buf_char(&line, '}');
		rc = check_event(t, name, &line);
	}
	if (rc == CO_TURN_OK)
		outlet_write(&t->outlet, &line);
	buf_fini(&line);
	json_fini(&doc);
	return rc;
}

/* ---- parts ---- */

/* Replace a text of a part, which other threads may do as well. */
static void set(
    struct task *t, char **text, size_t *text_len, const char *new, size_t len)
{
	char *copy = task_copy(t, new, len);

	(void)pthread_mutex_lock(&t->lock);
	*text = copy;
	*text_len = len;
	(void)pthread_mutex_unlock(&t->lock);
}

int task_answer(struct part *p, const char *text, size_t len)
{
	set(p->task, &p->answer, &p->answer_len, text, len);
	return CO_TURN_OK;
}

int task_fail(struct part *p, const char *text, size_t len)
{
	set(p->task, &p->fault, &p->fault_len, text, len);
	return CO_TURN_FAILED;
}

int task_set_session(struct task *t, const char *json, size_t len)
{
	set(t, &t->session, &t->session_len, json, len);
	return CO_TURN_OK;
}

int task_call(const struct part *caller, const struct co_tool *tool,
    const struct json *args, struct part *call)
{
	*call = (struct part){.turn = caller->turn, .task = caller->task};
	return tool->call(&call->turn, value_of(args));
}

/* ---- the task ---- */

static void finish_turn(struct task *t, const struct part *p, int rc)
{
	struct buf line = {0};

	if (rc == CO_TURN_OK) {
		begin(&line, "OUTPUT");
		put(&line, "result", p->answer, p->answer_len);
		if (t->session) {
			buf_str(&line, ",\"session\":");
			buf_json_line(&line, t->session, t->session_len);
		}
	} else {
		begin(&line, "ERROR");
		if (p->fault)
			put(&line, "message", p->fault, p->fault_len);
		else
			buf_printf(
			    &line, ",\"message\":\"run() returned %d\"", rc);
	}
	buf_char(&line, '}');
	outlet_write(&t->outlet, &line);
	buf_fini(&line);
}

static void finish_call(struct task *t, const struct part *p, int rc)
{
	struct buf line = {0};

	begin(&line, "EXEC_RESULT");
	if (rc == CO_TURN_OK) {
		buf_str(&line, ",\"status\":\"success\"");
		put(&line, "result", p->answer, p->answer_len);
	} else {
		buf_str(&line, ",\"status\":\"error\"");
		if (p->fault)
			put(&line, "error", p->fault, p->fault_len);
		else
			buf_printf(
			    &line, ",\"error\":\"the tool returned %d\"", rc);
	}
	buf_char(&line, '}');
	outlet_write(&t->outlet, &line);
	buf_fini(&line);
}

/* Returns the text of a string, or "". */
static const char *text_of(struct task *t, const struct json *v, size_t *len)
{
	struct buf scratch = {0};
	size_t n = 0;
	const char *text = json_str(v, &scratch, &n);
	char *copy = task_copy(t, text, n);

	buf_fini(&scratch);
	if (len)
		*len = n;
	return copy;
}

static void begin_part(struct task *t, struct part *p, const struct json *line)
{
	int64_t number = 0;
	bool is_owner = false;

	(void)json_int(json_get(line, "turn"), &number);
	(void)json_bool(json_get(line, "owner"), &is_owner);
	*p = (struct part){.task = t};
	p->turn = (struct co_turn){
	    .host = t->host,
	    .data = t->object->agent.data,
	    .session_id = text_of(t, json_get(line, "session_id"), NULL),
	    .number = number,
	    .images = value_of(json_get(line, "images")),
	    .files = value_of(json_get(line, "files")),
	    .session = value_of(json_get(line, "session")),
	    .is_owner = is_owner,
	};
	p->turn.prompt =
	    text_of(t, json_get(line, "prompt"), &p->turn.prompt_len);
}

static void run_turn(struct task *t, const struct json *line)
{
	struct part p;

	begin_part(t, &p, line);
	if (t->object->agent.run)
		finish_turn(t, &p, t->object->agent.run(&p.turn));
	else
		finish_turn(t, &p, task_fail(&p, NO_RUN, strlen(NO_RUN)));
}

static void run_tool(struct task *t, const struct json *line)
{
	struct part p, call;
	const char *name = text_of(t, json_get(line, "tool"), NULL);
	const struct co_tool *tool = object_find(t->object, name);

	t->is_direct = true;
	(void)json_bool(json_get(line, "questions"), &t->may_ask);
	begin_part(t, &p, line);
	if (tool) {
		int rc = task_call(&p, tool, json_get(line, "args"), &call);
		finish_call(t, &call, rc);
	} else {
		finish_call(t, &p, task_fail(&p, UNKNOWN, strlen(UNKNOWN)));
	}
}

bool task_run(struct task *t, const struct object *object)
{
	size_t len;
	const char *text = inbox_task(&t->inbox, &len);

	if (!text)
		return false;
	t->object = object;
	const struct json *line = task_parse(t, text, len);
	if (json_str_is(json_get(line, "type"), "EXEC"))
		run_tool(t, line);
	else
		run_turn(t, line);
	return true;
}
