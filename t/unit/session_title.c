/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/title.h"

#include "t/unit/scratch_worker.h"
#include "t/unit/tap.h"

#define A26 "abcdefghijklmnopqrstuvwxyz"
#define A78 A26 A26 A26

/* ---- a prompt as a title ---- */

static const struct {
	const char *name, *prompt, *title;
} shortened[] = {
    {"a short prompt is its own title", "Sum this up", "Sum this up"},
    {"lines and runs of spaces become one space", " a\r\n\n\tb  c \n", "a b c"},
    {"an empty prompt gives an empty title", "", ""},
    {"a prompt of blanks gives an empty title", " \n ", ""},
    {"80 bytes are not cut", A78 "12", A78 "12"},
    {"80 bytes and blanks are not cut", A78 "12 \n", A78 "12"},
    {"81 bytes are cut", A78 "123", A26 A26 "abcdefghijklmnopqrstuvwxy..."},
    {"no character is cut apart",
	A26 A26 "abcdefghijklmnopqrstuvwx\xc3\xa9yz12",
	A26 A26 "abcdefghijklmnopqrstuvwx..."},
};

static void test_shorten(void)
{
	for (size_t i = 0; i < sizeof shortened / sizeof *shortened; i++) {
		struct buf out = {0};
		title_shorten(
		    &out, shortened[i].prompt, strlen(shortened[i].prompt));
		is_str(buf_cstr(&out), shortened[i].title, "%s",
		    shortened[i].name);
		buf_fini(&out);
	}
}

/* ---- titles of sessions ---- */

static int n_changed;

static void on_changed(void *arg, const struct err *err)
{
	(void)arg;
	n_changed += err ? 100 : 1;
}

static void set_title(struct session *s, const char *title, const char *caller)
{
	n_changed = 0;
	(void)session_set_title(
	    s, title, strlen(title), caller, on_changed, NULL);
	settle();
	is_int(n_changed, 1, "the title '%s' is stored", title);
}

static struct buf mem;
static struct session_record record;

static const char *read_title(const char *id)
{
	struct err err;
	buf_reset(&mem);
	if (session_get(all, id, strlen(id), &mem, &record, &err) != 0)
		return "(no record)";
	return record.title;
}

static void run(struct session *s, const char *prompt)
{
	(void)give(s, prompt);
	agent_ends();
	settle();
}

static void test_titles(void)
{
	begin("titles");
	struct session *s = open_session("named");
	run(s, "Sum\nthis up");
	is_str(read_title("named"), "Sum this up",
	    "the first prompt is the title of a session");
	int64_t began_ms = record.began_ms;
	ok(began_ms > 0 && began_ms <= record.created_ms + 1000,
	    "a session knows when it began");
	run(s, "and this");
	is_str(read_title("named"), "Sum this up",
	    "the second prompt does not change the title");
	is_int(record.began_ms, began_ms,
	    "the second turn does not change when the session began");
	set_title(s, "Sums", "");
	is_str(read_title("named"), "Sums", "a client's title is read back");
	run(s, "again");
	is_str(read_title("named"), "Sums", "a client's title stays");
	set_title(s, "", "");
	is_str(read_title("named"), "again",
	    "the prompt of the turn stands for an empty title");
	session_close(&s);
	end();
}

static void test_before_the_first_prompt(void)
{
	begin("empty");
	struct session *s = open_session("empty");
	is_str(read_title("empty"), "(no record)",
	    "a session in which nothing was said is not stored");
	set_title(s, "", "");
	is_str(read_title("empty"), "", "an empty title stores the session");
	is_str(record.status, "connected",
	    "a session in which nothing was said is connected");
	is_int(record.turn, 0,
	    "a session in which nothing was said has had no turn");
	run(s, "first");
	is_str(read_title("empty"), "first",
	    "the first prompt replaces an empty title");
	set_title(s, "Mine", "");
	is_str(record.status, "done", "a title does not replace the record");
	session_close(&s);
	end();
}

/* ---- lists ---- */

static char listed[256];

static void list_one(const struct session_record *r, void *arg)
{
	(void)arg;
	size_t len = strlen(listed);
	(void)snprintf(listed + len, sizeof listed - len, "%s:%s:%s%s ", r->id,
	    r->title, r->status, r->waits_for ? r->waits_for : "");
}

/* Returns the list of a query, and where it goes on. */
static const char *list(const struct session_query *query, uint64_t *next)
{
	struct err err;
	*listed = 0;
	if (session_list(all, query, list_one, NULL, next, &err) != 0)
		return "(failed)";
	return listed;
}

static void test_list(void)
{
	uint64_t next, end_of_page;
	struct session_query query = {
	    .caller = "", .with_nobodys = true, .limit = 2, .is_brief = true};
	begin("list");
	struct session *a = open_session("a"), *b = open_session("b"),
		       *c = open_session("c");
	is_str(list(&query, &next), "", "a list without sessions is empty");
	is_int(next, 0, "an empty list does not go on");
	run(a, "one");
	run(b, "two");
	(void)give(c, "three");
	is_str(list(&query, &next), "c:three:running b:two:done ",
	    "the newest sessions come first");
	query.before = end_of_page = next;
	is_str(list(&query, &next), "a:one:done ",
	    "a list goes on after its place");
	is_int(next, 0, "the last page says that it is the last");
	query.before = 0;
	query.status = "done";
	is_str(list(&query, &next), "b:two:done a:one:done ",
	    "a list may be of one status");
	is_int(next, 0, "a page that ends with the last session is the last");
	query.most_seen = 2;
	is_str(list(&query, &next), "b:two:done ",
	    "a list ends when as many rows were examined as allowed");
	is_int(next, (long long)end_of_page,
	    "such a list goes on after the last row that was examined");
	size_t n_seen;
	query.most_seen = 0;
	query.most_bytes = 1;
	query.n_seen = &n_seen;
	query.status = NULL;
	is_str(list(&query, &next), "c:three:running ",
	    "a list ends with the row that reaches the limit of bytes");
	is_int((long long)n_seen, 1, "a list tells how many rows it examined");
	query.before = next;
	is_str(list(&query, &next), "b:two:done ",
	    "a list that ended for its bytes goes on after that row");
	struct draft d = {0};
	event_begin(&d, EV_ASK_USER, 1);
	event_str(&d, "text", "which?", 6);
	(void)agent.sink->ops->emit(agent.sink, &d);
	event_fini(&d);
	settle();
	query = (struct session_query){
	    .caller = "", .with_nobodys = true, .limit = 1};
	is_str(list(&query, &next), "c:three:runningask_user ",
	    "a session says what its turn waits for");
	agent_ends();
	settle();
	/* After these, only the conversation of b is larger. */
	for (int i = 0; i < 20; i++)
		run(b, "two");
	query = (struct session_query){.caller = "",
	    .with_nobodys = true,
	    .limit = 3,
	    .most_bytes = 1000,
	    .is_brief = true};
	is_str(list(&query, &next), "c:three:done b:two:done a:one:done ",
	    "conversations that are left out of a list are no bytes of it");
	query.is_brief = false;
	is_str(list(&query, &next), "c:three:done b:two:done ",
	    "conversations count among the bytes of their list");
	session_close(&a);
	session_close(&b);
	session_close(&c);
	end();
}

int main(void)
{
	test_shorten();
	test_titles();
	test_before_the_first_prompt();
	test_list();
	buf_fini(&mem);
	return done();
}
