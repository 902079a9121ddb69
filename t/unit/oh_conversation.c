/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_conversation.h"

#include "base/buf.h"
#include "core/err.h"
#include "session/session.h"
#include "t/unit/tap.h"

#define DASHED "0b0e7a60-92a1-4a4f-8b5e-3a1c0c6f7d10"
#define DIGITS "0b0e7a6092a14a4f8b5e3a1c0c6f7d10"

/* ---- a store that has the sessions of this list ---- */

static const char *stored[3];

int session_look(struct sessions *all, const char *id, size_t len,
    struct buf *mem, struct session_record *r, struct err *err)
{
	(void)all;
	(void)mem;
	(void)r;
	for (size_t i = 0; i < 3 && stored[i]; i++)
		if (strlen(stored[i]) == len && !memcmp(stored[i], id, len))
			return 0;
	return err_set(err, ERR_NOT_FOUND, NULL);
}

static void found(const char *id, const char *session, const char *name)
{
	struct buf text = {0};
	buf_str(&text, id);
	oh_conversation_find(NULL, &text);
	is_str(buf_cstr(&text), session, "%s", name);
	buf_fini(&text);
}

static void test_find(void)
{
	found(DIGITS, DIGITS, "the digits of an unknown UUID stay as they are");
	stored[0] = DASHED;
	found(DIGITS, DASHED, "digits find the session whose id has dashes");
	found(DASHED, DASHED, "an id with dashes stays as it is");
	found("talk", "talk", "an id that is no UUID stays as it is");
	stored[1] = DIGITS;
	found(DIGITS, DIGITS, "digits find the session of these digits first");
}

/* ---- ids as they are shown ---- */

static void test_put(void)
{
	static const struct {
		const char *name, *session, *id;
	} cases[] = {
	    {"a UUID loses its dashes", DASHED, DIGITS},
	    {"digits are shown as they are", DIGITS, DIGITS},
	    {"another id keeps its dashes", "my-talk", "my-talk"},
	    {"a UUID in capitals keeps its dashes",
		"0B0E7A60-92a1-4a4f-8b5e-3a1c0c6f7d10",
		"0B0E7A60-92a1-4a4f-8b5e-3a1c0c6f7d10"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf id = {0};
		oh_conversation_put(&id, cases[i].session);
		is_str(buf_cstr(&id), cases[i].id, "%s", cases[i].name);
		buf_fini(&id);
	}
	struct buf id = {0};
	oh_conversation_new(&id);
	is_int(id.len, 32, "a new id has 32 digits");
	buf_fini(&id);
}

static void test_valid(void)
{
	static const struct {
		const char *name, *id;
		bool is_valid;
	} cases[] = {
	    {"a word", "talk", true},
	    {"a UUID", DASHED, true},
	    {"nothing", "", false},
	    {"a slash", "a/b", false},
	    {"a backslash", "a\\b", false},
	    {"two dots", "a..b", false},
	    {"one dot", "a.b", true},
	    {"a control character", "a\nb", false},
	};
	char text[102];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int(
		    oh_conversation_is_valid(cases[i].id, strlen(cases[i].id)),
		    cases[i].is_valid, "%s is %s id", cases[i].name,
		    cases[i].is_valid ? "an" : "no");
	memset(text, 'x', sizeof text);
	ok(oh_conversation_is_valid(text, 100), "100 bytes are an id");
	ok(!oh_conversation_is_valid(text, 101), "101 bytes are no id");
}

int main(void)
{
	test_find();
	test_put();
	test_valid();
	return done();
}
