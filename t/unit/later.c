/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Who asks hears later, never from inside the call: it may not have written
 * down yet that it asked. This is tried for the calls of trust/, session/ and
 * net/ whose headers promise it, where the answer is known at once as well,
 * since there it is easiest to call back too early.
 */
#include <sodium.h>
#include <sys/mman.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/permit.h"
#include "fetch/fetch.h"
#include "net/loop.h"
#include "proc/crew.h"
#include "proc/shm.h"
#include "access/judge.h"
#include "journal/registry.h"
#include "session/session.h"
#include "session/sessions.h"
#include "store/store.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"
#include "access/access.h"
#include "access/lists.h"
#include "access/payment.h"

#define DEADLINE_MS 20000
#define TICK_MS 20
#define HOST \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"
#define CLIENT \
	"0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define PEER "203.0.113.5"

/* ---- an agent that has ended before it is asked twice ---- */

struct agent {
	int unused;
};

struct agent_turn {
	struct agent_sink *sink;
};

static struct agent_turn *new_turn(struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);
	t->sink = sink;
	return t;
}

static struct agent_turn *start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	(void)a;
	(void)input;
	return new_turn(sink);
}

static struct agent_turn *exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	(void)a;
	(void)x;
	return new_turn(sink);
}

static void run_turn(struct agent_turn *t)
{
	t->sink->ops->finish(t->sink, "ACCEPT", 6, NULL, 0);
}

static void deliver(struct agent_turn *t, const struct event *ev)
{
	(void)t;
	(void)ev;
}

static void on_room(struct agent_turn *t)
{
	(void)t;
}

static void free_turn(struct agent_turn **t)
{
	free(*t);
	*t = NULL;
}

static struct agent agent;
static const struct agent_about *about(const struct agent *a)
{
	static const struct agent_about instant = {.name = "instant"};
	(void)a;
	return &instant;
}

static const struct agent_kind kind = {.name = "instant",
    .about = about,
    .start = start,
    .exec = exec,
    .run = run_turn,
    .deliver = deliver,
    .on_room = on_room,
    .free = free_turn};

/* ---- all that a worker has, but for its doors ---- */

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct registry *registry;
static struct store *store;
static struct loop *loop;
static struct loop_wake *waker;
static struct loop_later flush;
static struct loop_timer tick, deadline;
static struct permit *permit;
static struct access *access_of_all;
static struct payment *payment;
static struct sessions *sessions;
static struct session *session;
static struct agent_dir *agents;
static struct judge *judge;
static struct fetch *fetch;
static struct crew *crew;

/* Whether the answer came. */
static int n_heard;

static void hear(void)
{
	n_heard++;
	loop_stop(loop);
}

static void on_wake(void *arg)
{
	(void)arg;
	sessions_collect(sessions);
	access_collect(access_of_all);
	crew_collect(crew);
}

static void on_flush(void *arg)
{
	(void)arg;
	judge_flush(judge);
	sessions_flush(sessions);
}

static void wake(void *arg)
{
	(void)arg;
	loop_wake_up(waker);
}

static void ask_flush(void *arg)
{
	(void)arg;
	loop_later_ask(loop, &flush);
}

static void on_tick(void *arg)
{
	(void)arg;
	sessions_tick(sessions);
	access_tick(access_of_all);
	judge_tick(judge);
	loop_timer_set(loop, &tick, TICK_MS);
}

static void on_agent_error(void *arg, const char *text, size_t len)
{
	(void)arg;
	printf("# agent: %.*s\n", (int)len, text);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void run(void)
{
	loop_timer_set(loop, &deadline, DEADLINE_MS);
	loop_run(loop);
	loop_timer_stop(loop, &deadline);
}

static void open_shared(void)
{
	size_t begins = (sizeof(struct heritage) + 63) / 64 * 64;
	size_t size = begins + HERITAGE_REGISTRY_BYTES(16);
	int fd = shm_create("later-test", size);
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->registry_at = begins;
	heritage->registry_bytes = HERITAGE_REGISTRY_BYTES(16);
	heritage->max_sessions = 16;
	atomic_store(&heritage->slots[0].generation, 1);
	registry = registry_new(heritage, true, 1);
}

static void open_conf(void)
{
	conf_init(&conf);
	conf.store_size = 16;
	free(conf.co_dir);
	conf.co_dir = scratch_path("co");
	free(conf.address);
	conf.address = mem_strdup(HOST);
	free(conf.trust);
	conf.trust = mem_strdup("careful");
	if (mkdir(conf.co_dir, 0700) != 0)
		abort();
	(void)setenv("HOME", conf.co_dir, 1);
	(void)setenv("CO_INVITE_CODE", "let-me-in", 1);
}

static void open_trust(void)
{
	struct err err;
	struct access_setup setup = {.conf = &conf,
	    .store = store,
	    .heritage = heritage,
	    .loop = loop,
	    .name = "",
	    .wake = wake};
	access_of_all = access_new(&setup, &err);
	permit = permit_open("", &err);
	payment = payment_new(&conf, loop);
	if (!access_of_all || !permit)
		abort();
}

static void open_sessions(void)
{
	struct err err;
	enum session_status status;
	bool has_record;
	agents = agent_dir_new(&kind, &agent);
	struct sessions_setup setup = {.conf = &conf,
	    .heritage = heritage,
	    .store = store,
	    .agents = agents,
	    .permit = permit,
	    .generation = 1,
	    .wake = wake,
	    .on_agent_error = on_agent_error,
	    .ask_flush = ask_flush};
	sessions = sessions_new(&setup);
	session =
	    session_open(sessions, "s", 1, CLIENT, &status, &has_record, &err);
	if (!session)
		abort();
	judge = judge_new(&kind, &agent, ask_flush, NULL);
}

static void begin(void)
{
	struct err err;
	open_conf();
	open_shared();
	loop = loop_new();
	fetch = fetch_open(loop, 64);
	store = store_open(&conf, true, &err);
	if (!store)
		abort();
	waker = loop_wake_open(loop, on_wake, NULL);
	loop_later_init(&flush, on_flush, NULL);
	loop_timer_init(&tick, on_tick, NULL);
	loop_timer_init(&deadline, stop, NULL);
	open_trust();
	open_sessions();
	crew = crew_open(1, 4, wake, NULL);
	loop_timer_set(loop, &tick, TICK_MS);
}

static void end(void)
{
	crew_close(&crew);
	loop_timer_stop(loop, &tick);
	session_close(&session);
	sessions_free(&sessions);
	agent_dir_free(&agents);
	judge_free(&judge);
	payment_free(&payment);
	access_free(&access_of_all);
	permit_close(&permit);
	loop_wake_close(&waker);
	store_close(&store);
	fetch_close(&fetch);
	registry_free(&registry);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* ---- the calls of trust/ ---- */

static void on_verdict(void *arg, const struct access_verdict *v)
{
	(void)arg;
	(void)v;
	hear();
}

static void ask_access(enum access_use use, const char *frame)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, frame, strlen(frame), 0, &why);
	struct access_ask ask = {.use = use,
	    .payload = json_get(v, "payload"),
	    .from = json_get(v, "from"),
	    .signature = json_get(v, "signature"),
	    .peer = PEER};
	(void)access_ask(access_of_all, &ask, on_verdict, NULL);
	json_fini(&doc);
}

static void ask_anonymous(void)
{
	ask_access(ACCESS_INPUT, "{}");
}

static void ask_status_anonymous(void)
{
	ask_access(ACCESS_STATUS, "{}");
}

static void ask_malformed(void)
{
	ask_access(ACCESS_CONNECT, "{\"payload\":7}");
}

static void ask_forged(void)
{
	char frame[500];
	char zeroes[129];
	memset(zeroes, '0', 128);
	zeroes[128] = '\0';
	(void)snprintf(frame, sizeof frame,
	    "{\"payload\":{\"to\":\"" HOST "\",\"timestamp\":%lld},"
	    "\"from\":\"" CLIENT "\",\"signature\":\"%s\"}",
	    (long long)time(NULL), zeroes);
	ask_access(ACCESS_CONNECT, frame);
}

static void onboard(const char *payload)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    json_parse(&doc, payload, strlen(payload), 0, &why);
	(void)access_onboard(access_of_all, CLIENT, v, PEER, on_verdict, NULL);
	json_fini(&doc);
}

static void onboard_without(void)
{
	onboard("{}");
}

static void onboard_wrong(void)
{
	onboard("{\"invite_code\":\"no\"}");
}

static void onboard_right(void)
{
	onboard("{\"invite_code\":\"let-me-in\"}");
}

static void onboard_free(void)
{
	onboard("{\"payment\":1}");
}

static void on_changed(
    void *arg, const struct lists_result *result, const struct err *err)
{
	(void)arg;
	(void)result;
	(void)err;
	hear();
}

static void change_lists(void)
{
	struct lists_change change = {.action = LISTS_LEVEL, .id = CLIENT};
	access_change(access_of_all, &change, on_changed, NULL);
}

static void change_nobody(void)
{
	struct lists_change change = {.action = LISTS_ADD_ADMIN, .id = ""};
	access_change(access_of_all, &change, on_changed, NULL);
}

static void on_paid(void *arg, const char *receipt)
{
	(void)arg;
	(void)receipt;
	hear();
}

/* There is no key to sign in with. */
static void verify_payment(void)
{
	payment_verify(payment, CLIENT, 1, on_paid, NULL);
}

static void verify_nobody(void)
{
	payment_verify(payment, "", 1, on_paid, NULL);
}

/* ---- the calls of session/ ---- */

static struct session_call *call;

static void on_receipt(void *arg, const struct session_receipt *r)
{
	(void)arg;
	(void)r;
	hear();
}

static void input(const char *prompt, const char *id, bool may_join)
{
	struct session_input in = {.prompt = prompt,
	    .prompt_len = strlen(prompt),
	    .input_id = id,
	    .input_id_len = id ? strlen(id) : 0,
	    .caller = CLIENT,
	    .level = "contact",
	    .may_join = may_join};
	call = session_input(session, &in, on_receipt, NULL);
}

static void input_first(void)
{
	input("hello", "one", true);
}

static void input_repeated(void)
{
	input("hello", "one", true);
}

static void input_reused(void)
{
	input("other", "one", true);
}

static void input_malformed(void)
{
	input("hello", "", true);
}

static void input_while_draining(void)
{
	sessions_drain(sessions);
	input("hello", "two", true);
}

static void on_exec(void *arg, const struct session_exec_result *result)
{
	(void)arg;
	(void)result;
	hear();
}

static void exec_tool(void)
{
	struct session_tool tool = {.name = "t", .args = "{}", .args_len = 2};
	struct err err;
	if (!session_exec(session, &tool, on_exec, NULL, &err))
		abort();
}

static void on_mode(void *arg, const struct err *err)
{
	(void)arg;
	(void)err;
	hear();
}

static void set_mode(void)
{
	struct session_mode mode = {.id = "read-only"};
	if (!session_set_mode(session, &mode, CLIENT, on_mode, NULL))
		abort();
}

static struct attachment attachment;

static void on_more(void *arg)
{
	session_detach(arg);
	hear();
}

static void attach(void)
{
	session_attach(session, &attachment, 0, on_more, &attachment);
}

static void on_judged(void *arg, bool is_allowed, const char *reason)
{
	(void)arg;
	(void)is_allowed;
	(void)reason;
	hear();
}

static void ask_judge(void)
{
	judge_ask(judge, "somebody", "{}", on_judged, NULL);
}

/* ---- the calls of net/ ---- */

static void on_answer(void *arg, const struct fetch_answer *answer)
{
	(void)arg;
	(void)answer;
	hear();
}

static void fetch_nothing(void)
{
	struct fetch_ask ask = {
	    .url = "file:///", .timeout_ms = 1000, .max_bytes = 10};
	(void)fetch_start(fetch, &ask, on_answer, NULL);
}

static void do_nothing(struct crew_job *job)
{
	(void)job;
}

static void on_job(struct crew_job *job)
{
	(void)job;
	hear();
}

static void run_job(void)
{
	static struct crew_job job = {.run = do_nothing, .done = on_job};
	if (!crew_run(crew, &job))
		abort();
}

static void on_time(void *arg)
{
	(void)arg;
	hear();
}

static void set_timer(void)
{
	static struct loop_timer timer;
	loop_timer_init(&timer, on_time, NULL);
	loop_timer_set(loop, &timer, 0);
}

static void defer(void)
{
	static struct loop_later later;
	loop_later_init(&later, on_time, NULL);
	loop_later_ask(loop, &later);
}

/* In this order: some need what those before them left. */
static const struct {
	const char *name;
	void (*ask)(void);
} calls[] = {
    {"access_ask() of somebody anonymous", ask_anonymous},
    {"access_ask() of somebody who must sign", ask_status_anonymous},
    {"access_ask() with half a signature", ask_malformed},
    {"access_ask() with a forged signature", ask_forged},
    {"access_onboard() without a code", onboard_without},
    {"access_onboard() with a wrong code", onboard_wrong},
    {"access_onboard() with a payment nobody asked for", onboard_free},
    {"access_onboard() with the code", onboard_right},
    {"access_change() that only looks", change_lists},
    {"access_change() of what cannot be an admin", change_nobody},
    {"payment_verify() without a key", verify_payment},
    {"payment_verify() of nobody", verify_nobody},
    {"session_set_mode()", set_mode},
    {"session_input() that begins a turn", input_first},
    {"session_input() that was made before", input_repeated},
    {"session_input() with the id of another", input_reused},
    {"session_input() that is malformed", input_malformed},
    {"session_attach() with events to read", attach},
    {"session_exec() of a tool that returns at once", exec_tool},
    {"session_input() to a server that drains", input_while_draining},
    {"judge_ask() of an agent that answers at once", ask_judge},
    {"judge_ask() of what is known", ask_judge},
    {"fetch_start() of what cannot be fetched", fetch_nothing},
    {"crew_run()", run_job},
    {"loop_timer_set() to now", set_timer},
    {"loop_later_ask()", defer},
};

int main(void)
{
	if (sodium_init() < 0)
		abort();
	begin();
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		n_heard = 0;
		calls[i].ask();
		is_int(n_heard, 0, "%s calls nobody back from inside the call",
		    calls[i].name);
		run();
		is_int(n_heard, 1, "%s answers once, later", calls[i].name);
	}
	end();
	return done();
}
