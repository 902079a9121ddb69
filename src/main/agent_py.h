/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_AGENT_PY_H
#define MAIN_AGENT_PY_H

/* The sample conf/agent.py, converted into C by scripts/embed at build time. */
#include <stddef.h>

/* Its text, NUL-terminated. */
extern const char agent_py_text[];

/* Its length in bytes, without the NUL. */
extern const size_t agent_py_size;

#endif
