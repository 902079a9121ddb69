/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/question.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * Send the event and wait for the line that answers it. *line is then its
 * object, or NULL.
 */
static int pose(struct task *t, const char *event, struct buf *members,
    const char *answer_type, const struct json **line)
{
	size_t len;
	char *text = NULL;

	*line = NULL;
	if (t->is_direct && !(t->may_ask && strcmp(event, "ask_user") == 0))
		return CO_TURN_FAILED;
	(void)pthread_mutex_lock(&t->asking);
	inbox_expect(&t->inbox, answer_type);
	int rc = task_emit(t, event, buf_cstr(members));
	if (rc == CO_TURN_OK)
		text = inbox_answer(&t->inbox, &len);
	(void)pthread_mutex_unlock(&t->asking);
	if (rc != CO_TURN_OK)
		return rc;
	if (!text)
		return CO_TURN_INTERRUPTED;
	*line = task_parse(t, task_copy(t, text, len), len);
	free(text);
	return CO_TURN_OK;
}

static void put(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json_str(out, text);
}

static const char *get(
    struct task *t, const struct json *object, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(json_get(object, name), &scratch, &len);
	char *copy = task_copy(t, text, len);

	buf_fini(&scratch);
	return copy;
}

int question_ask(struct task *t, const char *question,
    const char *const *options, bool is_several, const struct json **answer)
{
	struct buf members = {0};
	const struct json *line;

	buf_str(&members, "{\"question\":");
	buf_json_str(&members, question ? question : "");
	put(&members, "text", question ? question : "");
	buf_str(&members, ",\"options\":[");
	for (size_t i = 0; options && options[i]; i++) {
		buf_str(&members, i ? "," : "");
		buf_json_str(&members, options[i]);
	}
	buf_printf(
	    &members, "],\"multi_select\":%s}", is_several ? "true" : "false");
	int rc = pose(t, "ask_user", &members, "ASK_USER_RESPONSE", &line);
	*answer = json_get(line, "answer");
	buf_fini(&members);
	return rc;
}

static bool is_object_or_null(const char *json)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool is_good =
	    !json ||
	    json_is(json_parse(&doc, json, strlen(json), 0, &why), JSON_OBJECT);

	json_fini(&doc);
	return is_good;
}

int question_approve(struct task *t, const char *tool, const char *args,
    const char *description, struct co_approval *approval)
{
	struct buf members = {0};
	const struct json *line;
	bool is_approved = false;

	if (approval)
		*approval = (struct co_approval){"", "", ""};
	if (!tool || !is_object_or_null(args))
		return task_refuse(t,
		    "approval of %s: the arguments are no JSON object",
		    tool ? tool : "(NULL)");
	buf_str(&members, "{\"tool\":");
	buf_json_str(&members, tool);
	buf_printf(&members, ",\"arguments\":%s", args ? args : "{}");
	put(&members, "description", description ? description : "");
	buf_char(&members, '}');
	int rc =
	    pose(t, "approval_needed", &members, "APPROVAL_RESPONSE", &line);
	buf_fini(&members);
	if (rc != CO_TURN_OK)
		return rc;
	if (approval)
		*approval = (struct co_approval){
		    .scope = get(t, line, "scope"),
		    .mode = get(t, line, "mode"),
		    .feedback = get(t, line, "feedback"),
		};
	(void)json_bool(json_get(line, "approved"), &is_approved);
	return is_approved ? CO_TURN_OK : CO_TURN_REJECTED;
}

int question_review(struct task *t, const char *plan, const char **message)
{
	struct buf members = {0};
	const struct json *line;

	buf_str(&members, "{\"plan_content\":");
	buf_json_str(&members, plan ? plan : "");
	buf_char(&members, '}');
	int rc =
	    pose(t, "plan_review", &members, "PLAN_REVIEW_RESPONSE", &line);
	buf_fini(&members);
	*message = get(t, line, "message");
	return rc;
}
