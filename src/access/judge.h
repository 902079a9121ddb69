/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_JUDGE_H
#define ACCESS_JUDGE_H

/*
 * The judge answers what a policy leaves open: may this caller come in? It is
 * an agent of its own (setting trust_agent), and each question is one turn of
 * it, without a session: the facts as a JSON object in the prompt, the answer
 * in the result: {"allow":bool,"reason":text}, or a line that begins with
 * ACCEPT or REJECT. What the caller wrote is not shown to it. Or it is what an
 * agent gave to host() as trust, which this agent's own process asks.
 *
 * Answers are kept for a while. Who cannot be judged in time is refused.
 * Loop's thread only.
 */
#include <stdbool.h>

struct agent;
struct agent_kind;
struct judge;

/* How long an answer is kept, and how long the agent may take for one. */
#define JUDGE_KEEP_MS 60000
#define JUDGE_LIMIT_MS 10000

/* Questions at once, and answers kept; above, the oldest answers go. */
#define JUDGE_MAX_TURNS 32
#define JUDGE_MAX_KEPT 4096

/* What it says when there is no answer. */
#define JUDGE_UNAVAILABLE "trust evaluation unavailable"

/* reason is valid inside the call only. */
typedef void judge_fn(void *arg, bool is_allowed, const char *reason);

/*
 * ask_flush(arg) asks for judge_flush() at the end of this tick. kind and agent
 * stay the caller's.
 */
struct judge *judge_new(const struct agent_kind *kind, struct agent *agent,
    void (*ask_flush)(void *arg), void *arg);

/*
 * What the agent gave to host() as trust answers: questions go to kind->exec,
 * without a tool. Before the first question.
 */
void judge_ask_host(struct judge *j);

/* End what runs without telling, free, null *j. */
void judge_free(struct judge **j);

/*
 * Ask about the caller that key names; facts is a JSON object as text. fn is
 * called once, later.
 */
void judge_ask(struct judge *j, const char *key, const char *facts,
    judge_fn *fn, void *arg);

/* Tell the answers that are there. */
void judge_flush(struct judge *j);

/* Call every 100 ms: refuse what takes too long. */
void judge_tick(struct judge *j);

#endif
