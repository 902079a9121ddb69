/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/lookup.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/operation.h"
#include "cli/output.h"
#include "cli/safe.h"

#include <string.h>

static bool is_true(const struct json *v)
{
	bool value = false;

	return json_bool(v, &value) && value;
}

/* A text as one line; other values as JSON. */
static void add_value(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	if (!text && v)
		text = json_text(v, &len);
	if (text)
		safe_line(out, text, len);
	buf_fini(&scratch);
}

/* Names of tools or skills: texts, or objects that have a name. */
static void add_list(struct buf *out, const struct json *list)
{
	const char *between = "";

	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		const struct json *name =
		    json_is(v, JSON_OBJECT) ? json_get(v, "name") : v;
		buf_str(out, between);
		add_value(out, name);
		between = ", ";
	}
}

static void print(const char *label, struct buf *value)
{
	struct buf line = {0};

	if (value->len) {
		buf_printf(&line, "%-10s ", label);
		buf_append(&line, value->data, value->len);
		output_text(line.data, line.len);
	}
	buf_fini(&line);
	buf_fini(value);
}

static void print_member(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	struct buf value = {0};

	if (json_is(v, JSON_ARRAY))
		add_list(&value, v);
	else if (json_type(v) != JSON_NULL)
		add_value(&value, v);
	print(key, &value);
}

/* ---- the two ---- */

static void print_found(const struct json *agent)
{
	struct buf line = {0};

	add_value(&line, json_get(agent, "address"));
	buf_str(&line,
	    is_true(json_get(agent, "online")) ? "  online" : "  offline");
	output_text(line.data, line.len);
	buf_reset(&line);
	buf_str(&line, "    ");
	add_value(&line, json_get(agent, "summary"));
	if (line.len > 4)
		output_text(line.data, line.len);
	buf_fini(&line);
}

static bool print_all_found(const struct json *root)
{
	const struct json *agents = json_get(root, "agents");

	for (const struct json *a = json_first(agents); a; a = json_next(a))
		print_found(a);
	return json_count(agents) > 0;
}

static bool is_online(const struct json *root)
{
	return is_true(json_get(root, "is_direct")) ||
	       is_true(json_get(json_get(root, "record"), "online"));
}

static void print_status(const struct json *root)
{
	struct buf value = {0};

	if (is_true(json_get(root, "is_direct"))) {
		buf_str(&value, "online, at ");
		add_value(&value, json_get(root, "where"));
	} else {
		buf_str(
		    &value, is_online(root) ? "online, by relay" : "offline");
	}
	print("status", &value);
}

static bool print_info(const struct json *root)
{
	static const char *const keys[] = {
	    "name", "version", "model", "trust", "summary", "tools", "skills"};
	const struct json *info = json_get(root, "info");
	const struct json *record = json_get(root, "record");

	print_member(root, "address");
	print_status(root);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		print_member(json_get(info, keys[i]) ? info : record, keys[i]);
	print_member(record, "endpoints");
	return is_online(root);
}

/* Show the result, by the function unless it is to be JSON. */
static bool show(struct cli *cli, const struct co_result *result,
    bool (*fn)(const struct json *root))
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *root =
	    json_parse(&doc, result->json, result->json_len, 0, &why);
	bool is_good = false;

	if (cli->options->is_json) {
		output_json(result->json, result->json_len);
		is_good = fn == print_info
			      ? is_online(root)
			      : json_count(json_get(root, "agents")) > 0;
	} else {
		is_good = fn(root);
	}
	json_fini(&doc);
	return is_good;
}

static enum exit_status fail(
    struct cli *cli, enum exit_status status, const struct co_result *result)
{
	if (cli->options->is_json)
		output_end(result);
	if (result->code != CO_ERR_CANCELLED)
		screen_fail(&cli->screen, "%s", result->text);
	return status;
}

enum exit_status lookup_find(struct cli *cli)
{
	struct co_result result;
	enum exit_status status;
	/* The directory is the relay's, and asks for no agent. */
	struct partner nobody = {.name = NULL};

	status = cli_connect(cli, &nobody);
	if (status != STATUS_OK)
		return status;
	status = operation_run(cli, nobody.client,
	    co_begin_find(
		nobody.client, cli->options->text, cli_timeout_ms(cli)),
	    &result);
	if (status != STATUS_OK) {
		(void)fail(cli, status, &result);
	} else if (!show(cli, &result, print_all_found)) {
		screen_fail(&cli->screen, "no agent fits these words");
		status = STATUS_FAILED;
	}
	co_free(&nobody.client);
	return status;
}

enum exit_status lookup_info(struct cli *cli)
{
	struct partner *partner = &cli->partners[0];
	struct co_result result;
	enum exit_status status = cli_connect(cli, partner);

	if (status != STATUS_OK)
		return status;
	status = operation_run(cli, partner->client,
	    co_begin_info(partner->client, cli_timeout_ms(cli)), &result);
	if (status != STATUS_OK)
		return fail(cli, status, &result);
	return show(cli, &result, print_info) ? STATUS_OK : STATUS_UNREACHABLE;
}
