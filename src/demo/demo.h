/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

/*
 * The embedded demo agent: deterministic, without network and without effects.
 * It produces the examples of the documentation, and shows every event on
 * demand (demo/script.h).
 */
#include "core/agent.h"

extern const struct agent_kind demo_kind;

#endif
