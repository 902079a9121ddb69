/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * What an operator reads over HTTP, with a fake server and a crew whose jobs
 * are done when the test says so.
 */
#include "t/unit/tap.h"

#include "base/log.h"
#include "api/admin_evals.h"
#include "api/admin_files.h"
#include "net/http.h"
#include "proc/crew.h"
#include "t/unit/fake_http.h"
#include "t/unit/scratch.h"

/* ---- the crew ---- */

static struct crew_job *waiting;
static bool is_full;

bool crew_run(struct crew *c, struct crew_job *job)
{
	(void)c;
	if (is_full)
		return false;
	waiting = job;
	return true;
}

static void do_job(bool is_begun)
{
	struct crew_job *job = waiting;
	waiting = NULL;
	if (is_begun)
		job->run(job);
	job->done(job);
}

/* ---- requests ---- */

static struct http *http;
static char *log_path, *co_dir;

static void on_logs(struct http_req *req, void *arg)
{
	(void)arg;
	admin_files_logs(req, NULL, log_path);
}

static void on_sessions(struct http_req *req, void *arg)
{
	(void)arg;
	admin_files_sessions(req, NULL, co_dir);
}

static struct http_req *get(const char *path)
{
	return fake_http_send(http, "GET", path, "", "");
}

static void is_reply(
    struct http_req **req, int status, const char *body, const char *name)
{
	struct fake_reply *r = fake_http_reply(*req);
	ok(r->is_ended && r->status == status, "%s: %d", name, r->status);
	is_str(buf_cstr(&r->body), body, "%s: its body", name);
	fake_http_free(req);
}

static void test_logs(void)
{
	static const char raw[] = "[12:00:00] one \xff\n\xe2\x9c\x93 two\n";
	struct http_req *req = get("/logs");
	do_job(true);
	is_reply(&req, 404, "{\"error\":\"No logs found\"}", "no log");
	scratch_write(log_path, raw, sizeof raw - 1);
	req = get("/logs");
	ok(!fake_http_reply(req)->status, "the loop does not wait for a file");
	do_job(true);
	is_str(buf_cstr(&fake_http_reply(req)->type),
	    "text/plain; charset=utf-8", "the log is sent as text");
	is_reply(&req, 200, "[12:00:00] one \xef\xbf\xbd\n\xe2\x9c\x93 two\n",
	    "a log, with a sign for what is no text");
	req = get("/logs");
	fake_http_leave(req);
	do_job(true);
	ok(!fake_http_reply(req)->status, "a client that left gets no reply");
	fake_http_free(&req);
	is_full = true;
	req = get("/logs");
	is_full = false;
	is_reply(&req, 503, "{\"error\":\"server is busy; retry later\"}",
	    "too many at a time");
	req = get("/logs");
	do_job(false);
	is_reply(&req, 503, "{\"error\":\"server is busy; retry later\"}",
	    "a server that closes");
}

static void test_large(void)
{
	size_t size = 5 * 1024 * 1024;
	char *text = malloc(size);
	memset(text, 'a', size);
	scratch_write(log_path, text, size);
	struct http_req *req = get("/logs");
	fake_http_stall(req, true);
	do_job(true);
	struct fake_reply *r = fake_http_reply(req);
	ok(r->is_stream && !r->is_ended && r->body.len < size / 8,
	    "a large log goes in pieces");
	for (int i = 0; i < 100 && !r->is_ended; i++) {
		fake_http_stall(req, false);
	}
	ok(r->is_ended && r->body.len == size,
	    "a large log is sent in pieces to its end");
	fake_http_free(&req);
	req = get("/logs");
	fake_http_stall(req, true);
	do_job(true);
	fake_http_leave(req);
	ok(fake_http_reply(req)->body.len < size,
	    "a large log is not sent on when the client leaves");
	fake_http_free(&req);
	free(text);
}

static void put_file(const char *name, const char *text)
{
	char *path = scratch_path("co/%s", name);
	scratch_write(path, text, strlen(text));
	free(path);
}

static void test_sessions(void)
{
	struct http_req *req = get("/sessions");
	do_job(true);
	is_reply(&req, 200, "{\"sessions\":[]}", "no folder");
	char *evals = scratch_path("co/evals"),
	     *sessions = scratch_path("co/sessions");
	(void)mkdir(evals, 0700);
	(void)mkdir(sessions, 0700);
	put_file("evals/a.yaml", "name: a\nupdated: 2026-01-01 10:00:00\n");
	put_file("evals/b.yaml", "name: b\nupdated: '2026-01-03 10:00:00'\n");
	put_file("evals/broken.yaml", "name: [\n");
	put_file("evals/list.yaml", "- 1\n");
	put_file("evals/.hidden.yaml", "name: hidden\n");
	put_file("evals/note.txt", "name: note\n");
	put_file("sessions/c.yaml",
	    "name: c\ncreated: '2026-01-02 10:00:00'\nturns:\n"
	    "- meta: '{\"tokens\": 10, \"cost\": 0.5}'\n"
	    "- meta: '{\"tokens\": 5, \"cost\": 0.25}'\n- meta: no\n");
	req = get("/sessions");
	do_job(true);
	is_reply(&req, 200,
	    "{\"sessions\":["
	    "{\"name\":\"b\",\"updated\":\"2026-01-03 10:00:00\"},"
	    "{\"name\":\"c\",\"created\":\"2026-01-02 10:00:00\","
	    "\"turns\":[{\"meta\":\"{\\\"tokens\\\": 10, \\\"cost\\\": 0.5}\"},"
	    "{\"meta\":\"{\\\"tokens\\\": 5, \\\"cost\\\": 0.25}\"},"
	    "{\"meta\":false}],\"total_cost\":0.7500,\"total_tokens\":15},"
	    "{\"name\":\"a\",\"updated\":\"2026-01-01 10:00:00\"}]}",
	    "newest first, with totals, without what is broken");
	char *log = scratch_path("log");
	size_t len;
	char *text = scratch_read(log, &len);
	ok(strstr(text, "broken.yaml") && strstr(text, "list.yaml"),
	    "broken evals are named in the server's log");
	free(text);
	free(log);
	free(evals);
	free(sessions);
}

int main(void)
{
	char *log = scratch_path("log");
	(void)log_open(log);
	free(log);
	log_path = scratch_path("agent.log");
	co_dir = scratch_path("co");
	(void)mkdir(co_dir, 0700);
	http = fake_http_new();
	http_route(http, "GET", "/logs", on_logs, NULL);
	http_route(http, "GET", "/sessions", on_sessions, NULL);
	test_logs();
	test_large();
	test_sessions();
	fake_http_end(&http);
	free(log_path);
	free(co_dir);
	return done();
}
