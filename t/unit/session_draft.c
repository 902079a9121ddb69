/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* Drafts: what is said in a session without a turn. */
#include "session/session.h"

#include "t/unit/scratch_worker.h"
#include "t/unit/tap.h"

static int n_kept;
static enum err_code kept; /* ERR_OK: the latest was kept */

static void on_kept(void *arg, const struct err *err)
{
	(void)arg;
	n_kept++;
	kept = err ? err->code : ERR_OK;
}

static void keep(struct session *s, const char *text)
{
	(void)session_keep(s, text, strlen(text), "", on_kept, NULL);
	settle();
}

static void add_draft(uint64_t place, const char *text, size_t len, void *arg)
{
	(void)place;
	buf_append(arg, text, len);
}

static void has_drafts(
    const struct session *s, const char *want, const char *what)
{
	struct buf text = {0};
	(void)session_drafts(s, add_draft, &text);
	is_str(buf_cstr(&text), want, "%s", what);
	buf_fini(&text);
}

static bool is_known(const char *id)
{
	struct buf memory = {0};
	struct session_record r;
	struct err err;
	int rc = session_get(all, id, strlen(id), &memory, &r, &err);
	buf_fini(&memory);
	return rc == 0;
}

static void test_drafts(void)
{
	begin("drafts");
	struct session *s = open_session("d"), *other = open_session("e");
	conf.max_waiting = 2;
	ok(!is_known("d"), "a session that was opened only is not stored");
	keep(s, "");
	ok(is_known("d"), "an empty draft stores the session");
	has_drafts(s, "", "an empty draft is none");
	keep(s, "one ");
	keep(other, "other");
	keep(s, "two");
	has_drafts(s, "one two", "drafts are kept in order");
	keep(s, "three");
	is_int(kept, ERR_NOT_ACCEPTING, "no more than max_waiting are kept");
	is_int(give(s, "now"), INPUT_STARTED, "a turn begins beside drafts");
	agent_ends();
	settle();
	has_drafts(s, "one two", "a turn leaves the drafts alone");
	session_drop_drafts(s, 1);
	settle();
	has_drafts(s, "two", "drafts are dropped up to a place");
	has_drafts(other, "other", "drafts of another session stay");
	struct session_draft_call *call =
	    session_keep(s, "x", 1, "", on_kept, NULL);
	n_kept = 0;
	session_keep_forget(&call);
	settle();
	is_int(n_kept, 0, "a call that was forgotten is not answered");
	has_drafts(s, "twox", "the draft of a call that was forgotten is kept");
	session_close(&s);
	session_close(&other);
	end();
}

int main(void)
{
	test_drafts();
	return done();
}
