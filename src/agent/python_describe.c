/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/python_describe.h"

#include "agent/exec_check.h"
#include "agent/inquiry.h"
#include "agent/python.h"
#include "base/buf.h"
#include "base/json.h"
#include "core/conf.h"
#include "core/err.h"
#include "runner/source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is quoted as the reason is cut here. */
#define WHY_MAX 200

#define RELATIVE " (paths are relative to the project directory)"

/* Whether the output is what was expected. */
static bool is_profile(const struct buf *said)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    said->len ? json_parse(&doc, said->data, said->len, 0, &why) : NULL;
	bool is_good = o && json_is(json_get(o, "name"), JSON_STRING);

	json_fini(&doc);
	return is_good;
}

/* Why the file has no agent, as the script says; NULL: it does not. */
static char *said_reason(const struct buf *said)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    said->len ? json_parse(&doc, said->data, said->len, 0, &why) : NULL;
	char *text = json_strdup(json_get(o, "error"));

	json_fini(&doc);
	return text;
}

/* Whether the interpreter is not the right one, as in most such cases. */
static bool lacks_package(const char *why)
{
	return strncmp(why, "ModuleNotFoundError", 19) == 0;
}

/* The script could not even say why: the last line is the interpreter's. */
static int blame_interpreter(const char *file, const struct conf *conf,
    struct buf *complaints, struct err *err)
{
	const char *text = buf_cstr(complaints);
	size_t n = complaints->len, at;

	while (n && text[n - 1] == '\n')
		n--;
	for (at = n; at && text[at - 1] != '\n';)
		at--;
	if (!n)
		return err_set(err, ERR_CONFIG,
		    "agent %s cannot be loaded by %s, which ended without a "
		    "word",
		    file, conf->python);
	return err_set(err, ERR_CONFIG, "agent %s cannot be loaded by %s: %.*s",
	    file, conf->python, n - at < WHY_MAX ? (int)(n - at) : WHY_MAX,
	    text + at);
}

static int tell_reason(
    const char *file, const struct conf *conf, const char *why, struct err *err)
{
	if (!lacks_package(why))
		return err_set(err, ERR_CONFIG,
		    "agent %s cannot be loaded: %.*s", file, WHY_MAX, why);
	return err_set(err, ERR_CONFIG,
	    "agent %s cannot be loaded: %.*s: %s does not have it; set python "
	    "to the interpreter that has its packages, such as -o "
	    "python=VENV/bin/python",
	    file, WHY_MAX, why, conf->python);
}

static int judge(struct inquiry *q, const struct conf *conf, const char *file,
    struct buf *out, struct err *err)
{
	const struct buf *said = &q->heard[INQUIRY_SAID];
	struct buf *complaints = &q->heard[INQUIRY_COMPLAINTS];

	if (!q->is_late && is_profile(said)) {
		buf_append(out, said->data, said->len);
		return 0;
	}
	buf_append(out, complaints->data, complaints->len);
	if (q->is_late)
		return err_set(err, ERR_CONFIG,
		    "agent %s: it did not come to host() in %d s", file,
		    PYTHON_DESCRIBE_MS / 1000);
	char *why = said_reason(said);
	int rc = why ? tell_reason(file, conf, why, err)
		     : blame_interpreter(file, conf, complaints, err);
	free(why);
	return rc;
}

/*
 * Refuse a file that is missing for certain: it may have the name of an agent
 * after a colon, and what does not end in .py may be a module.
 */
static int check_file(
    const struct conf *conf, const char *file, struct err *err)
{
	struct buf path = {0};
	const char *end = strstr(file, ".py:");
	size_t len = end ? (size_t)(end - file) + 3 : strlen(file);
	int rc = 0;

	if (*file != '/')
		buf_printf(&path, "%s/", conf->project_dir);
	buf_append(&path, file, len);
	bool is_python = len > 3 && memcmp(file + len - 3, ".py", 3) == 0;
	if (is_python && access(buf_cstr(&path), F_OK) != 0 && errno == ENOENT)
		rc = err_set(err, ERR_CONFIG, "agent: there is no file %s%s",
		    buf_cstr(&path), *file == '/' ? "" : RELATIVE);
	buf_fini(&path);
	return rc;
}

int python_describe(const struct conf *conf, struct buf *out, struct err *err)
{
	struct inquiry q;
	struct source_exec source;
	struct buf script = {0};
	struct agent_spec spec = agent_spec_of(conf);
	const char *file = conf->agent + strlen(PYTHON_PREFIX);
	/* A file is refused for what it holds if each turn is a fork. */
	const char *state =
	    conf->agent_state == STATE_ISOLATED ? "isolated" : "shared";
	int rc;

	if (check_file(conf, file, err) != 0 ||
	    exec_check_program(
		"python", conf->python, conf->project_dir, err) != 0)
		return -1;
	buf_printf(&script, "%s/co-agent-python", conf->libexec_dir);
	source_exec_init(&source, &spec,
	    (const char *const[]){conf->python, buf_cstr(&script), "--describe",
		"--state", state, "--", file, NULL});
	rc = inquiry_run(&q, &source.base, PYTHON_DESCRIBE_MS, err);
	if (rc == 0)
		rc = judge(&q, conf, file, out, err);
	inquiry_fini(&q);
	source_exec_fini(&source);
	buf_fini(&script);
	return rc;
}
