/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/mem.h"
#include "core/err.h"
#include "relay/directory.h"
#include "relay/find_words.h"
#include "t/unit/scratch.h"

#define NOW 1700000000.0
#define NOW_MS ((int64_t)1700000000000)

/* An agent with a number, as its ANNOUNCE would be read. */
struct said {
	struct announced announce;
	struct directory_change change;
};

static void say(struct said *s, int number, const char *summary,
    const char *profile, double timestamp)
{
	*s = (struct said){.announce = {.timestamp = timestamp}};
	struct announced *a = &s->announce;
	(void)snprintf(a->address, sizeof(a->address), "0x%064x", number);
	memset(a->digest, number, sizeof(a->digest));
	buf_printf(&a->text, "{\"n\":%d,\"at\":%.0f}", number, timestamp);
	a->summary = span_cstr(summary);
	a->endpoints = span_cstr("[\"http://10.0.0.1:8000\"]");
	a->has_endpoints = true;
	a->profile = span_cstr(profile);
	s->change = (struct directory_change){
	    .announce = a,
	    .address = a->address,
	    .source = "192.0.2.1",
	    .seen_ms = (int64_t)(timestamp * 1000),
	};
}

static void write_one(struct directory *d, struct said *s)
{
	struct err err;

	if (directory_write(d, &s->change, 1, &err) != 0)
		printf("# %s\n", err.text);
	announced_fini(&s->announce);
}

static struct directory *open_new(const char *name)
{
	struct err err;
	char *path = scratch_path("%s", name);
	struct directory *d = NULL;

	if (directory_prepare(path, &err) == 0)
		d = directory_open(path, &err);
	if (!d)
		printf("# %s\n", err.text);
	free(path);
	return d;
}

static void test_records(void)
{
	struct directory *d = open_new("records.db");
	struct directory_record r;
	struct err err;
	struct said s;

	ok(d != NULL, "a new directory can be opened");
	say(&s, 1, "\"one\"", "{\"alias\":\"a\"}", NOW);
	char *address = mem_strdup(s.announce.address);
	is_int(directory_get(d, address, NOW, &r, &err), 0,
	    "an agent that never announced itself is not known");
	write_one(d, &s);
	is_int(directory_get(d, address, NOW, &r, &err), 1,
	    "an agent that announced itself is known");
	is_str(r.summary, "\"one\"", "the summary is kept as it came");
	is_str(
	    r.profile, "{\"alias\":\"a\"}", "the profile is kept as it came");
	is_str(
	    r.source, "192.0.2.1", "the record says where an agent came from");
	ok(!r.relay && !r.published && !r.revision,
	    "what was not announced is absent");
	ok(r.announced > NOW - 1 && r.digest[0] == 1,
	    "the last ANNOUNCE can be recognised");
	is_int(r.seen_ms, NOW_MS, "the record says when an agent was seen");
	ok(!r.signed_text,
	    "an ANNOUNCE that could be used again is not given away");
	directory_free(&r);
	(void)directory_get(d, address, NOW + 301, &r, &err);
	is_str(r.signed_text, "{\"n\":1,\"at\":1700000000}",
	    "an ANNOUNCE that is too old to be used again is public");
	directory_free(&r);
	say(&s, 1, "\"two\"", NULL, NOW + 400);
	write_one(d, &s);
	(void)directory_get(d, address, NOW + 410, &r, &err);
	is_str(
	    r.summary, "\"two\"", "a later ANNOUNCE replaces an earlier one");
	is_str(r.signed_text, "{\"n\":1,\"at\":1700000000}",
	    "the earlier ANNOUNCE stays public meanwhile");
	directory_free(&r);
	struct directory_change seen = {
	    .address = address, .seen_ms = NOW_MS + 900000};
	is_int(directory_write(d, &seen, 1, &err), 0,
	    "an agent can be noted as seen");
	(void)directory_get(d, address, NOW, &r, &err);
	is_int(r.seen_ms, NOW_MS + 900000, "the time it was seen is kept");
	directory_free(&r);
	seen.address = "0xunknown";
	(void)directory_write(d, &seen, 1, &err);
	is_int(directory_get(d, "0xunknown", NOW, &r, &err), 0,
	    "an agent without a record gets none by being seen");
	free(address);
	directory_close(&d);
}

static void test_published(void)
{
	struct directory *d = open_new("published.db");
	struct directory_record r;
	struct err err;
	struct said s;

	say(&s, 2, "\"host\"", "{\"alias\":\"live\"}", NOW);
	char *address = mem_strdup(s.announce.address);
	write_one(d, &s);
	for (int revision = 5; revision >= 4; revision--) {
		say(&s, 2, "\"bio\"", revision == 5 ? "{\"r\":5}" : "{\"r\":4}",
		    NOW + 1);
		s.announce.is_attested = true;
		s.announce.revision = revision;
		s.announce.has_endpoints = false;
		s.announce.endpoints = span_cstr("[]");
		s.announce.profile_signature = span_cstr("\"sig\"");
		s.change.has_host = true;
		write_one(d, &s);
	}
	(void)directory_get(d, address, NOW, &r, &err);
	is_str(r.profile, "{\"alias\":\"live\"}",
	    "a published profile does not replace what a live host said");
	is_str(r.endpoints, "[\"http://10.0.0.1:8000\"]",
	    "a published profile does not remove the endpoints of a live host");
	is_str(r.published, "{\"r\":5}",
	    "a published profile is not replaced by an older revision");
	is_int(r.revision, 5, "the revision of a published profile is kept");
	directory_free(&r);
	say(&s, 2, "\"host\"", "{\"alias\":\"again\"}", NOW + 2);
	write_one(d, &s);
	(void)directory_get(d, address, NOW, &r, &err);
	is_str(r.published, "{\"r\":5}",
	    "a host that announces itself does not remove a published profile");
	directory_free(&r);
	free(address);
	directory_close(&d);
}

static const struct {
	const char *summary;
	const char *profile;
} agents[] = {
    {"\"I translate text between many languages\"",
	"{\"alias\":\"polyglot\",\"skills\":[{\"name\":\"proofread\","
	"\"description\":\"corrects spelling\"}],\"tools\":[\"translate\"]}"},
    {"\"Weather forecasts for all cities\"",
	"{\"alias\":\"weather\",\"tools\":[\"get_weather\"],\"skills\":[]}"},
    {"\"A text editor with spelling\"",
	"{\"alias\":\"editor\",\"skills\":[{\"name\":\"edit\",\"body\":"
	"\"secretword\"}]}"},
    {"\"\\u6211\\u7ffb\\u8bd1\\u6587\\u672c\"", "{\"alias\":\"fanyi\"}"},
    {"\"R\\u00e9sum\\u00e9 writer\"", "{\"alias\":\"cv\"}"},
};

static const struct {
	const char *query;
	const char *names; /* of what is found, best first */
} searches[] = {
    {"translate", "polyglot"},
    {"translator", "polyglot"},
    {"Translations, please!", "polyglot"},
    {"trans", "polyglot"},
    {"weather", "weather"},
    {"get_weather", "weather"},
    {"spelling", "polyglot editor"},
    {"text spelling", "polyglot editor"},
    {"translate text to spanish", "polyglot editor"},
    {"polyglot", "polyglot"},
    {"resume", "cv"},
    {"\xe7\xbf\xbb\xe8\xaf\x91", "fanyi"},
    {"secretword", ""},
    {"nothing of this kind", ""},
    {"", ""},
    {"\"*) OR ^ NEAR(", ""},
    {"-- ' ; : {", ""},
};

/* The aliases of all hits, which are freed. */
static void put_names(struct buf *out, struct directory_hit *hits, int n)
{
	for (int i = 0; i < n; i++) {
		const char *at =
		    strstr(hits[i].record.profile, "\"alias\":\"") + 9;
		if (i)
			buf_char(out, ' ');
		buf_append(out, at, strcspn(at, "\""));
		directory_free(&hits[i].record);
	}
}

static void test_find(void)
{
	static struct directory_hit hits[DIRECTORY_HITS];
	struct directory *d = open_new("find.db");
	struct err err;

	for (int i = 0; i < 5; i++) {
		struct said s;
		say(&s, 10 + i, agents[i].summary, agents[i].profile, NOW + i);
		write_one(d, &s);
	}
	for (size_t i = 0; i < sizeof(searches) / sizeof(*searches); i++) {
		struct buf names = {0};
		int n = directory_find(d, searches[i].query, hits, &err);
		put_names(&names, hits, n);
		is_str(buf_cstr(&names), searches[i].names,
		    "a search for \"%s\" finds the right agents",
		    searches[i].query);
		buf_fini(&names);
	}
	struct said s;
	say(&s, 10, "\"I do something else now\"", "{\"alias\":\"new\"}",
	    NOW + 100);
	write_one(d, &s);
	is_int(directory_find(d, "translate", hits, &err), 0,
	    "what an agent no longer says is not found");
	directory_close(&d);
}

static void test_expiry(void)
{
	static struct directory_hit hits[DIRECTORY_HITS];
	struct directory *d = open_new("expiry.db");
	struct directory_record r;
	struct err err;
	char address[ADDRESS_SIZE];

	for (int i = 0; i < 10; i++) {
		struct said s;
		say(&s, 100 + i, "\"expiring\"", NULL, NOW + i);
		write_one(d, &s);
	}
	is_int(directory_expire(d, NOW_MS + 3000, 1000, 2, &err), 2,
	    "an expiry deletes no more than it is told in one step");
	is_int(directory_expire(d, NOW_MS + 3000, 1000, 100, &err), 1,
	    "records that were not seen for long are deleted");
	is_int(directory_expire(d, 0, 4, 100, &err), 3,
	    "records beyond the maximum are deleted");
	(void)snprintf(address, sizeof(address), "0x%064x", 105);
	is_int(directory_get(d, address, NOW, &r, &err), 0,
	    "the oldest records are deleted first");
	is_int(directory_find(d, "expiring", hits, &err), 4,
	    "deleted records are not found");
	for (int i = 0; i < 4; i++)
		directory_free(&hits[i].record);
	directory_close(&d);
}

static void test_damaged(void)
{
	static const char junk[] =
	    "this is no database, and long enough to be looked at as one";
	char *path = scratch_path("damaged.db");
	struct directory_record r;
	struct err err;

	scratch_write(path, junk, sizeof(junk));
	is_int(directory_prepare(path, &err), 0,
	    "a damaged file does not stop the relay");
	struct directory *d = directory_open(path, &err);
	ok(d && directory_get(d, "0x1", NOW, &r, &err) == 0,
	    "a damaged file is replaced by an empty one");
	directory_close(&d);
	is_int(directory_prepare(path, &err), 0,
	    "a file that is there already can be prepared again");
	free(path);
}

int main(void)
{
	test_records();
	test_published();
	test_find();
	test_expiry();
	test_damaged();
	return done();
}
