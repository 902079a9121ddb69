/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/native.h"

#include "agent/child.h"
#include "agent/inquiry.h"
#include "agent/native_model.h"
#include "agent/native_profile.h"
#include "agent/native_source.h"
#include "agent/profile.h"
#include "agent/solo.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* How long the object may take to describe its agent. */
#define DESCRIBE_MS 30000

/* What is quoted as the reason is cut here. */
#define WHY_MAX 300

/* The agent is the first member, so that one pointer serves for both. */
struct native {
	struct agent agent;
	struct source_exec source;
	struct solo solo;
	struct profile profile;
};

/* ---- asking it what it is ---- */

/* Returns the length of the last line of what it said, and where that begins. */
static size_t last_line(const struct buf *said, const char **line)
{
	size_t n = said->len, at;

	while (n && said->data[n - 1] == '\n')
		n--;
	for (at = n; at && said->data[at - 1] != '\n';)
		at--;
	*line = said->data + at;
	return n - at < WHY_MAX ? n - at : WHY_MAX;
}

/* Returns the signal that ended it, or 0. */
static int signal_of(struct buf *report)
{
	int status;

	return sscanf(buf_cstr(report), "exit %d", &status) == 1 &&
		       WIFSIGNALED(status)
		   ? WTERMSIG(status)
		   : 0;
}

static int refuse(
    struct inquiry *q, const char *file, struct buf *out, struct err *err)
{
	struct buf *complaints = &q->heard[INQUIRY_COMPLAINTS];
	int signal = signal_of(&q->heard[INQUIRY_REPORT]);
	const char *line = NULL;
	size_t len = last_line(complaints, &line);

	buf_append(out, complaints->data, complaints->len);
	if (q->is_late)
		return err_set(err, ERR_CONFIG,
		    "agent %s: create_agent() did not return in %d s", file,
		    DESCRIBE_MS / 1000);
	if (signal)
		return err_set(err, ERR_CONFIG,
		    "agent %s: it was ended by a signal while it was loaded: "
		    "%s",
		    file, strsignal(signal));
	return err_set(err, ERR_CONFIG, "agent %s cannot be loaded: %.*s", file,
	    (int)len, len ? line : "");
}

/* Whether the output is what was expected. */
static bool is_profile(const struct buf *said)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    said->len ? json_parse(&doc, said->data, said->len, 0, &why) : NULL;
	bool is_good = json_is(json_get(o, "name"), JSON_STRING);

	json_fini(&doc);
	return is_good;
}

static int native_ask(const struct conf *conf, struct buf *out, struct err *err)
{
	struct agent_spec spec = agent_spec_of(conf);
	const struct buf *said;
	struct source_exec source;
	struct inquiry q;

	native_source_init(&source, &spec, "--describe");
	int rc = inquiry_run(&q, &source.base, DESCRIBE_MS, err);
	said = &q.heard[INQUIRY_SAID];
	if (rc == 0 && !q.is_late && is_profile(said))
		buf_append(out, said->data, said->len);
	else if (rc == 0)
		rc = refuse(&q, native_source_file(&spec), out, err);
	inquiry_fini(&q);
	source_exec_fini(&source);
	return rc;
}

/* ---- the kind ---- */

static void describe(const struct agent_spec *spec, struct agent_about *about)
{
	static struct profile profile; /* of the last call */

	profile_free(&profile);
	native_profile_read(&profile, spec);
	*about = profile.about;
}

/* An object without a function for turns leaves them to a model. */
static const struct agent_kind *variant(const struct agent_spec *spec)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool runs = true;

	(void)json_bool(json_get(json_parse(&doc, spec->profile,
				     strlen(spec->profile), 0, &why),
			    "runs"),
	    &runs);
	json_fini(&doc);
	return runs ? &native_kind : native_model_kind();
}

static int64_t descriptors(const struct agent_spec *spec)
{
	return solo_descriptors(spec);
}

static struct agent *native_open(
    const struct agent_setup *setup, struct err *err)
{
	struct native *n = mem_zero(sizeof *n);

	(void)err; /* errors show at the first start */
	native_source_init(&n->source, &setup->spec, NULL);
	native_profile_read(&n->profile, &setup->spec);
	n->agent.about = n->profile.about;
	solo_init(&n->solo, setup, &n->source.base, (size_t)setup->spec.pool);
	child_init(&n->agent, setup, &n->solo.base);
	return &n->agent;
}

static void native_close(struct agent **agent)
{
	struct native *n = (struct native *)(void *)*agent;

	if (!n)
		return;
	solo_fini(&n->solo);
	source_exec_fini(&n->source);
	profile_free(&n->profile);
	free(n);
	*agent = NULL;
}

const struct agent_kind native_kind = {
    .name = "c",
    .prefix = NATIVE_PREFIX,
    .needs = "a shared object, such as 'c:agent.so'",
    .usage = NATIVE_PREFIX "FILE.so",
    .ask = native_ask,
    .variant = variant,
    .describe = describe,
    .descriptors = descriptors,
    .open = native_open,
    .close = native_close,
    .about = child_about,
    .start = child_start,
    .exec = child_exec,
    .run = child_run,
    .deliver = child_deliver,
    .on_room = child_on_room,
    .free = child_free,
};
