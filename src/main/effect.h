/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_EFFECT_H
#define MAIN_EFFECT_H

/*
 * Settings that are valid and do nothing, because others exclude them: such as
 * one for Python agents when the agent is another program.
 */
struct conf;
struct policy;

/*
 * Log a warning about each setting that was given another value than its
 * default and has no effect, with what it needs. The policy is that of c.
 */
void effect_warn(const struct conf *c, const struct policy *policy);

#endif
