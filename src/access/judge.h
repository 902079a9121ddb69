/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_JUDGE_H
#define ACCESS_JUDGE_H

/*
 * The judge is the evaluator for what a policy leaves open: may this caller
 * come in? It is an agent of its own (setting trust_agent), and each question
 * is one turn of it, without a session: the prompt has the facts as a JSON
 * object, the result has the answer: {"allow":bool,"reason":text}, or a line
 * that begins with ACCEPT or REJECT. It is shown nothing written by the caller,
 * unless the setting trust_sees_prompt adds the prompt.
 * Alternatively it is the object that an agent passed to host() as trust; then
 * the agent's own process is asked.
 *
 * Answers are cached for a while. A caller that cannot be judged in time is
 * refused. Loop's thread only.
 */
#include <stdbool.h>

struct agent;
struct agent_kind;
struct judge;

/* How long an answer is cached, and how long the agent may take for one. */
#define JUDGE_KEEP_MS 60000
#define JUDGE_LIMIT_MS 10000

/*
 * The maximum number of running questions, and of cached answers; beyond that
 * the oldest answers are evicted.
 */
#define JUDGE_MAX_TURNS 32
#define JUDGE_MAX_KEPT 4096

/* The reason if there is no answer. */
#define JUDGE_UNAVAILABLE "trust evaluation unavailable"

/* What a language model is told first that is to be the judge. */
extern const char judge_instructions[];

/* Receives the answer. reason is valid only inside the call. */
typedef void judge_fn(void *arg, bool is_allowed, const char *reason);

/*
 * Create a judge. ask_flush(arg) requests a judge_flush() at the end of this
 * tick. The caller keeps kind and agent.
 */
struct judge *judge_new(const struct agent_kind *kind, struct agent *agent,
    void (*ask_flush)(void *arg), void *arg);

/*
 * Ask the object that the agent passed to host() as trust: questions then use
 * kind->exec without a tool. Call it before the first question.
 */
void judge_ask_host(struct judge *j);

/* End running questions without callbacks, free, and null *j. */
void judge_free(struct judge **j);

/*
 * Ask about the caller identified by key; facts is a JSON object as text. fn is
 * called once, later.
 */
void judge_ask(struct judge *j, const char *key, const char *facts,
    judge_fn *fn, void *arg);

/* Deliver the available answers. */
void judge_flush(struct judge *j);

/* Refuse questions that take too long. Call it every 100 ms. */
void judge_tick(struct judge *j);

#endif
