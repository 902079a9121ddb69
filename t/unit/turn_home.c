/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Turns of an agent that is in one worker at a time: they wait where no worker
 * owns them, are taken over where the agent is, and go on from their events.
 */
#include "t/unit/scratch_worker.h"

#include "base/clock.h"
#include "t/unit/tap.h"

#define HOME 77

static enum agent_place place = AGENT_AWAY;
static int64_t patience_ms = 1000000;

/* What the turn of the agent was told. */
static char heard[256];
static bool is_resumed;
static char options[64];
static int n_frees;

static uint64_t home_of(const struct agent *a, const char *name)
{
	(void)a;
	(void)name;
	return HOME;
}

static enum agent_place place_of(
    const struct agent *a, uint64_t home, unsigned *slot)
{
	(void)a;
	*slot = SLOT;
	return home == HOME ? place : AGENT_AWAY;
}

static int64_t patience_of(const struct agent *a)
{
	(void)a;
	return patience_ms;
}

static struct agent_turn *start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	*heard = '\0';
	is_resumed = input->is_resumed;
	(void)snprintf(options, sizeof options, "%.*s", (int)input->options_len,
	    input->options ? input->options : "");
	return agent_start(a, input, sink);
}

static void recall(struct agent_turn *t, const struct event *ev)
{
	size_t n = strlen(heard);
	(void)t;
	(void)snprintf(heard + n, sizeof heard - n, "%s%s", n ? " " : "",
	    event_name(ev->type));
}

static void free_turn(struct agent_turn **t)
{
	n_frees += *t != NULL;
	*t = NULL;
}

static const struct agent_kind resident = {
    .name = "resident",
    .flags = AGENT_RESUMES,
    .about = agent_about,
    .home = home_of,
    .place = place_of,
    .patience_ms = patience_of,
    .start = start,
    .recall = recall,
    .run = agent_run,
    .deliver = agent_deliver,
    .on_room = agent_run,
    .free = free_turn,
};

static void begin_with_family(void)
{
	begin("co");
	agent_dir_add_family(agents, "far:", &resident, NULL);
}

static enum input_outcome give_far(struct session *s)
{
	struct session_input in = {.prompt = "hi",
	    .prompt_len = 2,
	    .caller = "",
	    .level = "stranger",
	    .agent = "far:away",
	    .options = "{\"priority\":\"high\"}",
	    .options_len = 19};
	(void)session_input(s, &in, hear_receipt, NULL);
	settle();
	return told.outcome;
}

static uint64_t owner_of(const struct session *s)
{
	return atomic_load(&session_entry(s)->owner);
}

/* The agent comes, and this worker looks. */
static void come(void)
{
	place = AGENT_HERE;
	sessions_look(all);
	settle();
}

static void test_waits(struct session *s)
{
	place = AGENT_AWAY;
	is_int(give_far(s), INPUT_STARTED,
	    "an input for an agent that is away is accepted");
	is_int(agent.runs, 0, "an agent that is away is not run");
	is_int((long long)owner_of(s), 0,
	    "a turn whose agent is away has no owner");
	ok(session_status(s) == SESSION_RUNNING,
	    "a session whose turn waits for its agent is running");
	sessions_look(all);
	settle();
	is_int((long long)owner_of(s), 0,
	    "a worker without the agent leaves the turn alone");
	place = AGENT_ELSEWHERE;
	sessions_look(all);
	settle();
	is_int((long long)owner_of(s), 0,
	    "a turn is left to the worker that has its agent");
}

static void test_comes(struct session *s)
{
	come();
	is_int(agent.runs, 1, "a turn is taken over when its agent comes");
	ok(owner_of(s) != 0, "a turn that was taken over has an owner");
	ok(!is_resumed, "a turn that only waited starts anew");
	is_str(options, "{\"priority\":\"high\"}",
	    "the options of an input survive a takeover");
}

static void test_leaves(struct session *s)
{
	int frees = n_frees;
	agent_says("half");
	place = AGENT_AWAY;
	agent.sink->ops->leave(agent.sink);
	settle();
	is_int(n_frees, frees + 1, "a turn whose agent leaves is freed");
	is_int((long long)owner_of(s), 0,
	    "a turn whose agent has left has no owner");
	come();
	is_int(agent.runs, 2, "a turn goes on when its agent is back");
	ok(is_resumed, "an agent that is back is told that it had started");
	is_str(heard, "input start assistant",
	    "an agent that is back hears what it did before");
	agent_ends();
	settle();
	ok(session_status(s) == SESSION_CONNECTED,
	    "a turn that was left can end");
}

static void test_interrupted(void)
{
	struct session *s = open_session("stop");
	struct err err;
	place = AGENT_AWAY;
	(void)give_far(s);
	int runs = agent.runs;
	is_int(session_interrupt(s, SESSION_STOP, &err), 0,
	    "a turn that waits can be stopped");
	settle();
	sessions_look(all);
	settle();
	is_int(agent.runs, runs + 1,
	    "any worker takes a turn over that is to stop");
	agent.sink->ops->leave(agent.sink);
	settle();
	sessions_look(all);
	settle();
	is_int((long long)owner_of(s), 0,
	    "a turn that was left after a stimulus is taken over once");
	come();
	agent_ends();
	settle();
	session_close(&s);
}

static void test_patience(void)
{
	struct session *s = open_session("late");
	place = AGENT_AWAY;
	patience_ms = -1;
	(void)give_far(s);
	int runs = agent.runs;
	sessions_look(all);
	settle();
	is_int(agent.runs, runs + 1,
	    "a turn that has waited too long is taken over, so that it ends");
	agent_ends();
	settle();
	session_close(&s);
}

/* The agent is here when the input comes. */
static void test_here(void)
{
	struct session *s = open_session("here");
	place = AGENT_HERE;
	int runs = agent.runs;
	(void)give_far(s);
	is_int(agent.runs, runs + 1, "an agent that is here runs at once");
	place = AGENT_AWAY;
	agent.sink->ops->leave(agent.sink);
	settle();
	come();
	is_str(heard, "input start",
	    "the start of an agent that was here is marked");
	agent_ends();
	settle();
	session_close(&s);
}

int main(void)
{
	begin_with_family();
	struct session *s = open_session("far");
	test_waits(s);
	test_comes(s);
	test_leaves(s);
	session_close(&s);
	test_interrupted();
	test_patience();
	patience_ms = 1000000;
	test_here();
	ok(agent_dir_find(agents, "far:", 4) == NULL,
	    "a family has no agent without a name");
	end();
	return done();
}
