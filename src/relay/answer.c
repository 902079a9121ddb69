/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/answer.h"

#include "base/buf.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- networks ---- */

/* Returns the class of an address; a name is public unless it is local. */
static enum ip_class class_of(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	size_t n = strlen(host);
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ip_class_v4(&v4);
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return ip_class_v6(&v6);
	if (strcasecmp(host, "localhost") == 0 ||
	    (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0))
		return IP_LOOPBACK;
	return (n > 6 && strcasecmp(host + n - 6, ".local") == 0) ||
		       !strchr(host, '.')
		   ? IP_PRIVATE
		   : IP_PUBLIC;
}

/* An endpoint that we cannot read is nobody's secret. */
static bool is_private(const struct json *endpoint)
{
	char *text = json_strdup(endpoint);
	struct url url = {0};
	const char *why;
	bool is_it = text && url_parse(&url, text, &why) == 0 &&
		     class_of(url.host) != IP_PUBLIC;
	url_fini(&url);
	free(text);
	return is_it;
}

static bool is_near(const struct answer_about *a)
{
	const char *source = a->record->source;
	return (source && strcmp(source, a->peer) == 0) ||
	       strcmp(a->peer, "unix") == 0 || class_of(a->peer) != IP_PUBLIC;
}

/* Append the endpoints that may be said. Returns whether that is all. */
static bool put_endpoints(struct buf *out, const struct answer_about *a)
{
	const char *text = a->record->endpoints;
	struct json_doc doc = {0};
	struct json_error why;
	bool near = is_near(a), is_all = true, is_first = true;
	const struct json *list =
	    text ? json_parse(&doc, text, strlen(text), 0, &why) : NULL;
	buf_char(out, '[');
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		size_t len;
		const char *endpoint = json_text(v, &len);
		if (!near && is_private(v)) {
			is_all = false;
			continue;
		}
		if (!is_first)
			buf_char(out, ',');
		is_first = false;
		buf_append(out, endpoint, len);
	}
	buf_char(out, ']');
	json_fini(&doc);
	return is_all;
}

/* ---- profiles ---- */

static void put_skills(struct buf *out, const struct json *skills)
{
	static const char *const cut[] = {"body", "files", NULL};
	bool is_first = true;
	buf_char(out, '[');
	for (const struct json *v = json_first(skills); v; v = json_next(v)) {
		size_t len;
		const char *text = json_text(v, &len);
		if (!is_first)
			buf_char(out, ',');
		is_first = false;
		if (json_is(v, JSON_OBJECT))
			json_put_without(out, v, cut);
		else
			buf_append(out, text, len);
	}
	buf_char(out, ']');
}

/* Bodies and files of skills are large, and asked for one by one. */
static void put_profile(struct buf *out, const char *profile)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *root =
	    profile ? json_parse(&doc, profile, strlen(profile), 0, &why)
		    : NULL;
	bool is_first = true;
	buf_char(out, '{');
	for (const struct json *v = json_first(root); v; v = json_next(v)) {
		size_t key_len, len;
		const char *key = json_text(json_key(v), &key_len);
		const char *text = json_text(v, &len);
		if (!is_first)
			buf_char(out, ',');
		is_first = false;
		buf_append(out, key, key_len);
		buf_char(out, ':');
		if (json_str_is(json_key(v), "skills") &&
		    json_is(v, JSON_ARRAY))
			put_skills(out, v);
		else
			buf_append(out, text, len);
	}
	buf_char(out, '}');
	json_fini(&doc);
}

static void put_raw(struct buf *out, const char *text)
{
	buf_str(out, text ? text : "null");
}

/* What was published for good, or else what the host says. */
static bool has_published(const struct directory_record *r)
{
	return r->published != NULL;
}

static void put_proof(struct buf *out, const struct answer_about *a)
{
	const struct directory_record *r = a->record;
	bool is_published = has_published(r);
	buf_str(out, "{\"profile\":");
	put_profile(out, is_published ? r->published : r->profile);
	buf_str(out, ",\"publisher\":");
	buf_json_str(out, r->address);
	buf_str(out, ",\"signature\":");
	put_raw(
	    out, is_published ? r->published_signature : r->profile_signature);
	buf_printf(out, ",\"signature_version\":%s}",
	    is_published ? "\"profile-v2\"" : "null");
}

static const struct json *find_skill(
    const struct json *profile, const char *name)
{
	const struct json *skills = json_get(profile, "skills");
	for (const struct json *v = json_first(skills); v; v = json_next(v))
		if (json_is(json_get(v, "name"), JSON_STRING) &&
		    json_str_is(json_get(v, "name"), name))
			return v;
	return NULL;
}

static void put_member(
    struct buf *out, const char *name, const struct json *value)
{
	size_t len;
	const char *text = json_text(value, &len);
	buf_printf(out, "\"%s\":", name);
	buf_append(out, text, len);
}

static void put_skill(
    struct buf *out, const struct answer_about *a, const char *name)
{
	const struct directory_record *r = a->record;
	const char *profile = has_published(r) ? r->published : r->profile;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *skill = find_skill(
	    profile ? json_parse(&doc, profile, strlen(profile), 0, &why)
		    : NULL,
	    name);
	const struct json *body = json_get(skill, "body");
	const struct json *files = json_get(skill, "files");
	if (body) {
		buf_char(out, '{');
		put_member(out, "body", body);
		if (files) {
			buf_char(out, ',');
			put_member(out, "files", files);
		}
		buf_char(out, '}');
	} else {
		buf_str(out, "{\"error\":\"skill body not published\"}");
	}
	json_fini(&doc);
}

/* ---- records ---- */

static int64_t seen_ms(const struct answer_about *a)
{
	return a->is_online ? a->now_ms : a->record->seen_ms;
}

static void put_time(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_printf(out, "\"%s\"", text);
}

/* It is null unless the agent is there: some clients conclude from that. */
static void put_relay(struct buf *out, const struct answer_about *a)
{
	if (!a->is_online)
		buf_str(out, "null");
	else if (a->record->relay)
		buf_str(out, a->record->relay);
	else
		buf_json_str(out, a->relay);
}

static void put_record(struct buf *out, const struct answer_about *a)
{
	const struct directory_record *r = a->record;
	buf_str(out, "{\"address\":");
	buf_json_str(out, r->address);
	buf_str(out, ",\"endpoints\":");
	(void)put_endpoints(out, a);
	buf_str(out, ",\"relay\":");
	put_relay(out, a);
	buf_str(out, ",\"last_seen\":");
	put_time(out, seen_ms(a));
	buf_printf(out, ",\"online\":%s", a->is_online ? "true" : "false");
	buf_str(out, ",\"summary\":");
	put_raw(out, r->summary);
	buf_str(out, ",\"profile\":");
	put_profile(out, r->profile ? r->profile : r->published);
	buf_char(out, '}');
}

/* An ANNOUNCE says all endpoints, so only those may see it who may see them. */
static void put_signed(struct buf *out, const struct answer_about *a)
{
	const struct directory_record *r = a->record;
	struct buf endpoints = {0};
	bool may_see = put_endpoints(&endpoints, a);
	buf_fini(&endpoints);
	buf_str(out, "{\"address\":");
	buf_json_str(out, r->address);
	buf_str(out, ",\"announce\":");
	put_raw(out, may_see ? r->signed_text : NULL);
	buf_str(out, ",\"profile\":");
	put_raw(out, r->profile);
	buf_str(out, ",\"profile_signature\":");
	put_raw(out, r->profile_signature);
	buf_str(out, ",\"published\":");
	put_raw(out, r->published);
	buf_str(out, ",\"published_signature\":");
	put_raw(out, r->published_signature);
	buf_char(out, '}');
}

void answer_put(struct buf *out, enum path_target target,
    const struct answer_about *a, const char *name)
{
	if (target == PATH_PROFILE)
		put_proof(out, a);
	else if (target == PATH_SIGNED)
		put_signed(out, a);
	else if (target == PATH_SKILL)
		put_skill(out, a, name);
	else
		put_record(out, a);
}

void answer_put_agent(
    struct buf *out, const struct answer_about *a, bool is_whole)
{
	const struct directory_record *r = a->record;
	long long seen_s = (long long)(seen_ms(a) / 1000);
	buf_str(out, "{\"address\":");
	buf_json_str(out, r->address);
	buf_str(out, ",\"summary\":");
	put_raw(out, r->summary);
	buf_str(out, ",\"endpoints\":");
	(void)put_endpoints(out, a);
	buf_printf(out, ",\"last_seen\":%lld,\"online\":%s", seen_s,
	    a->is_online ? "true" : "false");
	if (is_whole)
		buf_printf(
		    out, ",\"last_announce\":%lld", (long long)r->announced);
	buf_char(out, '}');
}
