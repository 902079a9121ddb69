/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/agentloop.h"

#include "agentloop/run_int.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/mcp_servers.h"
#include "core/tool_spec.h"
#include "fetch/fetch.h"
#include "mcp/mcp_box.h"
#include "tools/tools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The maximum size of a file with the system prompt. */
#define PROMPT_BYTES ((size_t)1 << 20)

/* ---- the system prompt ---- */

/* A prompt of one word is a file if it has a slash, or ends in .md or .txt. */
static bool is_file_name(const char *text)
{
	size_t len = strlen(text);

	return len > 3 && !strpbrk(text, " \t\r\n") &&
	       (strchr(text, '/') || strcmp(text + len - 3, ".md") == 0 ||
		   (len > 4 && strcmp(text + len - 4, ".txt") == 0));
}

static char *path_of(const struct agent_spec *spec)
{
	struct buf path = {0};

	if (*spec->model.system != '/')
		buf_printf(&path, "%s/", spec->project_dir);
	buf_str(&path, spec->model.system);
	return buf_steal(&path, NULL);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)err_set(err, ERR_CONFIG, "system_prompt: %s: %s", path,
		    fd < 0 ? strerror(errno) : "it is no file");
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while (out->len <= PROMPT_BYTES &&
	       (n = read(fd, buf_reserve(out, 65536), 65536)) > 0)
		out->len += (size_t)n;
	(void)close(fd);
	if (n < 0)
		return err_set(err, ERR_CONFIG, "system_prompt: %s: %s", path,
		    strerror(errno));
	if (out->len > PROMPT_BYTES || memchr(out->data, 0, out->len))
		return err_set(err, ERR_CONFIG,
		    "system_prompt: %s must be a text of at most %zu bytes",
		    path, PROMPT_BYTES);
	return 0;
}

/* Returns the system prompt, to be freed; NULL with *err on failure. */
static char *read_system(const struct agent_spec *spec, struct err *err)
{
	struct buf text = {0};
	char *path;

	if (!is_file_name(spec->model.system))
		return mem_strdup(spec->model.system);
	path = path_of(spec);
	int rc = read_file(path, &text, err);
	free(path);
	if (rc == 0)
		return text.len ? buf_steal(&text, NULL) : mem_strdup("");
	buf_fini(&text);
	return NULL;
}

/* ---- the provider ---- */

static int find_provider(
    const struct agent_spec *spec, struct provider *p, struct err *err)
{
	const struct provider_wish wish = {
	    .model = spec->model.name,
	    .base_url = spec->model.base_url,
	    .codec = spec->model.api,
	    .key_name = spec->model.key_name,
	};
	struct buf why = {0};
	int rc = 0;

	if (!provider_find(p, &wish, &why))
		rc = err_set(err, ERR_CONFIG, "%s", buf_cstr(&why));
	buf_fini(&why);
	return rc;
}

/* ---- MCP servers ---- */

static int check_servers(const struct agent_spec *spec, struct err *err)
{
	struct mcp_servers servers;
	struct err inner = {0};

	if (mcp_servers_read(&servers, spec->mcp_servers, true, &inner) != 0)
		return err_set(err, ERR_CONFIG, "mcp_servers: %s", inner.text);
	mcp_servers_fini(&servers);
	return 0;
}

static int open_servers(
    struct agent *a, const struct agent_setup *setup, struct err *err)
{
	bool is_given = a->has_no_tools || setup->tools;
	const char *servers = is_given ? "" : setup->spec.mcp_servers;
	struct toolbox *box;

	a->mcp = mcp_boxes_open(setup, servers, NULL, err);
	if (!a->mcp)
		return -1;
	for (size_t i = 0; (box = mcp_boxes_get(a->mcp, i)); i++)
		toolset_add(&a->tools, box);
	return 0;
}

/* ---- the kind ---- */

static int llm_check(
    const struct agent_spec *spec, const char *key, struct err *err)
{
	struct provider p;

	(void)key; /* the message names the setting that is wrong */
	if (find_provider(spec, &p, err) != 0)
		return -1;
	provider_fini(&p);
	char *system = read_system(spec, err);
	bool is_good = system != NULL;
	free(system);
	return is_good ? check_servers(spec, err) : -1;
}

/* Returns the list of their names, to be freed; *offered must be {0}. */
static const char **name_tools(
    const struct agent_spec *spec, struct tool_spec *offered)
{
	struct err err;

	(void)tool_spec_read(offered, spec->tools, &err); /* it was checked */
	return tool_spec_names(offered);
}

static void llm_describe(
    const struct agent_spec *spec, struct agent_about *about)
{
	static struct tool_spec offered; /* both from the last call */
	static const char **names;

	free(names);
	tool_spec_fini(&offered);
	names = name_tools(spec, &offered);
	*about = (struct agent_about){
	    .name = "llm", .model = spec->model.name, .tools = names};
}

static double price_of(
    const struct json *prices, const char *name, double other)
{
	double d;

	return json_double(json_get(prices, name), &d) && d >= 0 ? d : other;
}

static void read_prices(struct agent *a, const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    *text ? json_parse(&doc, text, strlen(text), 0, &why) : NULL;

	a->input_price = price_of(v, "input", 0);
	a->cached_price = price_of(v, "cached", a->input_price);
	a->output_price = price_of(v, "output", 0);
	json_fini(&doc);
}

static void read_model(struct agent *a, const struct agent_model *m)
{
	a->temperature = *m->temperature ? strtod(m->temperature, NULL) : -1;
	a->max_iterations = m->max_iterations;
	a->max_tokens = m->max_tokens;
	a->context_tokens = m->context_tokens;
	a->max_asking = (size_t)m->calls;
	a->reach = (struct model_provider){
	    .codec = a->provider.codec,
	    .base_url = a->provider.base_url,
	    .key = a->provider.key,
	    .connect_timeout_ms = m->connect_timeout_ms,
	    .idle_timeout_s = m->idle_timeout_s,
	    .timeout_ms = m->timeout_ms,
	};
	read_prices(a, m->price);
}

static int open_tools(
    struct agent *a, const struct agent_setup *setup, struct err *err)
{
	struct toolbox *box = setup->tools;

	if (a->has_no_tools)
		return 0;
	if (!box)
		box = tools_open(setup, err);
	if (!box)
		return -1;
	toolset_add(&a->tools, box);
	return 0;
}

static void agentloop_free(struct agent *a)
{
	toolset_close(&a->tools);
	mcp_boxes_close(&a->mcp);
	fetch_close(&a->fetch);
	provider_fini(&a->provider);
	tool_spec_fini(&a->offered);
	free(a->tool_names);
	free(a->system);
	free(a);
}

static struct agent *llm_open(const struct agent_setup *setup, struct err *err)
{
	struct agent *a = mem_zero(sizeof *a);

	a->system = read_system(&setup->spec, err);
	a->loop = setup->loop;
	a->has_no_tools = setup->spec.has_no_tools;
	if (!a->system || find_provider(&setup->spec, &a->provider, err) != 0 ||
	    open_tools(a, setup, err) != 0 ||
	    open_servers(a, setup, err) != 0) {
		agentloop_free(a);
		return NULL;
	}
	a->permit = setup->permit;
	a->max_session_bytes = (size_t)setup->spec.session_bytes;
	list_init(&a->waiting);
	read_model(a, &setup->spec.model);
	a->fetch = fetch_open(a->loop, a->max_asking);
	a->tool_names = name_tools(&setup->spec, &a->offered);
	a->questions = run_question_offered(&a->offered);
	a->about = (struct agent_about){.name = "llm",
	    .model = setup->spec.model.name,
	    .tools = a->tool_names};
	if (setup->about)
		a->about = *setup->about;
	return a;
}

static void llm_close(struct agent **ap)
{
	agentloop_free(*ap);
	*ap = NULL;
}

static const struct agent_about *llm_about(const struct agent *a)
{
	return &a->about;
}

/* Tools that are still loading would be missing from the first questions. */
static enum agent_load llm_load(const struct agent *a)
{
	return toolset_is_loading(&a->tools) ? AGENT_LOADING : AGENT_LOADED;
}

static int64_t llm_descriptors(const struct agent_spec *spec)
{
	return spec->model.calls + tools_descriptors(spec) +
	       mcp_boxes_descriptors(spec->mcp_servers);
}

const struct agent_kind agentloop_kind = {
    .name = "llm",
    .prefix = "llm",
    .usage = "llm",
    .flags = AGENT_RESUMES,
    .check = llm_check,
    .describe = llm_describe,
    .descriptors = llm_descriptors,
    .open = llm_open,
    .close = llm_close,
    .about = llm_about,
    .load = llm_load,
    .start = run_start,
    .exec = run_exec_start,
    .recall = run_recall,
    .run = run_run,
    .deliver = run_deliver,
    .on_room = run_on_room,
    .on_written = run_on_written,
    .free = run_free,
};
