/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/removal.h"

#include "t/unit/scratch_clock.h"
#include "t/unit/scratch_worker.h"
#include "t/unit/tap.h"

#define ID "doomed"

static int n_told, n_more, n_read;
static enum err_code told_err;

static void on_deleted(void *arg, const struct err *err)
{
	(void)arg;
	n_told++;
	told_err = err ? err->code : ERR_OK;
}

static void on_more(void *arg)
{
	(void)arg;
	n_more++;
}

static bool count(const struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	n_read++;
	return true;
}

static void delete (struct session *s)
{
	n_told = 0;
	(void)session_delete(s, on_deleted, NULL);
	is_int(n_told, 0, "a deletion is not reported from inside the call");
}

static void tick(void)
{
	sessions_tick(all);
	settle();
}

static bool has_record(const char *id)
{
	struct buf mem = {0};
	struct session_record r;
	struct err err;
	bool has = session_get(all, id, strlen(id), &mem, &r, &err) == 0;
	buf_fini(&mem);
	return has;
}

static bool count_row(struct store_span key, struct store_span value, void *arg)
{
	(void)key;
	(void)value;
	++*(int *)arg;
	return true;
}

static int count_rows(enum store_table table)
{
	struct store_txn t;
	struct err err;
	int n = 0;
	store_read(store, &t, store_part_of(table));
	store_each(&t, table, NULL, 0, count_row, &n);
	if (store_read_end(&t, &err) != 0)
		abort();
	return n;
}

static const enum store_table tables[] = {TABLE_IDS, TABLE_SESSIONS,
    TABLE_TALKS, TABLE_TITLES, TABLE_DRAFTS, TABLE_WAITING, TABLE_JOURNALS,
    TABLE_EVENTS};

static int count_all_rows(void)
{
	int n = 0;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		n += count_rows(tables[i]);
	return n;
}

static void run(struct session *s, const char *prompt)
{
	(void)give(s, prompt);
	agent_ends();
	settle();
}

static void test_idle(void)
{
	struct attachment view;
	begin("idle");
	conf.session_results = true;
	struct session *s = open_session(ID);
	run(s, "hello");
	session_attach(s, &view, session_head(s), on_more, NULL);
	settle();
	ok(count_all_rows() > 3, "a session has rows");
	int n_fed = count_rows(TABLE_FEED);
	n_more = 0;
	delete (s);
	settle();
	is_int(n_told, 1, "a deletion is reported once");
	is_int(told_err, ERR_OK, "an idle session is deleted");
	is_int(count_all_rows(), 0, "a deleted session leaves no row");
	is_int(count_rows(TABLE_FEED), n_fed + 1,
	    "the files for people are told of a deletion");
	ok(!has_record(ID), "a deleted session has no record");
	is_int(session_peek(all, ID, strlen(ID), ""), SESSION_NEW,
	    "a deleted session is unknown");
	is_int(session_status(s), SESSION_NEW,
	    "a handle of a deleted session says that it is unknown");
	is_int(n_more, 1, "an attached client is told of the deletion");
	is_int(session_read(&view, count, NULL), READ_DELETED,
	    "an attached client reads that the session was deleted");
	for (int i = 0; i < 5; i++)
		tick();
	is_int(n_more, 1, "an attached client is told of a deletion once");
	is_int(give(s, "again"), INPUT_REFUSED,
	    "a deleted session takes no input");
	is_int(refusal, ERR_NO_SESSION,
	    "the refusal says that there is no such session");
	n_told = 0;
	delete (s);
	tick();
	is_int(told_err, ERR_OK, "a session may be deleted twice");
	struct session *next = open_session(ID);
	ok(next != s, "the id of a deleted session is that of a new one");
	is_int(session_head(next), 0, "the new session has no events");
	session_detach(&view);
	session_close(&s);
	is_int(give(next, "hello"), INPUT_STARTED,
	    "the new session runs a turn after the old handle is closed");
	agent_ends();
	settle();
	ok(has_record(ID), "the new session has a record");
	struct session *same = open_session(ID);
	ok(same == next, "the id leads to the new session");
	session_close(&same);
	session_close(&next);
	end();
}

static void test_running(void)
{
	struct attachment view;
	begin("running");
	struct session *s = open_session(ID);
	(void)give(s, "long");
	session_attach(s, &view, session_head(s), on_more, NULL);
	delete (s);
	settle();
	is_int(agent.last, EV_INTERRUPT, "a deletion interrupts the turn");
	tick();
	is_int(n_told, 0, "a deletion waits until the turn has ended");
	is_int(agent.heard, 1, "a turn is interrupted once");
	agent_ends();
	settle();
	n_read = 0;
	ok(session_read(&view, count, NULL) != READ_DELETED && n_read > 0,
	    "an attached client reads the end of the turn");
	tick();
	is_int(told_err + n_told, 1,
	    "the session is deleted when its turn has ended");
	is_int(count_all_rows(), 0,
	    "a session deleted while a turn ran leaves no row");
	session_detach(&view);
	session_close(&s);
	is_int(session_count(all), 0,
	    "the registry has no entry of a deleted session");
	end();
}

static void test_waiting(void)
{
	begin("waiting");
	struct session *s = open_session(ID);
	(void)give(s, "long");
	is_int(give(s, "more"), INPUT_ADDED, "an input joins the turn");
	agent.heard = 0;
	delete (s);
	settle();
	for (int i = 0; i < 10 && !n_told; i++) {
		agent_ends();
		settle();
		tick();
	}
	is_int(
	    told_err + n_told, 1, "a session with a waiting input is deleted");
	is_int(count_all_rows(), 0, "the input that waited leaves no row");
	session_close(&s);
	end();
}

static void test_stubborn(void)
{
	begin("stubborn");
	struct session *s = open_session(ID);
	(void)give(s, "long");
	delete (s);
	settle();
	pass_ms(61000);
	tick();
	is_int(
	    told_err, ERR_BUSY, "a turn that does not end keeps its session");
	ok(has_record(ID), "a session that was not deleted has its record");
	agent_ends();
	settle();
	session_close(&s);
	end();
}

static void test_leaving(void)
{
	begin("leaving");
	struct session *s = open_session(ID);
	(void)give(s, "long");
	delete (s);
	session_close(&s);
	end();
	is_int(n_told, 0, "a worker that leaves tells nothing of a deletion");
}

int main(void)
{
	follow_clock();
	test_idle();
	test_running();
	test_waiting();
	test_stubborn();
	test_leaving();
	return done();
}
