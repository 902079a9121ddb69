/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_VALUE_H
#define NATIVE_VALUE_H

/*
 * The values of JSON that an agent in C holds are those of base/json.h under
 * another name, since the agent must not depend on that header.
 */
#include "base/json.h"

#include <co_agent.h>

/* Returns a value as the agent knows it. */
static inline const struct co_json *value_of(const struct json *v)
{
	return (const struct co_json *)(const void *)v;
}

/* Returns a value of the agent as we know it. */
static inline const struct json *value_json(const struct co_json *v)
{
	return (const struct json *)(const void *)v;
}

#endif
