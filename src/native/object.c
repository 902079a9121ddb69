/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/object.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/tool.h"

#include <dlfcn.h>
#include <string.h>

#define AGENT_NAME_MAX 200
#define SCHEMA_MAX 65536

typedef const struct co_agent *create_function(const struct co_host *host);

/* The first version of the interface had these sizes. */
#define FIRST_AGENT_SIZE (offsetof(struct co_agent, data) + sizeof(void *))
#define FIRST_TOOL_SIZE sizeof(struct co_tool)

/* ---- loading ---- */

static bool mentions(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* The words of dlerror(), which name the file, and what usually helps. */
static int refuse_file(const char *why, struct err *err)
{
	const char *help = "";

	if (mentions(why, "undefined symbol"))
		help = "; link the object with the library that has it";
	else if (mentions(why, "invalid ELF header") ||
		 mentions(why, "file too short") ||
		 mentions(why, "only ET_DYN") ||
		 mentions(why, "position-independent executable"))
		help = "; build it by cc -shared -fPIC";
	return err_set(err, ERR_CONFIG, "%s%s", why, help);
}

/* ISO C has no conversion from the address of an object to a function. */
static create_function *find_function(void *handle)
{
	void *address = dlsym(handle, "create_agent");
	create_function *function;

	(void)memcpy(&function, &address, sizeof function);
	return function;
}

static int check_version(
    const char *path, const struct co_agent *a, struct err *err)
{
	if (a->abi != CO_AGENT_ABI)
		return err_set(err, ERR_CONFIG,
		    "%s was compiled for version %u of co_agent.h, and this "
		    "server has %u: compile it with the header of this server "
		    "(begin the struct co_agent with CO_AGENT_INIT)",
		    path, a->abi, CO_AGENT_ABI);
	if (a->size > sizeof *a || a->tool_size > sizeof(struct co_tool))
		return err_set(err, ERR_CONFIG,
		    "%s was compiled with a co_agent.h that is newer than this "
		    "server: compile it with the header of this server",
		    path);
	if (a->size < FIRST_AGENT_SIZE || a->tool_size < FIRST_TOOL_SIZE)
		return err_set(err, ERR_CONFIG,
		    "%s: its struct co_agent does not begin with CO_AGENT_INIT",
		    path);
	return 0;
}

/* ---- what the agent says of itself ---- */

static bool is_object(const char *json, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool is_good =
	    json_is(json_parse(&doc, json, len, 0, &why), JSON_OBJECT);

	json_fini(&doc);
	return is_good;
}

static int check_tool(
    const struct object *o, const char *path, size_t i, struct err *err)
{
	const struct co_tool *t = object_tool(o, i);
	size_t len = t->name ? strlen(t->name) : 0;

	if (len < 1 || len > TOOL_NAME_MAX ||
	    strspn(t->name, TOOL_NAME_CHARS) != len)
		return err_set(err, ERR_CONFIG,
		    "%s: the name of tool %zu, \"%.80s\", is not 1 to %d of "
		    "A-Z a-z 0-9 _ -",
		    path, i + 1, len ? t->name : "", TOOL_NAME_MAX);
	if (object_find(o, t->name) != t)
		return err_set(err, ERR_CONFIG,
		    "%s: two tools have the name %s", path, t->name);
	if (!t->call)
		return err_set(err, ERR_CONFIG,
		    "%s: tool %s has no function call", path, t->name);
	if (!t->description)
		return err_set(err, ERR_CONFIG,
		    "%s: tool %s has no description", path, t->name);
	len = t->schema ? strlen(t->schema) : 0;
	if (len > SCHEMA_MAX || !len || !is_object(t->schema, len))
		return err_set(err, ERR_CONFIG,
		    "%s: the schema of tool %s is no JSON object of at most "
		    "%d bytes",
		    path, t->name, SCHEMA_MAX);
	return 0;
}

static int check_agent(
    const struct object *o, const char *path, struct err *err)
{
	const struct co_agent *a = &o->agent;
	size_t len = a->name ? strlen(a->name) : 0;

	if (len < 1 || len > AGENT_NAME_MAX)
		return err_set(err, ERR_CONFIG,
		    "%s: the agent's name has %zu bytes; it needs 1 to %d",
		    path, len, AGENT_NAME_MAX);
	if (!a->run && !a->n_tools)
		return err_set(err, ERR_CONFIG,
		    "%s: agent %s has neither a function run nor tools", path,
		    a->name);
	if (a->n_tools > CO_AGENT_MAX_TOOLS || (a->n_tools && !a->tools))
		return err_set(err, ERR_CONFIG,
		    "%s: agent %s has %zu tools; it may have %d, in tools",
		    path, a->name, a->n_tools, CO_AGENT_MAX_TOOLS);
	for (size_t i = 0; i < a->n_tools; i++)
		if (check_tool(o, path, i, err) != 0)
			return -1;
	return 0;
}

int object_open(struct object *o, const char *path, const struct co_host *host,
    struct err *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return refuse_file(dlerror(), err);
	create_function *create = find_function(handle);
	if (!create)
		return err_set(err, ERR_CONFIG,
		    "%s exports no create_agent(): include co_agent.h, which "
		    "declares it, and define it without static",
		    path);
	const struct co_agent *agent = create(host);
	if (!agent)
		return err_set(err, ERR_CONFIG,
		    "%s: create_agent() returned no agent", path);
	if (check_version(path, agent, err) != 0)
		return -1;
	*o = (struct object){0};
	(void)memcpy(&o->agent, agent, agent->size);
	return check_agent(o, path, err);
}

const struct co_tool *object_tool(const struct object *o, size_t i)
{
	const char *tools = (const char *)o->agent.tools;

	return (const struct co_tool *)(const void *)(tools +
						      i * o->agent.tool_size);
}

const struct co_tool *object_find(const struct object *o, const char *name)
{
	for (size_t i = 0; i < o->agent.n_tools; i++) {
		const struct co_tool *t = object_tool(o, i);
		if (t->name && strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

/* ---- the description ---- */

static void put_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	buf_json_str(out, text);
}

static void put_flag(struct buf *out, const char *name, unsigned flag)
{
	buf_printf(out, ",\"%s\":%s", name, flag ? "true" : "false");
}

static void put_tool(struct buf *out, const struct co_tool *t)
{
	buf_char(out, '{');
	put_text(out, "name", t->name);
	buf_char(out, ',');
	put_text(out, "description", t->description);
	buf_str(out, ",\"schema\":");
	buf_json_line(out, t->schema, strlen(t->schema));
	put_flag(out, "asks", t->flags & CO_TOOL_ASKS);
	put_flag(out, "idempotent", t->flags & CO_TOOL_IDEMPOTENT);
	put_flag(out, "read_only", t->flags & CO_TOOL_READ_ONLY);
	buf_char(out, '}');
}

char *object_describe(const struct object *o, size_t *len)
{
	const struct co_agent *a = &o->agent;
	struct buf out = {0};

	buf_char(&out, '{');
	put_text(&out, "name", a->name);
	buf_char(&out, ',');
	put_text(&out, "model", a->model ? a->model : "c");
	if (a->system_prompt) {
		buf_char(&out, ',');
		put_text(&out, "system_prompt", a->system_prompt);
	}
	buf_str(&out, ",\"tools\":[");
	for (size_t i = 0; i < a->n_tools; i++) {
		buf_str(&out, i ? "," : "");
		buf_json_str(&out, object_tool(o, i)->name);
	}
	buf_str(&out, "],\"functions\":[");
	for (size_t i = 0; i < a->n_tools; i++) {
		buf_str(&out, i ? "," : "");
		put_tool(&out, object_tool(o, i));
	}
	buf_char(&out, ']');
	put_flag(&out, "runs", a->run != NULL);
	buf_str(&out, "}\n");
	return buf_steal(&out, len);
}
