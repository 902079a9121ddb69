/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_publish.h"

#include "api/route_pattern.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest body, which the loop copies, and hashes if it is signed. */
#define BODY_BYTES ((size_t)8 * 1024 * 1024)
#define SIGNED_BYTES ((size_t)1024 * 1024)

struct route {
	const char *name; /* "GET /public/a" */
	const char *path; /* points into the name */
	size_t method_len;
	enum publish_audience audience;
};

/* A request whose handler is running. */
struct calling {
	struct list link;
	struct http_req *req; /* NULL: the client left */
};

static struct list all_calling = {&all_calling, &all_calling};

static struct {
	const struct door_setup *setup;
	struct session *session; /* required for calls; NULL until the first */
	struct route *routes;
	size_t n;
	bool is_closing;
} us;

/* ---- the reply of a handler ---- */

/* Whether text may appear in the head of a reply. */
static bool is_line(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

/* A copy of a string for the head of a reply; NULL for any other value. */
static char *line_of(const struct json *v)
{
	char *text = json_strdup(v);
	if (text && is_line(text, strlen(text)))
		return text;
	free(text);
	return NULL;
}

/*
 * Whether a handler may set this header, whose name is converted to lower case.
 */
static bool is_theirs(char *name)
{
	static const char *const ours[] = {"connection", "content-length",
	    "content-type", "date", "server", "te", "trailer",
	    "transfer-encoding", "upgrade", "keep-alive"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				      "!#$%&'*+-.^_`|~";
	for (char *s = name; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	if (!*name || name[strspn(name, letters)])
		return false;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(name, ours[i]) == 0)
			return false;
	return true;
}

/* Returns false if a value could forge another header. */
static bool api_publish_add_headers(
    struct http_req *req, const struct json *headers)
{
	bool is_good = true;
	for (const struct json *v = json_first(headers); v && is_good;
	     v = json_next(v)) {
		char *name = json_strdup(json_key(v)), *value = line_of(v);
		is_good = name && value;
		if (is_good && is_theirs(name))
			http_add_header(req, name, value);
		free(name);
		free(value);
	}
	return is_good;
}

/* Append the body to out. Returns false if there is none. */
static bool read_body(struct buf *out, const struct json *said)
{
	const struct json *text = json_get(said, "text");
	struct buf scratch = {0};
	size_t len = 0;
	const char *s =
	    json_str(text ? text : json_get(said, "base64"), &scratch, &len);
	bool is_there = s != NULL;
	if (s && text) {
		buf_append(out, s, len);
	} else if (s) {
		size_t n = 0;
		is_there = enc_unbase64(
		    buf_reserve(out, enc_base64_size(s, len)), &n, s, len);
		out->len = n;
	}
	buf_fini(&scratch);
	return is_there;
}

static void send_failure(struct http_req *req)
{
	struct err err;
	(void)err_set(&err, ERR_AGENT, NULL);
	reply_err(req, &err);
}

static void send_body(struct http_req *req, const struct json *said)
{
	struct buf body = {0};
	int64_t status = 200;
	char *type = line_of(json_get(said, "type"));
	bool has_body = read_body(&body, said);
	(void)json_int(json_get(said, "status"), &status);
	if (status == 204 || status == 304)
		has_body = false;
	if (status < 200 || status > 599 ||
	    !api_publish_add_headers(req, json_get(said, "headers")))
		send_failure(req);
	else if (has_body)
		http_reply(req, (int)status,
		    type ? type : "text/plain; charset=utf-8", body.data,
		    body.len);
	else
		http_reply(req, status == 200 ? 204 : (int)status, type, "", 0);
	buf_fini(&body);
	free(type);
}

static void on_result(void *arg, const struct session_exec_result *result)
{
	struct calling *c = arg;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *said = NULL;
	if (!result->has_failed)
		said = json_parse(&doc, result->text, result->len, 0, &why);
	if (c->req)
		http_on_gone(c->req, NULL, NULL);
	if (c->req && json_is(said, JSON_OBJECT))
		send_body(c->req, said);
	else if (c->req)
		send_failure(c->req);
	json_fini(&doc);
	list_remove(&c->link);
	free(c);
}

/* ---- calling ---- */

static void api_publish_on_gone(void *arg)
{
	struct calling *c = arg;
	c->req = NULL;
}

static void put_header(
    void *arg, const char *name, size_t name_len, const char *value, size_t len)
{
	struct buf *out = arg;
	if (out->data[out->len - 1] != '{')
		buf_char(out, ',');
	buf_json(out, name, name_len);
	buf_char(out, ':');
	buf_json(out, value, len);
}

/* Headers that the library keeps apart from the others. */
static void put_kept_apart(
    struct buf *out, const struct http_req *req, size_t body_len)
{
	const char *host = http_header(req, "host");
	char text[24];
	if (host)
		put_header(out, "host", 4, host, strlen(host));
	int n = snprintf(text, sizeof text, "%zu", body_len);
	if (body_len)
		put_header(out, "content-length", 14, text, (size_t)n);
}

static void put_base64(struct buf *out, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		unsigned v = (unsigned)p[i] << 16;
		v |= left > 1 ? (unsigned)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		buf_char(out, digits[v >> 18]);
		buf_char(out, digits[v >> 12 & 63]);
		buf_char(out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_char(out, left > 2 ? digits[v & 63] : '=');
	}
}

static void put_body(struct buf *out, const char *body, size_t len)
{
	size_t i = 0, n = 1;
	while (i < len && (n = utf8_len(body + i, len - i)) > 0)
		i += n;
	if (i >= len) {
		buf_str(out, ",\"body\":");
		buf_json(out, body, len);
		return;
	}
	buf_str(out, ",\"body_base64\":\"");
	put_base64(out, (const unsigned char *)body, len);
	buf_char(out, '"');
}

/*
 * The path as the agent's router sees it. It is decoded here and nowhere else:
 * what is matched is what the agent gets.
 */
static void read_path(struct buf *out, const struct http_req *req)
{
	const char *path = http_path(req);
	percent_text(out, path, strlen(path), false);
	(void)buf_cstr(out);
}

/* For HEAD the agent is called as for GET, and the body is left out. */
static const char *method_of(const struct http_req *req)
{
	return http_is_head(req) ? "GET" : http_method(req);
}

static void put_request(struct buf *out, const struct http_req *req,
    const struct route *route, const char *identity)
{
	size_t len;
	const char *body = http_body(req, &len);
	struct buf path = {0};
	read_path(&path, req);
	buf_str(out, "{\"method\":");
	buf_json_str(out, method_of(req));
	buf_str(out, ",\"path\":");
	buf_json(out, path.data, path.len);
	buf_str(out, ",\"query\":");
	buf_json_str(out, http_query(req));
	buf_str(out, ",\"headers\":{");
	put_kept_apart(out, req, len);
	http_each_header(req, put_header, out);
	buf_str(out, "},\"path_params\":");
	/* It has matched before, when the route was found. */
	(void)route_pattern_match(route->path, path.data, out);
	buf_str(out, ",\"identity\":");
	buf_json_str(out, identity);
	put_body(out, body, len);
	buf_char(out, '}');
	buf_fini(&path);
}

/* Returns the session in which calls are made; NULL with *err. */
static struct session *find_session(struct err *err)
{
	enum session_status status;
	bool has_record;
	if (!us.session)
		us.session = session_open(
		    us.setup->sessions, NULL, 0, "", &status, &has_record, err);
	return us.session;
}

static void call(struct http_req *req, const struct route *route,
    const struct caller *caller)
{
	struct buf args = {0};
	struct err err;
	struct session *session = find_session(&err);
	if (!session) {
		reply_err(req, &err);
		return;
	}
	struct calling *c = mem_zero(sizeof *c);
	put_request(
	    &args, req, route, *caller->address ? caller->address : NULL);
	struct session_tool tool = {.name = route->name,
	    .args = args.data,
	    .args_len = args.len,
	    .is_owner = caller->is_super,
	    .caller = caller->address,
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req)};
	list_append(&all_calling, &c->link);
	if (session_exec(session, &tool, on_result, c, &err)) {
		c->req = req;
		http_on_gone(req, api_publish_on_gone, c);
	} else {
		reply_err(req, &err);
		list_remove(&c->link);
		free(c);
	}
	buf_fini(&args);
}

/* ---- the caller ---- */

static void api_publish_on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *verdict)
{
	const struct route *route = arg;
	const struct caller *caller = verdict->caller;
	bool is_for_all_known = route->audience == PUBLISH_CONTACTS;
	if (verdict->err)
		signed_request_refuse(req, verdict->err);
	else if (is_for_all_known ? !caller->is_known : !caller->is_admin)
		http_reply_error(req, 403,
		    is_for_all_known ? "forbidden: contacts only"
				     : "forbidden: admin only");
	else
		call(req, route, caller);
}

/*
 * Returns the route of a request, or NULL; *is_ambiguous tells that two match
 * equally well.
 */
static struct route *api_publish_find(
    const char *method, const char *path, bool *is_ambiguous)
{
	struct route *best = NULL;
	struct buf params = {0};
	for (size_t i = 0; i < us.n; i++) {
		struct route *r = &us.routes[i];
		if (strlen(method) != r->method_len ||
		    memcmp(r->name, method, r->method_len) != 0 ||
		    !route_pattern_match(r->path, path, &params))
			continue;
		int order =
		    best ? route_pattern_compare(r->path, best->path) : 1;
		if (order >= 0)
			best = r;
		*is_ambiguous = order == 0 || (order < 0 && *is_ambiguous);
	}
	buf_fini(&params);
	return best;
}

static void put_method(struct buf *out, const char *method)
{
	buf_str(out, out->len ? ", " : "");
	buf_str(out, method);
}

/* Refuse a request without a route; another method may have one. */
static void api_publish_refuse(struct http_req *req, const char *path)
{
	bool is_ambiguous = false;
	struct buf methods = {0};
	if (api_publish_find("GET", path, &is_ambiguous))
		put_method(&methods, "GET, HEAD");
	if (api_publish_find("POST", path, &is_ambiguous))
		put_method(&methods, "POST");
	if (methods.len)
		http_reply_allow(req, buf_cstr(&methods));
	else
		http_reply_error(req, 404, err_text(ERR_NOT_FOUND));
	buf_fini(&methods);
}

static void on_route(
    struct http_req *req, struct route *route, bool is_ambiguous)
{
	bool is_public = route->audience == PUBLISH_PUBLIC;
	struct caller nobody = CALLER_NOBODY;
	size_t len;
	(void)http_body(req, &len);
	if (is_ambiguous) {
		log_warn("agent: two routes match %s %s equally well",
		    http_method(req), http_path(req));
		send_failure(req);
	} else if (us.is_closing) {
		http_reply_error(req, 503, err_text(ERR_DRAINING));
	} else if (len > (is_public ? BODY_BYTES : SIGNED_BYTES)) {
		http_reply_error(req, 413, err_text(ERR_TOO_LARGE));
	} else if (is_public) {
		call(req, route, &nobody);
	} else {
		signed_request_whole(req, us.setup, ACCESS_STATUS,
		    api_publish_on_verdict, route);
	}
}

static void api_publish_on_request(struct http_req *req, void *arg)
{
	bool is_ambiguous = false;
	struct buf path = {0};
	(void)arg;
	if (!request_limit_peer(req, us.setup))
		return;
	read_path(&path, req);
	struct route *route =
	    api_publish_find(method_of(req), path.data, &is_ambiguous);
	/* Many libraries would take a NUL for the end. */
	if (strlen(path.data) != path.len)
		http_reply_error(req, 400, "the path holds a NUL (%00)");
	else if (!route)
		api_publish_refuse(req, path.data);
	else
		on_route(req, route, is_ambiguous);
	buf_fini(&path);
}

/* ---- routes ---- */

static void api_publish_add(const char *name)
{
	struct route r = {.name = name, .method_len = strcspn(name, " ")};
	r.path = name + r.method_len + (name[r.method_len] == ' ');
	r.audience = route_pattern_audience(r.path);
	bool is_known =
	    strncmp(name, "GET ", 4) == 0 || strncmp(name, "POST ", 5) == 0;
	if (!is_known || r.audience == PUBLISH_NOBODY) {
		log_warn("agent route \"%s\": ignored, it must be GET or POST "
			 "with a path below /public, /contacts or /admin",
		    name);
		return;
	}
	us.routes = mem_realloc(us.routes, (us.n + 1) * sizeof r);
	us.routes[us.n++] = r;
}

void api_publish_mount(struct http *http, const struct door_setup *setup,
    const char *const *routes)
{
	static const char *const paths[] = {
	    "/public/**", "/contacts/**", "/admin/**"};
	free(us.routes);
	us.routes = NULL;
	us.n = 0;
	us.is_closing = false;
	us.setup = setup;
	for (size_t i = 0; routes && routes[i]; i++)
		api_publish_add(routes[i]);
	for (size_t i = 0; us.n && i < sizeof paths / sizeof paths[0]; i++)
		http_route(http, NULL, paths[i], api_publish_on_request, NULL);
}

void api_publish_close_all(void)
{
	us.is_closing = true;
	if (us.session)
		session_close(&us.session);
}
